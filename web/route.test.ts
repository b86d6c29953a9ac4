import { expect, test } from 'vitest'
import { routeOf, treePath } from './route.ts'

const at = (address: string) => routeOf(new URL(address, 'http://page'))

test('every address names a page', () => {
  expect(at('/')).toEqual({ view: 'home' })
  expect(at('/reviews')).toEqual({ view: 'reviews' })
  expect(at('/trees/abc')).toEqual({ view: 'tree', treeId: 'abc', taskId: null })
  expect(at('/trees/abc?task=abc.3a')).toEqual({ view: 'tree', treeId: 'abc', taskId: 'abc.3a' })
  expect(at('/settings/nothing')).toEqual({ view: 'unknown', path: '/settings/nothing' })
})

test('an address that is made for a task leads back to it, whatever its id holds', () => {
  const id = 'a/b?c#d e'
  expect(at(treePath('abc', id))).toEqual({ view: 'tree', treeId: 'abc', taskId: id })
  expect(at(treePath(id))).toEqual({ view: 'tree', treeId: id, taskId: null })
})

test('the root has the address of its goal, and a broken escape is no page', () => {
  expect(treePath('abc', 'abc')).toBe('/trees/abc')
  expect(at('/trees/%E0%A4%A')).toEqual({ view: 'unknown', path: '/trees/%E0%A4%A' })
})
