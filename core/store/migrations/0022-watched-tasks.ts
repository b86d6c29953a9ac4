/** Tasks that the watchdog sees something in are found without reading the others. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 22
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index tasks_watched on tasks (tree_id) where watch is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('tasks_watched').execute()
}
