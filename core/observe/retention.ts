/**
 * Old goals leave the database by themselves, if the owner wants it: each is written to a file first, with its files, and only then taken
 * out. Nothing goes that has an open part.
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, readlink, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { RetentionPreview, RetentionRun } from '../contract/api-retention.ts'
import type { Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { SCHEMA } from '../store/migrate.ts'
import { isDiskFull, type Store } from '../store/store.ts'
import { beginRemoval, finishRemovals, oldTrees, rowsOfTree } from '../tasks/old-trees.ts'

export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Goals of one run; the next hour takes the next ones. */
const RUN = 200
/** Facts that are looked through for goals that left, and goals that are told. */
const LATELY = 50_000
const TOLD = 10
/** Goals that a preview names. */
const SHOWN = 100
const MB = 1024 * 1024
/** A larger file is named in the export and stays where it is. */
const FILE_BYTES = 32 * MB

export type Retention = ReturnType<typeof openRetention>

export function openRetention(parts: {
  store: Store
  dataDir: string
  /** Ended goals are kept so long; null: for good. */
  days: number | null
  /** Goals are written to DATA_DIR/exports before they go. */
  keep: boolean
  /** Folders that hold files of a goal, its workspace first. */
  foldersOf: (treeId: string) => string[]
  /** Whoever counts facts has done so when this resolves. */
  counted: () => Promise<void>
  now: () => number
  log: (level: 'info' | 'error', words: string) => void
  everyMs?: number
}) {
  const { store, now } = parts
  const exports = join(parts.dataDir, 'exports')
  let running: Promise<RetentionRun> | undefined

  const lineOf = (treeId: string, old: Awaited<ReturnType<typeof oldTrees>>[number]) => ({
    treeId,
    goal: old.goal.slice(0, 200),
    status: old.status,
    tasks: old.tasks,
    endedAt: new Date(old.endedAt).toISOString(),
  })
  const daysOf = (asked: number | undefined): number => {
    const days = asked ?? parts.days
    if (days === null) throw new Fault('invalid', 'Nobody set how long goals are kept: set RETENTION_DAYS, or say a number of days.')
    return days
  }

  async function go(days: number, by: string): Promise<RetentionRun> {
    const before = now() - days * DAY_MS
    await finishRemovals(store, clear)
    const old = await oldTrees(store, before, RUN)
    if (old.length > 0) await parts.counted()
    const items: RetentionRun['items'] = []
    for (const one of old) {
      const file = parts.keep ? await write(one.id) : null
      if (!(await beginRemoval(store, one.id, before, { file, by }))) continue // somebody opened it again
      await finishRemovals(store, clear)
      items.push({ ...lineOf(one.id, one), file })
    }
    // Giving room back needs a little of it; the goals are gone either way, and the next run gives it back.
    if (items.length > 0)
      await store.compact().catch((error: unknown) => {
        if (!isDiskFull(error)) throw error
      })
    return { items, more: old.length === RUN }
  }
  const run = (days: number, by: string): Promise<RetentionRun> => {
    running ??= go(days, by).finally(() => {
      running = undefined
    })
    return running
  }

  /** Its name under DATA_DIR. Whole or not there. */
  async function write(treeId: string): Promise<string> {
    await mkdir(exports, { recursive: true, mode: 0o700 })
    const name = `${treeId}.jsonl.gz`
    const fresh = join(exports, `${name}.new`)
    const file = await open(fresh, 'w', 0o600)
    try {
      await pipeline(Readable.from(exported(treeId, true)), createGzip(), async (chunks) => {
        for await (const chunk of chunks) await file.write(chunk as Buffer)
      })
      await file.sync()
      await rename(fresh, join(exports, name))
    } catch (error) {
      await rm(fresh, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return join('exports', name)
  }

  async function* exported(treeId: string, withFiles: boolean): AsyncGenerator<string> {
    const head = { format: 'banyan-tree', version: 1, schema: SCHEMA, treeId, exportedAt: new Date(now()).toISOString() }
    let first = true
    for await (const line of rowsOfTree(store, treeId)) {
      // What is not there is a Fault before anything was said.
      if (first) yield `${JSON.stringify(head)}\n`
      first = false
      yield `${JSON.stringify(line)}\n`
    }
    const [workspace] = parts.foldersOf(treeId)
    if (withFiles && workspace !== undefined)
      for await (const row of filesIn(workspace, '')) yield `${JSON.stringify({ table: 'files', row })}\n`
  }

  async function exportedSize(): Promise<RetentionPreview['exported']> {
    const entries = await readdir(exports, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const files = entries.filter((entry) => entry.isFile())
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(exports, file.name))).size))
    return { files: files.length, bytes: sizes.reduce((sum, bytes) => sum + bytes, 0) }
  }

  async function removedLately(): Promise<RetentionPreview['removed']> {
    const rows = await store.db
      .selectFrom('events')
      .select(['at', 'fact'])
      .where('seq', '>', (await store.lastSeq()) - LATELY)
      .where('tree_id', 'is', null)
      .where('fact', 'like', '%"tree.removed"%')
      .orderBy('seq', 'desc')
      .limit(TOLD)
      .execute()
    return rows.flatMap(({ at, fact }) => {
      const told = JSON.parse(fact) as Fact
      if (told.type !== 'tree.removed') return []
      const { id, tasks, file, by } = told
      return [{ treeId: id, at: new Date(Number(at)).toISOString(), tasks, file, by }]
    })
  }

  /** Files that the export could not hold stay; of the others nothing does. */
  async function clear(treeId: string): Promise<void> {
    const [workspace, ...others] = parts.foldersOf(treeId)
    if (workspace !== undefined && (!parts.keep || !(await holdsLarge(workspace)))) others.push(workspace)
    for (const folder of others) await rm(folder, { recursive: true, force: true })
  }

  async function sweep(): Promise<void> {
    try {
      if (parts.days === null) await finishRemovals(store, clear)
      else {
        const { items } = await run(parts.days, 'system')
        if (items.length > 0) parts.log('info', `${items.length} goals that ended more than ${parts.days} days ago left the database`)
      }
    } catch (error) {
      parts.log('error', `Old goals could not be removed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const timer = setInterval(() => void sweep(), parts.everyMs ?? HOUR_MS).unref()

  return {
    /** What a run would take now; nothing is changed. */
    async preview(asked?: number): Promise<RetentionPreview> {
      const days = asked ?? parts.days
      const old = days === null ? [] : await oldTrees(store, now() - days * DAY_MS, RUN + 1)
      return {
        days: parts.days,
        askedDays: days,
        exports: parts.keep ? exports : null,
        trees: Math.min(old.length, RUN),
        tasks: old.slice(0, RUN).reduce((sum, one) => sum + one.tasks, 0),
        more: old.length > RUN,
        exported: await exportedSize(),
        removed: await removedLately(),
        items: old.slice(0, SHOWN).map((one) => lineOf(one.id, one)),
      }
    },
    /** Exports and removes what is old, at most some hundred goals. */
    run: (by: string, asked?: number): Promise<RetentionRun> => Promise.resolve().then(() => run(daysOf(asked), by)),
    /** All rows of a goal as lines of JSON, as they stand while they are read. */
    export: (treeId: string) => exported(treeId, false),
    sweep,
    async close(): Promise<void> {
      clearInterval(timer)
      await running?.catch(() => undefined) // whoever began it was told
    },
  }
}

type FileRow = { path: string; mode: number; bytes: number } & ({ base64: string } | { link: string } | { left: string })

async function* filesIn(top: string, at: string): AsyncGenerator<FileRow> {
  const entries = await readdir(join(top, at), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = at === '' ? entry.name : `${at}/${entry.name}`
    const full = join(top, path)
    if (entry.isDirectory()) yield* filesIn(top, path)
    else if (entry.isSymbolicLink()) yield { path, mode: 0o777, bytes: 0, link: await readlink(full) }
    else if (entry.isFile()) {
      const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
      try {
        const { size, mode } = await file.stat()
        const about = { path, mode: mode & 0o777, bytes: size }
        yield size > FILE_BYTES
          ? { ...about, left: `it is larger than ${FILE_BYTES / MB} MB and stays in the workspace` }
          : { ...about, base64: (await file.readFile()).toString('base64') }
      } finally {
        await file.close()
      }
    }
  }
}

async function holdsLarge(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const entry of entries) if (entry.isFile() && (await stat(join(entry.parentPath, entry.name))).size > FILE_BYTES) return true
  return false
}
