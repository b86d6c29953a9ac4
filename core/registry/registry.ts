/** Agents, documents and tools as rows. Every save is a version; a seed never overwrites what a person or an agent changed. */
import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import { Fault } from '../contract/fault.ts'
import {
  Agent,
  type Cause,
  Document,
  type EntryOf,
  REGISTRY_KINDS,
  type RegistryKind,
  ToolEntry,
  type Versioned,
} from '../contract/registry.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import type { Seeds } from './read-seeds.ts'

const TABLES = { agent: 'agents', document: 'documents', tool: 'tools' } as const
/** The three tables have the same columns, so one name stands for all of them where queries are typed. */
const tableOf = (kind: RegistryKind): 'agents' => TABLES[kind] as 'agents'
export const SCHEMAS = { agent: Agent, document: Document, tool: ToolEntry } as const

const ENTRY = {
  agent: prepare<{ name: string }>()((db, p) => db.selectFrom('agents').selectAll().where('name', '=', p.name)),
  document: prepare<{ name: string }>()((db, p) => db.selectFrom('documents').selectAll().where('name', '=', p.name)),
  tool: prepare<{ name: string }>()((db, p) => db.selectFrom('tools').selectAll().where('name', '=', p.name)),
}
const stampQuery = prepare<object>()((db) => db.selectFrom('meta').select('value').where('key', '=', 'registry_stamp'))

export type Registry = ReturnType<typeof openRegistry>

export function openRegistry(store: Store) {
  async function get<K extends RegistryKind>(kind: K, name: string): Promise<Versioned<EntryOf[K]> | undefined> {
    const [row] = await store.read(ENTRY[kind], { name })
    return row && toEntry<K>(row)
  }

  /**
   * Saves a new version; a body equal to the newest saves nothing. A Fault names the field that is wrong. `from`: the version that the writer
   * began with; if another one was saved since, nothing is. `cause`: what made it, beside its author.
   */
  async function save<K extends RegistryKind>(
    kind: K,
    body: unknown,
    author: string,
    from?: number,
    cause?: Cause,
  ): Promise<Versioned<EntryOf[K]>> {
    const parsed = SCHEMAS[kind].safeParse(body)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!
      throw new Fault('invalid', `The ${kind} is not right: ${issue.path.join('.') || 'it'}: ${issue.message}.`)
    }
    await checkReferences(kind, parsed.data)
    await store.transact(
      async (tx) => {
        await mustBeNewest(tx, kind, parsed.data.name, from)
        await put(tx, kind, parsed.data as EntryOf[K], author, null, cause)
      },
      { durable: true },
    )
    return (await get(kind, parsed.data.name))!
  }

  return {
    get,
    async list<K extends RegistryKind>(kind: K): Promise<Versioned<EntryOf[K]>[]> {
      return (await store.db.selectFrom(tableOf(kind)).selectAll().orderBy('name').execute()).map((row) => toEntry<K>(row))
    },

    save,

    /** As `save`, as a part of another commit; the caller has checked the body. Answers the version. */
    saveIn: <K extends RegistryKind>(tx: Tx, kind: K, body: EntryOf[K], author: string, cause?: Cause): Promise<number> =>
      put(tx, kind, SCHEMAS[kind].parse(body) as EntryOf[K], author, null, cause),

    /**
     * Saves an earlier version anew, in the name of whoever asks; a removed entry is back with it. A Fault where there is no such version, or
     * where what it names is gone.
     */
    async restore<K extends RegistryKind>(kind: K, name: string, version: number, author: string): Promise<Versioned<EntryOf[K]>> {
      const { version: _version, author: _author, updatedAt: _at, ...body } = await this.version(kind, name, version)
      return save(kind, body, author, undefined, { kind: 'restore', version })
    },

    /** The row goes, its versions stay: saving the name again goes on counting. `from`: as in `save`. */
    async remove(kind: RegistryKind, name: string, author: string, from?: number): Promise<void> {
      await store.transact(async (tx) => {
        await mustBeNewest(tx, kind, name, from)
        const gone = await tx.db.deleteFrom(tableOf(kind)).where('name', '=', name).returning('name').executeTakeFirst()
        if (!gone) throw new Fault('not_found', `There is no ${kind} ${name}.`)
        await stamp(tx)
        tx.record(null, { type: 'registry.removed', kind, name, by: author })
      })
    },

    /** Whether this author is, or ever was, an agent: what it saved, no person has saved since. */
    async isAgent(author: string): Promise<boolean> {
      if (author === 'seed') return false
      const ask = store.db.selectFrom('versions').select('version').where('kind', '=', 'agent').where('name', '=', author).limit(1)
      return (await ask.executeTakeFirst()) !== undefined
    },

    /** Newest first. */
    async versions<K extends RegistryKind>(kind: K, name: string): Promise<Versioned<EntryOf[K]>[]> {
      const rows = await store.db
        .selectFrom('versions')
        .selectAll()
        .where('kind', '=', kind)
        .where('name', '=', name)
        .orderBy('version', 'desc')
        .execute()
      return rows.map((row) => ofVersion<K>(row))
    },

    /** Who and what made each version, newest first; none where the name was never used. */
    async lineage(kind: RegistryKind, name: string): Promise<{ version: number; author: string; at: string; cause: Cause | null }[]> {
      const rows = await store.db
        .selectFrom('versions')
        .select(['version', 'author', 'at', 'cause'])
        .where('kind', '=', kind)
        .where('name', '=', name)
        .orderBy('version', 'desc')
        .execute()
      return rows.map(({ version, author, at, cause }) => ({
        version: Number(version),
        author,
        at: new Date(Number(at)).toISOString(),
        cause: cause === null ? null : (JSON.parse(cause) as Cause),
      }))
    },

    /** One version of an entry, removed or not. */
    async version<K extends RegistryKind>(kind: K, name: string, version: number): Promise<Versioned<EntryOf[K]>> {
      const row = await store.db
        .selectFrom('versions')
        .selectAll()
        .where('kind', '=', kind)
        .where('name', '=', name)
        .where('version', '=', version)
        .executeTakeFirst()
      if (!row) throw new Fault('not_found', `There is no version ${version} of the ${kind} ${JSON.stringify(name)}.`)
      return ofVersion<K>(row)
    },

    /** The newest version of each entry that was removed, newest first. */
    async removed(): Promise<{ kind: RegistryKind; entry: Versioned<EntryOf[RegistryKind]> }[]> {
      const found = await Promise.all(
        REGISTRY_KINDS.map(async (kind) => {
          const rows = await store.db
            .selectFrom('versions as v')
            .selectAll('v')
            .where('v.kind', '=', kind)
            .where((e) => e.not(e.exists(e.selectFrom(tableOf(kind)).select('name').whereRef('name', '=', 'v.name'))))
            .where((e) =>
              e(
                'v.version',
                '=',
                e
                  .selectFrom('versions as n')
                  .select((m) => m.fn.max('n.version').as('version'))
                  .where('n.kind', '=', kind)
                  .whereRef('n.name', '=', 'v.name'),
              ),
            )
            .execute()
          return rows.map((row) => ({ kind, entry: ofVersion(row) }))
        }),
      )
      return found.flat().sort((a, b) => b.entry.updatedAt.localeCompare(a.entry.updatedAt))
    },

    /** Brings in what is new or changed in the seeds. Repeatable; returns what it saved. */
    async seed(seeds: Seeds): Promise<string[]> {
      return store.transact(async (tx) => {
        const saved: string[] = []
        const bring = async <K extends RegistryKind>(kind: K, entries: readonly EntryOf[K][]) => {
          for (const entry of entries) {
            const hash = hashOf(entry)
            const row = await tx.db
              .selectFrom(tableOf(kind))
              .select(['seed_hash', 'version'])
              .where('name', '=', entry.name)
              .executeTakeFirst()
            if (row && (row.seed_hash === null || row.seed_hash === hash)) continue
            if (
              !row &&
              (await tx.db
                .selectFrom('versions')
                .select('version')
                .where('kind', '=', kind)
                .where('name', '=', entry.name)
                .executeTakeFirst())
            )
              continue // somebody removed it
            await put(tx, kind, entry, 'seed', hash)
            saved.push(`${kind} ${entry.name}`)
          }
        }
        await bring('document', seeds.documents)
        await bring('tool', seeds.tools)
        await bring('agent', seeds.agents)
        return saved
      })
    },

    /** Changes whenever any entry does; what was derived from entries is kept as long as this stays. */
    async stamp(): Promise<string> {
      return (await store.read(stampQuery, {}))[0]?.value ?? '0'
    },
  }

  async function checkReferences(kind: RegistryKind, body: { name: string }): Promise<void> {
    if (kind !== 'agent') return
    const agent = body as Agent
    for (const [field, of] of [
      ['documents', 'document'],
      ['tools', 'tool'],
    ] as const)
      for (const name of agent[field])
        if (!(await get(of, name))) throw new Fault('invalid', `The agent is not right: ${field}: there is no ${of} "${name}".`)
  }
}

async function put<K extends RegistryKind>(
  tx: Tx,
  kind: K,
  body: EntryOf[K],
  author: string,
  seedHash: string | null,
  cause?: Cause,
): Promise<number> {
  const last = await tx.db
    .selectFrom('versions')
    .select(['version', 'body'])
    .where('kind', '=', kind)
    .where('name', '=', body.name)
    .orderBy('version', 'desc')
    .executeTakeFirst()
  const text = JSON.stringify(body)
  const present = await tx.db.selectFrom(tableOf(kind)).select('version').where('name', '=', body.name).executeTakeFirst()
  if (present && last?.body === text && author !== 'seed') return present.version
  const version = (last?.version ?? 0) + 1
  await tx.db
    .insertInto('versions')
    .values({ kind, name: body.name, version, body: text, author, at: tx.now, cause: cause ? JSON.stringify(cause) : null })
    .execute()
  const row = {
    version,
    description: body.description,
    body: text,
    enabled: body.enabled ? 1 : 0,
    seed_hash: seedHash,
    author,
    updated_at: tx.now,
  }
  await tx.db
    .insertInto(tableOf(kind))
    .values({ name: body.name, ...row })
    .onConflict((c) => c.column('name').doUpdateSet(row))
    .execute()
  await stamp(tx)
  tx.record(null, { type: 'registry.saved', kind, name: body.name, version, by: author })
  return version
}

async function mustBeNewest(tx: Tx, kind: RegistryKind, name: string, from: number | undefined): Promise<void> {
  if (from === undefined) return
  const row = await tx.db.selectFrom(tableOf(kind)).select(['version', 'author']).where('name', '=', name).executeTakeFirst()
  if (row?.version === from) return
  const since = row ? `version ${row.version} by ${row.author} is the newest` : 'it was removed'
  throw new Fault(
    'stale',
    `The ${kind} ${JSON.stringify(name)} was changed meanwhile: you began with version ${from}, and ${since}; load it, put your change on top and save again.`,
  )
}

async function stamp(tx: Tx): Promise<void> {
  const old = await tx.db.selectFrom('meta').select('value').where('key', '=', 'registry_stamp').executeTakeFirst()
  const value = String(Number(old?.value ?? 0) + 1)
  await tx.db
    .insertInto('meta')
    .values({ key: 'registry_stamp', value })
    .onConflict((c) => c.column('key').doUpdateSet({ value }))
    .execute()
}

const hashOf = (entry: unknown): string => createHash('sha256').update(JSON.stringify(entry)).digest('hex').slice(0, 32)

const ofVersion = <K extends RegistryKind>(row: Selectable<Database['versions']>): Versioned<EntryOf[K]> => ({
  ...(JSON.parse(row.body) as EntryOf[K]),
  version: row.version,
  author: row.author,
  updatedAt: new Date(row.at).toISOString(),
})

function toEntry<K extends RegistryKind>(row: Selectable<Database['agents']>): Versioned<EntryOf[K]> {
  return {
    ...(JSON.parse(row.body) as EntryOf[K]),
    version: row.version,
    author: row.author,
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}
