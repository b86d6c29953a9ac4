import { describe, expect, test } from 'vitest'
import type { Event, TreeHead } from '../core/contract/event.ts'
import { DEFAULT_LIMITS } from '../core/contract/limits.ts'
import type { Review } from '../core/contract/review.ts'
import { noSpend, type Task } from '../core/contract/task.ts'
import { emptyView } from '../core/contract/tree.ts'
import { applyToLists, applyToTree, groupsOf, openReviews } from './fold.ts'

const at = '2026-01-01T00:00:00.000Z'
const task = (id: string, parentId: string | null, more: Partial<Task> = {}): Task => ({
  id,
  treeId: id.split('.')[0]!,
  parentId,
  callId: null,
  kind: 'work',
  agent: 'generalist',
  title: id,
  instruction: id,
  origin: 'person',
  status: 'pending',
  reason: null,
  note: null,
  priority: 0,
  depth: 0,
  attempt: 0,
  after: [],
  deadlineAt: null,
  wakeAt: null,
  model: null,
  stoppedByPerson: false,
  taint: [],
  workspace: '',
  result: null,
  summary: null,
  evidence: [],
  verdict: null,
  spend: noSpend,
  createdAt: at,
  updatedAt: at,
  ...more,
})
const head = (id: string): TreeHead => ({
  id,
  goal: id,
  mode: 'auto',
  limits: DEFAULT_LIMITS,
  spend: noSpend,
  taskCount: 0,
  pausedReason: null,
  submittedBy: 'admin',
  createdAt: at,
})
const spend = (costMicros: number) => ({ turns: 1, tokens: 10, costMicros, unpricedCalls: 0 })

const growth: Event[] = [
  { seq: 1, at, treeId: 'a', type: 'tree.created', tree: head('a') },
  { seq: 2, at, treeId: 'a', type: 'task.created', task: task('a', null) },
  { seq: 3, at, treeId: 'b', type: 'tree.created', tree: head('b') },
  { seq: 4, at, treeId: 'b', type: 'task.created', task: task('b', null) },
  { seq: 5, at, treeId: 'a', type: 'task.created', task: task('a.2a', 'a') },
  {
    seq: 6,
    at,
    treeId: 'a',
    type: 'model.called',
    taskId: 'a.2a',
    provider: 'p',
    model: 'm',
    spend: spend(700),
    latencyMs: 1,
    outcome: 'ok',
  },
]

describe('the lists', () => {
  test('know every goal and its root, count and cost all of its tasks, and keep none of them', () => {
    const view = growth.reduce(applyToLists, emptyView)
    expect(Object.keys(view.tasks).sort()).toEqual(['a', 'b'])
    expect(view.trees.a).toMatchObject({ taskCount: 2, spend: { costMicros: 700 } })
  })
})

describe('an open goal', () => {
  test('keeps all of its tasks and nothing of another goal', () => {
    const view = growth.reduce((now, event) => applyToTree(now, 'a', event), emptyView)
    expect(Object.keys(view.tasks).sort()).toEqual(['a', 'a.2a'])
    expect(Object.keys(view.trees)).toEqual(['a'])
    expect(view.tasks['a.2a']!.spend.costMicros).toBe(700)
  })
})

test('open items come with the riskiest first, of those the oldest; decided ones do not', () => {
  const review = (id: string, risk: Review['risk'], createdAt: string, state: Review['state'] = 'open'): Review => ({
    id,
    kind: 'question',
    state,
    treeId: 'a',
    taskId: 'a',
    callId: null,
    title: id,
    action: null,
    actionHash: '',
    risk,
    createdAt,
    decidedAt: null,
    decision: null,
    comment: null,
    decidedBy: null,
    signature: null,
    reason: null,
    taint: [],
    offers: [],
    edit: null,
    snoozedUntil: null,
    expiresAt: null,
    escalatedAt: null,
  })
  const all = [
    review('new', 'low', '2026-02-01'),
    review('old', 'low', '2026-01-01'),
    review('grave', 'high', '2026-03-01'),
    review('past', 'high', '2025-01-01', 'decided'),
  ]
  expect(openReviews(Object.fromEntries(all.map((one) => [one.id, one]))).map((one) => one.id)).toEqual(['grave', 'old', 'new'])
  const overdue = { ...review('overdue', 'low', '2026-04-01'), escalatedAt: '2026-04-02' }
  expect(openReviews({ overdue, grave: all[2]! }).map((one) => one.id)).toEqual(['overdue', 'grave'])
  const alike = [all[0]!, all[1]!, all[2]!].map((one, i) => ({ ...one, signature: i === 1 ? null : 's' }))
  expect(groupsOf(alike).map((group) => group.map((one) => one.id))).toEqual([['new', 'grave'], ['old']])
})
