/**
 * The door to the database. State and the facts that tell of it commit together, through `transact` and nothing else; works that are
 * waiting at the same moment share one commit (0.6 times the CPU of one commit each, measured).
 */
import { type Kysely, sql } from 'kysely'
import type { Event, Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { type Backend, compareBytewise, openBackend, type Session } from './dialect.ts'
import { type Migration, migrate } from './migrate.ts'
import { followOthers, type Others } from './others.ts'
import { compiler, type Prepared, prepare } from './prepared.ts'
import type { Database } from './tables.ts'

export type Tx = {
  /** For everything that is not on the hot path. */
  db: Kysely<Database>
  query<P, O>(prepared: Prepared<P, O>, values: P): Promise<O[]>
  /** The fact commits with the rows, or not at all. */
  record(treeId: string | null, fact: Fact): void
  /** Runs when, and only when, everything is committed. Must not throw. */
  afterCommit(act: () => void): void
  /** Milliseconds since 1970, the same for the whole work. */
  readonly now: number
  readonly kind: 'sqlite' | 'postgres'
  /** Rows this work has loaded, by id: two functions that change one row change one object. */
  readonly loaded: Map<string, unknown>
}

export type SnapshotReader = {
  read<P, O>(prepared: Prepared<P, O>, values: P): Promise<O[]>
  /** Rows as arrays in the order of the selected columns, `size` at a time; the process does other work in between. */
  batches<P, O>(prepared: Prepared<P, O>, values: P, size: number): AsyncIterable<unknown[][]>
  lastSeq(): Promise<number>
}

export type Store = {
  /** Sees committed rows only. */
  db: Kysely<Database>
  read<P, O>(prepared: Prepared<P, O>, values: P): Promise<O[]>
  /**
   * Runs `work` in a transaction of its own or, with others that wait, as one part of a shared one: if it throws, its own changes are
   * undone and the others' stay. `work` awaits nothing but `tx` (it holds the one writing connection), and
   * changes nothing outside it: it may run again from its start.
   * `durable`: survives a power cut from the moment this resolves.
   */
  transact<T>(work: (tx: Tx) => Promise<T>, options?: { durable?: boolean }): Promise<T>
  /**
   * Runs reads that all see the database at one moment, so that rows and the number of the newest fact belong together. One at a time:
   * `work` awaits nothing but `reader`.
   */
  snapshot<T>(work: (reader: SnapshotReader) => Promise<T>): Promise<T>
  /** Facts with a number above `seq`, in order, without a gap. */
  eventsAfter(seq: number, options?: { limit?: number; treeId?: string }): Promise<Event[]>
  lastSeq(): Promise<number>
  /** Called after each commit that recorded facts, with those facts. Must not throw. */
  onCommit(listener: (events: readonly Event[]) => void): () => void
  /** As `onCommit`, and told of what other processes on the same database committed too (`own` false), in order, a moment after. Must not throw. */
  onFacts(listener: (events: readonly Event[], own: boolean) => void): () => void
  backup(path: string): Promise<void>
  /** Gives room that is no longer used back to the disk, a little at a time, so that others write in between. */
  compact(): Promise<void>
  /** The lowest schema number whose code may still run on this database. */
  oldestCode(): Promise<number>
  readonly kind: 'sqlite' | 'postgres'
  close(): Promise<void>
}

type Job = { work: (tx: Tx) => Promise<unknown>; durable: boolean; resolve: (value: unknown) => void; reject: (error: unknown) => void }
type Recorded = { treeId: string | null; fact: Fact }

/** Works that share one commit at most; bounds how long one transaction holds the connection. */
const BATCH = 200
/** Pages that one step gives back: 2 MB of 4 kB, some milliseconds. */
const SHRINK_PAGES = 500

/** Facts that one statement writes. */
const FACTS = 16
type EventRow = { at: number; tree_id: string | null; fact: string }
/** One statement for each number of facts: writing them one by one cost a fifth of all statements. */
const insertEvents = Array.from({ length: FACTS }, (_, last) =>
  prepare<Record<string, never>>()((db, p) => {
    const rows = Array.from(
      { length: last + 1 },
      (_, i) => ({ at: p[`at${i}`], tree_id: p[`tree${i}`], fact: p[`fact${i}`] }) as unknown as EventRow,
    )
    return db
      .insertInto('events')
      .values(rows as never)
      .returning('seq')
  }),
)
const after = prepare<{ seq: number; limit: number }>()((db, p) =>
  db.selectFrom('events').selectAll().where('seq', '>', p.seq).orderBy('seq').limit(p.limit),
)
const afterInTree = prepare<{ seq: number; treeId: string; limit: number }>()((db, p) =>
  db.selectFrom('events').selectAll().where('tree_id', '=', p.treeId).where('seq', '>', p.seq).orderBy('seq').limit(p.limit),
)

const newestFact = prepare<Record<never, never>>()((db) => db.selectFrom('events').select((e) => e.fn.max('seq').as('seq')))

export async function openStore(
  url: string,
  options: { now?: () => number; migrations?: readonly Migration[]; failPoint?: (name: string) => void } = {},
): Promise<Store> {
  const now = options.now ?? Date.now
  const failPoint = options.failPoint ?? (() => undefined)
  const backend = await openBackend(url)
  try {
    await backend.transaction(true, async (session) => {
      await backend.serialiseFacts(session) // two processes that start together must not migrate together
      await migrate(session.db, now(), options.migrations)
      if (backend.kind === 'postgres') await compareBytewise(session.db)
      failPoint('store.before-migrated')
    })
    failPoint('store.after-migrated')
  } catch (error) {
    await backend.close()
    throw asFault(error)
  }
  return overBackend(backend, now, failPoint)
}

async function overBackend(backend: Backend, now: () => number, failPoint: (name: string) => void): Promise<Store> {
  const compile = compiler(backend.reader)
  const listeners = new Set<(events: readonly Event[]) => void>()
  const ofAll = new Set<(events: readonly Event[], own: boolean) => void>()
  let queue: Job[] = []
  let flushing: Promise<void> | undefined
  let closed = false

  async function flush(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.slice(0, BATCH)
      queue = queue.slice(BATCH)
      await commit(batch)
    }
    flushing = undefined
  }

  /**
   * One transaction for the whole batch. If one of its works throws, or the database breaks it (deadlock, lost connection), all is undone
   * and each work gets a transaction of its own. Refusals are rare; a savepoint for every work instead made SQLite copy each page it
   * touched, which cost more than shared commits saved.
   */
  async function commit(batch: Job[]): Promise<void> {
    const values: unknown[] = []
    let done: { events: Event[]; acts: (() => void)[] }
    try {
      const durable = batch.some((job) => job.durable)
      done = await backend.transaction(durable, async (session) => {
        const recorded: Recorded[] = []
        const acts: (() => void)[] = []
        const at = now()
        for (const job of batch) values.push(await job.work(txOf(session, at, recorded, acts)))
        failPoint('store.before-facts')
        const events = await writeFacts(session, at, recorded)
        failPoint('store.before-commit')
        return { events, acts }
      })
    } catch (error) {
      if (batch.length === 1) return batch[0]!.reject(asFault(error))
      for (const job of batch) await commit([job])
      return
    }
    failPoint('store.after-commit')
    for (const [i, job] of batch.entries()) job.resolve(values[i])
    for (const act of done.acts) act()
    if (done.events.length > 0) for (const heard of [listeners, ofAll]) for (const listener of heard) listener(done.events, true)
  }

  function txOf(session: Session, at: number, recorded: Recorded[], acts: (() => void)[]): Tx {
    return {
      db: session.db,
      query: <P, O>(prepared: Prepared<P, O>, values: P) => session.query<O>(compile(prepared, values)),
      record: (treeId, fact) => void recorded.push({ treeId, fact }),
      afterCommit: (act) => void acts.push(act),
      now: at,
      kind: backend.kind,
      loaded: new Map(),
    }
  }

  async function writeFacts(session: Session, at: number, recorded: readonly Recorded[]): Promise<Event[]> {
    if (recorded.length === 0) return []
    await backend.serialiseFacts(session)
    const time = new Date(at).toISOString()
    const events: Event[] = []
    for (let from = 0; from < recorded.length; from += FACTS) {
      const some = recorded.slice(from, from + FACTS)
      const values: Record<string, unknown> = {}
      for (const [i, { treeId, fact }] of some.entries()) {
        values[`at${i}`] = at
        values[`tree${i}`] = treeId
        values[`fact${i}`] = JSON.stringify(fact)
      }
      const rows = await session.query<{ seq: number }>(compile(insertEvents[some.length - 1]!, values as Record<string, never>))
      rows.sort((a, b) => a.seq - b.seq) // numbers are drawn in the order of the values; the order of what comes back is not promised
      for (const [i, { treeId, fact }] of some.entries()) events.push({ seq: rows[i]!.seq, at: time, treeId, ...fact })
    }
    await others?.announce(session, events)
    return events
  }

  const read = <P, O>(prepared: Prepared<P, O>, values: P): Promise<O[]> => backend.read<O>(compile(prepared, values))

  const lastSeq = async (): Promise<number> => Number((await read(newestFact, {}))[0]?.seq ?? 0)
  async function eventsAfter(seq: number, { limit = 500, treeId }: { limit?: number; treeId?: string } = {}): Promise<Event[]> {
    const rows = treeId === undefined ? await read(after, { seq, limit }) : await read(afterInTree, { seq, treeId, limit })
    return rows.map((row) => ({
      seq: row.seq,
      at: new Date(row.at).toISOString(),
      treeId: row.tree_id,
      ...(JSON.parse(row.fact) as Fact),
    }))
  }
  const others: Others | null = await followOthers(
    backend,
    { after: (seq, limit) => eventsAfter(seq, { limit }), last: lastSeq },
    (events) => {
      for (const listener of [...ofAll]) listener(events, false)
    },
  )

  const store: Store = {
    db: backend.reader,
    kind: backend.kind,
    read,
    transact<T>(work: (tx: Tx) => Promise<T>, { durable = false } = {}) {
      if (closed) return Promise.reject(new Fault('unavailable', 'The system is stopping; try again when it is back.'))
      return new Promise<T>((resolve, reject) => {
        queue.push({ work, durable, resolve: resolve as (value: unknown) => void, reject })
        flushing ??= new Promise<void>((ended) => setImmediate(() => void flush().then(ended)))
      })
    },
    eventsAfter,
    lastSeq,
    snapshot: (work) =>
      backend.snapshot((reader) => {
        const readOne = <P, O>(prepared: Prepared<P, O>, values: P) => reader.read<O>(compile(prepared, values))
        return work({
          read: readOne,
          batches: (prepared, values, size) => reader.batches(compile(prepared, values), size),
          lastSeq: async () => Number((await readOne(newestFact, {}))[0]?.seq ?? 0),
        })
      }),
    onCommit(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onFacts(listener) {
      ofAll.add(listener)
      return () => ofAll.delete(listener)
    },
    backup: (path) => backend.backup(path),
    async compact() {
      while (!closed && (await store.transact(async () => backend.shrink(SHRINK_PAGES))));
      if (!closed) backend.settle()
    },
    async oldestCode() {
      const row = await sql<{ value: string }>`select value from meta where key = 'oldest_code'`.execute(backend.reader)
      return Number(row.rows[0]?.value ?? 0)
    },
    async close() {
      closed = true
      await flushing
      await others?.close()
      await backend.close()
    },
  }
  return store
}

const FULL: readonly unknown[] = ['SQLITE_FULL', 'ENOSPC', 'EDQUOT']
/** True where there was no room on the disk, in the database or beside it. */
export function isDiskFull(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return FULL.includes(code) || (cause !== undefined && isDiskFull(cause))
}

/** What the machine did to the database, in words with a mend. */
function asFault(error: unknown): unknown {
  const code = (error as { code?: string } | null)?.code
  if (code === 'SQLITE_FULL' || code === 'ENOSPC')
    return new Fault('unavailable', 'The disk that holds the database is full; nothing was lost. Free some space.', { cause: error })
  if (code?.startsWith('SQLITE_READONLY'))
    return new Fault('unavailable', 'The database is read-only; make the data folder writable for this user.', { cause: error })
  if (code === 'SQLITE_BUSY')
    return new Fault('unavailable', 'Another program holds the database; close it and try again.', { cause: error })
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND')
    return new Fault('unavailable', 'PostgreSQL does not answer at DATABASE_URL; start it or mend the address.', { cause: error })
  return error
}
