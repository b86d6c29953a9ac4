/** Rows of the review queue: opening an item, reading the queue, closing items whose task is gone. Deciding is in `decide.ts`. */

import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Review, ReviewKind } from '../contract/review.ts'
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
}

const openOf = prepare<{ task_id: string }>()((db, p) =>
  db
    .selectFrom('reviews')
    .select('id')
    .where('task_id', '=', p.task_id)
    .where('state', '<>', sql.lit('decided'))
    .where('kind', '<>', 'flag'),
)

/** Binds a decision to what was shown. */
export const actionHash = (action: unknown): string => createHash('sha256').update(JSON.stringify(action)).digest('hex').slice(0, 16)

export async function openReview(tx: Tx, item: NewReview): Promise<void> {
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
  }
  const [made] = await tx.db
    .insertInto('reviews')
    .values(row)
    .onConflict((c) => c.column('id').doNothing())
    .returningAll()
    .execute()
  if (made) tx.record(item.treeId, { type: 'review.opened', review: toReview(made) })
}

/** Items of a task that has an outcome ask nothing any more. What was only reported stays: nobody has seen it yet. */
export async function endReviewsOf(tx: Tx, taskId: string, why: string): Promise<void> {
  for (const { id } of await tx.query(openOf, { task_id: taskId }))
    await settleReview(tx, id, { decision: 'reject', comment: why, by: 'system' })
}

/** Marks it decided, once: null when somebody else was first. */
export async function settleReview(
  tx: Tx,
  id: string,
  how: { decision: NonNullable<Review['decision']>; comment: string | null; by: string },
): Promise<Review | null> {
  const [row] = await tx.db
    .updateTable('reviews')
    .set({ state: 'decided', decision: how.decision, comment: how.comment, decided_by: how.by, decided_at: tx.now })
    .where('id', '=', id)
    .where('state', '<>', sql.lit('decided'))
    .returningAll()
    .execute()
  if (!row) return null
  const review = toReview(row)
  tx.record(row.tree_id, { type: 'review.decided', review })
  return review
}
