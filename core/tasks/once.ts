/** Acts that may be sent again by who does not know whether they were done: under the same key the same act is done once. */
import { createHash } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import type { Tx } from '../store/store.ts'

/** A key holds for a day, as long as anybody tries again. */
const KEPT_MS = 86_400_000

/**
 * Whether this act is to be done now, in the same transaction; false: it was done before. Without a key every act is new. A Fault: the key was
 * used with another act.
 */
export async function isNew(tx: Tx, by: string, key: string | undefined, act: readonly unknown[]): Promise<boolean> {
  if (key === undefined) return true
  await tx.db
    .deleteFrom('act_keys')
    .where('at', '<', tx.now - KEPT_MS)
    .execute()
  const hash = createHash('sha256').update(JSON.stringify(act)).digest('base64url')
  const before = await tx.db.selectFrom('act_keys').select('hash').where('by', '=', by).where('key', '=', key).executeTakeFirst()
  if (before === undefined) {
    await tx.db.insertInto('act_keys').values({ by, key, hash, at: tx.now }).execute()
    return true
  }
  if (before.hash !== hash) throw new Fault('unprocessable', 'This idempotency key was used with another act; use a new key for a new act.')
  return false
}
