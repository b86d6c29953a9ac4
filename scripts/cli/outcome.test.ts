import { expect, test } from 'vitest'
import { review, task } from '../../core/contract/fixture/task.ts'
import type { Review } from '../../core/contract/review.ts'
import type { Task } from '../../core/contract/task.ts'
import { standingOf } from './outcome.ts'

const children = { status: 'waiting', reason: 'children' } as const
const asks = { status: 'waiting', reason: 'review' } as const
const root = task('g', children)

const cases: [string, Task[], Review[], 'going' | number, (string | null)?][] = [
  ['done is 0', [task('g', { status: 'done' })], [], 0],
  ['failed is 5', [task('g', { status: 'failed' })], [], 5],
  ['given up is 5', [task('g', { status: 'dead' })], [], 5],
  ['stopped is 3', [task('g', { status: 'cancelled' })], [], 3],
  ['a running task goes on', [task('g')], [], 'going'],
  ['a question holds everything up', [root, task('a', asks)], [review('a/3a')], 6],
  ['a question beside running work does not', [root, task('a', asks), task('b')], [review('a/3a')], 'going'],
  ['a question beside queued work does not', [root, task('a', asks), task('b', { status: 'pending' })], [review('a/3a')], 'going'],
  ['a decided question is about to wake its task', [root, task('a', asks)], [review('a/3a', { state: 'decided' })], 'going'],
  ['a snoozed question still waits for a person', [root, task('a', asks)], [review('a/3a', { state: 'snoozed' })], 6],
  ['a timer goes on by itself', [root, task('a', asks), task('b', { status: 'waiting', reason: 'timer' })], [review('a/3a')], 'going'],
  [
    'what comes after a question waits with it',
    [root, task('a', asks), task('b', { status: 'backlog', after: ['a'] })],
    [review('a/3a')],
    6,
  ],
  [
    'what comes after something over is about to start',
    [root, task('a', { status: 'done' }), task('b', { status: 'backlog', after: ['a'] })],
    [],
    'going',
  ],
  ['a parent whose subtasks are all over is about to wake', [root, task('a', { status: 'done' })], [], 'going'],
  ['a paused goal waits for a person', [task('g', { status: 'paused', reason: 'person' })], [], 6],
  ['a goal in step mode waits for a person', [task('g', { status: 'paused', reason: 'step' })], [], 6],
  ['a cap is 7', [task('g', { status: 'paused', reason: 'budget' })], [review('g/b', { kind: 'budget' })], 7, 'the cap is reached'],
  ['a turn under way in a held tree ends first', [root, task('a')], [review('g/b', { kind: 'budget' })], 'going', 'the cap is reached'],
  [
    'a timer in a held tree wakes nothing',
    [root, task('a', { status: 'waiting', reason: 'quota' })],
    [review('g/b', { kind: 'budget' })],
    7,
    'the cap is reached',
  ],
  [
    'being checked goes on while the checker does',
    [task('g', { status: 'waiting', reason: 'closing' }), task('e', { kind: 'evaluate' })],
    [],
    'going',
  ],
  ['a goal of which nothing is known yet goes on', [], [], 'going'],
]

test.each(cases)('%s', (_, tasks, reviews, wanted, pausedReason = null) => {
  const standing = standingOf({ rootId: 'g', pausedReason, tasks, reviews })
  expect(standing.kind === 'going' ? 'going' : standing.exitCode).toBe(wanted)
})
