/** What is kept of the web: searches with their results, pages as they were read, and which task read what. */
import { type Kysely, sql } from 'kysely'

export const number = 3
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('web_searches')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('engine', 'text', (c) => c.notNull())
    .addColumn('query', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('task_id', 'text')
    .addColumn('results', 'bigint', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('hits', 'text', (c) => c.notNull())
    .execute()
  await sql`create index web_searches_again on web_searches (engine, query, at)`.execute(db)
  await sql`create index web_searches_of_task on web_searches (task_id, at)`.execute(db)
  await sql`create index web_searches_by_time on web_searches (at)`.execute(db)
  await db.schema
    .createTable('web_pages')
    .addColumn('url', 'text', (c) => c.primaryKey())
    .addColumn('final_url', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('content_type', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('links', 'text', (c) => c.notNull())
    .addColumn('notes', 'text', (c) => c.notNull())
    .addColumn('etag', 'text')
    .addColumn('last_modified', 'text')
    .addColumn('fetched_at', 'bigint', (c) => c.notNull())
    .addColumn('fresh_until', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index web_pages_by_time on web_pages (fetched_at)`.execute(db)
  await db.schema
    .createTable('web_citations')
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('fetched_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('web_citations_pk', ['task_id', 'id'])
    .execute()
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['web_citations', 'web_pages', 'web_searches']) await db.schema.dropTable(name).execute()
}
