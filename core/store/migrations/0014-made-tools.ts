/** What is known of tools that agents made, beside their text, which the registry holds. Expands only. */
import type { Kysely } from 'kysely'

export const number = 14
/** New table only: older code does not look at it. */
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('made_tools')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('sha', 'text', (c) => c.notNull())
    .addColumn('tree_id', 'text', (c) => c.notNull())
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('passed', 'bigint', (c) => c.notNull())
    .addColumn('failed', 'bigint', (c) => c.notNull())
    .addColumn('report', 'text', (c) => c.notNull())
    .addColumn('test_ms', 'bigint', (c) => c.notNull())
    .addColumn('tested_at', 'bigint', (c) => c.notNull())
    .addColumn('approved_by', 'text')
    .addColumn('approved_at', 'bigint')
    .addColumn('failures', 'bigint', (c) => c.notNull())
    .addColumn('runs', 'bigint', (c) => c.notNull())
    .addColumn('broken', 'text')
    .addPrimaryKeyConstraint('made_tools_key', ['name', 'sha'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('made_tools').execute()
}
