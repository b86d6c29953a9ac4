/** Commands that run in the background of a task. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 10
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tree_id', 'text', (c) => c.notNull().references('trees.id'))
    .addColumn('task_id', 'text', (c) => c.notNull().references('tasks.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('command', 'text', (c) => c.notNull())
    .addColumn('cwd', 'text', (c) => c.notNull())
    .addColumn('isolation', 'text', (c) => c.notNull())
    .addColumn('terminal', 'text')
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('ending', 'text')
    .addColumn('exit_code', 'bigint')
    .addColumn('output', 'text', (c) => c.notNull())
    .addColumn('output_bytes', 'bigint', (c) => c.notNull())
    .addColumn('cpu_ms', 'bigint')
    .addColumn('peak_memory_bytes', 'bigint')
    .addColumn('starts', 'bigint', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('seen_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create unique index jobs_of_task on jobs (task_id, name)`.execute(db)
  await sql`create index jobs_running on jobs (state) where state = 'running'`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('jobs').execute()
}
