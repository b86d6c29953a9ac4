/** What a person says with a goal, plans that are shown before anything runs, and files sent for goals to come. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 7
/** New columns have defaults, so older code goes on writing rows. */
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('trees')
    .addColumn('approval', 'text', (c) => c.notNull().defaultTo('ask_risky'))
    .execute()
  for (const column of ['model', 'plan', 'forked_from']) await db.schema.alterTable('trees').addColumn(column, 'text').execute()
  await db.schema.alterTable('tasks').addColumn('plan', 'text').execute()
  await db.schema
    .createTable('uploads')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index model_calls_at on model_calls (at)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropIndex('model_calls_at').execute()
  await db.schema.dropTable('uploads').execute()
  await db.schema.alterTable('tasks').dropColumn('plan').execute()
  for (const column of ['approval', 'model', 'plan', 'forked_from']) await db.schema.alterTable('trees').dropColumn(column).execute()
}
