import { expect, test } from 'vitest'
import { review, task } from '../../core/contract/fixture/task.ts'
import { parseBudget } from './budget.ts'
import { liveBelow } from './control.ts'
import { pickReview } from './review.ts'
import { decisionCommands, duration, json, money, oneLine, plain, short, table } from './words.ts'

test.each([
  ['dollars=2,tasks=50', { dollars: 2, tasks: 50 }],
  ['2', { dollars: 2 }],
  ['$0.50', { dollars: 0.5 }],
  ['dollars=$3', { dollars: 3 }],
  ['fan-out=4, wall_seconds=60', { fanOut: 4, wallSeconds: 60 }],
])('the budget %s is read', (text, budget) => expect(parseBudget(text)).toEqual(budget))

test.each([
  ['euros=2', '"euros=2" in --budget is not one of dollars=N'],
  ['tasks=many', 'tasks in --budget needs a number'],
  ['tasks', 'tasks in --budget needs a number'],
  ['tasks=0', 'tasks in --budget is out of range'],
  ['tasks=1.5', 'tasks in --budget is out of range'],
  ['tasks=1,tasks=2', 'tasks is twice'],
  ['', '--budget is empty'],
])('the budget "%s" is refused with the reason', (text, reason) => expect(() => parseBudget(text)).toThrow(reason))

test('hostile text loses what drives a terminal and keeps lines, tabs and other scripts', () => {
  const hostile = 'a\x1b[31mb\x1b]8;;http://x\x07c\u009b2Jd\u202ee\x00f\x7fg\r\nh\ti\u{1f333}ü'
  expect(plain(hostile)).toBe('abcdefg\nh\ti🌳ü')
})

test('JSON for a terminal has no raw control character and means the same', () => {
  const value = { text: 'a\u009b2J\u202e\x7f\x1b\n', list: [1] }
  const text = json(value, 2)
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u)
  expect(JSON.parse(text)).toEqual(value)
})

test('one line is cut by characters, not in the middle of one', () => {
  expect(oneLine('🌳🌳🌳\n🌳', 3)).toBe('🌳🌳…')
})

test.each([
  [{ costMicros: 0, unpricedCalls: 0 }, '$0'],
  [{ costMicros: 0, unpricedCalls: 3 }, '$?'],
  [{ costMicros: 400, unpricedCalls: 0 }, '$0.0004'],
  [{ costMicros: 1_234_567, unpricedCalls: 0 }, '$1.23'],
  [{ costMicros: 1_234_567, unpricedCalls: 1 }, '$1.23+?'],
])('%o costs %s', (spend, words) => expect(money(spend)).toBe(words))

test.each([
  [0, '0'],
  [999, '999'],
  [1_200, '1.2k'],
  [12_345, '12k'],
  [999_600, '1M'],
  [3_400_000, '3.4M'],
])('%i is %s', (n, words) => expect(short(n)).toBe(words))

test.each([
  [400, '0 s'],
  [59_000, '59 s'],
  [61_000, '1 min'],
  [47 * 3_600_000, '47 h'],
  [49 * 3_600_000, '2 d'],
])('%i ms is %s', (ms, words) => expect(duration(ms)).toBe(words))

test('columns are as wide as their widest cell', () => {
  expect(
    table([
      ['a', 'long', 'x'],
      ['bbb', 's', ''],
    ]),
  ).toEqual(['a    long  x', 'bbb  s'])
})

test('the commands that decide an item are the ones its kind allows', () => {
  expect(decisionCommands('banyan', { id: 'g.3a/4b-question', kind: 'question' })).toEqual([
    'banyan review answer g.3a/4b-question "your answer"',
    'banyan review reject g.3a/4b-question',
  ])
  expect(decisionCommands('banyan', { id: 'g/1a-permission', kind: 'permission' })).toHaveLength(3)
})

test('an item is found by its id, the beginning of it, its task, or as the only one', () => {
  const items = [review('g/1a-question'), review('g.2a/1a-question'), review('g.2a.1a/5a-question')]
  const idOf = (given?: string) => pickReview(items, given, 'banyan').id
  expect(idOf('g.2a/1a-question')).toBe('g.2a/1a-question')
  expect(idOf('g.2a')).toBe('g.2a/1a-question')
  expect(idOf('g.2a.1')).toBe('g.2a.1a/5a-question')
  expect(pickReview([items[0]!], undefined, 'banyan').id).toBe('g/1a-question')
  expect(() => idOf('g.2')).toThrow('could be 2 items')
  expect(() => idOf('x')).toThrow('No item that waits is x')
  expect(() => idOf()).toThrow('3 items wait for you; say which')
  expect(() => pickReview([], undefined, 'banyan')).toThrow('Nothing waits for you.')
})

test('subtasks that would stop are counted at every depth, finished ones not', () => {
  const tasks = [
    task('g'),
    task('g.1', { status: 'done' }),
    task('g.1.1', { parentId: 'g.1' }),
    task('g.2', { status: 'paused' }),
    task('g.3', { status: 'failed' }),
  ]
  expect(liveBelow('g', tasks)).toBe(2)
  expect(liveBelow('g.1.1', tasks)).toBe(0)
})
