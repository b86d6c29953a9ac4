import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event, Fact } from './event.ts'
import { task as sampleTask } from './fixture/task.ts'
import { DEFAULT_LIMITS, withBudget } from './limits.ts'
import { noSpend, TASK_STATUSES, type Task } from './task.ts'
import { applyEvent, emptyView } from './tree.ts'

const task = (id: string): Task => sampleTask(id, { treeId: 't', parentId: null, status: 'pending' })
const id = fc.constantFrom('a', 'b', 'c')
const status = fc.constantFrom(...TASK_STATUSES)
const fact: fc.Arbitrary<Fact> = fc.oneof(
  id.map((i): Fact => ({ type: 'task.created', task: task(i) })),
  fc
    .tuple(id, status, status)
    .map(([taskId, from, to]): Fact => ({ type: 'task.moved', taskId, from, to, reason: null, note: null, attempt: 0, wakeAt: null })),
  fc.tuple(id, fc.nat(100)).map(
    ([taskId, n]): Fact => ({
      type: 'model.called',
      taskId,
      provider: 'p',
      model: 'm',
      latencyMs: 1,
      outcome: 'ok',
      spend: { turns: 1, tokens: n, costMicros: n, unpricedCalls: 0 },
    }),
  ),
  fc.constant<Fact>({
    type: 'tree.created',
    tree: {
      id: 't',
      goal: 'g',
      mode: 'auto',
      limits: DEFAULT_LIMITS,
      spend: noSpend,
      taskCount: 0,
      pausedReason: null,
      submittedBy: 'o',
      createdAt: '',
    },
  }),
  fc.constant<Fact>({ type: 'tree.paused', reason: 'cap' }),
)
const log = fc.array(fact, { maxLength: 40 }).map((facts) => facts.map((f, i): Event => ({ seq: i + 1, at: `${i}`, treeId: 't', ...f })))

describe('the fold of facts', () => {
  test('takes a fact that comes twice once, so a client may resume anywhere it was', () => {
    fc.assert(
      fc.property(log, fc.nat(40), (events, back) => {
        const once = events.reduce(applyEvent, emptyView)
        const again = [...events, ...events.slice(-back)].reduce(applyEvent, emptyView)
        expect(again).toEqual(once)
      }),
    )
  })
  test('gives the same in any number of batches', () => {
    fc.assert(
      fc.property(log, fc.nat(40), (events, cut) => {
        const half = events.slice(0, cut).reduce(applyEvent, emptyView)
        expect(events.slice(cut).reduce(applyEvent, half)).toEqual(events.reduce(applyEvent, emptyView))
      }),
    )
  })
  test('never changes a view that somebody holds', () => {
    fc.assert(
      fc.property(log, (events) => {
        let view = emptyView
        for (const event of events) {
          const before = JSON.stringify(view)
          const next = applyEvent(view, event)
          expect(JSON.stringify(view)).toBe(before)
          view = next
        }
      }),
    )
  })
  test('sums the spend of a tree from its calls', () => {
    fc.assert(
      fc.property(log, (events) => {
        const view = events.reduce(applyEvent, emptyView)
        if (!view.trees.t) return
        const from = events.findLastIndex((e) => e.type === 'tree.created')
        const calls = events.slice(from).filter((e) => e.type === 'model.called')
        expect(view.trees.t.spend.turns).toBe(calls.length)
      }),
    )
  })
})

test('a budget in dollars becomes a cap in millionths, and says nothing about the other caps', () => {
  expect(withBudget(DEFAULT_LIMITS, { dollars: 0.25, tasks: 7 })).toEqual({ ...DEFAULT_LIMITS, costMicros: 250_000, tasks: 7 })
  expect(withBudget(DEFAULT_LIMITS, undefined)).toEqual(DEFAULT_LIMITS)
})
