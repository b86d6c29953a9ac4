import { expect, test } from 'vitest'
import type { Review } from '../../../core/contract/review.ts'
import { effectOf, undoWords } from './effect.ts'
import { batchProblem, choicesIn, fits, inOrder, queueSearch, reviewPath, shortTitle, step } from './queue.ts'

const review = (more: Partial<Review>): Review =>
  ({
    id: 'r',
    kind: 'permission',
    state: 'open',
    treeId: 't',
    title: 'Run a command: make',
    action: { command: 'make' },
    risk: 'medium',
    createdAt: '2026-01-01T00:00:00Z',
    signature: 's',
    taint: [],
    escalatedAt: null,
    ...more,
  }) as Review

test('what the address says is what is listed; anything else in it is left out', () => {
  const search = queueSearch({ tab: 'done', kind: 'plan', risk: 'none', q: 'a b', other: '1' })
  expect(search).toEqual({ tab: 'done', kind: 'plan', q: 'a b' })
  expect(reviewPath('t/3a-permission', search)).toBe('/reviews/t%2F3a-permission?tab=done&kind=plan&q=a+b')
  expect(fits(review({}), { q: 'MAKE shop' }, () => 'Build the shop')).toBe(true)
  expect(fits(review({}), { q: 'make home' }, () => 'Build the shop')).toBe(false)
  expect(fits(review({}), { risk: 'high' }, () => '')).toBe(false)
})

test('overdue ones come first, then the riskiest, and of those the oldest', () => {
  const items = [
    review({ id: 'low', risk: 'low' }),
    review({ id: 'new', risk: 'high', createdAt: '2026-02-01T00:00:00Z' }),
    review({ id: 'old', risk: 'high' }),
    review({ id: 'over', escalatedAt: '2026-01-02T00:00:00Z' }),
  ]
  expect(items.sort(inOrder('urgent')).map(({ id }) => id)).toEqual(['over', 'old', 'new', 'low'])
  expect(items.sort(inOrder('newest'))[0]!.id).toBe('new')
})

test('only items that ask the same, and none of high risk, are decided together', () => {
  expect(batchProblem([review({}), review({})], 'approve')).toBeNull()
  expect(batchProblem([], 'approve')).toBe('none')
  expect(batchProblem([review({}), review({ signature: 'other' })], 'approve')).toBe('differ')
  expect(batchProblem([review({ signature: null }), review({ signature: null })], 'approve')).toBe('differ')
  expect(batchProblem([review({}), review({ risk: 'high' })], 'approve')).toBe('risky')
  expect(batchProblem([review({ kind: 'question' })], 'approve')).toBe('needsWords')
  expect(
    batchProblem(
      Array.from({ length: 201 }, () => review({})),
      'approve',
    ),
  ).toBe('many')
})

test('choices are the marked lines of a question, when there are two to nine', () => {
  expect(choicesIn('Which?\n- one\n- two, really\n\nThanks')).toEqual(['one', 'two, really'])
  expect(choicesIn('Which?\n1. one\n2) two\nc) three')).toEqual(['one', 'two', 'three'])
  expect(choicesIn('Only\n- one')).toEqual([])
})

test('the title leaves out a command that is shown below; another one keeps its words', () => {
  expect(shortTitle('Run a command: make the…', 'make  the site')).toBe('Run a command')
  expect(shortTitle('Run a command: rm -rf', 'make')).toBe('Run a command: rm -rf')
  expect(shortTitle('Push main: now', null)).toBe('Push main: now')
})

test('a walk through the list stops at its ends', () => {
  expect([step(-1, 1, 3), step(2, 1, 3), step(0, -1, 3), step(1, 1, 3)]).toEqual([0, 2, 0, 2])
})

test('a command shows where it runs and what it is given; nothing of the data is hidden', () => {
  const effect = effectOf({
    kind: 'permission',
    action: {
      tool: 'use_terminal',
      command: 'curl x | sh',
      cwd: 'site',
      isolation: 'plain',
      network: ['x'],
      secrets: ['KEY'],
      env: { A: '1' },
      odd: [1],
    },
  })
  expect(effect).toMatchObject({ command: 'curl x | sh', grave: 'curl', rest: { odd: [1] } })
  expect(effect.rows.filter((row) => row.warn).map((row) => row.value)).toEqual([expect.stringContaining('rights of Banyan'), 'x', 'KEY'])
  expect(effect.rows.find((row) => row.value === 'A=1')).toBeDefined()
})

test('a tool that says nothing of itself is shown by its arguments: a file as a difference', () => {
  const effect = effectOf({
    kind: 'permission',
    action: { tool: 'edit_file', input: { path: 'a.md', edits: [{ old_text: 'a', new_text: 'b' }] } },
  })
  expect(effect.files).toEqual([{ path: 'a.md', before: 'a', after: 'b' }])
  expect(undoWords(review({}), effect)).toMatch(/^Yes/)
})

test('an action of any shape is drawn, whatever an agent put into it', () => {
  for (const action of [null, 'text', 7, [], {}, { command: 3, argv: 'x', env: [], edits: {}, path: {} }, { items: 'no' }, { reached: 1 }])
    for (const kind of ['permission', 'question', 'plan', 'budget', 'in_doubt'] as const)
      expect(() => effectOf({ kind, action })).not.toThrow()
})

test('tools of a server that are other than were approved are shown as what differs', () => {
  const action = {
    server: 'files',
    decision: 'approve takes them',
    tools: { mcp__files__echo: 'sha' },
    changes: [
      { tool: 'mcp__files__echo', state: 'changed', diff: '- a\n+ b' },
      { tool: 'mcp__files__new', state: 'pending', description: 'New.' },
      'no change',
    ],
  }
  expect(effectOf({ kind: 'flag', action })).toMatchObject({
    rest: null,
    server: {
      name: 'files',
      changes: [
        { tool: 'mcp__files__echo', state: 'changed', problem: null, diff: '- a\n+ b', description: '' },
        { tool: 'mcp__files__new', state: 'pending', problem: null, diff: null, description: 'New.' },
      ],
    },
  })
  expect(effectOf({ kind: 'permission', action }).server).toBeNull()
})

test('a server that would run without a sandbox is shown as a command with all that it may do', () => {
  const action = {
    server: 'files',
    command: 'npx server',
    isolation: 'plain',
    cwd: 'a folder of its own',
    network: 'all that this machine reaches',
    note: 'bubblewrap is not installed.',
    decision: 'approve lets it',
  }
  const effect = effectOf({ kind: 'flag', action })
  expect(effect.command).toBe('npx server')
  expect(effect.rows.filter((row) => row.warn).map((row) => row.value)).toEqual([
    expect.stringContaining('rights of Banyan'),
    'all that this machine reaches',
  ])
  expect(effect.rows.find((row) => row.value === 'bubblewrap is not installed.')).toBeDefined()
})

test('a call of a tool of a server says whose it is, where that is reached and what it runs within, whatever its arguments say', () => {
  const action = {
    tool: 'mcp__files__echo',
    server: 'files',
    where: 'npx server',
    runs: 'plain',
    input: { server: 'bank', runs: 'sandbox' },
  }
  const { rows } = effectOf({ kind: 'permission', action })
  expect(rows.map((row) => row.value)).toEqual(['mcp__files__echo', 'files', 'npx server', expect.stringContaining('rights of Banyan')])
  expect(rows.at(-1)!.warn).toBe(true)
})
