/** What a version was made by: a task, a lesson, or the version that it brings back. Expands only. */
import type { Kysely } from 'kysely'

export const number = 28
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('versions').addColumn('cause', 'text').execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('versions').dropColumn('cause').execute()
}
