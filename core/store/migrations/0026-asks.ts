/** What a person asks the system itself is told from goals, and belongs to a conversation. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 26
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('trees').addColumn('conversation', 'text').execute()
  await sql`create index trees_conversation on trees (conversation, created_at) where conversation is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('trees_conversation').execute()
  await db.schema.alterTable('trees').dropColumn('conversation').execute()
}
