/** What the workers do, what waits, and what is stuck: read from rows, so that it tells of every process on the database. */
import { type ExpressionBuilder, sql } from 'kysely'
import type { DeadTask, QueueState, WorkerTurn } from '../contract/api-system.ts'
import { Fault } from '../contract/fault.ts'
import type { TaskStatus } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { DISCARDED } from '../tasks/dead.ts'

const iso = (ms: number): string => new Date(ms).toISOString()
/** A turn of this process. */
export type Turn = { taskId: string; since: number }

/** Turns under way, oldest lease first, then what outside agents have. */
export async function workersOf(store: Store, turns: readonly Turn[]): Promise<WorkerTurn[]> {
  const rows = await store.db
    .selectFrom('tasks')
    .select(['id', 'tree_id', 'title', 'agent', 'status', 'lease_worker', 'lease_until'])
    .where('status', 'in', [sql.lit('assigned'), sql.lit('active')])
    .orderBy('lease_until')
    .orderBy('id')
    .limit(1_000)
    .execute()
  const held = await outsideTurns(store)
  if (rows.length === 0) return held
  const calls = await store.db
    .selectFrom('model_calls')
    .select(['task_id', 'provider', 'model', 'at'])
    .where('state', '=', sql.lit('reserved'))
    .where(
      'task_id',
      'in',
      rows.map((row) => row.id),
    )
    .execute()
  const own = rows.map((row): WorkerTurn => {
    const call = calls.find((one) => one.task_id === row.id)
    const turn = turns.find((one) => one.taskId === row.id)
    return {
      taskId: row.id,
      treeId: row.tree_id,
      title: row.title,
      agent: row.agent,
      status: row.status as WorkerTurn['status'],
      worker: row.lease_worker,
      leaseUntil: iso(row.lease_until),
      since: turn ? iso(turn.since) : null,
      call: call ? { provider: call.provider, model: call.model, since: iso(call.at) } : null,
      outside: false,
    }
  })
  return [...own, ...held]
}

/** Tasks whose turn an outside agent has. */
async function outsideTurns(store: Store): Promise<WorkerTurn[]> {
  const rows = await store.db
    .selectFrom('outside_tasks as o')
    .innerJoin('tasks', 'tasks.id', 'o.task_id')
    .select(['tasks.id', 'tasks.tree_id', 'tasks.title', 'tasks.agent', 'o.agent as worker', 'o.lease_until', 'o.claimed_at'])
    .where('o.agent', 'is not', null)
    .where('tasks.status', '=', sql.lit('waiting'))
    .where('tasks.reason', '=', sql.lit('external'))
    .orderBy('o.lease_until')
    .limit(1_000)
    .execute()
  return rows.map((row) => ({
    taskId: row.id,
    treeId: row.tree_id,
    title: row.title,
    agent: row.agent,
    status: 'waiting',
    worker: row.worker,
    leaseUntil: iso(Number(row.lease_until)),
    since: row.claimed_at === null ? null : iso(Number(row.claimed_at)),
    call: null,
    outside: true,
  }))
}

/** `now`: milliseconds since 1970. */
export async function queueOf(store: Store, now: number, slots: { slots: number; active: number }): Promise<QueueState> {
  const [rows, reviews] = await Promise.all([
    store.db
      .selectFrom('tasks')
      .select((e) => [
        'status',
        'reason',
        e.fn.countAll<number>().as('count'),
        e.fn.min('updated_at').as('oldest'),
        e.fn.min('wake_at').as('wake'),
      ])
      .where('status', 'in', ['backlog', 'pending', 'assigned', 'active', 'waiting', 'paused'])
      .groupBy(['status', 'reason'])
      .execute(),
    store.db
      .selectFrom('reviews')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('state', '=', sql.lit('open'))
      .executeTakeFirstOrThrow(),
  ])
  const of = (...statuses: TaskStatus[]) => rows.filter((row) => statuses.includes(row.status as TaskStatus))
  const total = (...statuses: TaskStatus[]) => of(...statuses).reduce((sum, row) => sum + Number(row.count), 0)
  const seconds = (since: number | string) => Math.max(0, Math.round((now - Number(since)) / 1_000))
  const ready = of('pending')
  return {
    ready: total('pending'),
    oldestReadySeconds: ready.length === 0 ? null : Math.max(...ready.map((row) => seconds(row.oldest))),
    claimed: total('assigned', 'active'),
    waiting: of('waiting')
      .map((row) => ({
        reason: row.reason ?? 'other',
        count: Number(row.count),
        oldestSeconds: seconds(row.oldest),
        resumesAt: row.wake === null ? null : iso(Number(row.wake)),
      }))
      .sort((a, b) => b.count - a.count),
    backlog: total('backlog'),
    paused: total('paused'),
    ...slots,
    openReviews: Number(reviews.count),
  }
}

/** A person put it away as it was then; what failed anew since is told again. */
const isStuck = (e: ExpressionBuilder<Database, 'tasks'>) =>
  e.and([
    e.or([
      e('status', '=', 'dead'),
      e.and([e('status', '=', 'failed'), e('parent_id', 'is', null)]),
      e.and([e('status', '=', 'paused'), e('reason', '=', 'error')]),
    ]),
    sql<boolean>`not exists (select 1 from meta where meta.key = ${DISCARDED} || tasks.id and meta.value = cast(tasks.updated_at as text))`,
  ])

/** How many tasks `deadOf` lists in all. */
export async function countDead(store: Store): Promise<number> {
  const row = await store.db
    .selectFrom('tasks')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where(isStuck)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Tasks that were set aside, tasks that the model cannot go on with, and goals that failed; newest first. */
export async function deadOf(
  store: Store,
  query: { cursor?: string | undefined; limit: number },
): Promise<{ items: DeadTask[]; nextCursor: string | null }> {
  let ask = store.db
    .selectFrom('tasks')
    .select(['id', 'tree_id', 'title', 'agent', 'status', 'reason', 'note', 'attempts', 'updated_at'])
    .where(isStuck)
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
  if (query.cursor) {
    const dot = query.cursor.indexOf('.')
    const [at, id] = [Number(query.cursor.slice(0, dot)), query.cursor.slice(dot + 1)]
    if (dot < 1 || !Number.isSafeInteger(at)) throw new Fault('invalid', 'The cursor is not one that a list gave; start without it.')
    ask = ask.where((e) => e.or([e('updated_at', '<', at), e.and([e('updated_at', '=', at), e('id', '<', id)])]))
  }
  const rows = await ask.execute()
  const shown = rows.slice(0, query.limit)
  const open = shown.length
    ? await store.db
        .selectFrom('reviews')
        .select(['id', 'task_id'])
        .where('kind', '=', 'dead_task')
        .where('state', '<>', sql.lit('decided'))
        .where(
          'task_id',
          'in',
          shown.map((row) => row.id),
        )
        .execute()
    : []
  const last = shown.at(-1)
  return {
    items: shown.map((row) => {
      const review = open.find((one) => one.task_id === row.id)
      return {
        taskId: row.id,
        treeId: row.tree_id,
        title: row.title,
        agent: row.agent,
        status: row.status as TaskStatus,
        reason: row.reason,
        note: row.note,
        attempts: row.attempts,
        at: iso(row.updated_at),
        action: actOn(row, review?.id),
        discard: { label: 'Put away', method: 'POST', path: `/api/system/dead/${encodeURIComponent(row.id)}/discard`, body: {} },
      }
    }),
    nextCursor: rows.length > query.limit && last ? `${last.updated_at}.${last.id}` : null,
  }
}

/** Where a person is asked about it already, deciding that is the act: another way would leave the question open. */
function actOn(task: { id: string; status: string }, reviewId: string | undefined): DeadTask['action'] {
  if (reviewId !== undefined)
    return {
      label: 'Run it again',
      method: 'POST',
      path: `/api/reviews/${encodeURIComponent(reviewId)}/decision`,
      body: { decision: 'approve' },
    }
  const verb = task.status === 'paused' ? 'resume' : 'retry'
  return { label: 'Run it again', method: 'POST', path: `/api/tasks/${encodeURIComponent(task.id)}/${verb}`, body: {} }
}
