/**
 * Reads of the server's tables that facts can be folded onto. A table does not say at which fact it was read, and a cost that is in the
 * table and comes again as a fact would be counted twice; so a read during which such a fact was written is made again.
 */
import type { TreeItem } from '../core/contract/api.ts'
import type { Event } from '../core/contract/event.ts'
import { noSpend, type Task, titleOf } from '../core/contract/task.ts'
import type { View } from '../core/contract/tree.ts'
import type { Api, System } from './api.ts'

/** A goal so busy that no quiet moment is found is shown all the same; its cost is right again with the next read. */
const TRIES = 4

export type Lists = { view: View; older: string | null; system: System }

/** The newest goals with their root tasks, and all open reviews. */
export async function readLists(api: Api): Promise<Lists> {
  const system = await api.system()
  const page = await settled(api, undefined, () => api.trees())
  // Read after the goals: a fact about a review holds all of it, so one that comes again changes nothing.
  const reviews = []
  for (let cursor: string | undefined; ; ) {
    const { items, nextCursor } = await api.openReviews(cursor)
    reviews.push(...items)
    if (nextCursor === null) break
    cursor = nextCursor
  }
  const { trees, tasks } = headsOf(page.read.items)
  const view = { seq: page.seq, trees, tasks, reviews: Object.fromEntries(reviews.map((review) => [review.id, review])) }
  return { view, older: page.read.nextCursor, system }
}

/** A page of the goals before those that are shown. */
export async function readOlder(api: Api, cursor: string): Promise<Pick<View, 'trees' | 'tasks'> & { older: string | null }> {
  const { read } = await settled(api, undefined, () => api.trees(cursor))
  return { ...headsOf(read.items), older: read.nextCursor }
}

/** One goal with all of its tasks. */
export async function readTree(api: Api, id: string): Promise<View> {
  const { seq, read } = await settled(api, id, () => api.tree(id))
  const { tasks, ...head } = read
  return { seq, trees: { [id]: head }, tasks: Object.fromEntries(tasks.map((task) => [task.id, task])), reviews: {} }
}

async function settled<T>(api: Api, treeId: string | undefined, read: () => Promise<T>): Promise<{ seq: number; read: T }> {
  for (let tries = 1; ; tries++) {
    const { seq } = await api.system()
    const answer = await read()
    const facts = await api.events(seq, treeId)
    if (tries === TRIES || !facts.some(addsUp)) return { seq, read: answer }
  }
}
/** Facts that are not harmless to hear twice. */
const addsUp = (event: Event): boolean => event.type === 'model.called' || event.type === 'task.created'

function headsOf(items: readonly TreeItem[]): Pick<View, 'trees' | 'tasks'> {
  return {
    trees: Object.fromEntries(items.map((tree) => [tree.id, tree])),
    tasks: Object.fromEntries(items.map((tree) => [tree.id, rootOf(tree)])),
  }
}

/** The root task as far as the list tells of it: enough for its status, result and times. */
function rootOf(tree: TreeItem): Task {
  return {
    id: tree.id,
    treeId: tree.id,
    parentId: null,
    callId: null,
    kind: 'work',
    agent: '',
    title: titleOf(tree.goal),
    instruction: tree.goal,
    origin: 'person',
    status: tree.status,
    reason: tree.reason,
    note: tree.note,
    priority: 0,
    depth: 0,
    attempt: tree.attempt,
    after: [],
    deadlineAt: null,
    wakeAt: null,
    model: null,
    stoppedByPerson: false,
    taint: [],
    workspace: '',
    result: tree.result,
    summary: tree.summary,
    evidence: [],
    verdict: null,
    spend: noSpend,
    createdAt: tree.createdAt,
    updatedAt: tree.updatedAt,
  }
}
