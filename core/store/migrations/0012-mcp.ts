/** Sessions of MCP clients that speak a revision before 2026-07-28. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 12
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('mcp_sessions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('principal', 'text', (c) => c.notNull())
    .addColumn('initialize', 'text', (c) => c.notNull())
    .addColumn('subscriptions', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seen_at', 'bigint', (c) => c.notNull())
    .execute()
  await sql`create index mcp_sessions_seen on mcp_sessions (principal, last_seen_at)`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  await db.schema.dropTable('mcp_sessions').execute()
}
