/** Providers that take no calls for a while because of their limits, and the tasks that wait for one. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 27
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('provider_holds')
    .addColumn('provider', 'text', (c) => c.primaryKey())
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('why', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('until', 'bigint', (c) => c.notNull())
    .addColumn('rounds', 'bigint', (c) => c.notNull())
    .addColumn('probe', 'text')
    .addColumn('probe_until', 'bigint')
    .addColumn('opening', 'bigint')
    .execute()
  await db.schema.alterTable('tasks').addColumn('held_by', 'text').execute()
  await sql`create index tasks_held on tasks (held_by, priority desc, created_at) where held_by is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await sql`drop index tasks_held`.execute(db)
  await db.schema.alterTable('tasks').dropColumn('held_by').execute()
  await db.schema.dropTable('provider_holds').execute()
}
