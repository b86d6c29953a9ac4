/** Outside agents, the tasks that wait for them or that they hold, and the calls that they made. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 15
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('outside_agents')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('capabilities', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('repository', 'text')
    .addColumn('webhook', 'text')
    .addColumn('max_tasks', 'integer', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('outside_tasks')
    .addColumn('task_id', 'text', (c) => c.primaryKey())
    .addColumn('capability', 'text', (c) => c.notNull())
    .addColumn('agent', 'text')
    .addColumn('lease', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .addColumn('told', 'integer', (c) => c.notNull())
    .addColumn('lapses', 'integer', (c) => c.notNull())
    .addColumn('claimed_at', 'bigint')
    .execute()
  await db.schema
    .createTable('outside_calls')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('n', 'integer', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('tool', 'text', (c) => c.notNull())
    .addColumn('input', 'text', (c) => c.notNull())
    .addColumn('call_id', 'text')
    .addColumn('told', 'integer', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('outside_calls_pk', ['task_id', 'n'])
    .execute()
  await sql`create index outside_tasks_held on outside_tasks (agent) where agent is not null`.execute(db)
  await sql`create index outside_tasks_lapsing on outside_tasks (lease_until) where agent is not null`.execute(db)
  await sql`create index outside_calls_unread on outside_calls (task_id) where call_id is null`.execute(db)
  await sql`create unique index outside_calls_key on outside_calls (task_id, key)`.execute(db)
  await sql`create index tasks_for_outside on tasks (priority desc, created_at, id) where status = 'waiting' and reason = 'external'`.execute(
    db,
  )
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index tasks_for_outside`.execute(db)
  for (const table of ['outside_calls', 'outside_tasks', 'outside_agents']) await db.schema.dropTable(table).execute()
}
