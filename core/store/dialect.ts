/** Every difference between SQLite and PostgreSQL. The rest of the store does not know which one it has. */
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import BetterSqlite from 'better-sqlite3'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PGliteDialect,
  PostgresDialect,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'
import type { Client } from 'pg'
import { Fault } from '../contract/fault.ts'
import type { Filled } from './prepared.ts'
import type { Database } from './tables.ts'

/** The one connection that writes, between begin and commit. */
export type Session = {
  db: Kysely<Database>
  query<O>(query: Filled): Promise<O[]>
}

/** Reads that all see the database at one moment. */
export type Reader = {
  read<O>(query: Filled): Promise<O[]>
  /** Rows as arrays in the order of the selected columns, `size` at a time; other work of this process goes on in between. */
  batches(query: Filled, size: number): AsyncIterable<unknown[][]>
}

export type Backend = {
  readonly kind: 'sqlite' | 'postgres'
  /** Sees committed rows only. */
  reader: Kysely<Database>
  read<O>(query: Filled): Promise<O[]>
  /** Runs `work` in one transaction; `durable`: on stable storage before it resolves, power loss included. */
  transaction<T>(durable: boolean, work: (session: Session) => Promise<T>): Promise<T>
  /** One at a time; writers go on meanwhile, and what they commit is not seen. */
  snapshot<T>(work: (reader: Reader) => Promise<T>): Promise<T>
  /** Taken before numbered facts are written, held to the commit: numbers then become visible in their order. */
  serialiseFacts(session: Session): Promise<void>
  /** Between processes on the same database; absent where there is only one. */
  wire?: Wire
  /** Copies the database while it is in use. */
  backup(path: string): Promise<void>
  /** Gives up to so many unused pages back to the disk, within a transaction. True: there are more. */
  shrink(pages: number): boolean
  /** What was given back leaves the file. */
  settle(): void
  close(): Promise<void>
}

export type Wire = {
  /** Goes out when the transaction commits, to this process too. */
  announce(session: Session, words: string): Promise<void>
  /** `missed`: some may have gone out unheard. Answers what ends it. */
  hear(heard: (words: string) => void, missed: () => void): () => Promise<void>
}

export async function openBackend(url: string): Promise<Backend> {
  if (/^postgres(ql)?:/.test(url)) return postgres(url)
  if (url.startsWith('pglite:')) return pglite(url.slice('pglite:'.length))
  if (url.startsWith('sqlite:')) return sqlite(url.slice('sqlite:'.length))
  throw new Fault('invalid', `DATABASE_URL starts with neither sqlite: nor postgres: (${url.split(':')[0]}:…)`)
}

function openFile(path: string): BetterSqlite.Database {
  try {
    mkdirSync(dirname(path), { recursive: true })
    const database = new BetterSqlite(path, { timeout: 5_000 })
    chmodSync(path, 0o600) // its -wal and -shm take the same mode; commands may run as another user who can pass the folder
    // Only before the first table; a database that is older keeps its size and uses the room again.
    if (database.pragma('page_count', { simple: true }) === 0) database.pragma('auto_vacuum = INCREMENTAL')
    database.pragma('journal_mode = WAL')
    return database
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    const why: Record<string, string> = {
      SQLITE_CANTOPEN: 'it cannot be opened or made; check the path and its permissions',
      SQLITE_READONLY: 'it is read-only; make the file and its folder writable for this user',
      SQLITE_READONLY_DIRECTORY: 'its folder is read-only; make it writable for this user',
      SQLITE_NOTADB: 'it is not a SQLite database; move it away or restore a backup',
      SQLITE_CORRUPT: 'it is damaged; restore a backup',
      SQLITE_FULL: 'the disk is full; free some space',
      EACCES: 'its folder is not writable for this user',
      EEXIST: 'a part of its path is a file, not a folder',
      ENOTDIR: 'a part of its path is a file, not a folder',
      EROFS: 'the file system is read-only',
      ENOSPC: 'the disk is full; free some space',
    }
    const reason = why[code]
    if (!reason) throw error
    throw new Fault('unavailable', `The database ${path} cannot be used: ${reason}.`, { cause: error })
  }
}

const NOTHING: unknown[] = []

/** Executes on one better-sqlite3 connection with each statement prepared once. No lock: the store lets one transaction in at a time. */
function connectionOf(database: BetterSqlite.Database) {
  const statements = new Map<string, BetterSqlite.Statement>()
  const prepared = (text: string): BetterSqlite.Statement => {
    const kept = statements.get(text)
    if (kept) return kept
    if (statements.size >= 500) statements.clear() // queries with a list in them make a text each; bound what is kept
    const statement = database.prepare(text)
    statements.set(text, statement)
    return statement
  }
  const rows = (query: Filled): unknown[] => {
    const statement = prepared(query.sql)
    if (statement.reader) return statement.all(query.parameters)
    statement.run(query.parameters)
    return NOTHING
  }
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const statement = prepared(query.sql)
      if (statement.reader) return { rows: statement.all(query.parameters as unknown[]) as R[] }
      const { changes, lastInsertRowid } = statement.run(query.parameters as unknown[])
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    },
    // biome-ignore lint/correctness/useYield: nothing here streams; Kysely asks for the method
    async *streamQuery() {
      throw new Error('streaming queries are not used')
    },
  }
  return { rows, connection }
}

function kyselyOn(connection: DatabaseConnection): Kysely<Database> {
  const driver: Driver = {
    init: async () => undefined,
    acquireConnection: async () => connection,
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    releaseConnection: async () => undefined,
    destroy: async () => undefined,
  }
  return new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}
async function refuse(): Promise<void> {
  throw new Error('transactions go through store.transact, which also records the facts')
}

/**
 * Two connections on one file: the writer, and a reader that sees committed rows only. WAL with synchronous=NORMAL: a kill -9 loses
 * nothing, a power cut may lose the last commits but never tears one; `durable` transactions (a goal acknowledged, a decision, an effect
 * about to happen) run with synchronous=FULL. FULL for everything cost 3.7 times the CPU in the raw loop.
 */
function sqlite(path: string): Backend {
  const writing = openFile(path)
  writing.pragma('synchronous = NORMAL')
  writing.pragma('foreign_keys = ON')
  const reading = new BetterSqlite(path, { timeout: 5_000 })
  reading.pragma('query_only = ON')
  const writer = connectionOf(writing)
  const reader = connectionOf(reading)
  const db = kyselyOn(writer.connection)
  const statement = (text: string) => writing.prepare(text)
  const snapshots = snapshotsOf(path)
  const begin = statement('BEGIN IMMEDIATE')
  const commit = statement('COMMIT')
  const rollback = statement('ROLLBACK')
  const session: Session = {
    db,
    query: async <O>(query: Filled) => writer.rows(query) as O[],
  }
  return {
    kind: 'sqlite',
    reader: kyselyOn(reader.connection),
    read: async <O>(query: Filled) => reader.rows(query) as O[],
    async transaction(durable, work) {
      if (durable) writing.pragma('synchronous = FULL')
      try {
        begin.run()
        try {
          const value = await work(session)
          commit.run()
          return value
        } catch (error) {
          if (writing.inTransaction) rollback.run() // SQLite has already rolled back after a full disk
          throw error
        }
      } finally {
        if (durable) writing.pragma('synchronous = NORMAL')
      }
    },
    snapshot: snapshots.take,
    serialiseFacts: async () => undefined,
    backup: async (to) => void (await writing.backup(to)),
    shrink(pages) {
      const unused = (): number => writing.pragma('freelist_count', { simple: true }) as number
      const before = unused()
      // Not a prepared statement: one step of it gives back a single page.
      if (before > 0) writing.exec(`pragma incremental_vacuum(${pages})`)
      const left = unused()
      return left > 0 && left < before
    },
    // On the other connection: the writer may be within a transaction, which refuses it.
    settle: () => void reading.pragma('wal_checkpoint(PASSIVE)'),
    async close() {
      await snapshots.close()
      reading.close()
      writing.close()
    },
  }
}

/** A third connection, opened when first used: a read transaction on the shared reader would hide new commits from everybody else. */
function snapshotsOf(path: string) {
  let database: BetterSqlite.Database | undefined
  let last: Promise<unknown> = Promise.resolve()
  async function run<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
    if (!database) {
      database = new BetterSqlite(path, { timeout: 5_000 })
      database.pragma('query_only = ON')
    }
    const own = database
    const { rows } = connectionOf(own)
    own.exec('BEGIN')
    try {
      return await work({
        read: async <O>(query: Filled) => rows(query) as O[],
        async *batches(query, size) {
          let batch: unknown[][] = []
          for (const row of own.prepare(query.sql).raw().iterate(query.parameters)) {
            batch.push(row as unknown[])
            if (batch.length < size) continue
            yield batch
            batch = []
            await new Promise(setImmediate)
          }
          if (batch.length > 0) yield batch
        },
      })
    } finally {
      own.exec('COMMIT')
    }
  }
  return {
    take<T>(work: (reader: Reader) => Promise<T>): Promise<T> {
      const mine = last.then(() => run(work))
      last = mine.catch(() => undefined) // whoever asked is told; the next one starts all the same
      return mine
    },
    async close() {
      await last
      database?.close()
    },
  }
}

/** Any number; the same in every process of one installation. */
const FACTS_LOCK = 7_251_101

function pgBackend(reader: Kysely<Database>): Backend {
  return {
    kind: 'postgres',
    reader,
    read: async <O>({ sql, parameters }: Filled) => (await reader.executeQuery(CompiledQuery.raw(sql, parameters))).rows as O[],
    transaction: (_durable, work) =>
      reader.transaction().execute((db) =>
        work({
          db,
          query: async <O>({ sql: text, parameters }: Filled) => (await db.executeQuery(CompiledQuery.raw(text, parameters))).rows as O[],
        }),
      ),
    snapshot: (work) =>
      reader
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute((db) => {
          const read = async <O>({ sql: text, parameters }: Filled) =>
            (await db.executeQuery(CompiledQuery.raw(text, parameters))).rows as O[]
          return work({
            read,
            async *batches(query, size) {
              const rows = await read<Record<string, unknown>>(query)
              for (let from = 0; from < rows.length; from += size) {
                yield rows.slice(from, from + size).map((row) => Object.values(row))
                await new Promise(setImmediate)
              }
            },
          })
        }),
    serialiseFacts: async ({ db }) => void (await sql`select pg_advisory_xact_lock(${sql.lit(FACTS_LOCK)})`.execute(db)),
    shrink: () => false, // its own vacuum does it
    settle: () => undefined,
    async backup() {
      throw new Fault('invalid', 'A PostgreSQL database is backed up with pg_dump.')
    },
    close: () => reader.destroy(),
  }
}

/**
 * Text is compared byte by byte, as SQLite does it: ids are found by ranges and put in their order, and the language of a PostgreSQL
 * server has another order. Changes only columns that are not so yet; call it after migrating.
 */
export async function compareBytewise(db: Kysely<Database>): Promise<void> {
  const { rows } = await sql<{ table: string; column: string }>`
    select c.relname as table, a.attname as column
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      and a.atttypid = 'text'::regtype and a.attcollation = '"default"'::regcollation
    order by 1, 2`.execute(db)
  for (const table of new Set(rows.map((row) => row.table))) {
    const changes = rows
      .filter((row) => row.table === table)
      .map(({ column }) => sql`alter column ${sql.ref(column)} type text collate "C"`)
    await sql`alter table ${sql.table(table)} ${sql.join(changes)}`.execute(db)
  }
}

async function postgres(url: string): Promise<Backend> {
  const { default: pg } = await import('pg')
  const INT8 = 20
  const types: { getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown } = {
    getTypeParser: (oid, format) => (oid === INT8 ? Number : (pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown)),
  }
  const pool = new pg.Pool({ connectionString: url, max: 10, types: types as never }) // the declared type of getTypeParser is narrower than what pg calls
  pool.on('error', () => undefined) // an idle connection broke: the next query opens another and reports what is wrong
  return { ...pgBackend(new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })), wire: pgWire(() => new pg.Client(url)) }
}

const CHANNEL = 'banyan_facts'
const AGAIN_MS = 1_000
/** On a connection of its own, which is opened anew when it breaks. */
function pgWire(client: () => Client): Wire {
  return {
    announce: async ({ db }, words) => void (await sql`select pg_notify(${CHANNEL}, ${words})`.execute(db)),
    hear(heard, missed) {
      let open: Client | undefined
      let timer: NodeJS.Timeout | undefined
      let closed = false
      const begin = (): void => {
        const mine = client()
        open = mine
        const broke = () => {
          if (open !== mine) return
          open = undefined
          mine.end().catch(() => undefined) // it is broken already
          if (!closed) timer = setTimeout(begin, AGAIN_MS).unref()
        }
        mine.on('error', broke)
        mine.on('end', broke)
        mine.on('notification', ({ payload = '' }) => heard(payload))
        mine
          .connect()
          .then(() => mine.query(`listen ${CHANNEL}`))
          .then(missed, broke)
      }
      begin()
      return async () => {
        closed = true
        clearTimeout(timer)
        const last = open
        open = undefined
        await last?.end().catch(() => undefined) // it broke by itself
      }
    },
  }
}

/** PostgreSQL inside this process, for tests: one connection, so it proves the dialect and not concurrency. */
async function pglite(path: string): Promise<Backend> {
  const { PGlite } = await import('@electric-sql/pglite')
  const INT8 = 20
  const lite = await PGlite.create(path || 'memory://', { parsers: { [INT8]: Number } })
  return pgBackend(new Kysely<Database>({ dialect: new PGliteDialect({ pglite: lite }) }))
}
