/** Rows of other people's servers and their tools, as values. */
import type { Selectable } from 'kysely'
import { AddServer, type ServerPolicy, type ServerToolState } from '../contract/api-servers.ts'
import type { Isolation } from '../exec/exec.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import type { About } from './hub-connect.ts'
import type { Definition, HeldTool } from './hub-definitions.ts'
import type { KeptLogin } from './hub-login.ts'

export type Spec = Omit<AddServer, 'name'>
export type Walls = 'sandbox' | 'plain' | 'asks'
export type HubTool = HeldTool & { policy: ServerPolicy | null }
export type Held = {
  name: string
  spec: Spec
  /** What its program runs within on this machine; `asks`: without a sandbox, which nobody has allowed; null: it is an address. */
  walls: Walls | null
  enabled: boolean
  policy: ServerPolicy
  /** What `allow` says holds for tainted tasks too. */
  tainted: boolean
  trusted: boolean
  about: About | null
  offered: number
  failures: number
  retryAt: number | null
  problem: string | null
  login: KeptLogin | null
  createdBy: string
  createdAt: number
  updatedAt: number
  /** By their names for agents. */
  tools: ReadonlyMap<string, HubTool>
}

/** `isolation`: what programs run at here when nobody says otherwise. */
export async function readServers(store: Store, isolation: Isolation): Promise<Map<string, Held>> {
  const [servers, tools] = await Promise.all([
    store.db.selectFrom('mcp_servers').selectAll().orderBy('name').execute(),
    store.db.selectFrom('mcp_tools').selectAll().orderBy('tool').execute(),
  ])
  return new Map(
    servers.map((row) => [
      row.name,
      toHeld(
        row,
        tools.filter((tool) => tool.server === row.name),
        isolation,
      ),
    ]),
  )
}

export function specOf(server: string, written: string): Spec {
  const { name: _, ...spec } = AddServer.parse({ name: server, ...JSON.parse(written) })
  return spec
}
/** A container is no place for a program that is spoken with: there it runs in the sandbox. */
function wallsOf(spec: Spec, isolation: Isolation): Walls | null {
  if (spec.url !== undefined) return null
  if (spec.isolation === 'plain') return 'plain'
  if (isolation !== 'plain') return 'sandbox'
  return spec.withoutSandbox === 'plain' ? 'plain' : 'asks'
}
function toHeld(row: Selectable<Database['mcp_servers']>, tools: readonly Selectable<Database['mcp_tools']>[], isolation: Isolation): Held {
  const spec = specOf(row.name, row.spec)
  return {
    name: row.name,
    spec,
    walls: wallsOf(spec, isolation),
    enabled: row.enabled === 1,
    policy: row.policy as ServerPolicy,
    tainted: row.tainted === 1,
    trusted: row.trusted === 1,
    about: row.about === null ? null : (JSON.parse(row.about) as About),
    offered: row.offered,
    failures: row.failures,
    retryAt: row.retry_at === null ? null : Number(row.retry_at),
    problem: row.problem,
    login: row.login === null ? null : (JSON.parse(row.login) as KeptLogin),
    createdBy: row.created_by,
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    tools: new Map(
      tools.map((tool) => [
        tool.tool,
        {
          tool: tool.tool,
          name: tool.name,
          sha: tool.sha,
          definition: JSON.parse(tool.definition) as Definition,
          approvedSha: tool.approved_sha,
          approved: tool.approved === null ? null : (JSON.parse(tool.approved) as Definition),
          state: tool.state as ServerToolState,
          problem: tool.problem,
          policy: tool.policy as ServerPolicy | null,
        },
      ]),
    ),
  }
}

/** Writes down a look at a server: its tools as they are now. What a person said of a tool stays. */
export async function putTools(tx: Tx, server: string, tools: readonly HeldTool[], forget: readonly string[]): Promise<void> {
  if (forget.length > 0)
    await tx.db
      .deleteFrom('mcp_tools')
      .where('tool', 'in', [...forget])
      .execute()
  for (const one of tools) {
    const row = {
      definition: JSON.stringify(one.definition),
      sha: one.sha,
      approved: one.approved === null ? null : JSON.stringify(one.approved),
      approved_sha: one.approvedSha,
      state: one.state,
      problem: one.problem,
      seen_at: tx.now,
    }
    await tx.db
      .insertInto('mcp_tools')
      .values({ tool: one.tool, server, name: one.name, policy: null, ...row })
      .onConflict((c) => c.column('tool').doUpdateSet(row))
      .execute()
  }
}
