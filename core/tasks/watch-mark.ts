/** What a task shows of the watchdog: written with its fact, so that every page and program sees the same. */
import type { Watch } from '../contract/watch.ts'
import type { Tx } from '../store/store.ts'
import type { TaskRow } from './rows.ts'

/** `watch` null: it gets on again. `words`: what was done, or why it is over. */
export async function showWatch(tx: Tx, task: TaskRow, watch: Watch | null, words: string, by: string): Promise<void> {
  task.watch = watch === null ? null : JSON.stringify(watch)
  await tx.db.updateTable('tasks').set({ watch: task.watch }).where('id', '=', task.id).execute()
  tx.record(task.tree_id, { type: 'task.watched', taskId: task.id, watch, words, by })
}
