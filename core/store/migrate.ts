/**
 * Brings a database to this code's schema. Kysely's Migrator refuses a database that has migrations it does not know; after a rollback of
 * code that is the normal case, so this one ignores them as long as the database says that code this old may still run on it.
 */
import { type Kysely, sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { MIGRATIONS } from './migration-list.ts'
import type { Database } from './tables.ts'

export type Migration = {
  number: number
  /** The lowest schema number whose code may still run once this is applied. An expand-only migration repeats the one before. */
  oldestCode: number
  up(db: Kysely<unknown>): Promise<void>
  down(db: Kysely<unknown>): Promise<void>
}

/** This code's schema number. */
export const SCHEMA = MIGRATIONS.at(-1)!.number

/** Call inside one transaction. Returns the numbers applied now. */
export async function migrate(db: Kysely<Database>, now: number, migrations: readonly Migration[] = MIGRATIONS): Promise<number[]> {
  const mine = migrations.at(-1)!.number
  await sql`create table if not exists meta (key text primary key, value text not null)`.execute(db)
  await sql`create table if not exists schema_migrations (number integer primary key, name text not null, at bigint not null)`.execute(db)
  const oldest = Number((await db.selectFrom('meta').select('value').where('key', '=', 'oldest_code').executeTakeFirst())?.value ?? 0)
  if (mine < oldest)
    throw new Fault(
      'unavailable',
      `The database needs code of schema ${oldest} or newer and this is schema ${mine}; start the newer version, or restore a backup made before its change.`,
    )
  const known = new Set((await db.selectFrom('schema_migrations').select('number').execute()).map((row) => Number(row.number)))
  const applied: number[] = []
  for (const migration of migrations) {
    if (known.has(migration.number)) continue
    await migration.up(db as Kysely<unknown>)
    await db
      .insertInto('schema_migrations')
      .values({ number: migration.number, name: `schema ${migration.number}`, at: now })
      .execute()
    const value = String(Math.max(oldest, migration.oldestCode))
    await db
      .insertInto('meta')
      .values({ key: 'oldest_code', value })
      .onConflict((c) => c.column('key').doUpdateSet({ value }))
      .execute()
    applied.push(migration.number)
  }
  return applied
}
