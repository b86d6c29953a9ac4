/** Keys under which people and programs sent an act, so that sending it again does nothing twice. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 16
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('act_keys')
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('act_keys_pk', ['by', 'key'])
    .execute()
  await sql`create index act_keys_at on act_keys (at)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('act_keys').execute()
}
