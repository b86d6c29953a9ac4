/** Every change of a file in a workspace, so that it can be undone. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 5
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('file_changes')
    .addColumn('tree_id', 'text', (c) => c.notNull().references('trees.id'))
    .addColumn('n', 'bigint', (c) => c.notNull())
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('call_id', 'text', (c) => c.notNull())
    .addColumn('path', 'text', (c) => c.notNull())
    .addColumn('before_hash', 'text')
    .addColumn('before_bytes', 'bigint')
    .addColumn('before_mode', 'bigint')
    .addColumn('after_hash', 'text')
    .addColumn('after_bytes', 'bigint')
    .addColumn('after_mode', 'bigint')
    .addColumn('why_not', 'text')
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('file_changes_pk', ['tree_id', 'n'])
    .execute()
  await sql`create index file_changes_of_path on file_changes (tree_id, path, n)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('file_changes').execute()
}
