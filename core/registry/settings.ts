/** What the owner decided for the whole system, as versions: the policy, and settings that hold over those of the environment. */
import { sql } from 'kysely'
import { DEFAULT_POLICY, type PolicyItem, SystemPolicy } from '../contract/api-settings.ts'
import { Fault } from '../contract/fault.ts'
import { prepare } from '../store/prepared.ts'
import type { Store } from '../store/store.ts'

const KIND = 'setting'
const POLICY = 'policy'

const newest = prepare<{ name: string }>()((db, p) =>
  db
    .selectFrom('versions')
    .selectAll()
    .where('kind', '=', sql.lit(KIND))
    .where('name', '=', p.name)
    .orderBy('version', 'desc')
    .limit(sql.lit(1) as never),
)

/** Finds nothing nearly always, and then costs a third of reading the newest. */
const newer = prepare<{ name: string; version: number }>()((db, p) =>
  db
    .selectFrom('versions')
    .selectAll()
    .where('kind', '=', sql.lit(KIND))
    .where('name', '=', p.name)
    .where('version', '>', p.version)
    .orderBy('version'),
)

type Row = { version: number; body: string; author: string; at: number }
const toPolicy = (row: Row): PolicyItem => ({
  version: row.version,
  author: row.author,
  updatedAt: new Date(row.at).toISOString(),
  policy: SystemPolicy.parse(JSON.parse(row.body)),
})

export type Settings = ReturnType<typeof openSettings>

export function openSettings(store: Store) {
  /** `from`: the version that the writer began with; if another one was saved since, nothing is. */
  const save = (name: string, body: unknown, by: string, from?: number): Promise<void> =>
    store.transact(
      async (tx) => {
        const [last] = await tx.query(newest, { name })
        if (from !== undefined && (last?.version ?? 0) !== from)
          throw new Fault(
            'stale',
            `The ${name} was changed meanwhile: you began with version ${from}, and version ${last?.version ?? 0} by ${last?.author ?? 'nobody'} is the newest; load it, put your change on top and save again.`,
          )
        const version = (last?.version ?? 0) + 1
        await tx.db
          .insertInto('versions')
          .values({ kind: KIND, name, version, body: JSON.stringify(body), author: by, at: tx.now })
          .execute()
        tx.record(null, { type: 'settings.saved', name, version, by })
      },
      { durable: true },
    )

  let known: PolicyItem = { version: 0, author: 'default', updatedAt: null, policy: DEFAULT_POLICY }
  // Versions only grow, so whatever another process saved is above what this one knows.
  const policy = async (): Promise<PolicyItem> => {
    const row = (await store.read(newer, { name: POLICY, version: known.version })).at(-1)
    if (row && row.version > known.version) known = toPolicy(row)
    return known
  }
  return {
    /** What holds now; read before each reply's calls, so that a change holds from the next one on. */
    policy,
    async savePolicy(body: SystemPolicy, by: string, from?: number): Promise<PolicyItem> {
      await save(POLICY, body, by, from)
      return policy()
    },
    async policyVersions(): Promise<PolicyItem[]> {
      const rows = await store.db
        .selectFrom('versions')
        .selectAll()
        .where('kind', '=', KIND)
        .where('name', '=', POLICY)
        .orderBy('version', 'desc')
        .execute()
      return rows.map(toPolicy)
    },
    /** A setting that the owner set here; null: none, or taken back. */
    async value(name: string): Promise<string | null> {
      const [row] = await store.read(newest, { name })
      return row ? (JSON.parse(row.body) as { value: string | null }).value : null
    },
    saveValue: (name: string, value: string | null, by: string): Promise<void> => save(name, { value }, by),
  }
}
