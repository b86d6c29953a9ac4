/** Files of a goal's folder: looking, fetching, sending, and undoing what was changed. */
import type { Stats } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { fileTypeFromBuffer } from 'file-type'
import { DOWNLOAD_LIMIT, type FileChangeItem, UPLOAD_LIMIT } from '../../contract/api.ts'
import { Fault } from '../../contract/fault.ts'
import { workspaceFiles } from '../../exec/files.ts'
import type { FileChange, History } from '../../exec/history/shapes.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

export type FileParts = {
  history: History
  /** Absolute folder of a tree, made if missing. */
  folder(treeId: string): Promise<string>
  /** What stays closed even below it. */
  protectedPaths: readonly string[]
}

/** Entries of one listing. */
const LISTED = 2_000
/** Bytes at the beginning of a file that tell its type. */
const HEAD_BYTES = 8_192

export function fileRoutes(parts: { tasks: Tasks; files: FileParts }): Pick<Handlers, 'taskFiles' | 'undoFiles' | 'treeFiles' | 'putFile'> {
  const { tasks } = parts
  const { history, protectedPaths } = parts.files
  const filesOf = async (treeId: string) => {
    const { treeId: id } = await tasks.task(treeId) // a root task bears its tree's id; anything else is not found
    if (id !== treeId) throw new Fault('not_found', `There is no tree ${treeId}.`)
    return workspaceFiles(await parts.files.folder(id), { protectedPaths })
  }
  return {
    async taskFiles({ param, query: { scope, after, limit } }) {
      const { id } = await tasks.task(param('id'))
      const rows = await history.changes(id, { scope, after, limit: limit + 1 })
      const items = rows.slice(0, limit)
      return { items: items.map(toItem), nextCursor: rows.length > limit ? String(items.at(-1)!.n) : null }
    },
    async undoFiles({ param, body, by }) {
      const { id } = await tasks.task(param('id'))
      return history.undo({ taskId: id, scope: body.scope, callId: body.callId, by: by.name })
    },
    async treeFiles({ param, query: { path, depth }, headOnly }) {
      const files = await filesOf(param('id'))
      const real = await files.existing(path || '.')
      if ((await lstat(real)).isDirectory()) {
        const { entries, complete } = await files.list(path || '.', { depth, most: LISTED })
        return { items: entries, nextCursor: null, complete }
      }
      const handle = await files.open(path)
      let found: Stats
      let type: string
      try {
        found = await handle.stat()
        if (found.size > DOWNLOAD_LIMIT)
          throw new Fault(
            'too_large',
            `"${path}" has ${found.size} bytes, more than the ${DOWNLOAD_LIMIT / 1e6} MB that are sent; split it by a command first.`,
          )
        const head = Buffer.alloc(HEAD_BYTES)
        const { bytesRead } = await handle.read(head, 0, HEAD_BYTES, 0)
        type = await typeOf(head.subarray(0, bytesRead))
      } catch (error) {
        await handle.close()
        throw error
      }
      const headers = {
        'content-type': type,
        'content-length': String(found.size),
        'content-disposition': attachment(basename(path)),
        'x-content-type-options': 'nosniff',
      }
      if (headOnly || found.size === 0) {
        await handle.close()
        return new Response(null, { headers })
      }
      // No more than was announced, should the file grow meanwhile.
      const stream = handle.createReadStream({ start: 0, end: found.size - 1 })
      return new Response(Readable.toWeb(stream) as ReadableStream, { headers })
    },
    async putFile({ param, query: { path }, stream, by }) {
      const files = await filesOf(param('id'))
      try {
        if ((stream.announced ?? 0) > UPLOAD_LIMIT)
          throw new Fault('too_large', `The file is larger than ${UPLOAD_LIMIT / 1e6} MB; split it, or put it on the machine another way.`)
        const head: Uint8Array[] = []
        let bytes = 0
        const content = async function* () {
          for await (const chunk of stream.chunks()) {
            if (bytes < HEAD_BYTES) head.push(chunk.subarray(0, HEAD_BYTES - bytes))
            bytes += chunk.byteLength
            yield chunk
          }
        }
        await files.target(path) // refused before its content is taken
        const at = { treeId: param('id'), taskId: param('id'), by: by.name }
        const put = await history.upload(at, path, content(), UPLOAD_LIMIT)
        return { path, ...put, type: await typeOf(Buffer.concat(head)) }
      } catch (error) {
        if (error instanceof Fault) await stream.drain()
        throw error
      }
    },
  }
}

function toItem(row: FileChange): FileChangeItem {
  const unknown = row.path === '' || row.before_hash === '?' || row.after_hash === '?'
  return {
    n: Number(row.n),
    taskId: row.task_id,
    callId: row.call_id,
    path: row.path,
    what: unknown ? 'unknown' : row.before_hash === null ? 'made' : row.after_hash === null ? 'deleted' : 'changed',
    bytesBefore: row.before_bytes,
    bytesAfter: row.after_bytes,
    whyNot: row.why_not,
    by: row.by,
    at: new Date(row.at).toISOString(),
  }
}

/** By its first bytes, never by its name. Text of any kind is plain text: nothing of it is to be run by a browser. */
export async function typeOf(head: Uint8Array): Promise<string> {
  const found = await fileTypeFromBuffer(head)
  if (found && !/xml|html|script/.test(found.mime)) return found.mime
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return text.includes('\0') ? 'application/octet-stream' : 'text/plain; charset=utf-8'
  } catch {
    return 'application/octet-stream' // a fatal decoder throws for nothing but what is not UTF-8
  }
}

/** RFC 6266: a name for old programs, and the real one. */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%;]/g, '_')
  const coded = encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${coded}`
}
