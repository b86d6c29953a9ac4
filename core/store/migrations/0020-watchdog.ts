/** What the watchdog knows of tasks: what it shows, how far it went, and goals that it leaves alone. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 20
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tasks').addColumn('watch', 'text').execute()
  await db.schema
    .alterTable('trees')
    .addColumn('watched', 'bigint', (c) => c.notNull().defaultTo(1))
    .execute()
  await db.schema
    .createTable('watches')
    .addColumn('task_id', 'text', (c) => c.primaryKey())
    .addColumn('tree_id', 'text', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('due_at', 'bigint')
    .execute()
  await sql`create index watches_due on watches (due_at) where due_at is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('watches').execute()
  await db.schema.alterTable('trees').dropColumn('watched').execute()
  await db.schema.alterTable('tasks').dropColumn('watch').execute()
}
