import { describe, expect, test } from 'vitest'
import type { MessagePreview } from '../../../core/contract/live.ts'
import type { TaskNode } from '../../../core/contract/node.ts'
import { noSpend, type Reason, type TaskStatus } from '../../../core/contract/task.ts'
import { tree } from '../../words/tree.ts'
import { microsOf, onlyIn, predicateOf, toggled } from './filter.ts'
import { graphOf } from './graph.ts'
import { foremost, MOVES, type Situation, whyNot } from './moves.ts'
import { placesOf } from './places.ts'
import { raisedTo } from './raise-budget.tsx'
import { steeredIn } from './steer-trail.tsx'
import { barIn, spanOf, ticksIn } from './time-span.ts'

const node = (id: string, status: TaskStatus = 'pending', more: Partial<TaskNode> = {}): TaskNode => ({
  id,
  parentId: null,
  kind: 'work',
  agent: 'generalist',
  title: id,
  status,
  reason: null,
  note: null,
  attempt: 0,
  after: [],
  stoppedByPerson: false,
  taint: [],
  spend: noSpend,
  createdAt: 0,
  updatedAt: 0,
  deadlineAt: null,
  wakeAt: null,
  watch: null,
  ...more,
})

describe('what may be done to a task', () => {
  const at = (status: TaskStatus, more: Partial<Situation> = {}, reason: Reason | null = null): Situation => ({
    node: { status, reason },
    paused: Number(status === 'paused'),
    scope: 'subtree',
    held: null,
    stale: false,
    ...more,
  })
  const may = (situation: Situation) => MOVES.filter((move) => whyNot(move, situation) === null)

  test('follows from its status, as the server has it', () => {
    expect(may(at('active'))).toEqual(['steer', 'pause', 'step', 'cancel', 'abort', 'fork', 'undo'])
    expect(may(at('waiting'))).toEqual(['steer', 'pause', 'cancel', 'abort', 'rerun', 'fork', 'undo'])
    expect(may(at('paused'))).toEqual(['steer', 'resume', 'step', 'cancel', 'abort', 'rerun', 'fork', 'undo'])
    expect(may(at('failed'))).toEqual(['retry', 'rerun', 'fork', 'undo'])
    expect(may(at('done'))).toEqual(['rerun', 'fork', 'undo'])
  })
  test('a pause below can be lifted from above, but not when only the task itself is meant', () => {
    expect(whyNot('resume', at('waiting', { paused: 2 }))).toBeNull()
    expect(whyNot('resume', at('waiting', { paused: 2, scope: 'node' }))).toBe(tree.act.whyNot.notPaused)
  })
  test('a goal at a limit neither goes on nor steps', () => {
    const held = at('paused', { held: 'it reached 5 dollars' }, 'budget')
    expect([whyNot('resume', held), whyNot('step', held)]).toEqual([tree.act.whyNot.capped, tree.act.whyNot.capped])
  })
  test('nothing may be done on a page that is not live', () => {
    expect(may(at('active', { stale: true }))).toEqual([])
  })
  test('what stands in the open is never what is refused', () => {
    for (const status of ['pending', 'active', 'waiting', 'paused', 'done', 'failed', 'cancelled', 'dead'] as const) {
      for (const move of foremost(at(status))) expect(whyNot(move, at(status)), `${status} ${move}`).toBeNull()
    }
  })
})

describe('a filter', () => {
  const fits = (ask: Parameters<typeof predicateOf>[0], one: TaskNode, needs = 0, among: ReadonlySet<string> | null = null) =>
    predicateOf(ask, among)?.(one, needs)

  test('of states takes what is in any of them, of other words what fits them all', () => {
    expect(fits({ f: 'failed,you' }, node('a', 'failed'))).toBe(true)
    expect(fits({ f: 'failed,you' }, node('a', 'done'), 1)).toBe(true)
    expect(fits({ f: 'failed', agent: 'other' }, node('a', 'failed'))).toBe(false)
    expect(fits({ cost: '1.5' }, node('a', 'done', { spend: { ...noSpend, costMicros: 1_500_001 } }))).toBe(true)
    expect(predicateOf({}, null)).toBeNull()
  })
  test('that only the server can answer leaves nothing out before it has', () => {
    expect(predicateOf({ tool: 'shell' }, null)).toBeNull()
    expect(fits({ tool: 'shell' }, node('a'), 0, new Set(['a']))).toBe(true)
    expect(fits({ tool: 'shell' }, node('b'), 0, new Set(['a']))).toBe(false)
  })
  test('is written in the address by words that it knows', () => {
    expect(onlyIn('running,nonsense')).toEqual(['running'])
    expect([toggled(undefined, 'failed'), toggled('failed', 'you'), toggled('failed', 'failed')]).toEqual([
      'failed',
      'failed,you',
      undefined,
    ])
  })
  test('takes amounts as people write them', () => {
    expect(['2.50', '2,50', '$3', '', 'much', '-1'].map(microsOf)).toEqual([2_500_000, 2_500_000, 3_000_000, null, null, null])
  })
})

test('rows know their place among those beside them', () => {
  const { pos, size } = placesOf([0, 1, 2, 2, 1, 2, 0].map((level) => ({ level })))
  expect([...pos]).toEqual([1, 1, 1, 2, 2, 1, 2])
  expect([...size]).toEqual([2, 2, 2, 2, 2, 1, 2])
})

describe('the timeline', () => {
  test('gives even the shortest task a bar, within the lane', () => {
    const span = spanOf(1_000, 11_000)
    expect(barIn(span, 1_000, 6_000)).toEqual({ left: 0, width: 50 })
    expect(barIn(span, 11_000, 11_000)).toEqual({ left: 99.5, width: 0.5 })
  })
  test('has few round marks, however long it is', () => {
    for (const length of [1_000, 90_000, 7_200_000, 40 * 86_400_000]) {
      const ticks = ticksIn(spanOf(0, length))
      expect(ticks.length).toBeLessThanOrEqual(7)
      expect(ticks[0]).toBe(0)
    }
    expect(ticksIn(spanOf(0, 300_000))).toEqual([0, 60_000, 120_000, 180_000, 240_000, 300_000])
  })
})

describe('the graph', () => {
  /** A root with 300 tasks below, the last of which failed. */
  const nodes = [
    node('r', 'waiting'),
    ...Array.from({ length: 300 }, (_, i) => node(`r.${i}`, i === 299 ? 'failed' : 'done', { parentId: 'r' })),
  ]
  const store: Parameters<typeof graphOf>[0] = {
    all: () => nodes,
    below: (id) => (id === 'r' ? nodes.slice(1).map((one) => one.id) : []),
    view: (id) => {
      const found = nodes.find((one) => one.id === id)
      return found && ({ node: found, total: { tasks: id === 'r' ? nodes.length : 1 } } as ReturnType<typeof store.view>)
    },
  }
  test('shows no more than can be read, what needs a look first, and says how many are left out', () => {
    const graph = graphOf(store, 'r')
    expect(graph.nodes.length).toBe(200)
    expect(graph.nodes.some((one) => one.id === 'r.299')).toBe(true)
    expect(graph.leftOut).toBe(101)
    expect(new Set(graph.nodes.map((one) => `${one.x} ${one.y}`)).size).toBe(200)
  })
})

test('a message to an agent is delivered by a turn that began after it, not by the one that was under way', () => {
  const at = (second: number) => new Date(second * 1_000).toISOString()
  const said = (n: number, second: number) => ({ n, at: at(second), role: 'user', from: 'person', text: `m${n}` }) as MessagePreview
  const answer = (n: number, second: number, seconds: number) =>
    ({ n, at: at(second), role: 'assistant', text: '', calls: [], latencyMs: seconds * 1_000 }) as unknown as MessagePreview
  const delivered = (messages: MessagePreview[]) => steeredIn(messages).map((one) => one.delivered)
  expect(delivered([said(2, 0), answer(3, 10, 5)])).toEqual([])
  expect(delivered([answer(3, 10, 5), said(4, 12), answer(5, 14, 4)])).toEqual([false])
  expect(delivered([answer(3, 10, 5), said(4, 12), answer(5, 14, 4), answer(6, 20, 3)])).toEqual([true])
})

test('a limit is raised in words of what it limits', () => {
  const raised = (limit: string, to: object) => raisedTo({ reached: { limit }, approveSetsTo: to })
  expect(raised('costMicros', { costMicros: 10_000_000 })).toBe('$10.00')
  expect(raised('turns', { turns: 800 })).toBe('800 turns')
  expect(raised('wallSeconds', { wallSeconds: 7_200 })).toBe('2 h 0 min')
  expect(raisedTo(null)).toBeNull()
})
