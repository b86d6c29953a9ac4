/** Agents, documents and tools as rows. Every save is a version; a seed never overwrites what a person or an agent changed. */
import { createHash } from 'node:crypto'
import type { Selectable } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { Agent, Document, type EntryOf, type RegistryKind, ToolEntry, type Versioned } from '../contract/registry.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import type { Seeds } from './read-seeds.ts'

const TABLES = { agent: 'agents', document: 'documents', tool: 'tools' } as const
/** The three tables have the same columns, so one name stands for all of them where queries are typed. */
const tableOf = (kind: RegistryKind): 'agents' => TABLES[kind] as 'agents'
const SCHEMAS = { agent: Agent, document: Document, tool: ToolEntry } as const

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

  return {
    get,
    async list<K extends RegistryKind>(kind: K): Promise<Versioned<EntryOf[K]>[]> {
      return (await store.db.selectFrom(tableOf(kind)).selectAll().orderBy('name').execute()).map((row) => toEntry<K>(row))
    },

    /** Saves a new version; a body equal to the newest saves nothing. A Fault names the field that is wrong. */
    async save<K extends RegistryKind>(kind: K, body: unknown, author: string): Promise<Versioned<EntryOf[K]>> {
      const parsed = SCHEMAS[kind].safeParse(body)
      if (!parsed.success) {
        const issue = parsed.error.issues[0]!
        throw new Fault('invalid', `The ${kind} is not right: ${issue.path.join('.') || 'it'}: ${issue.message}.`)
      }
      await checkReferences(kind, parsed.data)
      await store.transact((tx) => put(tx, kind, parsed.data as EntryOf[K], author, null), { durable: true })
      return (await get(kind, parsed.data.name))!
    },

    /** The row goes, its versions stay: saving the name again goes on counting. */
    async remove(kind: RegistryKind, name: string, author: string): Promise<void> {
      await store.transact(async (tx) => {
        const gone = await tx.db.deleteFrom(tableOf(kind)).where('name', '=', name).returning('name').executeTakeFirst()
        if (!gone) throw new Fault('not_found', `There is no ${kind} ${name}.`)
        await stamp(tx)
        tx.record(null, { type: 'registry.removed', kind, name, by: author })
      })
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
      return rows.map((row) => ({
        ...(JSON.parse(row.body) as EntryOf[K]),
        version: row.version,
        author: row.author,
        updatedAt: new Date(row.at).toISOString(),
      }))
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

async function put<K extends RegistryKind>(tx: Tx, kind: K, body: EntryOf[K], author: string, seedHash: string | null): Promise<number> {
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
  await tx.db.insertInto('versions').values({ kind, name: body.name, version, body: text, author, at: tx.now }).execute()
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

function toEntry<K extends RegistryKind>(row: Selectable<Database['agents']>): Versioned<EntryOf[K]> {
  return {
    ...(JSON.parse(row.body) as EntryOf[K]),
    version: row.version,
    author: row.author,
    updatedAt: new Date(row.updated_at).toISOString(),
  }
}
