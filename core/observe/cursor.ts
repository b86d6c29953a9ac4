/** How far a reader of the fact log has come, and what it made of it, kept in one row: after a restart it goes on there. */
import type { Store } from '../store/store.ts'

const keyOf = (reader: string): string => `reader:${reader}`

/** null: it never read. */
export async function savedPlace<S>(store: Store, reader: string): Promise<{ seq: number; state: S } | null> {
  const row = await store.db.selectFrom('meta').select('value').where('key', '=', keyOf(reader)).executeTakeFirst()
  return row ? (JSON.parse(row.value) as { seq: number; state: S }) : null
}

export async function savePlace(store: Store, reader: string, seq: number, state: unknown): Promise<void> {
  const value = JSON.stringify({ seq, state })
  await store.transact(async (tx) => {
    await tx.db
      .insertInto('meta')
      .values({ key: keyOf(reader), value })
      .onConflict((c) => c.column('key').doUpdateSet({ value }))
      .execute()
  })
}
