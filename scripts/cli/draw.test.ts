import { expect, test } from 'vitest'
import { task } from '../../core/contract/fixture/task.ts'
import { noSpend } from '../../core/contract/task.ts'
import { drawTree, notesOf } from './draw.ts'

const paint = (_: string, text: string) => text
const cost = (dollars: number, unpricedCalls = 0) => ({ ...noSpend, costMicros: dollars * 1_000_000, unpricedCalls })

test('a tree has shapes, words, own and rolled-up cost, agents and ids', () => {
  const lines = drawTree(
    'g',
    [
      task('g', { title: 'Inventory', status: 'waiting', reason: 'children', spend: cost(0.5) }),
      task('g.3a', { title: 'Read a', status: 'waiting', reason: 'review', spend: cost(0.25) }),
      task('g.3a.2a', { title: 'Look', parentId: 'g.3a', status: 'done', spend: cost(1) }),
      task('g.3b', { title: 'Read b', status: 'failed', spend: cost(0, 2) }),
    ],
    { paint, width: 120 },
  )
  expect(lines).toEqual([
    '⧗ Inventory   waiting for subtasks  $1.75+? (own $0.50)  generalist g',
    '├─ ⚑ Read a   waiting for you       $1.25 (own $0.25)    generalist g.3a',
    '│  └─ ✓ Look  done                  $1.00                generalist g.3a.2a',
    '└─ ✕ Read b   failed                $?                   generalist g.3b',
  ])
})

test('titles of agents can neither move the cursor nor break the lines', () => {
  const [line] = drawTree('g', [task('g', { title: '\x1b[2J\x1b]0;owned\x07one\ntwo\u009b31m', agent: 'a\x1b[31m' })], {
    paint,
    width: 100,
  })
  expect(line).toContain('one two')
  expect(line).not.toMatch(/[\p{Cc}]/u)
})

test('no line is longer than the terminal, whatever a title holds', () => {
  const tasks = [task('g', { title: 'x'.repeat(500) }), task('g.3a', { title: 'y'.repeat(500) })]
  for (const line of drawTree('g', tasks, { paint, width: 80 })) expect([...line].length).toBeLessThanOrEqual(80)
})

test('on a small screen what is finished folds away first, then the rest is counted', () => {
  const done = ['a', 'b', 'c'].map((id) => task(`g.1.${id}`, { parentId: 'g.1', status: 'done' }))
  const open = ['d', 'e', 'f'].map((id) => task(`g.2.${id}`, { parentId: 'g.2' }))
  const tasks = [task('g'), task('g.1', { status: 'done' }), ...done, task('g.2'), ...open]
  const folded = drawTree('g', tasks, { paint, width: 120, rows: 6 })
  expect(folded).toHaveLength(6)
  expect(folded[1]).toContain('done +3')
  const cut = drawTree('g', tasks, { paint, width: 120, rows: 4 })
  expect(cut).toHaveLength(4)
  expect(cut[3]).toBe('… 3 more')
})

test('notes tell why something asks or failed, not why a parent waits', () => {
  const tasks = [
    task('g', { status: 'waiting', reason: 'children', note: 'for subtasks' }),
    task('g.3a', { status: 'waiting', reason: 'review', note: 'Which one?' }),
    task('g.3b', { status: 'failed', note: 'exit code 1' }),
  ]
  expect(notesOf(tasks, { paint, width: 100 })).toEqual(['⚑ g.3a Which one?', '✕ g.3b exit code 1'])
})
