import { expect, test } from 'vitest'
import { treePath } from './route.ts'

test('a task has an address that holds its id, whatever is in it; the root has the address of its goal', () => {
  const at = new URL(treePath('a/b?c', 'a/b?c#d e'), 'http://page')
  expect(decodeURIComponent(at.pathname)).toBe('/trees/a/b?c')
  expect(at.searchParams.get('task')).toBe('a/b?c#d e')
  expect(treePath('abc', 'abc')).toBe('/trees/abc')
})
