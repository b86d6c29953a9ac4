import { expect, test } from 'vitest'
import { oneOf, parseSearch, texts, writeSearch } from './search.ts'

test('an id that looks like a number stays text, and what was read is written the same', () => {
  expect(parseSearch('?task=0123&q=a%20b')).toEqual({ task: '0123', q: 'a b' })
  expect(parseSearch(writeSearch({ task: 'a/b?c#d e', page: 2, on: true }))).toEqual({ task: 'a/b?c#d e', page: '2', on: 'true' })
})

test('what a page does not know, and what is empty, is left out', () => {
  expect(writeSearch({ q: '', none: undefined, off: false })).toBe('')
  expect(texts({ task: 'x', other: 'y', q: '' }, 'task', 'q')).toEqual({ task: 'x' })
  expect(oneOf({ view: 'time' }, 'view', ['tree', 'time'])).toEqual({ view: 'time' })
  expect(oneOf({ view: 'nonsense' }, 'view', ['tree', 'time'])).toEqual({})
})
