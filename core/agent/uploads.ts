/**
 * Files that people send before their goal: bytes in a folder, a row for each. A file is whole before its row exists, and its row is there
 * before anybody is told its id; what a crash leaves of either is swept. Any goal may take a file until it is thrown away.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Upload } from '../contract/api-goals.ts'
import { Fault } from '../contract/fault.ts'
import { ATTACHED_BYTES, UPLOAD_HOURS } from '../contract/goal.ts'
import type { Owner } from '../exec/local.ts'
import { handOver } from '../exec/local.ts'
import type { Store } from '../store/store.ts'
import type { Attached } from '../tasks/create.ts'

/** Bytes of all files that wait for a goal. */
const WAITING_BYTES = 5_000_000_000
const LIFE_MS = UPLOAD_HOURS * 3_600_000
/** A file without a row is one that is just being sent, or one that a crash left: this old it is the latter. */
const UNFINISHED_MS = 3_600_000
const HEAD_BYTES = 8_192
/** Beginning of the name of a mark: this goal's folder is being filled. */
const FOR = 'for-'

export type Uploads = ReturnType<typeof openUploads>

export function openUploads(parts: {
  store: Store
  dataDir: string
  /** Folder of a goal, there or not. */
  folderOf(treeId: string): string
  now(): number
  runAs?: Owner | undefined
  failPoint?: (name: string) => void
}) {
  const { store, now } = parts
  const root = join(parts.dataDir, 'uploads')
  const toUpload = (row: { id: string; name: string; type: string; bytes: number; created_at: number }): Upload => ({
    id: row.id,
    name: row.name,
    type: row.type,
    bytes: Number(row.bytes),
    createdAt: new Date(Number(row.created_at)).toISOString(),
    expiresAt: new Date(Number(row.created_at) + LIFE_MS).toISOString(),
  })

  return {
    /** Takes a file of at most `limit` bytes. `typeOf` reads its first bytes. */
    async add(
      file: { name: string; by: string },
      chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
      how: { limit: number; typeOf: (head: Uint8Array) => Promise<string> },
    ): Promise<Upload> {
      const name = safeName(file.name)
      const { total } = await store.db
        .selectFrom('uploads')
        .select((e) => e.fn.coalesce(e.fn.sum<number>('bytes'), e.lit(0)).as('total'))
        .executeTakeFirstOrThrow()
      if (Number(total) > WAITING_BYTES)
        throw new Fault(
          'too_large',
          'Too many files wait for a goal; submit or remove some, or try again tomorrow, when old ones are gone.',
        )
      await mkdir(root, { recursive: true, mode: 0o700 })
      const id = randomBytes(12).toString('hex')
      const part = join(root, `${id}.part`)
      const head: Uint8Array[] = []
      let bytes = 0
      try {
        const handle = await open(part, 'wx', 0o600)
        try {
          for await (const chunk of chunks) {
            if (bytes < HEAD_BYTES) head.push(chunk.subarray(0, HEAD_BYTES - bytes))
            bytes += chunk.byteLength
            if (bytes > how.limit)
              throw new Fault('too_large', `The file is larger than ${how.limit / 1e6} MB; split it, or put it on the machine another way.`)
            await handle.writeFile(chunk)
          }
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(part, join(root, id))
      } catch (error) {
        await rm(part, { force: true })
        throw error
      }
      parts.failPoint?.('upload.after-file')
      const row = { id, name, type: await how.typeOf(Buffer.concat(head)), bytes, by: file.by }
      const created_at = await store.transact(
        async (tx) => {
          await tx.db
            .insertInto('uploads')
            .values({ ...row, created_at: tx.now })
            .execute()
          return tx.now
        },
        { durable: true },
      )
      return toUpload({ ...row, created_at })
    },

    async remove(id: string): Promise<void> {
      const gone = await store.transact((tx) => tx.db.deleteFrom('uploads').where('id', '=', id).returning('id').executeTakeFirst())
      if (!gone) throw new Fault('not_found', `There is no file ${id} that waits for a goal.`)
      await rm(join(root, gone.id), { force: true })
    },

    /** The files that a goal names, each under a name of its own. A Fault names one that is not there. */
    async named(ids: readonly string[]): Promise<Attached[]> {
      if (ids.length === 0) return []
      const rows = await store.db
        .selectFrom('uploads')
        .selectAll()
        .where('id', 'in', [...ids])
        .execute()
      const taken = new Set<string>()
      const files = [...new Set(ids)].map((id) => {
        const row = rows.find((one) => one.id === id)
        if (!row)
          throw new Fault('invalid', `There is no file ${id} to attach; send it again, files wait ${UPLOAD_HOURS} hours for their goal.`)
        return { id, name: freeName(row.name, taken), type: row.type, bytes: Number(row.bytes) }
      })
      const total = files.reduce((sum, file) => sum + file.bytes, 0)
      if (total > ATTACHED_BYTES)
        throw new Fault(
          'too_large',
          `The files have ${Math.ceil(total / 1e6)} MB together and a goal takes ${ATTACHED_BYTES / 1e6}; leave some out.`,
        )
      return files
    },

    /** Notes that this goal's folder is being filled, until `settle`: a crash before its row is there leaves a folder that nobody knows. */
    async begin(treeId: string): Promise<void> {
      await mkdir(root, { recursive: true, mode: 0o700 })
      await (await open(join(root, `${FOR}${treeId}`), 'w', 0o600)).close()
    },
    /** The goal is there; or, if not, its folder goes. */
    async settle(treeId: string): Promise<void> {
      const tree = await store.db.selectFrom('trees').select('id').where('id', '=', treeId).executeTakeFirst()
      if (!tree) await rm(parts.folderOf(treeId), { recursive: true, force: true })
      await rm(join(root, `${FOR}${treeId}`), { force: true })
    },

    /** Copies files into a folder that nobody works in yet. */
    async putInto(folder: string, files: readonly Attached[]): Promise<void> {
      for (const file of files) {
        const to = join(folder, file.name)
        try {
          await copyFile(join(root, file.id), to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL)
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code === 'ENOENT') throw new Fault('invalid', `The file ${file.name} is gone; send it again.`, { cause: error })
          if (code === 'EEXIST')
            throw new Fault('conflict', `The goal's folder has a ${file.name} already; send the file under another name.`, { cause: error })
          throw error
        }
        await chmod(to, 0o644)
        parts.failPoint?.('upload.after-copy')
      }
      if (parts.runAs && files.length > 0) await handOver(folder, parts.runAs)
    },

    /** Throws away what is too old, and what a crash left of a file that was being sent. Returns how many. */
    async sweep(): Promise<number> {
      const old = await store.transact((tx) =>
        tx.db
          .deleteFrom('uploads')
          .where('created_at', '<', tx.now - LIFE_MS)
          .returning('id')
          .execute(),
      )
      let gone = old.length
      for (const { id } of old) await rm(join(root, id), { force: true })
      const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      const known = new Set((await store.db.selectFrom('uploads').select('id').execute()).map((row) => row.id))
      for (const name of names) {
        if (known.has(name)) continue
        const found = await stat(join(root, name)).catch(() => null) // gone meanwhile: nothing is left to do
        if (!found || now() - found.mtimeMs < UNFINISHED_MS) continue
        if (name.startsWith(FOR)) await this.settle(name.slice(FOR.length))
        else await rm(join(root, name), { force: true })
        gone += 1
      }
      return gone
    },
  }
}

/** A file's name without a way out of its folder, nothing hidden, and nothing that a terminal or a page would take for more than a name. */
export function safeName(name: string): string {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1)!
  const plain = last
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*`$]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[\s.-]+|[\s.]+$/g, '')
  if (plain === '') return 'file'
  const ending = extname(plain).slice(0, 20)
  let stem = plain.slice(0, plain.length - extname(plain).length)
  while (Buffer.byteLength(stem + ending) > 120) stem = [...stem].slice(0, -1).join('')
  return `${stem}${ending}`
}
/** Two files of one name: the second is "name (2).txt". */
function freeName(name: string, taken: Set<string>): string {
  const ending = extname(name)
  const stem = name.slice(0, name.length - ending.length)
  let free = name
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${stem} (${n})${ending}`
  taken.add(free.toLowerCase())
  return free
}
