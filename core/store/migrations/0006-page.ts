/** What the page's lists and searches go by. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 6
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  // Counts by status of a hundred thousand tasks come from this index alone.
  await sql`create index tasks_by_status on tasks (tree_id, status)`.execute(db)
  await sql`create index calls_of_task on calls (task_id, tool)`.execute(db)
  await sql`create index reviews_of_tree on reviews (tree_id) where state = 'open'`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['reviews_of_tree', 'calls_of_task', 'tasks_by_status']) await sql`drop index ${sql.ref(name)}`.execute(db)
}
