/** What does not go on by itself: putting it away for good, and having tasks that wait for a provider ask it again now. */
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { isOver } from '../contract/task.ts'
import type { Store, Tx } from '../store/store.ts'
import { control } from './control.ts'
import { decide } from './decide.ts'
import { ready } from './move.ts'
import { openTask } from './rows.ts'

/** A task that failed again after it was put away has another time, and is told again. */
export const DISCARDED = 'discarded:'

/** Puts a stuck task away: one that is held ends, one that has ended is told no more. Answers tasks to cut off. A Fault where it is not stuck. */
export async function discard(tx: Tx, id: string, by: string): Promise<string[]> {
  const task = await openTask(tx, id)
  const held = task.status === 'paused' && task.reason === 'error'
  if (!held && !(task.status === 'dead' || (task.status === 'failed' && task.parent_id === null)))
    throw new Fault('conflict', `Task ${id} is not stuck: it is ${task.status}.`)
  const review = await tx.db
    .selectFrom('reviews')
    .select('id')
    .where('task_id', '=', id)
    .where('kind', '=', 'dead_task')
    .where('state', '<>', sql.lit('decided'))
    .executeTakeFirst()
  const cut = review ? (await decide(tx, review.id, { decision: 'reject' }, by)).cut : []
  if (isOver(task.status)) {
    const value = String(task.updated_at)
    await tx.db
      .insertInto('meta')
      .values({ key: `${DISCARDED}${id}`, value })
      .onConflict((c) => c.column('key').doUpdateSet({ value }))
      .execute()
    tx.record(task.tree_id, { type: 'task.controlled', taskId: id, verb: 'discard', by, comment: null })
    return cut
  }
  return [...cut, ...(await control(tx, id, { verb: 'abort', by }))]
}

export type QuotaWait = { taskId: string; treeId: string; provider: string | null; wakeAt: number; held: boolean }

/** Tasks that wait until their provider answers again, those that go on first first. `provider`: null where none was called yet. */
export async function quotaWaits(store: Store): Promise<QuotaWait[]> {
  const rows = await store.db
    .selectFrom('tasks as t')
    .leftJoin('model_calls as c', (join) => join.onRef('c.task_id', '=', 't.id').onRef('c.n', '=', 't.model_calls'))
    .select(['t.id', 't.tree_id', 't.wake_at', 't.held_by', 'c.provider'])
    .where('t.status', '=', sql.lit('waiting'))
    .where('t.reason', '=', 'quota')
    .where('t.wake_at', 'is not', null)
    .orderBy('t.wake_at')
    .limit(10_000)
    .execute()
  return rows.map((row) => ({
    taskId: row.id,
    treeId: row.tree_id,
    provider: row.held_by ?? row.provider,
    wakeAt: Number(row.wake_at),
    held: row.held_by !== null,
  }))
}

/** Lets the tasks that wait for this provider go on now, but for those that its limits hold: one of them tries first. Answers how many did. */
export async function wakeQuota(store: Store, provider: string): Promise<number> {
  let woken = 0
  for (const wait of await quotaWaits(store)) {
    if (wait.held || (wait.provider !== null && wait.provider !== provider)) continue
    woken += await store.transact(async (tx) => {
      const task = await openTask(tx, wait.taskId, wait.treeId)
      if (task.status !== 'waiting' || task.reason !== 'quota') return 0
      await ready(tx, task)
      return 1
    })
  }
  return woken
}
