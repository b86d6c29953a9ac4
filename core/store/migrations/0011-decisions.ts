/** Decisions are read newest first, and by what they were about. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 11
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index reviews_decided on reviews (decided_at, id) where decided_at is not null`.execute(db)
  await sql`create index reviews_alike on reviews (signature, decided_at) where signature is not null`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['reviews_decided', 'reviews_alike']) await sql`drop index ${sql.ref(name)}`.execute(db)
}
