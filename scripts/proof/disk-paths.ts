/**
 * Every way in which Banyan writes, on a disk with a given number of bytes left: either the whole thing is there, or none of it and a refusal
 * that names the disk, and nothing is left lying about. Runs on a small disk of its own, see `disk.ts`.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statfsSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite from 'better-sqlite3'
import { Fault } from '../../core/contract/fault.ts'
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts'
import { isOver } from '../../core/contract/task.ts'
import { workspaceFiles } from '../../core/exec/files.ts'
import { openHistory } from '../../core/exec/history.ts'
import { openRetention } from '../../core/observe/retention.ts'
import { backupFolder, checkBackup, listBackups, makeBackup, pruneBackups } from '../../core/store/backups.ts'
import { openStore, type Store } from '../../core/store/store.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { finishRemovals } from '../../core/tasks/old-trees.ts'
import { openTasks, type Tasks } from '../../core/tasks/tasks.ts'

/** `refused`: it was said that it could not be done. `damage`: sentences about what was not as promised. */
export type Tried = { way: string; tries: number; done: number; refused: number; damage: string[] }

const PAGE = 4_096
/** Free while nothing is tried. */
const ROOM = 3 * 1024 * 1024
/** Tries between two looks through the whole database. */
const LOOK = 250

type Way = {
  name: string
  /** Bytes that it needs, roughly: a little more is tried too. */
  needs: number
  /** How many of a hundred tries are of this way. */
  share: number
  act(n: number): Promise<unknown>
  /** What is wrong after it. `done`: it was acknowledged. */
  look(n: number, done: boolean): Promise<string[]>
}

/** Tries `tries` writes on the disk mounted at `place`. */
export async function tryPaths(place: string, tries: number): Promise<Tried[]> {
  const dataDir = join(place, 'data')
  mkdirSync(dataDir)
  const filler = join(place, 'filler')
  writeFileSync(filler, '')
  const free = (): number => {
    const { bavail, bsize } = statfsSync(place)
    return bavail * bsize
  }
  let filled = 0
  const leave = (bytes: number): void => {
    const change = free() - bytes
    if (change > 0) appendFileSync(filler, Buffer.alloc(change, 1))
    else if (change < 0) truncateSync(filler, Math.max(0, filled + change))
    filled = Math.max(0, filled + change)
  }
  const databaseUrl = `sqlite:${join(dataDir, 'agent_system.db')}`
  const store = await openStore(databaseUrl)
  const tasks = openTasks(store)
  const beside = new BetterSqlite(join(dataDir, 'agent_system.db'))
  const ways = [
    ...goalWays(store, tasks),
    ...fileWays(join(dataDir, 'workspaces')),
    historyWay(store, tasks, dataDir),
    backupWay(store, databaseUrl, dataDir),
    exportWay(store, tasks, dataDir),
  ]
  const found = new Map(ways.map((way): [Way, Tried] => [way, { way: way.name, tries: 0, done: 0, refused: 0, damage: [] }]))
  const inTurn = ways.flatMap((way) => Array.from({ length: way.share }, () => way))
  try {
    leave(ROOM)
    for (let n = 0; n < tries; n++) {
      const way = inTurn[(n * 37) % inTurn.length]!
      const tried = found.get(way)!
      // What is in the log already needs no room; an empty one does.
      beside.pragma('wal_checkpoint(TRUNCATE)')
      const steps = Math.ceil((way.needs * 1.3) / PAGE)
      // The golden ratio spreads the tries evenly over the steps, however many there are.
      leave(Math.floor(((tried.tries * 0.618034) % 1) * steps) * PAGE)
      tried.tries += 1
      const problem = await way.act(n).then(
        () => null,
        (error: unknown) => error,
      )
      leave(ROOM)
      if (problem === null) tried.done += 1
      else tried.refused += 1
      if (problem !== null && !saysDisk(problem)) tried.damage.push(`try ${n}: ${String(problem)}`)
      tried.damage.push(...(await way.look(n, problem === null)).map((words) => `try ${n}: ${words}`))
      if (n % LOOK === LOOK - 1) tried.damage.push(...(await wrongIn(store)))
    }
    found.get(ways[0]!)!.damage.push(...(await wrongIn(store)))
  } finally {
    beside.close()
    await store.close()
  }
  return [...found.values()]
}

/** A removal that met the full disk half-way is saved as begun, and finished first, as by the next run. */
async function wrongIn(store: Store): Promise<string[]> {
  await finishRemovals(store, async () => undefined)
  return violations(store)
}

/** Its words, or the cause that is logged with it, name the disk. */
function saysDisk(error: unknown): boolean {
  if (error instanceof Fault) return /disk/.test(error.message)
  return ['ENOSPC', 'SQLITE_FULL'].includes((error as { code?: string }).code ?? '')
}

const goalOf = (n: number, text: string) => ({
  goal: `Goal ${n} ${text}`,
  agent: 'generalist',
  mode: 'auto' as const,
  limits: DEFAULT_LIMITS,
  priority: 0,
  workspace: 'task' as const,
  submittedBy: 'owner',
  origin: 'person' as const,
})

function goalWays(store: Store, tasks: Tasks): Way[] {
  const known = async (): Promise<number> =>
    Number(
      (
        await store.db
          .selectFrom('trees')
          .select((e) => e.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )
  let before = 0
  let made: string[] = []
  const submit = async (n: number, text: string): Promise<void> => void made.push((await tasks.createGoal(goalOf(n, text))).treeId)
  const look = async (): Promise<string[]> => {
    const lost: string[] = []
    for (const id of made) await tasks.task(id).catch(() => lost.push(`the goal ${id} was acknowledged and is gone`))
    const now = await known()
    if (now !== before + made.length) lost.push(`${made.length} goals were acknowledged and ${now - before} are there`)
    return lost
  }
  return [
    {
      name: 'a goal',
      needs: 32 * PAGE,
      share: 30,
      async act(n) {
        before = await known()
        made = []
        await submit(n, 'x'.repeat(2_000))
      },
      look,
    },
    {
      name: 'eight goals at once',
      needs: 160 * PAGE,
      share: 10,
      async act(n) {
        before = await known()
        made = []
        const ends = await Promise.allSettled(Array.from({ length: 8 }, () => submit(n, 'y'.repeat(1_000))))
        const failed = ends.find((end) => end.status === 'rejected')
        if (failed) throw failed.reason
      },
      look,
    },
  ]
}

function fileWays(folder: string): Way[] {
  mkdirSync(folder)
  const files = workspaceFiles(folder)
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
  const clean = (): string[] => readdirSync(folder).flatMap((name) => (name.endsWith('.txt') ? [] : [`${name} was left in the workspace`]))
  const contentOf = (n: number): string => `${n} `.repeat(20_000)
  writeFileSync(join(folder, 'whole.txt'), '')
  writeFileSync(join(folder, 'log.txt'), '')
  let before = ''
  return [
    {
      name: 'a file in place of another',
      needs: 40 * PAGE,
      share: 15,
      async act(n) {
        before = read('whole.txt')
        await files.write('whole.txt', contentOf(n))
      },
      look: async (n, done) => [
        ...clean(),
        ...(read('whole.txt') === (done ? contentOf(n) : before) ? [] : ['the file is neither old nor new']),
      ],
    },
    {
      name: 'the end of a file',
      needs: 40 * PAGE,
      share: 15,
      async act(n) {
        before = read('log.txt')
        if (before.length > 300_000) {
          before = ''
          writeFileSync(join(folder, 'log.txt'), before)
        }
        await files.write('log.txt', contentOf(n), { append: true })
      },
      look: async (n, done) => [...clean(), ...(read('log.txt') === before + (done ? contentOf(n) : '') ? [] : ['a part was added'])],
    },
  ]
}

function historyWay(store: Store, tasks: Tasks, dataDir: string): Way {
  const folder = join(dataDir, 'kept')
  mkdirSync(folder)
  const history = openHistory({ store, dataDir, folderOf: () => folder })
  const files = workspaceFiles(folder)
  let treeId: string | undefined
  let before: string | null = null
  const contentOf = (n: number): string => `kept ${n} `.repeat(4_000)
  const now = (): string | null => (readdirSync(folder).includes('note.txt') ? readFileSync(join(folder, 'note.txt'), 'utf8') : null)
  return {
    name: 'a file whose change can be undone',
    needs: 60 * PAGE,
    share: 15,
    async act(n) {
      before = now()
      treeId ??= (await tasks.createGoal(goalOf(n, 'with files'))).treeId
      const data = contentOf(n)
      await history.writing({ treeId, taskId: treeId, callId: `call-${n}` }, folder, 'note.txt', { data, append: false }, () =>
        files.write('note.txt', data),
      )
    },
    look: async (n, done) => {
      const objects = treeId === undefined ? [] : readdirSync(join(dataDir, 'history', treeId, 'objects'), { recursive: true }).map(String)
      const drafts = objects.filter((name) => /[0-9a-f]{8}-[0-9a-f]{4}/.test(name)).map((name) => `${name} was left in the history`)
      return [...drafts, ...(now() === (done ? contentOf(n) : before) ? [] : ['the file is neither old nor new'])]
    },
  }
}

function backupWay(store: Store, databaseUrl: string, dataDir: string): Way {
  const folder = backupFolder(dataDir)
  let at = Date.parse('2026-01-01')
  return {
    name: 'a backup',
    needs: 4 * ROOM,
    share: 5,
    async act() {
      at += 1_000
      await makeBackup({ databaseUrl, folder, why: 'by-hand', schema: 1, now: at, copy: store.backup, path: undefined })
    },
    async look(_, done) {
      const backups = await listBackups(folder)
      const [newest] = backups
      const wrong: string[] = []
      if (done && newest?.at !== new Date(at).toISOString()) wrong.push('the backup was acknowledged and is not there')
      if (newest) {
        const { checked } = await checkBackup(folder, newest.file, at)
        if (checked?.problem) wrong.push(`the backup ${newest.file} is damaged: ${checked.problem}`)
      }
      const whole = new Set(backups.flatMap(({ file }) => [file, `${file}.json`]))
      for (const name of readdirSync(folder)) if (!whole.has(name)) wrong.push(`${name} was left among the backups`)
      await pruneBackups(folder, 1)
      return wrong
    },
  }
}

function exportWay(store: Store, tasks: Tasks, dataDir: string): Way {
  const exports = join(dataDir, 'exports')
  let ahead = 0
  let id = ''
  const retention = openRetention({
    ...{ store, dataDir, days: null, keep: true, foldersOf: () => [], counted: async () => undefined, log: () => undefined },
    now: () => Date.now() + ahead,
  })
  return {
    name: 'an old goal that leaves',
    needs: 200 * PAGE,
    share: 10,
    async act(n) {
      // A removal that was begun was finished between two tries.
      if (id !== '' && (await tasks.task(id).catch(() => null)) === null) id = ''
      if (id === '') {
        const text = Array.from({ length: 4_000 }, (_, i) => (n * 31 + i * 7_919).toString(36)).join(' ')
        id = (await tasks.createGoal(goalOf(n, text))).treeId
      }
      if (!isOver((await tasks.task(id)).status)) await tasks.control(id, { verb: 'abort', by: 'owner' })
      ahead = 2 * 86_400_000
      await retention.run('owner', 1).finally(() => {
        ahead = 0
      })
    },
    async look(_, done) {
      const there = await tasks.task(id).then(
        () => true,
        () => false,
      )
      const names = readdirSync(dataDir).includes('exports') ? readdirSync(exports) : []
      const wrong = names.filter((name) => name.endsWith('.new')).map((name) => `${name} was left among the exports`)
      if (id !== '' && !there && !names.includes(`${id}.jsonl.gz`)) wrong.push(`the goal ${id} left and is in no file`)
      if (done && there) wrong.push(`the goal ${id} was said to have left and is there`)
      if (!there) id = ''
      return wrong
    },
  }
}
