/**
 * What files were before they were changed, so that it can be undone. A write through the file tools is noted before it happens; for a
 * command the folder is looked at before and after. Contents are kept by their hash in DATA_DIR/history/<tree>, which no command can read.
 *
 * Limits: a file above 50 MB, a folder of more than 2,000 files or 50 MB, and links are not kept; `why_not` says so. Tasks that work in one
 * folder at the same time each note what they saw change there. Nothing that was changed since is overwritten: it is told as a conflict.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type BigIntStats, constants, createReadStream } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, readdir, readFile, readlink, realpath, rename, rm, unlink, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Selectable } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { NOISE, partsOf, type WorkspaceFiles, workspaceFiles } from './files.ts'

export type HistoryOptions = {
  store: Store
  dataDir: string
  /** Folder of a tree's workspaces. */
  folderOf(treeId: string): string
  protectedPaths?: readonly string[]
  /** Largest file that is kept. */
  fileBytes?: number
  /** Largest folder that is looked at around a command. */
  most?: { files: number; bytes: number }
  /** What is kept of one tree; the oldest goes first. */
  treeBytes?: number
}
/** What a change belongs to. `by`: a person's name, or `agent`. */
export type Moment = { treeId: string; taskId: string; callId: string; by?: string }
export type FileChange = Selectable<Database['file_changes']>
export type Undone = {
  /** Undo this, and it is as before. Null when nothing was changed. */
  id: string | null
  files: { path: string; what: 'restored' | 'removed' | 'brought back' }[]
  conflicts: { path: string; why: string }[]
  /** Files that were already as they should be. */
  already: number
}
export type Held = { content: Uint8Array | null; bytes: number; why: string | null }
export type History = {
  /** Notes what a file will hold, then lets `act` write it. `path` is relative to `folder`, which lies in the tree's. */
  writing<T>(
    at: Moment,
    folder: string,
    path: string,
    next: { data: string | Uint8Array; append: boolean },
    act: () => Promise<T>,
  ): Promise<T>
  /**
   * Notes that a file goes, or goes to another path where there is none, then lets `act` do it. Refuses what is not kept: it could not be
   * undone. Paths are real ones in the tree's folder.
   */
  taking<T>(at: Moment, path: string, to: string | null, act: () => Promise<T>): Promise<T>
  /** Notes what `act` changed in a folder, also when it failed. */
  around<T>(at: Moment, folder: string, act: () => Promise<T>): Promise<T>
  /** The same for an act that others work beside: what they noted meanwhile is theirs, and the rest is noted as `settle` is called. */
  beside<T>(at: Moment, folder: string, act: () => Promise<T>): Promise<T>
  /** Notes what the acts that run beside others have changed up to now: one, by its call, or all of a tree. */
  settle(treeId: string, callId?: string): Promise<void>
  /** A person's file, streamed into the tree's folder. Larger than `most` is refused and leaves nothing behind. */
  upload(
    at: Omit<Moment, 'callId'>,
    path: string,
    content: AsyncIterable<Uint8Array>,
    most: number,
  ): Promise<{ bytes: number; created: boolean; undoable: boolean }>
  changes(taskId: string, ask: { scope: 'node' | 'subtree'; after: number; limit: number }): Promise<FileChange[]>
  /** One file before change `n` and after change `to` of it; its bytes are null where they are not kept, and `why` says so. */
  contents(taskId: string, n: number, to: number): Promise<{ path: string; before: Held | null; after: Held | null }>
  /** Puts files back to what they were before a call, or before all of a task's calls. Itself a change that can be undone. */
  undo(ask: { taskId: string; scope: 'node' | 'subtree'; callId?: string | undefined; by: string }): Promise<Undone>
  /** Puts files back to what they were before message `from` of a task: its calls from there on, and the tasks these started. */
  undoFrom(ask: { taskId: string; from: number; by: string }): Promise<Undone>
  /** Commands that change a folder of the tree just now, in this process; `folder` is relative to the tree's. */
  underWay(treeId: string): { taskId: string; folder: string }[]
  /** Paths that were changed since that message, by the task and by subtasks that it started since; sorted. */
  changedFrom(ask: { taskId: string; from: number }): Promise<string[]>
  /** After a crash: notes what commands that were cut off had changed. Only while nothing runs. */
  recover(): Promise<number>
}

type Seen = { hash: string | null; bytes: number | null; mode: number | null; why: string | null }
type Snapshot = { files: Map<string, Seen>; whole: boolean }
type Watch = { at: Moment; folder: string; prefix: string; before: Snapshot }
type Row = Pick<FileChange, 'path'> & { before: Seen; after: Seen; why: string | null }

const ABSENT: Seen = { hash: null, bytes: null, mode: null, why: null }
const UNKNOWN = '?'
/** A file changed this recently may be changed again without its times telling. */
const SETTLED_MS = 50
const TREES = 50

export function openHistory(options: HistoryOptions): History {
  const { store } = options
  const fileBytes = options.fileBytes ?? 50_000_000
  const most = options.most ?? { files: 2_000, bytes: 50_000_000 }
  const treeBytes = options.treeBytes ?? 500_000_000
  const protectedPaths = options.protectedPaths ?? []
  const root = join(options.dataDir, 'history')
  /** Hashes of files by what the file system says of them, so that only what changed is read again. */
  const known = new Map<string, Map<string, string>>()
  const sizes = new Map<string, number>()
  const busy = new Set<{ treeId: string; taskId: string; folder: string }>()
  /** Acts that others work beside, by their call: what the folder held when they were last looked at. */
  const watches = new Map<string, Watch>()
  const turns = new Map<string, Promise<unknown>>()

  // ── The content store ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  const objectPath = (treeId: string, hash: string) => join(root, treeId, 'objects', hash.slice(0, 2), hash.slice(2))
  async function keep(treeId: string, content: Uint8Array): Promise<string> {
    const hash = createHash('sha256').update(content).digest('hex')
    const path = objectPath(treeId, hash)
    if (await isThere(path)) return hash
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    const draft = `${path}.${randomUUID()}`
    await writeFile(draft, content, { mode: 0o600 })
    await rename(draft, path)
    await grown(treeId, content.byteLength)
    return hash
  }
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
    const inUse = await heldOpen(treeId)
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

  /** Contents that a command under way may yet change. */
  async function heldOpen(treeId: string): Promise<Set<string | null>> {
    const hashes = new Set<string | null>()
    const folder = join(root, treeId, 'open')
    for (const name of await readdir(folder).catch(emptyIfMissing)) {
      const text = await readFile(join(folder, name), 'utf8').catch(() => '') // ended in the meantime
      for (const [, seen] of parse(text)?.files ?? []) hashes.add(seen.hash)
    }
    return hashes
  }

  // ── Looking ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  function memory(treeId: string): Map<string, string> {
    let mine = known.get(treeId)
    if (!mine) {
      if (known.size >= TREES) known.delete(known.keys().next().value!)
      mine = new Map()
      known.set(treeId, mine)
    }
    return mine
  }

  /** One regular file as it is now, its content kept. */
  async function see(treeId: string, anchor: string, name: string, found: BigIntStats): Promise<Seen> {
    const mode = Number(found.mode) & 0o777
    const bytes = Number(found.size)
    if (bytes > fileBytes) return { hash: UNKNOWN, bytes, mode, why: `it is larger than ${Math.round(fileBytes / 1e6)} MB` }
    const stamp = `${found.dev}.${found.ino}.${found.size}.${found.mtimeNs}.${found.ctimeNs}`
    const mine = memory(treeId)
    const before = mine.get(stamp)
    if (before !== undefined) return { hash: before, bytes, mode, why: null }
    const handle = await open(join(anchor, name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      (error: unknown) => {
        if (isCode(error, 'ENOENT') || isCode(error, 'ELOOP') || isCode(error, 'EACCES')) return null
        throw error
      },
    )
    if (!handle) return { hash: UNKNOWN, bytes, mode, why: 'it could not be read' }
    try {
      if (!(await handle.stat()).isFile()) return { hash: UNKNOWN, bytes, mode, why: 'it could not be read' }
      const content = await readAll(handle, fileBytes)
      if (!content) return { hash: UNKNOWN, bytes, mode, why: `it is larger than ${Math.round(fileBytes / 1e6)} MB` }
      const hash = await keep(treeId, content)
      if (Date.now() - Number(found.ctimeMs) > SETTLED_MS) mine.set(stamp, hash)
      return { hash, bytes: content.byteLength, mode, why: null }
    } finally {
      await handle.close()
    }
  }

  /** What is at a path of the tree's folder. Anything but a regular file, or nothing, is unknown. */
  async function look(treeId: string, path: string): Promise<Seen> {
    const held = await holdFolder(options.folderOf(treeId), path.split('/').slice(0, -1))
    if (held === null) return ABSENT
    if (held === 'other') return { hash: UNKNOWN, bytes: null, mode: null, why: 'a folder above it is a link or a file now' }
    try {
      const name = path.split('/').at(-1)!
      const found = await lstatOrNull(join(held.anchor, name))
      if (!found) return ABSENT
      if (!found.isFile())
        return { hash: UNKNOWN, bytes: null, mode: null, why: `it is ${found.isDirectory() ? 'a folder' : 'a link or a device'} now` }
      return await see(treeId, held.anchor, name, found)
    } finally {
      await held.close()
    }
  }

  async function snapshot(treeId: string, folder: string): Promise<Snapshot> {
    const files = new Map<string, Seen>()
    const top = options.folderOf(treeId)
    const start = relative(top, folder)
    let bytes = 0
    const walk = async (parts: string[]): Promise<boolean> => {
      const held = await holdFolder(top, parts)
      if (held === null || held === 'other') return true // gone, or a link: nothing of it is kept
      try {
        const names = (await readdir(held.anchor)).sort()
        if (names.length > 4 * most.files) return false // asking what each one is would take longer than the answer is worth
        const looked = await Promise.all(names.map((name) => lstatOrNull(join(held.anchor, name))))
        for (const [i, name] of names.entries()) {
          const found = looked[i]
          if (found?.isFile()) {
            bytes += Number(found.size)
            if (files.size >= most.files || (bytes > most.bytes && Number(found.size) <= fileBytes)) return false
            if (Number(found.size) > fileBytes) bytes -= Number(found.size)
            files.set([...parts, name].join('/'), await see(treeId, held.anchor, name, found))
          } else if (found?.isDirectory() && !NOISE.has(name) && !(await walk([...parts, name]))) return false
        }
        return true
      } finally {
        await held.close()
      }
    }
    const whole = await walk(start === '' ? [] : start.split(sep))
    return { files, whole }
  }

  // ── Noting ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async function note(at: Moment, rows: readonly Row[], told?: { verb: string; comment: string }): Promise<void> {
    if (rows.length === 0) return
    const { others, seen } = beside(at, rows)
    await store.transact(async (tx) => {
      if (tx.kind === 'postgres') await tx.db.selectFrom('trees').select('id').where('id', '=', at.treeId).forUpdate().execute()
      const last = await tx.db
        .selectFrom('file_changes')
        .select((e) => e.fn.max<number | null>('n').as('n'))
        .where('tree_id', '=', at.treeId)
        .executeTakeFirst()
      let n = Number(last?.n ?? 0)
      const values = [...others, ...rows.map((row) => ({ ...row, by: at }))].map(({ path, before, after, why, by }) => ({
        tree_id: at.treeId,
        n: ++n,
        task_id: by.taskId,
        call_id: by.callId,
        path,
        before_hash: before.hash,
        before_bytes: before.bytes,
        before_mode: before.mode,
        after_hash: after.hash,
        after_bytes: after.bytes,
        after_mode: after.mode,
        why_not: why,
        by: by.by ?? 'agent',
        at: tx.now,
      }))
      for (let from = 0; from < values.length; from += 50)
        await tx.db
          .insertInto('file_changes')
          .values(values.slice(from, from + 50))
          .execute()
      if (told)
        tx.record(at.treeId, { type: 'task.controlled', taskId: at.taskId, verb: told.verb, by: at.by ?? 'agent', comment: told.comment })
    })
    for (const watch of seen) await keepOpen(watch)
    await shrink(at.treeId)
  }

  /** What acts beside this one had changed before it came: theirs. From now on they begin at what this one leaves. */
  function beside(at: Moment, rows: readonly Row[]): { others: (Row & { by: Moment })[]; seen: Set<Watch> } {
    const others: (Row & { by: Moment })[] = []
    const seen = new Set<Watch>()
    for (const watch of watches.values()) {
      if (watch.at.treeId !== at.treeId || watch.at.callId === at.callId || !watch.before.whole) continue
      for (const { path, before, after } of rows) {
        if (path === '' || !path.startsWith(watch.prefix)) continue
        const was = watch.before.files.get(path) ?? ABSENT
        const told = others.some((one) => one.path === path)
        if (!told && (was.hash !== before.hash || was.mode !== before.mode))
          others.push({ path, before: was, after: before, why: was.why ?? before.why, by: watch.at })
        if (after.hash === null) watch.before.files.delete(path)
        else watch.before.files.set(path, after)
        seen.add(watch)
      }
    }
    return { others, seen }
  }
  /** One after another in a tree where an act is watched: a file must not be looked at between its note and its write. */
  function inTurn<T>(treeId: string, act: () => Promise<T>): Promise<T> {
    if (![...watches.values()].some((watch) => watch.at.treeId === treeId)) return act()
    const mine = (turns.get(treeId) ?? Promise.resolve()).then(act, act)
    const done = mine.then(
      () => undefined,
      () => undefined, // told to whoever asked for it
    )
    turns.set(treeId, done)
    void done.then(() => {
      if (turns.get(treeId) === done) turns.delete(treeId)
    })
    return mine
  }
  async function settleOne(watch: Watch): Promise<void> {
    if (!watch.before.whole) return
    const now = await snapshot(watch.at.treeId, watch.folder)
    if (!now.whole) return // told once, at its end
    const rows = difference(watch.before, now)
    watch.before = now
    if (rows.length === 0) return
    await note(watch.at, rows)
    await keepOpen(watch)
  }
  const settle = (treeId: string, callId?: string): Promise<void> =>
    inTurn(treeId, async () => {
      for (const watch of watches.values())
        if (watch.at.treeId === treeId && (callId === undefined || watch.at.callId === callId)) await settleOne(watch)
    })
  /** What recovery needs, should this process die now. */
  async function keepOpen({ at, folder, before }: Omit<Watch, 'prefix'>): Promise<void> {
    const path = openPath(at)
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    const draft = `${path}.${randomUUID()}`
    await writeFile(draft, JSON.stringify({ at, folder, whole: before.whole, files: [...before.files] }), { mode: 0o600 })
    await rename(draft, path)
  }

  function difference(before: Snapshot, after: Snapshot): Row[] {
    if (!before.whole || !after.whole) {
      const why = `the folder holds more than ${most.files.toLocaleString('en')} files or ${Math.round(most.bytes / 1e6)} MB, so what a command changes in it is not kept`
      return [{ path: '', before: ABSENT, after: ABSENT, why }]
    }
    const rows: Row[] = []
    for (const path of new Set([...before.files.keys(), ...after.files.keys()])) {
      const [was, is] = [before.files.get(path) ?? ABSENT, after.files.get(path) ?? ABSENT]
      // Two large files of one size: their times are not compared, so a change within is not seen.
      if (was.hash === is.hash && was.mode === is.mode && was.bytes === is.bytes) continue
      rows.push({ path, before: was, after: is, why: was.why ?? is.why })
    }
    return rows
  }

  // ── Undoing ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  async function rowsOf(taskId: string, scope: 'node' | 'subtree'): Promise<FileChange[]> {
    const rows = await store.db
      .selectFrom('file_changes')
      .selectAll()
      .where('tree_id', '=', treeOf(taskId))
      .where((e) =>
        scope === 'node'
          ? e('task_id', '=', taskId)
          : e.or([e('task_id', '=', taskId), e.and([e('task_id', '>', `${taskId}.`), e('task_id', '<', `${taskId}/`)])]),
      )
      .orderBy('n')
      .execute()
    return rows
  }

  async function putBack(taskId: string, chosen: readonly FileChange[], by: string, what: string): Promise<Undone> {
    const treeId = treeOf(taskId)
    await settle(treeId)
    const done: Undone = { id: null, files: [], conflicts: [], already: 0 }
    const at: Moment = { treeId, taskId, callId: `${taskId}/undo-${randomUUID().slice(0, 8)}`, by }
    const paths = new Map<string, FileChange[]>()
    for (const row of chosen) paths.set(row.path, [...(paths.get(row.path) ?? []), row])
    const files = workspaceFiles(options.folderOf(treeId), { protectedPaths })
    for (const [path, rows] of paths) {
      const [first, last] = [rows[0]!, rows.at(-1)!]
      const refuse = (why: string) => void done.conflicts.push({ path, why })
      if (path === '') {
        refuse(first.why_not ?? 'what the command changed is not kept')
        continue
      }
      const now = await look(treeId, path)
      if (now.hash === first.before_hash && now.hash !== UNKNOWN && (now.hash === null || now.mode === first.before_mode)) {
        done.already++
        continue
      }
      const lost = rows.find((row) => row.why_not !== null)
      if (lost) {
        refuse(lost.why_not!)
        continue
      }
      // Each change must begin where the one before ended, and nothing may have come after the last; otherwise somebody's work would be lost.
      const gap = rows.find((row, i) => i > 0 && row.before_hash !== rows[i - 1]!.after_hash)
      if (gap || now.hash !== last.after_hash || now.hash === UNKNOWN) {
        refuse(now.why ?? (await whoSince(treeId, path, chosen, gap ? rows[rows.indexOf(gap) - 1]! : last)))
        continue
      }
      const content = first.before_hash === null ? null : await readFile(objectPath(treeId, first.before_hash)).catch(() => 'gone' as const)
      if (content === 'gone') {
        refuse('its earlier content is not kept any more')
        continue
      }
      const then: Seen = { hash: first.before_hash, bytes: first.before_bytes, mode: first.before_mode, why: null }
      await note(at, [{ path, before: now, after: then, why: null }])
      try {
        if (content === null) await remove(treeId, path)
        else await bring(files, treeId, path, content, first.before_mode)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        refuse(error.message.replace(/\.$/, ''))
        continue
      }
      done.id = at.callId
      done.files.push({ path, what: content === null ? 'removed' : now.hash === null ? 'brought back' : 'restored' })
    }
    if (done.id !== null)
      await store.transact(async (tx) => {
        const words = `${what}: ${done.files.length} put back, ${done.conflicts.length} left as they are`
        tx.record(treeId, { type: 'task.controlled', taskId, verb: 'undo', by, comment: words })
      })
    return done
  }

  async function whoSince(treeId: string, path: string, chosen: readonly FileChange[], after: FileChange): Promise<string> {
    const later = await store.db
      .selectFrom('file_changes')
      .selectAll()
      .where('tree_id', '=', treeId)
      .where('path', '=', path)
      .where('n', '>', after.n)
      .orderBy('n')
      .execute()
    const other = later.find((row) => !chosen.some((one) => one.n === row.n))
    if (!other) return 'it was changed since, and nobody noted by whom'
    return `it was changed since by ${other.by === 'agent' ? `task ${other.task_id}` : other.by}`
  }

  async function bring(files: WorkspaceFiles, treeId: string, path: string, content: Uint8Array, mode: number | null): Promise<void> {
    await files.write(path, content)
    const held = await holdFolder(options.folderOf(treeId), path.split('/').slice(0, -1))
    if (held === null || held === 'other' || mode === null) return
    try {
      const handle = await open(
        join(held.anchor, path.split('/').at(-1)!),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      )
      await handle.chmod(mode).finally(() => handle.close())
    } finally {
      await held.close()
    }
  }
  async function remove(treeId: string, path: string): Promise<void> {
    const held = await holdFolder(options.folderOf(treeId), path.split('/').slice(0, -1))
    if (held === null || held === 'other') return
    try {
      await unlink(join(held.anchor, path.split('/').at(-1)!)).catch((error: unknown) => {
        if (!isCode(error, 'ENOENT')) throw error
      })
    } finally {
      await held.close()
    }
  }

  /** Without what was noted just before the crash, when there was no time left to say so. */
  async function unnoted(treeId: string, rows: readonly Row[]): Promise<Row[]> {
    const kept: Row[] = []
    for (const row of rows) {
      const last = await store.db
        .selectFrom('file_changes')
        .select(['after_hash', 'after_mode'])
        .where('tree_id', '=', treeId)
        .where('path', '=', row.path)
        .orderBy('n', 'desc')
        .executeTakeFirst()
      if (row.path === '' || !last || last.after_hash !== row.after.hash || last.after_mode !== row.after.mode) kept.push(row)
    }
    return kept
  }

  const openPath = (at: Moment) => join(root, at.treeId, 'open', encodeURIComponent(at.callId))

  /** Changes by calls of a task from this message on, and by subtasks that those calls started. */
  async function rowsFrom(taskId: string, from: number) {
    const rows = await rowsOf(taskId, 'subtree')
    const calls = await store.db.selectFrom('calls').select('id').where('task_id', '=', taskId).where('n', '>=', from).execute()
    const later = new Set(calls.map((call) => call.id))
    const children = await store.db.selectFrom('tasks').select(['id', 'call_id']).where('parent_id', '=', taskId).execute()
    const started = children.filter((child) => child.call_id !== null && later.has(child.call_id)).map((child) => child.id)
    return rows.filter((row) => later.has(row.call_id) || started.some((id) => row.task_id === id || row.task_id.startsWith(`${id}.`)))
  }

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
          const old = append && before.hash !== null ? await readFile(objectPath(at.treeId, before.hash)) : Buffer.alloc(0)
          const whole = append ? Buffer.concat([old, given]) : given
          if (whole.byteLength <= fileBytes)
            after = { hash: await keep(at.treeId, whole), bytes: whole.byteLength, mode: before.mode ?? 0o644, why: null }
          else after = { ...after, bytes: whole.byteLength, why: `it is larger than ${Math.round(fileBytes / 1e6)} MB` }
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
      await keepOpen({ at, folder, before })
      busy.add(one)
      try {
        return await act()
      } finally {
        try {
          await inTurn(at.treeId, async () => note(at, difference(before, await snapshot(at.treeId, folder))))
          await rm(openPath(at), { force: true })
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
      await keepOpen(watch)
      watches.set(at.callId, watch)
      const one = { treeId: at.treeId, taskId: at.taskId, folder: start.split(sep).join('/') }
      busy.add(one)
      try {
        return await act()
      } finally {
        try {
          await inTurn(at.treeId, async () => note(at, difference(watch.before, await snapshot(at.treeId, folder))))
          await rm(openPath(at), { force: true })
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
          why: small ? null : `it is larger than ${Math.round(fileBytes / 1e6)} MB`,
        }
        const why = before.why ?? after.why
        const files = workspaceFiles(options.folderOf(at.treeId), { protectedPaths })
        await files.target(path) // refused before anything is noted
        await note(at, [{ path: full, before, after, why }])
        const written = await files.write(path, createReadStream(draft))
        if (small && after.hash !== null) {
          const kept = objectPath(at.treeId, after.hash)
          await mkdir(join(kept, '..'), { recursive: true, mode: 0o700 })
          await rename(draft, kept)
          await grown(at.treeId, bytes)
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
        const content = hash === UNKNOWN ? null : await readFile(objectPath(treeOf(taskId), hash)).catch(() => null) // dropped by the quota
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
        const folder = join(root, treeId, 'open')
        for (const name of await readdir(folder).catch(emptyIfMissing)) {
          const text = await readFile(join(folder, name), 'utf8')
          const cut = parse(text)
          // Half written: its command had not begun.
          if (cut) {
            const before: Snapshot = { whole: cut.whole, files: new Map(cut.files) }
            const rows = difference(before, await snapshot(treeId, cut.folder))
            await note(cut.at, await unnoted(treeId, rows))
            found++
          }
          await rm(join(folder, name), { force: true })
        }
      }
      return found
    },
  }
}

function parse(text: string): { at: Moment; folder: string; whole: boolean; files: [string, Seen][] } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null // cut off while it was written
  }
}

/** Ids tell lineage: a task's begins with its tree's. */
const treeOf = (taskId: string): string => taskId.split('.', 1)[0]!

/**
 * A folder below `top`, reached name by name without following a link, held open: on Linux names found through `anchor` are in this very
 * folder, whatever is swapped meanwhile. null: there is none; `other`: something else is in its place.
 */
async function holdFolder(top: string, parts: readonly string[]): Promise<{ anchor: string; close(): Promise<void> } | null | 'other'> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY
  let handle: FileHandle
  try {
    handle = await open(await realpath(top), flags)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null
    throw error
  }
  let path = top
  for (const name of parts) {
    const anchor = await anchorOf(handle, path)
    path = join(path, name)
    const next = await open(join(anchor, name), flags | constants.O_NOFOLLOW).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return null
      if (isCode(error, 'ENOTDIR') || isCode(error, 'ELOOP') || isCode(error, 'EACCES')) return 'other' as const
      throw error
    })
    await handle.close()
    if (next === null || next === 'other') return next
    handle = next
  }
  return { anchor: await anchorOf(handle, path), close: () => handle.close() }
}
async function anchorOf(handle: FileHandle, path: string): Promise<string> {
  const anchor = `/proc/self/fd/${handle.fd}`
  return (await readlink(anchor).catch(() => null)) === null ? path : anchor // no /proc on this system
}

async function readAll(handle: FileHandle, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > most) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true }).catch(emptyIfMissing)) {
    const found = await lstatOrNull(join(folder, name))
    if (found?.isFile()) bytes += Number(found.size)
  }
  return bytes
}
async function lstatOrNull(path: string): Promise<BigIntStats | null> {
  return lstat(path, { bigint: true }).catch((error: unknown) => {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null
    throw error
  })
}
const isThere = async (path: string): Promise<boolean> => (await lstatOrNull(path)) !== null
const emptyIfMissing = (error: unknown): [] => {
  if (isCode(error, 'ENOENT')) return []
  throw error
}
const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code
