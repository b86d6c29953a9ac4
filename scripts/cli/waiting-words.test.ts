import { expect, test } from 'vitest'
import { waitFor } from './words.ts'

test('one waits, several wait', () => {
  expect(waitFor(1, 'item', ' of it')).toBe('1 item of it waits for you')
  expect(waitFor(2, 'item', ' of it')).toBe('2 items of it wait for you')
  expect(waitFor(1, 'tool')).toBe('1 tool waits for you')
})
