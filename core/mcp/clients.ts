/** Which programs called over MCP, of either era: kept by who they spoke for and how they call themselves. What they say of themselves is unproven. */

import type { Principal } from '../auth/principal.ts'
import type { McpClientItem } from '../contract/api-outside.ts'
import type { Store } from '../store/store.ts'
import { cleanedLine } from './hub-words.ts'
import { ownerOf } from './sessions.ts'

/** Calls are noted at most this often, so that calling is not writing. */
const NOTED_MS = 60_000
/** Names that one principal may be remembered by; a program that makes up a new one each time fills no table. */
const MOST = 20
const KEPT_MS = 90 * 86_400_000

export type Clients = ReturnType<typeof openClients>
type Said = { name: string; version: string; protocol: string }

export function openClients(store: Store, now: () => number) {
  const noted = new Map<string, number>()
  return {
    /** Notes who sent this, if it says so: at `initialize`, and in every request since 2026-07-28. */
    async saw(principal: Principal, body: unknown): Promise<void> {
      const said = saidIn(body)
      if (said === null) return
      const owner = ownerOf(principal)
      const key = `${owner} ${said.name} ${said.version} ${said.protocol}`
      if (now() - (noted.get(key) ?? 0) < NOTED_MS) return
      if (noted.size > 1_000) noted.clear()
      noted.set(key, now())
      await store.transact(async (tx) => {
        await tx.db
          .deleteFrom('mcp_clients')
          .where('last_seen_at', '<', tx.now - KEPT_MS)
          .execute()
        const before = await tx.db.selectFrom('mcp_clients').select('name').where('principal', '=', owner).execute()
        const isNew = !before.some((one) => one.name === said.name)
        if (isNew && before.length >= MOST) return
        const seen = { version: said.version, protocol: said.protocol, last_seen_at: tx.now }
        await tx.db
          .insertInto('mcp_clients')
          .values({ principal: owner, name: said.name, user_id: principal.userId, first_seen_at: tx.now, ...seen })
          .onConflict((conflict) => conflict.columns(['principal', 'name']).doUpdateSet(seen))
          .execute()
        if (isNew) tx.record(null, { type: 'access.changed', what: 'program connected', subject: said.name, by: principal.name })
      })
    },
    /** Those that spoke for this person, newest first; null: for anybody. A session's calls count as calls of the program that began it. */
    async list(userId: string | null): Promise<McpClientItem[]> {
      const rows = await store.db.selectFrom('mcp_clients').selectAll().orderBy('last_seen_at', 'desc').execute()
      const tokens = new Map(
        (await store.db.selectFrom('api_tokens').select(['id', 'name', 'revoked_at']).execute()).map((one) => [one.id, one]),
      )
      const sessions = await store.db.selectFrom('mcp_sessions').select(['principal', 'initialize', 'last_seen_at']).execute()
      const used = new Map<string, number>()
      for (const session of sessions) {
        const name = saidIn(JSON.parse(session.initialize))?.name
        const key = `${session.principal} ${name}`
        used.set(key, Math.max(used.get(key) ?? 0, session.last_seen_at))
      }
      return rows
        .filter((row) => userId === null || row.user_id === userId)
        .map((row) => {
          const [via, id = ''] = row.principal.split(/:(.*)/)
          const token = via === 'token' ? tokens.get(id) : undefined
          return {
            id: `${row.principal}/${row.name}`,
            name: row.name,
            version: row.version,
            protocol: row.protocol,
            token: token ? { id: token.id, name: token.name, revoked: token.revoked_at !== null } : null,
            firstSeenAt: new Date(row.first_seen_at).toISOString(),
            lastSeenAt: new Date(Math.max(row.last_seen_at, used.get(`${row.principal} ${row.name}`) ?? 0)).toISOString(),
          }
        })
        .sort((a, b) => b.lastSeenAt.localeCompare(a.lastSeenAt))
    },
  }
}

type Raw = Readonly<Record<string, unknown>>
const raw = (value: unknown): Raw => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {})
const META = 'io.modelcontextprotocol'
function saidIn(body: unknown): Said | null {
  const { method, params } = raw(Array.isArray(body) ? body[0] : body)
  const meta = raw(raw(params)._meta)
  const isOld = method === 'initialize'
  const info = raw(isOld ? raw(params).clientInfo : meta[`${META}/clientInfo`])
  const protocol = isOld ? raw(params).protocolVersion : meta[`${META}/protocolVersion`]
  if (typeof info.name !== 'string' || info.name === '') return null
  const line = (value: unknown) => (typeof value === 'string' ? cleanedLine(value, 80) : '')
  return { name: line(info.name), version: line(info.version), protocol: line(protocol) }
}
