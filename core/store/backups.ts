/**
 * Backups of the database: whole copies with a manifest beside them, made while it is in use, kept so many of each kind. SQLite is copied
 * by its own backup call and nothing else; PostgreSQL by `pg_dump`, where the machine has it. The keeper leaves copies of its own here; their
 * manifests are written when they are first listed.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import BetterSqlite from 'better-sqlite3'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { writeWhole } from './whole-file.ts'

const Manifest = z.object({
  file: z.string(),
  at: z.string(),
  /** `daily`, `by-hand`, `before-change` (of the running revision), `replaced` (by a restore). */
  why: z.string(),
  kind: z.enum(['sqlite', 'postgres']),
  schema: z.number().nullable(),
  bytes: z.number(),
  sha256: z.string(),
  /** When it was last looked through, and what was wrong with it. */
  checked: z.object({ at: z.string(), problem: z.string().nullable() }).nullable().default(null),
})
export type Backup = z.output<typeof Manifest>

export const backupFolder = (dataDir: string): string => join(dataDir, 'backups')
const SAFE_NAME = /^[\w.-]{1,200}\.(db|dump)$/
/** A copy by the keeper; it has its name from the moment on at which it is whole. */
const KEEPERS = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)-(\d{3}Z)-(before-change|replaced)\.db$/

/** All with a whole manifest, newest first. */
export async function listBackups(folder: string): Promise<Backup[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names.filter((name) => KEEPERS.test(name) && !names.includes(`${name}.json`))) {
    const [, hour, minute, second, rest, why = ''] = KEEPERS.exec(name)!
    const path = join(folder, name)
    const { size: bytes } = await stat(path)
    const manifest = { file: name, at: `${hour}:${minute}:${second}.${rest}`, why, kind: 'sqlite' as const, schema: schemaOf(path) }
    await writeManifest(path, { ...manifest, bytes, sha256: await digest(path), checked: null })
    names.push(`${name}.json`)
  }
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        try {
          const backup = Manifest.parse(JSON.parse(await readFile(join(folder, name), 'utf8')))
          return SAFE_NAME.test(backup.file) && names.includes(backup.file) ? [backup] : []
        } catch {
          return [] // cut off while it was written: its copy is not known to be whole
        }
      }),
  )
  return found.flat().sort((a, b) => (a.at < b.at ? 1 : -1))
}

/** The path of a backup that is there and is what its manifest says; a Fault says what is wrong with it. */
export async function checkedBackup(folder: string, file: string): Promise<{ path: string; backup: Backup }> {
  const backup = await backupOf(folder, file)
  const path = join(folder, backup.file)
  const problem = await problemOf(path, backup)
  if (problem) throw new Fault('conflict', `The backup ${file} is damaged (${problem}): use another one.`)
  return { path, backup }
}

/** Looks through a backup and notes in its manifest when that was and what was found. */
export async function checkBackup(folder: string, file: string, now: number): Promise<Backup> {
  const backup = await backupOf(folder, file)
  const path = join(folder, backup.file)
  const checked = { at: new Date(now).toISOString(), problem: await problemOf(path, backup) }
  return writeManifest(path, { ...backup, checked })
}

async function backupOf(folder: string, file: string): Promise<Backup> {
  const backup = (await listBackups(folder)).find((one) => one.file === file)
  if (!backup) throw new Fault('not_found', `There is no backup ${JSON.stringify(file)}; \`banyan db backups\` lists them.`)
  return backup
}

async function problemOf(path: string, { sha256, kind }: Backup): Promise<string | null> {
  if ((await digest(path)) !== sha256) return 'its checksum differs'
  if (kind !== 'sqlite') return null
  try {
    return await integrityBeside(path)
  } finally {
    await forgetOpening(path)
  }
}

/** Files that SQLite puts beside a copy whoever looks into it; nobody ever writes to one, so they hold nothing. */
async function forgetOpening(path: string): Promise<void> {
  for (const end of ['-wal', '-shm']) await rm(`${path}${end}`, { force: true })
}

/** As `integrityOf`, in a thread of its own: a large database takes a minute, in which this one has other things to do. */
async function integrityBeside(path: string): Promise<string | null> {
  const worker = new Worker(new URL('./integrity-worker.ts', import.meta.url), { workerData: path })
  const [found] = (await once(worker, 'message')) as [string | null]
  return found
}

async function writeManifest(path: string, backup: Backup): Promise<Backup> {
  await writeWhole(`${path}.json`, `${JSON.stringify(backup, null, 1)}\n`, 0o600)
  return backup
}

/** The number of the newest migration in a copy; null: it has none, or is no database. */
function schemaOf(path: string): number | null {
  const db = new BetterSqlite(path, { readonly: true, fileMustExist: true })
  try {
    return db.prepare('select max(number) from schema_migrations').pluck().get() as number | null
  } catch {
    return null // another database, or damaged: restoring it checks it
  } finally {
    db.close()
  }
}

/** What SQLite finds wrong with a database file; null: nothing. It blocks its thread. */
export function integrityOf(path: string): string | null {
  const db = new BetterSqlite(path, { readonly: true, fileMustExist: true })
  try {
    const found = db.pragma('integrity_check(3)') as { integrity_check: string }[]
    const broken = db.pragma('foreign_key_check') as unknown[]
    const words = found.map((row) => row.integrity_check).filter((line) => line !== 'ok')
    return words[0] ?? (broken.length > 0 ? `${broken.length} rows point at rows that are not there` : null)
  } finally {
    db.close()
  }
}

type Making = {
  /** `sqlite:` and a path, or a `postgres://` URL. */
  databaseUrl: string
  folder: string
  why: string
  schema: number | null
  now: number
  /** How an open SQLite database copies itself; absent: it is closed, and opened for this. */
  copy?: (path: string) => Promise<void>
  /** Where programs are looked for. */
  path: string | undefined
}

/** Makes one backup, whole or not at all: the manifest is written last. */
export async function makeBackup(making: Making): Promise<Backup> {
  const { databaseUrl, folder, why, schema } = making
  const kind = databaseUrl.startsWith('sqlite:') ? ('sqlite' as const) : ('postgres' as const)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const at = new Date(making.now).toISOString()
  const file = `${at.replace(/[:.]/g, '-')}-${why}.${kind === 'sqlite' ? 'db' : 'dump'}`
  const path = join(folder, file)
  const fresh = `${path}.new`
  try {
    if (kind === 'postgres') await dump(databaseUrl, fresh, making.path)
    else if (making.copy) await making.copy(fresh)
    else await copyClosed(databaseUrl.slice('sqlite:'.length), fresh)
    await chmod(fresh, 0o600)
    await rename(fresh, path)
    const bytes = (await stat(path)).size
    return await writeManifest(path, { file, at, why, kind, schema, bytes, sha256: await digest(path), checked: null })
  } catch (error) {
    for (const left of [`${fresh}-journal`, fresh, path]) await rm(left, { force: true })
    throw error
  }
}

/** Removes what is more than `keep` of a kind. */
export async function pruneBackups(folder: string, keep: number): Promise<void> {
  const kinds = Map.groupBy(await listBackups(folder), (backup) => backup.why)
  for (const old of [...kinds.values()].flatMap((some) => some.slice(keep))) {
    await rm(join(folder, `${old.file}.json`), { force: true })
    await rm(join(folder, old.file), { force: true })
    await forgetOpening(join(folder, old.file))
  }
}

/**
 * Puts a backup in place of an embedded database that nobody has open; call it under the ownership of the data folder. What it replaces is
 * backed up first, unless it is damaged beyond that.
 */
export async function restoreBackup(databaseUrl: string, folder: string, file: string, now: number): Promise<Backup> {
  if (!databaseUrl.startsWith('sqlite:'))
    throw new Fault(
      'invalid',
      `A backup of PostgreSQL is put back with its own program: pg_restore --clean --dbname=… ${join(folder, file)}.`,
    )
  const { path, backup } = await checkedBackup(folder, file)
  const database = databaseUrl.slice('sqlite:'.length)
  await makeBackup({ databaseUrl, folder, why: 'replaced', schema: null, now, path: undefined }).catch((error: unknown) => {
    console.error(`banyan: what the backup replaces could not be kept: ${error instanceof Error ? error.message : String(error)}`)
  })
  // A file that is no database any more cannot be written over page by page.
  if (isUnreadable(database)) for (const end of ['', '-wal', '-shm']) await rm(`${database}${end}`, { force: true })
  const from = new BetterSqlite(path, { readonly: true, fileMustExist: true })
  try {
    await from.backup(database)
  } finally {
    from.close()
  }
  return backup
}

function isUnreadable(path: string): boolean {
  try {
    integrityOf(path)
    return false
  } catch {
    return true // not there, or no database: either way nothing can be kept of it
  }
}

async function copyClosed(path: string, to: string): Promise<void> {
  const db = new BetterSqlite(path, { fileMustExist: true })
  try {
    await db.backup(to)
  } finally {
    db.close()
  }
}

async function dump(url: string, to: string, path: string | undefined): Promise<void> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url)
  const socket = searchParams.get('host')
  try {
    // The password goes by the environment: arguments are seen by every user of the machine.
    await promisify(execFile)('pg_dump', ['--format=custom', `--file=${to}`], {
      env: {
        ...(path === undefined ? {} : { PATH: path }),
        PGHOST: socket ?? decodeURIComponent(hostname),
        ...(port ? { PGPORT: port } : {}),
        PGUSER: decodeURIComponent(username),
        PGPASSWORD: decodeURIComponent(password),
        PGDATABASE: decodeURIComponent(pathname.slice(1)),
      },
    })
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string }
    if (code === 'ENOENT')
      throw new Fault(
        'unavailable',
        'PostgreSQL is backed up with pg_dump, which is not installed here: install the PostgreSQL client, or back it up where it runs.',
      )
    throw new Fault('unavailable', `pg_dump failed (${stderr.trim().split('\n').at(-1) || code}): mend that and try again.`, {
      cause: error,
    })
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

export type Backups = Awaited<ReturnType<typeof openBackups>>

/** The backups of a running system: on demand, and by themselves each `everyHours` (0: never). A restore is noted for the end of this process. */
export async function openBackups(parts: {
  databaseUrl: string
  dataDir: string
  schema: number
  copy: (path: string) => Promise<void>
  path: string | undefined
  everyHours: number
  keep: number
  now: () => number
  onError: (error: unknown) => void
}) {
  const { databaseUrl, schema, copy, path, keep } = parts
  const folder = backupFolder(parts.dataDir)
  let last: Promise<unknown> = Promise.resolve()
  /** One at a time. */
  function make(why: string): Promise<Backup> {
    const made = last.then(async () => {
      const embedded = databaseUrl.startsWith('sqlite:') ? { copy } : {}
      const backup = await makeBackup({ databaseUrl, folder, why, schema, now: parts.now(), path, ...embedded })
      await pruneBackups(folder, keep)
      return backup
    })
    last = made.catch(() => undefined) // whoever asked gets it; the next goes on
    return made
  }
  function check(file: string): Promise<Backup> {
    const looked = last.then(() => checkBackup(folder, file, parts.now()))
    last = looked.catch(() => undefined) // as above
    return looked
  }
  async function due(): Promise<void> {
    const newest = (await listBackups(folder)).find((backup) => backup.why === 'daily')
    if (!newest || parts.now() - Date.parse(newest.at) >= parts.everyHours * 3_600_000) await make('daily')
  }
  const look = () => void due().catch(parts.onError)
  // Not at the start itself, which has enough to do.
  const timers = parts.everyHours === 0 ? [] : [setTimeout(look, 120_000).unref(), setInterval(look, 900_000).unref()]
  return {
    make,
    check,
    list: () => listBackups(folder),
    /** Checks it, and notes it for the end of this process. */
    async askRestore(file: string): Promise<Backup> {
      if (!databaseUrl.startsWith('sqlite:')) await restoreBackup(databaseUrl, folder, basename(file), parts.now())
      const { backup } = await checkedBackup(folder, file)
      const note = join(parts.dataDir, RESTORE_NOTE)
      await writeFile(`${note}.new`, JSON.stringify({ file }), { mode: 0o600 })
      await rename(`${note}.new`, note)
      return backup
    },
    async close() {
      for (const timer of timers) clearTimeout(timer)
      await last
    },
  }
}

const RESTORE_NOTE = 'restore.json'

export const restoredWords = ({ at }: Pick<Backup, 'at'>): string => `banyan: the database is again as it was at ${at}.`

/** Does what `askRestore` noted; call it while the database is closed. Answers what was put back, or null. */
export async function restoreIfAsked(databaseUrl: string, dataDir: string, now: number): Promise<Backup | null> {
  const note = join(dataDir, RESTORE_NOTE)
  const text = await readFile(note, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const { file } = z.object({ file: z.string() }).parse(JSON.parse(text))
  try {
    return await restoreBackup(databaseUrl, backupFolder(dataDir), file, now)
  } finally {
    await rm(note, { force: true }) // a backup that cannot be put back must not stop every start
  }
}
