import { expect, test } from 'vitest'
import { plural, relativeTime, usd } from './words.ts'

test('a number takes the form of the language', () => {
  const tasks = { one: '# task', other: '# tasks' }
  expect([0, 1, 2, 12_345].map((n) => plural(n, tasks))).toEqual(['0 tasks', '1 task', '2 tasks', '12,345 tasks'])
})

test('a time is told from now, back and ahead', () => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  expect(relativeTime(now, now)).toBe('now')
  expect(relativeTime(now - 90_000, now)).toBe('1 min. ago')
  expect(relativeTime(now + 7_200_000, now)).toBe('in 2 hr.')
  expect(relativeTime(now - 86_400_000 * 3, now)).toBe('3 days ago')
  expect(relativeTime(now - 86_400_000 * 800, now)).toBe('2 yr. ago')
})

test('money keeps digits that mean something and never says 0 for what is not', () => {
  expect([0, 1_500_000, 4_200, 3].map(usd)).toEqual(['$0.00', '$1.50', '$0.0042', '< $0.0001'])
})
