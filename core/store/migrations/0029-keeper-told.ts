/** What the keeper told of a change, for good: its own list holds only the newest. Expands only. */
import type { Kysely } from 'kysely'

export const number = 29
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('changes')
    .addColumn('keeper_told', 'text', (column) => column.notNull().defaultTo('[]'))
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('changes').dropColumn('keeper_told').execute()
}
