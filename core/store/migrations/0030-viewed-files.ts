/** Files of a change that a person has looked at, each as it was then. Expands only. */
import type { Kysely } from 'kysely'

export const number = 30
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('change_views')
    .addColumn('change_id', 'text', (c) => c.notNull().references('changes.id'))
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('change_views_key', ['change_id', 'user_id', 'path'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('change_views').execute()
}
