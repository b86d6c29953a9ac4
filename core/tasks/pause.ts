/** Holding a whole tree at a cap, asking a person, and letting it go on. */
import { sql } from 'kysely'
import type { Limits } from '../contract/limits.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import { type Reached, raised, raisedDay, reachedText } from './limits.ts'
import { move, ready } from './move.ts'
import { openReview, settleReview } from './review.ts'
import { keep, limitsOf, lock, openTask, openTree, save, saveTree, type TreeRow } from './rows.ts'

const pendingOf = prepare<{ tree_id: string }>()((db, p) =>
  db.selectFrom('tasks').selectAll().where('tree_id', '=', p.tree_id).where('status', '=', sql.lit('pending')),
)
const heldByBudget = prepare<{ tree_id: string }>()((db, p) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('tree_id', '=', p.tree_id)
    .where('status', '=', sql.lit('paused'))
    .where('reason', '=', sql.lit('budget')),
)

/** Nothing of the tree is called from here on; turns under way end their call and find the tree paused. */
export async function pauseTree(tx: Tx, tree: TreeRow, taskId: string, reached: Reached): Promise<void> {
  if (tree.paused_reason !== null) return
  const reason = reachedText(reached)
  tree.paused_reason = reason
  tree.paused_at = tx.now
  await saveTree(tx, tree)
  tx.record(tree.id, { type: 'tree.paused', reason })
  // What waits for others goes on waiting; it is held when it becomes ready.
  for (const row of await tx.query(pendingOf, { tree_id: tree.id })) {
    const task = keep(tx, row)
    if (task.status !== 'pending') continue
    move(tx, task, 'paused', { reason: 'budget', note: reason })
    await save(tx, task)
  }
  await openReview(tx, {
    id: `${tree.id}/budget-${reached.limit}-${reached.cap}-${tx.now}`, // a tree may come to the same cap again
    kind: 'budget',
    treeId: tree.id,
    taskId: tree.id, // the question is the whole goal's: it outlives the task that happened to reach the cap
    callId: null,
    title: `Goal paused: ${reason}`,
    action: {
      reached,
      by: taskId,
      limits: limitsOf(tree),
      approveSetsTo: raised(limitsOf(tree), reached),
      ...(reached.limit === 'dailyMicros' ? { approveSetsTodayTo: raisedDay(reached) } : {}),
    },
    risk: 'medium',
  })
}

/** Lets a paused tree go on under these limits. */
export async function resumeTree(tx: Tx, tree: TreeRow, limits: Limits): Promise<void> {
  if (tree.paused_at !== null && tree.started_at !== null) tree.started_at += tx.now - tree.paused_at
  Object.assign(tree, { limits: JSON.stringify(limits), paused_reason: null, paused_at: null })
  await saveTree(tx, tree)
  tx.record(tree.id, { type: 'tree.resumed', limits })
  for (const row of await tx.query(heldByBudget, { tree_id: tree.id })) await ready(tx, await openTask(tx, keep(tx, row).id, tree.id), tree)
}

/** Goals that only the limit of a day holds go on: a person raised it, or the day is over. `before`: asked before this moment. */
export async function resumeHeldByDay(tx: Tx, before: number, by: string, comment: string): Promise<number> {
  const open = await tx.db
    .selectFrom('reviews')
    .select(['id', 'tree_id', 'action'])
    .where('kind', '=', 'budget')
    .where('state', '<>', sql.lit('decided'))
    .where('created_at', '<', before)
    .execute()
  let count = 0
  for (const { id, tree_id, action } of open) {
    if ((JSON.parse(action) as { reached: Reached }).reached.limit !== 'dailyMicros') continue
    await lock(tx, tree_id)
    if ((await settleReview(tx, id, { decision: 'approve', comment, by })) === null) continue
    const tree = await openTree(tx, tree_id)
    await resumeTree(tx, tree, limitsOf(tree))
    count += 1
  }
  return count
}
