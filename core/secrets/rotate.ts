/**
 * A new SYSTEM_SECRET_KEY in place of the old one, such that a crash at any point loses nothing. A key that nobody set lies in
 * DATA_DIR/secret-key; beside it, while a rotation is under way, the next one (`.next`) and after it the last one (`.old`). All values are
 * sealed anew in one transaction, so at the next start the rows themselves tell which key counts (`settledKey`).
 */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'
import { cipherOf } from './cipher.ts'
import type { Secrets } from './secrets.ts'

export type KeyPlace = {
  /** Where the key is kept that nobody set. Null: a person set it, and only they can change it. */
  file: string | null
  /** Keys that values may still be sealed with. */
  old: readonly string[]
}

/**
 * Makes a new key, seals every value with it and answers how many. What else the old key signs (sessions) goes on until a restart. Rejects
 * with a Fault, and nothing is changed, when a person set the key or when a value cannot be read.
 */
export async function rotateKey(parts: {
  secrets: Pick<Secrets, 'sealWith'>
  file: string | null
  key: string
  by: string
  failPoint?: (name: string) => void
}): Promise<number> {
  const { file, failPoint = () => undefined } = parts
  if (file === null)
    throw new Fault(
      'conflict',
      'SYSTEM_SECRET_KEY is a setting of yours: put the new key there, the present one into SYSTEM_SECRET_KEY_OLD, and restart; the start seals every value anew, and SYSTEM_SECRET_KEY_OLD can go.',
    )
  const next = randomBytes(32).toString('base64url')
  write(`${file}.next`, next)
  failPoint('rotate.after-next')
  try {
    const count = await parts.secrets.sealWith(next, parts.by)
    failPoint('rotate.after-sealed')
    promote(file, parts.key, failPoint)
    return count
  } catch (error) {
    // A Fault came before anything was changed; after any other failure the next start looks.
    if (error instanceof Fault) rmSync(`${file}.next`, { force: true })
    throw error
  }
}

/**
 * The key that counts, told at the start by what it opens: finishes or forgets a rotation that was cut off, and seals anew what is sealed
 * with an older key. Values that no key opens stay as they are. Call it as the only process that rotates.
 */
export async function settledKey(store: Store, key: string, { file, old }: KeyPlace): Promise<{ key: string; sealedAnew: number }> {
  const next = file === null ? null : read(`${file}.next`)
  let current = key
  if (file !== null && next !== null) {
    if ((await openedOnlyBy(store, next, key)) > 0) {
      promote(file, key)
      current = next
    } else rmSync(`${file}.next`, { force: true })
  }
  const last = file === null ? null : read(`${file}.old`)
  const sealedAnew = await sealAnew(store, [...old, ...(last === null ? [] : [last])], current)
  if (file !== null && last !== null) {
    rmSync(`${file}.old`, { force: true })
    syncFolder(file)
  }
  return { key: current, sealedAnew }
}

/** The last key stays readable until the next start has looked whether anything is still sealed with it. */
function promote(file: string, last: string, failPoint: (name: string) => void = () => undefined): void {
  write(`${file}.old`, last)
  failPoint('rotate.after-old')
  renameSync(`${file}.next`, file)
  syncFolder(file)
  failPoint('rotate.after-promoted')
}

async function openedOnlyBy(store: Store, key: string, other: string): Promise<number> {
  const [own, others] = [cipherOf(key), cipherOf(other)]
  const rows = await store.db.selectFrom('secrets').select(['name', 'value']).execute()
  return rows.filter(({ name, value }) => others.open(name, value) === null && own.open(name, value) !== null).length
}

async function sealAnew(store: Store, from: readonly string[], to: string): Promise<number> {
  const [target, sources] = [cipherOf(to), from.filter((key) => key !== to).map(cipherOf)]
  if (sources.length === 0) return 0
  return store.transact(
    async (tx) => {
      let count = 0
      for (const { name, value } of await tx.db.selectFrom('secrets').select(['name', 'value']).execute()) {
        if (target.open(name, value) !== null) continue
        const open = sources.map((cipher) => cipher.open(name, value)).find((one) => one !== null)
        if (open === undefined) continue
        await tx.db
          .updateTable('secrets')
          .set({ value: target.seal(name, open) })
          .where('name', '=', name)
          .execute()
        count++
      }
      if (count > 0) tx.record(null, { type: 'secret.rotated', count, by: 'system' })
      return count
    },
    { durable: true },
  )
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
/** Whole or not at all, also when the power goes. */
function write(path: string, key: string): void {
  const draft = `${path}.draft`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeSync(file, `${key}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncFolder(path)
}
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
