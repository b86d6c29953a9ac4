import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Rule } from '../../core/contract/policy.ts'
import { openBench } from './fixture/banyan.ts'
import { ruleCells, secondsOf } from './rules.ts'

const bench = openBench()
beforeAll(async () => void (await bench.engine()), 60_000)
afterAll(() => bench.remove())

test.each([
  ['90s', 90],
  ['30m', 1_800],
  ['2h', 7_200],
  ['7d', 604_800],
])('%s is %i seconds', (text, seconds) => expect(secondsOf(text)).toBe(seconds))
test.each(['', '0m', '-1h', '2 weeks', '1.5h', 'soon'])('"%s" is no length of time', (text) =>
  expect(() => secondsOf(text)).toThrow(/no length of time/),
)

test('a rule is a line that says what it does and how long', () => {
  const rule: Rule = {
    id: 'r1',
    verdict: 'allow',
    scope: 'command',
    signature: 'x',
    label: 'npm \u001b[31mtest',
    treeId: 'g1',
    agent: null,
    tainted: true,
    createdBy: 'owner',
    createdAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T02:00:00.000Z',
    hits: 3,
    lastHitAt: null,
    revokedAt: null,
  }
  expect(ruleCells(rule, Date.parse('2026-01-01T00:00:00.000Z'))).toEqual([
    'r1',
    'allow',
    'command',
    '3 hits',
    '2 h left',
    'npm test (goal g1), tainted tasks too',
  ])
})

test('rules that narrow are added, listed and taken back', async () => {
  const added = await bench.run(['review', 'rules', 'add', 'deny', 'program', 'rm', '--for', '2h', '--json'])
  expect(added.code, added.err).toBe(0)
  const { id } = JSON.parse(added.out) as Rule
  for (const words of [
    ['review', 'rules'],
    ['review', 'rules', 'ls'],
  ])
    expect((await bench.run(words)).out).toMatch(new RegExp(`${id}  deny  program  0 hits  \\d h left`))
  expect((await bench.run(['review', 'rules', 'revoke', id])).code).toBe(0)
  expect((await bench.run(['review', 'rules', 'revoke', id])).err).toMatch(/taken back already/)
  expect((await bench.run(['review', 'rules', 'ls', '--json'])).out).toMatch(/"items":\s*\[\]/)
  expect((await bench.run(['review', 'rules', 'add', 'allow', 'tool', '*'])).code).toBe(2)
})

test('an item is put off, out of sight of the open ones, and brought back', async () => {
  expect((await bench.run(['goal', '--wait', 'Decide which product to stop.'])).code).toBe(6)
  const [item] = JSON.parse((await bench.run(['review', 'ls', '--json'])).out).items as { id: string }[]
  const put = await bench.run(['review', 'snooze', item!.id, '2h'])
  expect(put.code, put.err).toBe(0)
  expect((await bench.run(['review', 'ls'])).err).toContain('Nothing waits for you.')
  expect((await bench.run(['review', 'show', item!.id])).out).toContain('back at')
  expect((await bench.run(['review', 'snooze', item!.id, 'now'])).out).toContain('back')
  expect((await bench.run(['review', 'ls'])).out).toContain(item!.id)
  expect((await bench.run(['review', 'snooze', item!.id, 'tomorrow-ish'])).code).toBe(2)
  expect((await bench.run(['review', 'approve', item!.id, '--for', '2h'])).code).toBe(2)
})
