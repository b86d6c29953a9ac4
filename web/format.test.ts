import { describe, expect, test } from 'vitest'
import { ago, count, counted, dollars, duration, money, preview, size } from './format.ts'

const spent = { turns: 3, tokens: 100, costMicros: 0, unpricedCalls: 0 }

describe('money', () => {
  test('an unknown price is never shown as nothing', () => {
    expect(money({ ...spent, unpricedCalls: 2 })).toBe('unpriced')
    expect(money({ ...spent, costMicros: 1_250_000, unpricedCalls: 2 })).toBe('≥ $1.25')
  })
  test('a goal that called no model shows no cost, one that cost nothing shows $0', () => {
    expect(money({ ...spent, turns: 0 })).toBe('')
    expect(money(spent)).toBe('$0')
  })
  test.each([
    [0, '$0'],
    [50, '< $0.0001'],
    [1_234, '$0.0012'],
    [9_990, '$0.0100'],
    [12_340, '$0.01'],
    [5_000_000, '$5.00'],
  ])('%i millionths are %s', (micros, text) => expect(dollars(micros)).toBe(text))
})

test.each([
  [0, '0 ms'],
  [-5, '0 ms'],
  [850, '850 ms'],
  [1_240, '1.2 s'],
  [59_900, '59 s'],
  [61_000, '1 min 1 s'],
  [3_660_000, '1 h 1 min'],
  [200_000_000, '2 days'],
])('%i ms last %s', (ms, text) => expect(duration(ms)).toBe(text))

test('how long ago is rough, and a clock that is ahead does not make it negative', () => {
  const at = '2026-01-01T00:00:00.000Z'
  const then = Date.parse(at)
  expect(ago(at, then - 60_000)).toBe('just now')
  expect(ago(at, then + 42_000)).toBe('42 s ago')
  expect(ago(at, then + 7_200_000)).toBe('2 h ago')
})

test('counts and sizes keep few digits', () => {
  expect([count(999), count(12_345), count(250_000), count(3_400_000)]).toEqual(['999', '12.3 k', '250 k', '3.4 M'])
  expect([size(12), size(2_400), size(5_000_000)]).toEqual(['12 bytes', '2.4 kB', '5.0 MB'])
  expect([counted(1, 'task'), counted(2, 'task')]).toEqual(['1 task', '2 tasks'])
})

test('a preview is one line without the marks of Markdown, cut', () => {
  expect(preview('# Report\n\n- **one**\n- `two`\n```sh\nls\n```')).toBe('Report · one · two ls')
  expect(preview('Totals:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nDone.')).toBe('Totals: Done.')
  expect(preview('Run `cat facts/*.txt > all_facts.txt`')).toBe('Run cat facts/*.txt > all_facts.txt')
  expect(preview('\u001b[31mred\u001b[0m and \u001b[2Kplain')).toBe('red and plain')
  expect(preview('1. Run `date > now.txt`\n2. Then run `cat now.txt`')).toBe('Run date > now.txt · Then run cat now.txt')
  expect(preview('Do these:\n\n- one\n- two - or three')).toBe('Do these: one · two - or three')
  expect(preview('x'.repeat(300), 10)).toBe(`${'x'.repeat(9)}…`)
})
