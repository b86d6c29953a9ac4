/** Rules of people, taint of tasks, and what the review queue knows of an item beyond its action. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 2
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('tasks')
    .addColumn('taint', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute()
  for (const column of ['signature', 'reason', 'taint', 'offers', 'edit'])
    await db.schema.alterTable('reviews').addColumn(column, 'text').execute()
  for (const column of ['snoozed_until', 'expires_at', 'escalated_at'])
    await db.schema.alterTable('reviews').addColumn(column, 'bigint').execute()
  await sql`create index reviews_snoozed on reviews (snoozed_until) where state = 'snoozed'`.execute(db)
  await sql`create index reviews_expiring on reviews (expires_at) where expires_at is not null`.execute(db)
  await db.schema
    .createTable('rules')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('verdict', 'text', (c) => c.notNull())
    .addColumn('scope', 'text', (c) => c.notNull())
    .addColumn('signature', 'text', (c) => c.notNull())
    .addColumn('label', 'text', (c) => c.notNull())
    .addColumn('tree_id', 'text')
    .addColumn('agent', 'text')
    .addColumn('tainted', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('created_by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint')
    .addColumn('hits', 'bigint', (c) => c.notNull().defaultTo(0))
    .addColumn('last_hit_at', 'bigint')
    .addColumn('revoked_at', 'bigint')
    .execute()
  await sql`create index rules_allowing on rules (signature) where verdict = 'allow' and revoked_at is null`.execute(db)
  await sql`create index rules_narrowing on rules (created_at) where verdict <> 'allow' and revoked_at is null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('rules').execute()
  for (const index of ['reviews_snoozed', 'reviews_expiring']) await db.schema.dropIndex(index).execute()
  for (const column of ['signature', 'reason', 'taint', 'offers', 'edit', 'snoozed_until', 'expires_at', 'escalated_at'])
    await db.schema.alterTable('reviews').dropColumn(column).execute()
  await db.schema.alterTable('tasks').dropColumn('taint').execute()
}
