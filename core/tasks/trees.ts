/** Lists of goals: narrowed by what a person asks for, each with how its tasks stand, so that a list needs no further reads. */
import { type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { TreeHead } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { GoalState } from '../contract/goal.ts'
import { isOver, type Reason, TASK_STATUSES, type TaskStatus } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { toTree } from './rows.ts'

export type TreeView = TreeHead & {
  status: TaskStatus
  reason: Reason | null
  attempt: number
  result: string | null
  summary: string | null
  note: string | null
  counts: Partial<Record<TaskStatus, number>>
  needsYou: number
  updatedAt: string
}
/** `undefined` asks nothing. See the route `trees` for what each word means. */
export type TreeFilter = {
  [K in 'q' | 'agent' | 'tool' | 'status']?: string | undefined
} & { [K in 'failed' | 'running' | 'needsYou']?: boolean | undefined } & { is?: GoalState | undefined } & {
  [K in 'costOver' | 'changedSince']?: number | undefined
} & {
  /** True: only what people asked of the system itself; false: only goals. */
  asks?: boolean | undefined
  conversation?: string | undefined
  by?: string | undefined
}
export type Page<T> = { items: T[]; nextCursor: string | null }

/** A part of a LIKE that means these words and nothing else. */
export const containing = (words: string): string => `%${words.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`
/** SQLite's LIKE knows upper and lower case of ASCII letters; PostgreSQL's ILIKE of all. */
export const likes = (store: Pick<Store, 'kind'>, column: string, words: string) =>
  store.kind === 'postgres'
    ? sql<boolean>`${sql.ref(column)} ilike ${containing(words)} escape '\\'`
    : sql<boolean>`${sql.ref(column)} like ${containing(words)} escape '\\'`

const RUNNING = ['assigned', 'active'] as const
const FAILED = ['failed', 'dead'] as const
/** Statuses of the root task; a goal that waits for a person is open. */
const ROOT_IS: Readonly<Record<GoalState, readonly TaskStatus[]>> = {
  open: TASK_STATUSES.filter((status) => !isOver(status)),
  you: TASK_STATUSES.filter((status) => !isOver(status)),
  done: ['done'],
  failed: FAILED,
  stopped: ['cancelled'],
}

function rootsOf(store: Store) {
  return store.db
    .selectFrom('trees')
    .innerJoin('tasks as root', 'root.id', 'trees.id')
    .selectAll('trees')
    .select([
      'root.status as root_status',
      'root.reason as root_reason',
      'root.attempts as root_attempts',
      'root.result as root_result',
      'root.summary as root_summary',
      'root.note as root_note',
      'root.updated_at as root_updated',
    ])
}
type Rows = typeof rootsOf extends (store: Store) => SelectQueryBuilder<infer DB, infer TB, infer O> ? SelectQueryBuilder<DB, TB, O> : never
type Row = Selectable<Database['trees']> & {
  root_status: string
  root_reason: string | null
  root_attempts: number
  root_result: string | null
  root_summary: string | null
  root_note: string | null
  root_updated: number
}

function narrowed(store: Store, ask: Rows, filter: TreeFilter): Rows {
  const { q, is, status, failed, running, needsYou, agent, tool, costOver, changedSince, asks, conversation, by } = filter
  let next = ask
  const having = (statuses: readonly string[]) => {
    next = next.where((e) =>
      e.exists(
        e.selectFrom('tasks as t').select(sql`1`.as('one')).whereRef('t.tree_id', '=', 'trees.id').where('t.status', 'in', statuses),
      ),
    )
  }
  if (is !== undefined) next = next.where('root.status', 'in', ROOT_IS[is])
  if (asks !== undefined) next = next.where('trees.conversation', asks ? 'is not' : 'is', null)
  if (conversation !== undefined) next = next.where('trees.conversation', '=', conversation)
  if (by !== undefined) next = next.where('trees.submitted_by', '=', by)
  if (status !== undefined) next = next.where('root.status', '=', status)
  if (q !== undefined) next = next.where((e) => e.or([likes(store, 'trees.goal', q), likes(store, 'root.title', q), e('trees.id', '=', q)]))
  if (failed) having(FAILED)
  if (running) having(RUNNING)
  if (needsYou || is === 'you')
    next = next.where((e) =>
      e.exists(
        e
          .selectFrom('reviews')
          .select(sql`1`.as('one'))
          .whereRef('reviews.tree_id', '=', 'trees.id')
          .where('reviews.state', '=', sql.lit('open')),
      ),
    )
  if (agent !== undefined)
    next = next.where((e) =>
      e.exists(e.selectFrom('tasks as t').select(sql`1`.as('one')).whereRef('t.tree_id', '=', 'trees.id').where('t.agent', '=', agent)),
    )
  if (tool !== undefined)
    next = next.where((e) =>
      e.exists(
        e
          .selectFrom('tasks as t')
          .innerJoin('calls', 'calls.task_id', 't.id')
          .select(sql`1`.as('one'))
          .whereRef('t.tree_id', '=', 'trees.id')
          .where('calls.tool', '=', tool),
      ),
    )
  if (costOver !== undefined) next = next.where('trees.cost_micros', '>', costOver)
  if (changedSince !== undefined)
    next = next.where((e) =>
      e.exists(
        e.selectFrom('events').select(sql`1`.as('one')).whereRef('events.tree_id', '=', 'trees.id').where('events.seq', '>', changedSince),
      ),
    )
  return next
}

/** Newest first. */
export async function listTrees(store: Store, query: TreeFilter & { cursor?: string | undefined; limit: number }): Promise<Page<TreeView>> {
  let ask = narrowed(store, rootsOf(store), query)
    .orderBy('trees.created_at', 'desc')
    .orderBy('trees.id', 'desc')
    .limit(query.limit + 1)
  if (query.cursor) {
    const [at, id] = readCursor(query.cursor)
    ask = ask.where((e) => e.or([e('trees.created_at', '<', at), e.and([e('trees.created_at', '=', at), e('trees.id', '<', id)])]))
  }
  const rows = await ask.execute()
  const last = rows[query.limit - 1]
  return {
    items: await viewsOf(store, rows.slice(0, query.limit)),
    nextCursor: rows.length > query.limit && last ? `${last.created_at}.${last.id}` : null,
  }
}

/** These goals as they are now, newest first; those that are not there are left out. */
export async function treesOf(store: Store, ids: readonly string[]): Promise<TreeView[]> {
  if (ids.length === 0) return []
  const rows = await rootsOf(store)
    .where('trees.id', 'in', [...ids])
    .orderBy('trees.created_at', 'desc')
    .orderBy('trees.id', 'desc')
    .execute()
  return viewsOf(store, rows)
}

async function viewsOf(store: Store, rows: readonly Row[]): Promise<TreeView[]> {
  if (rows.length === 0) return []
  const ids = rows.map((row) => row.id)
  const [counted, asked] = await Promise.all([
    store.db
      .selectFrom('tasks')
      .select(['tree_id', 'status', (e) => e.fn.countAll<number>().as('count')])
      .where('tree_id', 'in', ids)
      .groupBy(['tree_id', 'status'])
      .execute(),
    store.db
      .selectFrom('reviews')
      .select(['tree_id', (e) => e.fn.countAll<number>().as('count')])
      .where('tree_id', 'in', ids)
      .where('state', '=', sql.lit('open'))
      .groupBy('tree_id')
      .execute(),
  ])
  const counts = new Map<string, TreeView['counts']>()
  for (const { tree_id, status, count } of counted) {
    const own = counts.get(tree_id) ?? {}
    own[status as TaskStatus] = Number(count)
    counts.set(tree_id, own)
  }
  const needs = new Map(asked.map((row) => [row.tree_id, Number(row.count)]))
  return rows.map((row) => ({
    ...toTree(row),
    status: row.root_status as TaskStatus,
    reason: row.root_reason as Reason | null,
    attempt: row.root_attempts,
    result: row.root_result,
    summary: row.root_summary,
    note: row.root_note,
    counts: counts.get(row.id) ?? {},
    needsYou: needs.get(row.id) ?? 0,
    updatedAt: new Date(row.root_updated).toISOString(),
  }))
}

/** Time and id of the last item of a page. */
export function readCursor(cursor: string): [number, string] {
  const dot = cursor.indexOf('.')
  const at = Number(cursor.slice(0, dot))
  if (dot < 1 || !Number.isSafeInteger(at)) throw new Fault('invalid', 'The cursor is not one that a list gave; start without it.')
  return [at, cursor.slice(dot + 1)]
}
