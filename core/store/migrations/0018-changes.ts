/** Changes of the system's own code and what the gates said of them. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 18
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('changes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('why', 'text', (c) => c.notNull())
    .addColumn('evidence', 'text', (c) => c.notNull())
    .addColumn('effect', 'text', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('tree_id', 'text')
    .addColumn('task_id', 'text')
    .addColumn('call_id', 'text')
    .addColumn('tainted', 'bigint', (c) => c.notNull())
    .addColumn('submitted', 'text', (c) => c.notNull())
    .addColumn('level', 'bigint')
    .addColumn('reasons', 'text', (c) => c.notNull())
    .addColumn('note', 'text')
    .addColumn('files', 'text', (c) => c.notNull())
    .addColumn('base', 'text')
    .addColumn('commit_hash', 'text')
    .addColumn('tree', 'text')
    .addColumn('round', 'bigint', (c) => c.notNull())
    .addColumn('review_id', 'text')
    .addColumn('approved_tree', 'text')
    .addColumn('approved_gates', 'text')
    .addColumn('decided_by', 'text')
    .addColumn('landing', 'text')
    .addColumn('landed', 'text')
    .addColumn('join_command', 'text')
    .addColumn('reverts', 'text')
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index changes_under_way on changes (created_at) where state not in ('kept', 'undone', 'refused')`.execute(db)
  await sql`create index changes_newest on changes (created_at desc, id desc)`.execute(db)
  await db.schema
    .createTable('change_gates')
    .addColumn('change_id', 'text', (c) => c.notNull().references('changes.id'))
    .addColumn('round', 'bigint', (c) => c.notNull())
    .addColumn('n', 'bigint', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('verdict', 'text', (c) => c.notNull())
    .addColumn('summary', 'text', (c) => c.notNull())
    .addColumn('log', 'text', (c) => c.notNull())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('ms', 'bigint', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('change_gates_key', ['change_id', 'round', 'name'])
    .execute()
  await db.schema
    .createTable('change_story')
    .addColumn('change_id', 'text', (c) => c.notNull().references('changes.id'))
    .addColumn('n', 'bigint', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('note', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('change_story_key', ['change_id', 'n'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('change_story').execute()
  await db.schema.dropTable('change_gates').execute()
  await db.schema.dropTable('changes').execute()
}
