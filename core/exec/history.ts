/**
 * What files were before they were changed, so that it can be undone. A write through the file tools is noted before it happens; for a
 * command the folder is looked at before and after. Contents are kept by their hash in DATA_DIR/history/<tree>, which no command can read.
 *
 * Limits: a file above 50 MB, a folder of more than 2,000 files or 50 MB, and links are not kept; `why_not` says so. Tasks that work in one
 * folder at the same time each note what they saw change there. Nothing that was changed since is overwritten: it is told as a conflict.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, realpath, rm } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { emptyIfMissing } from './errno.ts'
import { partsOf, workspaceFiles } from './files.ts'
import { openContents } from './history/contents.ts'
import { openLook } from './history/look.ts'
import { openNotes } from './history/notes.ts'
import { openNotesIn } from './history/open-notes.ts'
import {
  ABSENT,
  type Held,
  type History,
  type HistoryOptions,
  type Moment,
  type Row,
  type Seen,
  treeOf,
  UNKNOWN,
  type Watch,
} from './history/shapes.ts'
import { openUndo } from './history/undo.ts'

/** Opens what is kept of the files of all trees. Call `recover` once before anything runs. */
export function openHistory(options: HistoryOptions): History {
  const { store } = options
  const fileBytes = options.fileBytes ?? 50_000_000
  const protectedPaths = options.protectedPaths ?? []
  const root = join(options.dataDir, 'history')
  const busy = new Set<{ treeId: string; taskId: string; folder: string }>()
  const onDisk = openNotesIn(root)
  const contents = openContents(store, root, options.treeBytes ?? 500_000_000, onDisk)
  const looking = openLook({
    folderOf: options.folderOf,
    contents,
    fileBytes,
    most: options.most ?? { files: 2_000, bytes: 50_000_000 },
  })
  const { look, snapshot, difference, tooLarge } = looking
  const notes = openNotes(store, contents, onDisk, looking)
  const { note, inTurn, settle, unnoted, watches } = notes
  const { rowsOf, rowsFrom, putBack } = openUndo({ store, folderOf: options.folderOf, protectedPaths, contents, look, notes })

  return {
    writing: (at, folder, path, { data, append }, act) =>
      inTurn(at.treeId, async () => {
        const top = options.folderOf(at.treeId)
        const inFolder = partsOf(path, [folder, await realpath(folder).catch(() => folder)]) // not there yet: nothing leads to it another way
        const full = [...relative(top, folder).split(sep).filter(Boolean), ...inFolder].join('/')
        const given = typeof data === 'string' ? Buffer.from(data) : data
        const before = await look(at.treeId, full)
        let after: Seen = { hash: UNKNOWN, bytes: null, mode: null, why: before.why }
        if (before.hash !== UNKNOWN) {
          const old = append && before.hash !== null ? await contents.read(at.treeId, before.hash) : Buffer.alloc(0)
          const whole = append ? Buffer.concat([old, given]) : given
          if (whole.byteLength <= fileBytes)
            after = { hash: await contents.keep(at.treeId, whole), bytes: whole.byteLength, mode: before.mode ?? 0o644, why: null }
          else after = { ...after, bytes: whole.byteLength, why: tooLarge }
        }
        await note(at, [{ path: full, before, after, why: before.why ?? after.why }])
        return act()
      }),

    taking: (at, path, to, act) =>
      inTurn(at.treeId, async () => {
        const top = await realpath(options.folderOf(at.treeId))
        const place = (real: string) => relative(top, real).split(sep).join('/')
        const before = await look(at.treeId, place(path))
        if (before.hash === null || before.hash === UNKNOWN)
          throw new Fault('conflict', `It could not be undone, because ${before.why ?? 'it is gone'}; ask a person, with a command for it.`)
        const gone: Row = { path: place(path), before, after: ABSENT, why: null }
        await note(at, to === null ? [gone] : [gone, { path: place(to), before: ABSENT, after: before, why: null }])
        return act()
      }),

    async around(at, folder, act) {
      const one = { treeId: at.treeId, taskId: at.taskId, folder: relative(options.folderOf(at.treeId), folder).split(sep).join('/') }
      await settle(at.treeId)
      const before = await snapshot(at.treeId, folder)
      await onDisk.keep({ at, folder, before })
      busy.add(one)
      try {
        return await act()
      } finally {
        try {
          await inTurn(at.treeId, async () => note(at, difference(before, await snapshot(at.treeId, folder))))
          await onDisk.drop(at)
        } finally {
          busy.delete(one)
        }
      }
    },
    underWay: (treeId) => [...busy].filter((one) => one.treeId === treeId).map(({ taskId, folder }) => ({ taskId, folder })),

    async beside(at, folder, act) {
      const before = await snapshot(at.treeId, folder)
      const start = relative(options.folderOf(at.treeId), folder)
      const watch: Watch = { at, folder, before, prefix: start === '' ? '' : `${start.split(sep).join('/')}/` }
      await onDisk.keep(watch)
      watches.set(at.callId, watch)
      const one = { treeId: at.treeId, taskId: at.taskId, folder: start.split(sep).join('/') }
      busy.add(one)
      try {
        return await act()
      } finally {
        try {
          await inTurn(at.treeId, async () => note(at, difference(watch.before, await snapshot(at.treeId, folder))))
          await onDisk.drop(at)
        } finally {
          watches.delete(at.callId)
          busy.delete(one)
        }
      }
    },
    settle,

    async upload(given, path, content, limit) {
      const at: Moment = { ...given, callId: `${given.taskId}/upload-${randomUUID().slice(0, 8)}` }
      const full = partsOf(path, []).join('/')
      const before = full === '' ? ABSENT : await look(at.treeId, full)
      const folder = join(root, at.treeId, 'incoming')
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const draft = join(folder, randomUUID())
      const hash = createHash('sha256')
      let bytes = 0
      try {
        const handle = await open(draft, 'wx', 0o600)
        try {
          for await (const chunk of content) {
            bytes += chunk.byteLength
            if (bytes > limit)
              throw new Fault('too_large', `The file is larger than ${limit / 1e6} MB; split it, or put it on the machine another way.`)
            hash.update(chunk)
            await handle.appendFile(chunk)
          }
        } finally {
          await handle.close()
        }
        const small = bytes <= fileBytes
        const after: Seen = {
          hash: small ? hash.digest('hex') : UNKNOWN,
          bytes,
          mode: before.mode ?? 0o644,
          why: small ? null : tooLarge,
        }
        const why = before.why ?? after.why
        const files = workspaceFiles(options.folderOf(at.treeId), { protectedPaths })
        await files.target(path) // refused before anything is noted
        await note(at, [{ path: full, before, after, why }])
        const written = await files.write(path, createReadStream(draft))
        if (small && after.hash !== null) {
          await contents.take(at.treeId, after.hash, draft, bytes)
        }
        return { ...written, undoable: why === null }
      } finally {
        await rm(draft, { force: true })
      }
    },

    async changes(taskId, { scope, after, limit }) {
      return (await rowsOf(taskId, scope)).filter((row) => row.n > after).slice(0, limit)
    },

    async contents(taskId, n, to) {
      const rows = await rowsOf(taskId, 'subtree')
      const [first, last] = [rows.find((row) => row.n === n), rows.find((row) => row.n === to)]
      if (!first || !last || first.path !== last.path)
        throw new Fault('not_found', `Task ${taskId} has no changes ${n} and ${to} of one file; read the list of its changes again.`)
      const held = async (hash: string | null, bytes: number | null): Promise<Held | null> => {
        if (hash === null) return null
        const content = hash === UNKNOWN ? null : await contents.read(treeOf(taskId), hash).catch(() => null) // dropped by the quota
        const why = content ? null : (first.why_not ?? last.why_not ?? 'its content is not kept any more')
        return { content, bytes: bytes ?? content?.byteLength ?? 0, why }
      }
      return {
        path: first.path,
        before: await held(first.before_hash, first.before_bytes),
        after: await held(last.after_hash, last.after_bytes),
      }
    },

    async undo({ taskId, scope, callId, by }) {
      const rows = await rowsOf(taskId, scope)
      const chosen = callId === undefined ? rows : rows.filter((row) => row.call_id === callId)
      if (chosen.length === 0)
        throw new Fault(
          'not_found',
          callId === undefined ? `Task ${taskId} changed no file.` : `No file was changed by ${callId} in task ${taskId}.`,
        )
      return putBack(taskId, chosen, by, callId ?? taskId)
    },

    async undoFrom({ taskId, from, by }) {
      const chosen = await rowsFrom(taskId, from)
      if (chosen.length === 0) return { id: null, files: [], conflicts: [], already: 0 }
      return putBack(taskId, chosen, by, `${taskId} from message ${from}`)
    },
    async changedFrom({ taskId, from }) {
      const rows = await rowsFrom(taskId, from)
      return [...new Set(rows.map((row) => row.path))].sort()
    },

    async recover() {
      let found = 0
      for (const treeId of await readdir(root).catch(emptyIfMissing)) {
        await rm(join(root, treeId, 'incoming'), { recursive: true, force: true })
        found += await onDisk.eachLeft(treeId, async ({ at, folder, whole, files }) => {
          const rows = difference({ whole, files: new Map(files) }, await snapshot(treeId, folder))
          await note(at, await unnoted(treeId, rows))
        })
      }
      return found
    },
  }
}
