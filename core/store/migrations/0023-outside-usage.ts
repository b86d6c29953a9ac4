/** What outside agents say that their models used. Expands only. */
import type { Kysely } from 'kysely'

export const number = 23
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('outside_calls').addColumn('usage', 'text').execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('outside_calls').dropColumn('usage').execute()
}
