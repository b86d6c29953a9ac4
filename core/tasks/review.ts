/** Rows of the review queue: opening an item, reading the queue, closing items whose task is gone. Deciding is in `decide.ts`. */

import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { Offer, Taint } from '../contract/policy.ts'
import type { Review, ReviewKind, Waiting } from '../contract/review.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { toReview } from './rows.ts'

export type NewReview = {
  /** Derived from what asks, so that asking again after a crash finds the same item. */
  id: string
  kind: ReviewKind
  treeId: string
  taskId: string
  callId: string | null
  title: string
  action: unknown
  risk: Review['risk']
  /** What the policy knows of it; absent where none was asked. */
  policy?: { reason: string; signature: string; taint: readonly Taint[]; offers: readonly Offer[] }
  /** When nobody has decided it by then, the setting says what happens. */
  expiresAt?: number | null
}

const openOf = prepare<{ task_id: string }>()((db, p) =>
  db
    .selectFrom('reviews')
    .select('id')
    .where('task_id', '=', p.task_id)
    .where('state', '<>', sql.lit('decided'))
    .where('kind', '<>', 'flag'),
)

const stuckOf = prepare<{ task_id: string }>()((db, p) =>
  db
    .selectFrom('reviews')
    .select('id')
    .where('task_id', '=', p.task_id)
    .where('state', '<>', sql.lit('decided'))
    .where('kind', '=', 'stuck'),
)

/** Binds a decision to what was shown. */
export const actionHash = (action: unknown): string => createHash('sha256').update(JSON.stringify(action)).digest('hex').slice(0, 16)

/** False when it was there already. */
export async function openReview(tx: Tx, item: NewReview): Promise<boolean> {
  const row: Database['reviews'] = {
    id: item.id,
    kind: item.kind,
    state: 'open',
    tree_id: item.treeId,
    task_id: item.taskId,
    call_id: item.callId,
    title: item.title.slice(0, 500),
    action: JSON.stringify(item.action ?? null),
    action_hash: actionHash(item.action ?? null),
    risk: item.risk,
    created_at: tx.now,
    decided_at: null,
    decision: null,
    comment: null,
    decided_by: null,
    signature: item.policy?.signature ?? null,
    reason: item.policy?.reason ?? null,
    taint: item.policy ? JSON.stringify(item.policy.taint) : null,
    offers: item.policy ? JSON.stringify(item.policy.offers) : null,
    edit: null,
    snoozed_until: null,
    expires_at: item.expiresAt ?? null,
    escalated_at: null,
  }
  const [made] = await tx.db
    .insertInto('reviews')
    .values(row)
    .onConflict((c) => c.column('id').doNothing())
    .returningAll()
    .execute()
  if (made) tx.record(item.treeId, { type: 'review.opened', review: toReview(made) })
  return made !== undefined
}

/** Items of a task that has an outcome ask nothing any more. What was only reported stays: nobody has seen it yet. */
export async function endReviewsOf(tx: Tx, taskId: string, why: string): Promise<void> {
  for (const { id } of await tx.query(openOf, { task_id: taskId }))
    await settleReview(tx, id, { decision: 'reject', comment: why, by: 'system' })
}

/** A task that was held because it did not get on goes on. */
export async function endStuckReviews(tx: Tx, taskId: string, why: string): Promise<void> {
  for (const { id } of await tx.query(stuckOf, { task_id: taskId }))
    await settleReview(tx, id, { decision: 'approve', comment: why, by: 'system' })
}

/** Marks it decided, once: null when somebody else was first. */
export async function settleReview(
  tx: Tx,
  id: string,
  how: { decision: NonNullable<Review['decision']>; comment: string | null; by: string; edit?: Record<string, unknown> | undefined },
): Promise<Review | null> {
  const [row] = await tx.db
    .updateTable('reviews')
    .set({
      state: 'decided',
      decision: how.decision,
      comment: how.comment,
      decided_by: how.by,
      decided_at: tx.now,
      edit: how.edit ? JSON.stringify(how.edit) : null,
    })
    .where('id', '=', id)
    .where('state', '<>', sql.lit('decided'))
    .returningAll()
    .execute()
  if (!row) return null
  const review = toReview(row)
  tx.record(row.tree_id, { type: 'review.decided', review })
  return review
}

/** Puts an item off until a time; null brings it back now. */
export async function snooze(tx: Tx, id: string, until: number | null): Promise<Review> {
  if (until !== null && until <= tx.now)
    throw new Fault('invalid', '`until` has passed already; name a time to come, or null to bring it back now.')
  const change = { state: until === null ? 'open' : 'snoozed', snoozed_until: until }
  const changed = await changeReview(tx, id, change)
  if (changed) return changed
  const there = await tx.db.selectFrom('reviews').select('decision').where('id', '=', id).executeTakeFirst()
  if (!there) throw new Fault('not_found', `There is no review item ${id}.`)
  throw new Fault('conflict', `This item was decided already (${there.decision}); it cannot be put off.`)
}

/** Overdue and still undecided: it goes before all others, and no snooze hides it. */
export const escalate = (tx: Tx, id: string): Promise<Review | null> =>
  changeReview(tx, id, { state: 'open', snoozed_until: null, expires_at: null, escalated_at: tx.now, risk: 'high' })

/** Null when it is decided, or not there. */
export async function changeReview(tx: Tx, id: string, change: Partial<Database['reviews']>): Promise<Review | null> {
  const [row] = await tx.db
    .updateTable('reviews')
    .set(change)
    .where('id', '=', id)
    .where('state', '<>', sql.lit('decided'))
    .returningAll()
    .execute()
  if (!row) return null
  const review = toReview(row)
  tx.record(row.tree_id, { type: 'review.changed', review })
  return review
}

/** For each item the tasks above it that wait, nearest first. Ids tell lineage, so one read finds them all. */
export async function waitingFor<R extends Review>(db: Tx['db'], items: readonly R[]): Promise<(R & { waiting: Waiting[] })[]> {
  const above = (id: string): string[] => {
    const parts = id.split('.')
    return parts.slice(1).map((_, i) => parts.slice(0, parts.length - 1 - i).join('.'))
  }
  const ids = [...new Set(items.flatMap((item) => (item.state === 'decided' ? [] : above(item.taskId))))]
  const found = new Map<string, Waiting>()
  for (let from = 0; from < ids.length; from += 500) {
    const rows = await db
      .selectFrom('tasks')
      .select(['id', 'title', 'status'])
      .where('id', 'in', ids.slice(from, from + 500))
      .where('status', '=', sql.lit('waiting'))
      .execute()
    for (const row of rows) found.set(row.id, row)
  }
  return items.map((item) => ({
    ...item,
    waiting: item.state === 'decided' ? [] : above(item.taskId).flatMap((id) => found.get(id) ?? []),
  }))
}
