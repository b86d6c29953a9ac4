/** What people asked of the system itself: each with its answer and what was done for it. */
import { type AskAct, choicesIn } from '../contract/ask.ts'
import type { Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { type Reason, type TaskStatus, titleOf } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import { listTrees, type Page, type TreeView, treesOf } from './trees.ts'

export type AskedGoal = { id: string; title: string; status: TaskStatus; reason: Reason | null; attempt: number }
export type Ask = AskedGoal & {
  conversation: string
  words: string
  /** null: it is not over. */
  answer: string | null
  /** `goals`: as they are now; those that left the database are left out. `done` false: any of them could be meant, and nothing was done. */
  acts: { act: AskAct; done: boolean; goals: AskedGoal[] }[]
  createdAt: string
}
/** Facts of one ask that are looked through. */
const FACTS = 2_000

export function openAsks(store: Store) {
  return {
    /** Of one person, the newest first; or one conversation. */
    async list(query: { by: string; conversation?: string | undefined; cursor?: string | undefined; limit: number }): Promise<Page<Ask>> {
      const { by, conversation, cursor, limit } = query
      const { items, nextCursor } = await listTrees(store, {
        ...{ cursor, limit },
        ...(conversation === undefined ? { asks: true, by } : { conversation }),
      })
      return { items: await asksOf(store, items), nextCursor }
    },
    async get(id: string): Promise<Ask> {
      const [view] = await treesOf(store, [id])
      const [ask] = view ? await asksOf(store, [view]) : []
      if (!ask) throw new Fault('not_found', `There is no ask ${id}; GET /api/asks lists yours.`)
      return ask
    },
  }
}
export type Asks = ReturnType<typeof openAsks>

async function asksOf(store: Store, views: readonly TreeView[]): Promise<Ask[]> {
  const ids = views.filter((view) => view.conversation !== undefined).map((view) => view.id)
  if (ids.length === 0) return []
  const rows = await store.db
    .selectFrom('events')
    .select(['tree_id', 'fact'])
    .where('tree_id', 'in', ids)
    .where('fact', 'like', '%"ask.acted"%')
    .orderBy('seq')
    .limit(FACTS)
    .execute()
  const acted = rows.flatMap(({ tree_id, fact }) => {
    const told = JSON.parse(fact) as Fact
    return told.type === 'ask.acted' ? [{ ask: tree_id, ...told }] : []
  })
  const named = await treesOf(store, [...new Set(acted.flatMap((one) => one.goals))])
  const goals = new Map(named.map((view) => [view.id, goalOf(view)]))
  return views.flatMap((view) => {
    if (view.conversation === undefined) return []
    const acts = acted
      .filter((one) => one.ask === view.id)
      .map(({ act, goals: of }) => ({ act, done: !choicesIn(of), goals: of.flatMap((id) => goals.get(id) ?? []) }))
    const over = view.result ?? view.note
    return [
      {
        ...goalOf(view),
        ...{ conversation: view.conversation, words: view.goal, answer: over, acts, createdAt: view.createdAt },
      },
    ]
  })
}
const goalOf = ({ id, goal, status, reason, attempt }: TreeView): AskedGoal => ({ id, title: titleOf(goal), status, reason, attempt })
