/**
 * What no event woke. `quick` runs every second and reads only partial indexes; `thorough` runs at boot and every SUPERVISOR_CHECK_INTERVAL and derives
 * from rows what should have moved: it is the backstop for every wake, and finds nothing unless something is wrong elsewhere.
 */
import { sql } from 'kysely'
import type { ExpiryPolicy } from '../contract/review.ts'
import { isOver } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import { decide } from './decide.ts'
import { settleLostCalls } from './ledger.ts'
import { wallReaches } from './limits.ts'
import { ready, wakeIfFree } from './move.ts'
import { answerIfOver, closeIfJudged, over, releaseIfFree } from './outcome.ts'
import { pauseTree, resumeHeldByDay } from './pause.ts'
import { changeReview, escalate } from './review.ts'
import { callsOpen, limitsOf, lock, openTask, openTree, save, type TaskRow } from './rows.ts'
import { dayStart } from './spend.ts'

const expired = prepare<{ now: number; limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .select(['id', 'tree_id'])
    .where('status', 'in', [sql.lit('assigned'), sql.lit('active')])
    .where('lease_until', '<', p.now)
    .limit(p.limit),
)
const dueWakes = prepare<{ now: number; limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .select(['id', 'tree_id'])
    .where('wake_at', 'is not', null)
    .where('wake_at', '<=', p.now)
    // These go on in their turn; see `holds.ts`.
    .where('held_by', 'is', null)
    .limit(p.limit),
)
const dueDeadlines = prepare<{ now: number; limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .select(['id', 'tree_id'])
    .where('deadline_at', 'is not', null)
    .where('deadline_at', '<=', p.now)
    .where('status', 'not in', [sql.lit('done'), sql.lit('failed'), sql.lit('cancelled'), sql.lit('dead')])
    .limit(p.limit),
)
const dueSnoozes = prepare<{ now: number; limit: number }>()((db, p) =>
  db.selectFrom('reviews').select('id').where('state', '=', sql.lit('snoozed')).where('snoozed_until', '<=', p.now).limit(p.limit),
)
const dueReviews = prepare<{ now: number; limit: number }>()((db, p) =>
  db
    .selectFrom('reviews')
    .select(['id', 'kind', 'expires_at'])
    .where('expires_at', 'is not', null)
    .where('expires_at', '<=', p.now)
    .where('state', '<>', sql.lit('decided'))
    .limit(p.limit),
)
/** Rows of one round; the next second takes the next ones. */
const LIMIT = 500

export type Swept = { moved: number; cut: string[] }

/** `expiry`: what becomes of items that nobody decided in time. */
export async function quick(store: Store, now: number, expiry: ExpiryPolicy = 'park'): Promise<Swept> {
  const swept: Swept = { moved: 0, cut: [] }
  for (const { id, tree_id } of await store.read(expired, { now, limit: LIMIT }))
    await each(store, swept, async (tx) => {
      const task = await openTask(tx, id, tree_id)
      if ((task.status !== 'assigned' && task.status !== 'active') || task.lease_until >= tx.now) return false
      await giveBack(tx, task)
      return true
    })
  for (const { id, tree_id } of await store.read(dueWakes, { now, limit: LIMIT }))
    await each(store, swept, async (tx) => {
      const task = await openTask(tx, id, tree_id)
      if (task.status !== 'waiting' || task.wake_at === null || task.wake_at > tx.now || task.held_by !== null) return false
      await ready(tx, task)
      return true
    })
  for (const { id, tree_id } of await store.read(dueDeadlines, { now, limit: LIMIT }))
    await each(store, swept, async (tx) => {
      const task = await openTask(tx, id, tree_id)
      if (isOver(task.status) || task.deadline_at === null || task.deadline_at > tx.now || task.status === 'paused') return false
      if (task.status === 'assigned' || task.status === 'active') swept.cut.push(id)
      task.lease_token += 1
      await over(tx, task, 'failed', { reason: 'deadline', note: 'its deadline passed before it ended' })
      return true
    })
  for (const { id } of await store.read(dueSnoozes, { now, limit: LIMIT }))
    await each(store, swept, async (tx) => (await changeReview(tx, id, { state: 'open', snoozed_until: null })) !== null)
  if (expiry !== 'park')
    for (const { id, kind } of await store.read(dueReviews, { now, limit: LIMIT }))
      await each(store, swept, async (tx) => {
        const row = await tx.db.selectFrom('reviews').select(['state', 'expires_at']).where('id', '=', id).executeTakeFirst()
        if (row?.state === 'decided' || row?.expires_at == null || row.expires_at > tx.now) return false
        if (expiry === 'escalate') return (await escalate(tx, id)) !== null
        const { cut } = await decide(tx, id, { decision: 'reject', comment: `nobody decided this ${kind} in time` }, 'system')
        swept.cut.push(...cut)
        return true
      })
  return swept
}

export async function thorough(store: Store, now: number): Promise<Swept> {
  const swept: Swept = { moved: 0, cut: [] }
  const waiting = await store.db
    .selectFrom('tasks')
    .select(['id', 'tree_id', 'reason'])
    .where('status', '=', sql.lit('waiting'))
    .where('reason', 'in', [sql.lit('children'), sql.lit('review'), sql.lit('change'), sql.lit('closing')])
    .where((e) =>
      e.or([
        e('reason', '=', 'closing'),
        e.not(
          e.exists(
            e
              .selectFrom('calls')
              .select('calls.id')
              .whereRef('calls.task_id', '=', 'tasks.id')
              .where('state', '<>', sql.lit('ended'))
              .where('waits', '=', 'review'),
          ),
        ),
      ]),
    )
    .execute()
  for (const { id, tree_id } of waiting)
    await each(store, swept, async (tx) => {
      const task = await openTask(tx, id, tree_id)
      if (task.status !== 'waiting') return false
      const before = task.status
      if (task.reason === 'closing') await closeIfJudged(tx, task)
      else {
        let answered = false
        for (const call of await callsOpen(tx, id)) if (call.waits === 'tasks' && (await answerIfOver(tx, task, call))) answered = true
        if (answered) await save(tx, task)
        await wakeIfFree(tx, task)
      }
      if ((task.status as string) === before) return false
      tx.record(tree_id, { type: 'sweep.repaired', taskId: id, what: 'a waiting task that nothing held' })
      return true
    })
  for (const { id, tree_id } of await store.db
    .selectFrom('tasks')
    .select(['id', 'tree_id'])
    .where('status', '=', sql.lit('backlog'))
    .execute())
    await each(store, swept, async (tx) => {
      await lock(tx, tree_id)
      if (!(await releaseIfFree(tx, id))) return false
      tx.record(tree_id, { type: 'sweep.repaired', taskId: id, what: 'a task whose dependencies were over' })
      return true
    })
  await each(store, swept, async (tx) => (await resumeHeldByDay(tx, dayStart(tx.now), 'system', 'a new day has begun')) > 0)
  for (let after = ''; ; ) {
    const page = await store.db
      .selectFrom('trees')
      .innerJoin('tasks', 'tasks.id', 'trees.id')
      .select(['trees.id', 'trees.limits', 'trees.started_at'])
      .where('trees.id', '>', after)
      .where('trees.paused_reason', 'is', null)
      .where('trees.started_at', 'is not', null)
      .where('tasks.status', 'not in', ['done', 'failed', 'cancelled', 'dead', 'paused'])
      .orderBy('trees.id')
      .limit(LIMIT)
      .execute()
    for (const found of page) {
      if (!wallReaches(limitsOf(found), found.started_at, now)) continue
      await each(store, swept, async (tx) => {
        await lock(tx, found.id)
        const tree = await openTree(tx, found.id)
        const reached = wallReaches(limitsOf(tree), tree.started_at, tx.now)
        if (!reached || tree.paused_reason !== null) return false
        await pauseTree(tx, tree, found.id, reached)
        return true
      })
    }
    if (page.length < LIMIT) break
    after = page.at(-1)!.id
  }
  return swept
}

/** At boot of the only process on an embedded database every claim belongs to a dead one. */
export async function recover(store: Store): Promise<number> {
  const left = await store.db
    .selectFrom('tasks')
    .select(['id', 'tree_id'])
    .where('status', 'in', [sql.lit('assigned'), sql.lit('active')])
    .execute()
  await Promise.all(left.map(({ id, tree_id }) => store.transact(async (tx) => giveBack(tx, await openTask(tx, id, tree_id)))))
  return left.length
}

/** Its worker is gone; the attempt stays counted. */
async function giveBack(tx: Tx, task: TaskRow): Promise<void> {
  await settleLostCalls(tx, task)
  await ready(tx, task)
}

async function each(store: Store, swept: Swept, work: (tx: Tx) => Promise<boolean>): Promise<void> {
  if (await store.transact(work)) swept.moved += 1
}
