/** What answers for a task in place of its goal's model, when a person chose that for a rerun. Expands only. */
import type { Kysely } from 'kysely'

export const number = 13
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tasks').addColumn('model', 'text').execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tasks').dropColumn('model').execute()
}
