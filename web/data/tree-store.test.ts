import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Event, Fact, TreeHead } from '../../core/contract/event.ts'
import { review as sampleReview, task as sampleTask } from '../../core/contract/fixture/task.ts'
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts'
import type { TopicFrame } from '../../core/contract/live.ts'
import { type NodeTuple, nodeOf, packNodes, type TaskNode, unpackNodes } from '../../core/contract/node.ts'
import type { Review } from '../../core/contract/review.ts'
import { isOver, noSpend, TASK_STATUSES, type Task } from '../../core/contract/task.ts'
import { applyEvent, emptyView, type View } from '../../core/contract/tree.ts'
import type { Watch } from '../../core/contract/watch.ts'
import { timeOf } from './roll-up.ts'
import { createTreeStore, inOrder, type Predicate, type TreeStore } from './tree-store.ts'

const START = Date.UTC(2026, 0, 1)
const at = (seq: number) => new Date(START + seq * 1_000).toISOString()
const head: TreeHead = {
  id: 't',
  goal: 'g',
  mode: 'auto',
  limits: DEFAULT_LIMITS,
  spend: noSpend,
  taskCount: 0,
  pausedReason: null,
  submittedBy: 'me',
  createdAt: at(0),
}
const task = (id: string, parentId: string | null, seq: number, kind: Task['kind'] = 'work'): Task =>
  sampleTask(id, {
    treeId: 't',
    parentId,
    kind,
    title: `Task ${id}`,
    origin: 'agent',
    status: 'pending',
    createdAt: at(seq),
    updatedAt: at(seq),
  })
const review = (id: string, taskId: string, state: Review['state']): Review =>
  sampleReview(id, { treeId: 't', taskId, state, createdAt: at(0) })

/** What happens next, as numbers; turned into a fact that fits the tasks there are by then. */
const step = fc.record({
  what: fc.constantFrom('create', 'create', 'move', 'move', 'spend', 'review', 'taint', 'watch', 'message', 'pause'),
  who: fc.nat(1_000),
  word: fc.nat(1_000),
})
function logOf(steps: readonly { what: string; who: number; word: number }[]): Event[] {
  const ids = ['t']
  const log: Event[] = []
  const tell = (fact: Fact) => void log.push({ seq: log.length + 1, at: at(log.length + 1), treeId: 't', ...fact })
  tell({ type: 'tree.created', tree: head })
  tell({ type: 'task.created', task: task('t', null, 2) })
  for (const { what, who, word } of steps) {
    const taskId = ids[who % ids.length]!
    switch (what) {
      case 'create': {
        const id = `${taskId}.${ids.length}`
        ids.push(id)
        tell({ type: 'task.created', task: task(id, taskId, Math.floor(log.length / 3), word % 5 === 0 ? 'evaluate' : 'work') })
        break
      }
      case 'move': {
        const to = TASK_STATUSES[word % TASK_STATUSES.length]!
        const from = TASK_STATUSES[who % TASK_STATUSES.length]!
        const outcome = isOver(to)
          ? { outcome: { result: 'r', summary: null, evidence: [], verdict: null, stoppedByPerson: word % 2 === 0 } }
          : {}
        tell({ type: 'task.moved', taskId, from, to, reason: null, note: `n${word}`, attempt: word % 3, wakeAt: null, ...outcome })
        break
      }
      case 'spend':
        tell({
          type: 'model.called',
          taskId,
          provider: 'p',
          model: 'm',
          latencyMs: 1,
          outcome: 'ok',
          spend: { turns: 1, tokens: word, costMicros: word * 3, unpricedCalls: word % 2 },
        })
        break
      case 'review':
        tell({
          type: 'review.changed',
          review: review(`r${word % 4}`, taskId, word % 3 === 0 ? 'decided' : word % 3 === 1 ? 'open' : 'snoozed'),
        })
        break
      case 'taint':
        tell({ type: 'task.tainted', taskId, taint: ['web'] as never })
        break
      case 'watch': {
        const watch: Watch = {
          sign: 'ping_pong',
          words: 'w',
          since: at(1),
          calls: [],
          rung: word % 2 === 0 ? 'nudged' : 'parked',
          at: at(1),
        }
        tell({ type: 'task.watched', taskId, watch: word % 3 === 0 ? null : watch, words: 'w', by: 'watchdog' })
        break
      }
      case 'pause':
        tell({ type: 'tree.paused', reason: `p${word}` })
        break
      default:
        tell({ type: 'message.added', taskId, n: 1, role: 'user', text: 'hm' })
    }
  }
  return log
}
/** One task has one review in the real system, an item never changes its task. */
const consistent = (log: Event[]): Event[] => {
  const taskOf = new Map<string, string>()
  return log.map((event) => {
    if (!('review' in event)) return event
    const known = taskOf.get(event.review.id) ?? event.review.taskId
    taskOf.set(event.review.id, known)
    return { ...event, review: { ...event.review, taskId: known } }
  })
}
const logs = fc.array(step, { maxLength: 40, size: 'max' }).map((steps) => consistent(logOf(steps)))
const foldOf = (log: readonly Event[]): View => log.reduce(applyEvent, emptyView)

const tuple = (node: TaskNode): NodeTuple => [
  node.id,
  node.parentId,
  node.kind,
  node.agent,
  node.title,
  node.status,
  node.reason,
  node.note,
  node.attempt,
  node.spend.turns,
  node.spend.tokens,
  node.spend.costMicros,
  node.spend.unpricedCalls,
  node.createdAt,
  node.updatedAt,
  node.deadlineAt,
  node.wakeAt,
  JSON.stringify(node.after),
  Number(node.stoppedByPerson),
  JSON.stringify(node.taint),
  node.watch === null ? null : JSON.stringify(node.watch),
]
const nodesIn = (view: View): TaskNode[] => Object.values(view.tasks).map(nodeOf)
const openIn = (view: View) => Object.values(view.reviews).filter((item) => item.state === 'open')
const snapshotOf = (view: View): TopicFrame => ({
  type: 'tree',
  topic: 'tree:t',
  seq: view.seq,
  part: 0,
  last: true,
  nodes: packNodes(nodesIn(view).map(tuple)),
  head: view.trees.t!,
  reviews: openIn(view).map(({ id, taskId }) => ({ id, taskId })),
})
const facts = (events: Event[]): TopicFrame => ({ type: 'facts', topic: 'tree:t', seq: events.at(-1)?.seq ?? 0, events })

/** A store whose frames of the screen the test draws. */
function drawn(): { store: TreeStore; draw(): void } {
  let flush: (() => void) | undefined
  const store = createTreeStore('t', (act) => {
    flush = act
  })
  return {
    store,
    draw: () => {
      const act = flush
      flush = undefined
      act?.()
    },
  }
}

/** All sums of a node, the slow and plain way. */
function sumsOf(view: View, id: string) {
  const nodes = nodesIn(view)
  const inside = nodes.filter((node) => node.id === id || node.id.startsWith(`${id}.`))
  const leaves = inside.filter((node) => !nodes.some((other) => other.parentId === node.id))
  const sum = (pick: (node: TaskNode) => number) => inside.reduce((all, node) => all + pick(node), 0)
  const now = START + 10_000_000
  return {
    tasks: inside.length,
    turns: sum((node) => node.spend.turns),
    tokens: sum((node) => node.spend.tokens),
    costMicros: sum((node) => node.spend.costMicros),
    unpricedCalls: sum((node) => node.spend.unpricedCalls),
    counts: Object.fromEntries(TASK_STATUSES.map((status) => [status, inside.filter((node) => node.status === status).length])),
    needsYou: openIn(view).filter((item) => inside.some((node) => node.id === item.taskId)).length,
    time: leaves.reduce((all, node) => all + (isOver(node.status) ? node.updatedAt : now) - node.createdAt, 0),
  }
}
function toldBy(store: TreeStore, id: string) {
  const { total } = store.view(id)!
  const { tasks, spend, counts, needsYou } = total
  return { tasks, ...spend, counts, needsYou, time: Math.round(timeOf(total, START + 10_000_000)) }
}
/** The rows of the tree by plain recursion. */
function rowsOf(view: View, options: { folds: Map<string, boolean>; filter: Predicate | null; focus: string | null }) {
  const nodes = nodesIn(view).sort(inOrder)
  const asks = (id: string) => openIn(view).filter((item) => item.taskId === id).length
  const below = (id: string) => nodes.filter((node) => node.id.startsWith(`${id}.`))
  const wants = (node: TaskNode) => ['assigned', 'active', 'failed', 'dead'].includes(node.status) || asks(node.id) > 0
  const matches = (node: TaskNode) => options.filter === null || options.filter(node, asks(node.id))
  const rows: { id: string; level: number; open: boolean | null }[] = []
  const visit = (node: TaskNode, level: number) => {
    if (![node, ...below(node.id)].some(matches)) return
    const children = nodes.filter((child) => child.parentId === node.id)
    const rule = options.filter ? below(node.id).some(matches) : level === 0 || below(node.id).some(wants)
    const open = children.length === 0 ? null : (options.folds.get(node.id) ?? rule)
    rows.push({ id: node.id, level, open })
    if (open) for (const child of children) visit(child, level + 1)
  }
  const focus = nodes.some((node) => node.id === options.focus) ? options.focus : null
  for (const node of nodes) if (focus === null ? node.parentId === null : node.id === focus) visit(node, 0)
  return rows
}

describe('the tree store', () => {
  test('after any facts has the nodes of the contract’s fold, and sums that equal those counted anew', () => {
    fc.assert(
      fc.property(logs, fc.nat(), (log, cut) => {
        const from = 2 + (cut % (log.length - 1))
        const { store, draw } = drawn()
        store.take(snapshotOf(foldOf(log.slice(0, from))))
        draw()
        for (const event of log.slice(from)) store.take(facts([event]))
        draw()
        const view = foldOf(log)
        for (const node of nodesIn(view)) {
          expect(store.view(node.id)?.node).toEqual(node)
          expect(toldBy(store, node.id)).toEqual(sumsOf(view, node.id))
        }
        expect(store.state()).toMatchObject({ state: 'ready', head: view.trees.t, size: nodesIn(view).length })
        expect(store.seq()).toBe(log.at(-1)!.seq)
      }),
      { numRuns: 150 },
    )
  })

  test('shows the rows that plain recursion shows, however it is folded, filtered and focused', () => {
    const predicates: (Predicate | null)[] = [
      null,
      (node) => node.status === 'failed',
      (_, needsYou) => needsYou > 0,
      (node) => node.title.endsWith('3'),
    ]
    fc.assert(
      fc.property(logs, fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 5 }), fc.nat(3), fc.nat(), (log, folded, which, place) => {
        const { store, draw } = drawn()
        store.take(snapshotOf(foldOf(log.slice(0, 2))))
        const ids = Object.keys(foldOf(log).tasks)
        const folds = new Map(folded.map(([i, open]) => [ids[i % ids.length]!, open]))
        const filter = predicates[which]!
        const focus = place % 2 === 0 ? null : ids[place % ids.length]!
        store.filter(filter)
        for (const [id, open] of folds) store.fold(id, open)
        store.focus(focus)
        for (const event of log.slice(2)) {
          store.take(facts([event]))
          draw()
          if (event.seq % 7 === 0) expect(store.state().rows).toEqual(rowsOf(foldOf(log.slice(0, event.seq)), { folds, filter, focus }))
        }
        draw()
        expect(store.state().rows).toEqual(rowsOf(foldOf(log), { folds, filter, focus }))
      }),
      { numRuns: 150 },
    )
  })

  test('changes nothing when facts come twice, and is the same when rows come in their place', () => {
    fc.assert(
      fc.property(logs, (log) => {
        const [twice, rows] = [drawn(), drawn()]
        const begin = snapshotOf(foldOf(log.slice(0, 2)))
        for (const { store } of [twice, rows]) store.take(begin)
        twice.store.take(facts(log))
        twice.draw()
        const before = { state: twice.store.state(), view: twice.store.view('t') }
        twice.store.take(facts(log))
        twice.draw()
        expect(twice.store.state()).toBe(before.state)
        expect(twice.store.view('t')).toBe(before.view)
        const view = foldOf(log)
        rows.store.take({
          type: 'nodes',
          topic: 'tree:t',
          seq: view.seq,
          head: view.trees.t!,
          nodes: packNodes(nodesIn(view).map(tuple).reverse()),
          reviews: openIn(view),
        })
        rows.draw()
        for (const node of nodesIn(view)) expect(rows.store.view(node.id)).toEqual(twice.store.view(node.id))
        expect(rows.store.state()).toEqual(twice.store.state())
      }),
      { numRuns: 100 },
    )
  })

  test('keeps what a person opened when the whole tree comes again, and forgets nodes that are gone', () => {
    const { store, draw } = drawn()
    const view = foldOf(
      logOf([
        { what: 'create', who: 0, word: 1 },
        { what: 'create', who: 1, word: 1 },
        { what: 'create', who: 2, word: 1 },
      ]),
    )
    store.take(snapshotOf(view))
    store.reveal('t.1.2.3')
    draw()
    expect(store.state().rows.map((row) => row.id)).toEqual(['t', 't.1', 't.1.2', 't.1.2.3'])
    const { 't.1.2.3': _, ...rest } = view.tasks
    store.take(snapshotOf({ ...view, seq: 99, tasks: rest }))
    draw()
    expect(store.state().rows.map((row) => row.id)).toEqual(['t', 't.1', 't.1.2'])
    expect(store.view('t.1.2.3')).toBeUndefined()
  })

  test('tells each row of itself alone, once a frame', () => {
    const { store, draw } = drawn()
    const log = logOf([
      { what: 'create', who: 0, word: 1 },
      { what: 'create', who: 0, word: 2 },
    ])
    store.take(snapshotOf(foldOf(log)))
    draw()
    const told: string[] = []
    for (const id of ['t', 't.1', 't.2']) store.subscribeNode(id, () => told.push(id))
    let lists = 0
    store.subscribe(() => lists++)
    const spend = (seq: number): Event => ({ seq, at: at(seq), treeId: 't', type: 'task.tainted', taskId: 't.1', taint: [] })
    for (let seq = 100; seq < 150; seq++) store.take(facts([spend(seq)]))
    expect(told).toEqual([])
    draw()
    expect(told).toEqual(['t.1'])
    expect(lists).toBe(0)
  })

  test('the goal stays the same object while only its counters change, and is another one when it is held', () => {
    const { store, draw } = drawn()
    const log = logOf([
      { what: 'create', who: 0, word: 1 },
      { what: 'spend', who: 1, word: 5 },
      { what: 'pause', who: 0, word: 1 },
    ])
    const tell = (from: number, to: number) => {
      store.take(facts(log.slice(from, to)))
      draw()
      return store.state()
    }
    const began = tell(0, 2)
    const spent = tell(2, 4)
    expect(spent.head).not.toEqual(began.head)
    expect(spent.goal).toBe(began.goal)
    expect(spent.goal).toMatchObject({ id: 't', pausedReason: null })
    expect(spent.goal).not.toHaveProperty('spend')
    expect(tell(4, 5).goal).toMatchObject({ pausedReason: expect.any(String) })
  })
  test('finds the next task that failed, folded away or not, and goes round', () => {
    const { store, draw } = drawn()
    const view = foldOf(
      logOf([
        { what: 'create', who: 0, word: 1 },
        { what: 'create', who: 1, word: 1 },
        { what: 'create', who: 0, word: 1 },
      ]),
    )
    const tasks = Object.fromEntries(
      Object.values(view.tasks).map((one) => [
        one.id,
        { ...one, status: one.id === 't' || one.id === 't.1' ? ('active' as const) : ('failed' as const) },
      ]),
    )
    store.take(snapshotOf({ ...view, tasks }))
    draw()
    const failed: Predicate = (node) => node.status === 'failed'
    expect(store.next(null, failed)).toBe('t.1.2')
    expect(store.next('t.1.2', failed)).toBe('t.3')
    expect(store.next('t.3', failed)).toBe('t.1.2')
    expect(store.next('t.1.2', failed, -1)).toBe('t.3')
    expect(store.next(null, (node) => node.status === 'dead')).toBeNull()
    expect(store.path('t.1.2')).toEqual(['t', 't.1', 't.1.2'])
  })

  test('is missing, failed or whole as the server says', () => {
    const { store, draw } = drawn()
    expect(store.after()).toBeUndefined()
    store.take({ type: 'fault', topic: 'tree:t', code: 'not_found', detail: 'There is no tree t.' })
    draw()
    expect(store.state()).toMatchObject({ state: 'missing', fault: 'There is no tree t.' })
    store.take(snapshotOf(foldOf(logOf([]))))
    draw()
    expect(store.state()).toMatchObject({ state: 'ready', fault: null })
    expect(store.after()).toBe(2)
  })

  test('what is packed is what is unpacked', () => {
    fc.assert(
      fc.property(logs, (log) => {
        const nodes = nodesIn(foldOf(log))
        expect(unpackNodes(packNodes(nodes.map(tuple)))).toEqual(nodes)
      }),
      { numRuns: 50 },
    )
  })
})
