/** What counts as done for a task, as it was said when the task was made. Expands only. */
import type { Kysely } from 'kysely'

export const number = 25
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tasks').addColumn('criteria', 'text').execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tasks').dropColumn('criteria').execute()
}
