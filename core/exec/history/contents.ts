/** Contents of files by their hash, one folder a tree, within a quota. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Store } from '../../store/store.ts'
import { writeWhole } from '../../store/whole-file.ts'
import { emptyIfMissing } from '../errno.ts'
import { lstatOrNull } from './folder.ts'
import type { OpenNotes } from './open-notes.ts'
import { UNKNOWN } from './shapes.ts'

const TREES = 50

export type Contents = ReturnType<typeof openContents>

/** `treeBytes`: what is kept of one tree; `shrink` takes the oldest away above it. */
export function openContents(store: Store, root: string, treeBytes: number, notes: OpenNotes) {
  /** Hashes of files by what the file system says of them, so that only what changed is read again. */
  const known = new Map<string, Map<string, string>>()
  const sizes = new Map<string, number>()

  const objectPath = (treeId: string, hash: string) => join(root, treeId, 'objects', hash.slice(0, 2), hash.slice(2))
  async function keep(treeId: string, content: Uint8Array): Promise<string> {
    const hash = createHash('sha256').update(content).digest('hex')
    const path = objectPath(treeId, hash)
    if (await isThere(path)) return hash
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    await writeWhole(path, content, 0o600)
    await grown(treeId, content.byteLength)
    return hash
  }
  /** Takes over a file that is complete already. */
  async function take(treeId: string, hash: string, draft: string, bytes: number): Promise<void> {
    const path = objectPath(treeId, hash)
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    await rename(draft, path)
    await grown(treeId, bytes)
  }
  const read = (treeId: string, hash: string): Promise<Buffer> => readFile(objectPath(treeId, hash))
  async function grown(treeId: string, bytes: number): Promise<void> {
    const before = sizes.get(treeId)
    if (before === undefined && sizes.size >= 1_000) sizes.clear()
    sizes.set(treeId, before === undefined ? await sizeOf(join(root, treeId, 'objects')) : before + bytes)
  }
  /** Above the quota the oldest contents go until a fifth is free; their changes stay in the list and say so. */
  async function shrink(treeId: string): Promise<void> {
    if ((sizes.get(treeId) ?? 0) <= treeBytes) return
    const rows = await store.db.selectFrom('file_changes').selectAll().where('tree_id', '=', treeId).orderBy('n').execute()
    const uses = new Map<string, number>()
    for (const row of rows)
      for (const hash of [row.before_hash, row.after_hash]) if (hash !== null) uses.set(hash, (uses.get(hash) ?? 0) + 1)
    const inUse = await notes.heldOpen(treeId)
    const drop = async (hash: string) => {
      const path = objectPath(treeId, hash)
      const found = await lstatOrNull(path)
      await rm(path, { force: true })
      sizes.set(treeId, (sizes.get(treeId) ?? 0) - Number(found?.size ?? 0))
    }
    const enough = () => (sizes.get(treeId) ?? 0) <= treeBytes * 0.8
    sizes.set(treeId, await sizeOf(join(root, treeId, 'objects')))
    // First what was only looked at and never changed.
    for (const name of await readdir(join(root, treeId, 'objects'), { recursive: true }).catch(emptyIfMissing)) {
      const hash = name.replace(sep, '')
      if (enough()) break
      if (/^[0-9a-f]{64}$/.test(hash) && !uses.has(hash) && !inUse.has(hash)) await drop(hash)
    }
    let last = 0
    for (const row of rows) {
      if (enough()) break
      last = row.n
      for (const hash of [row.before_hash, row.after_hash]) {
        if (hash === null || hash === UNKNOWN) continue
        uses.set(hash, uses.get(hash)! - 1)
        if (uses.get(hash) === 0 && !inUse.has(hash)) await drop(hash)
      }
    }
    known.delete(treeId) // a hash that is known counts as kept
    if (last === 0) return
    const why = `the kept contents of this goal grew above ${Math.round(treeBytes / 1e6)} MB, and the oldest went`
    await store.transact(async (tx) => {
      await tx.db
        .updateTable('file_changes')
        .set({ why_not: why })
        .where('tree_id', '=', treeId)
        .where('n', '<=', last)
        .where('why_not', 'is', null)
        .execute()
    })
  }

  function memory(treeId: string): Map<string, string> {
    let mine = known.get(treeId)
    if (!mine) {
      if (known.size >= TREES) known.delete(known.keys().next().value!)
      mine = new Map()
      known.set(treeId, mine)
    }
    return mine
  }

  return { keep, take, read, shrink, memory }
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true }).catch(emptyIfMissing)) {
    const found = await lstatOrNull(join(folder, name))
    if (found?.isFile()) bytes += Number(found.size)
  }
  return bytes
}
const isThere = async (path: string): Promise<boolean> => (await lstatOrNull(path)) !== null
