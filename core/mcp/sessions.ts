/**
 * Sessions of clients that speak a revision before 2026-07-28. What began a session is a row: a session that this process does not know is
 * made again from it, so that clients go on after a restart as if there was none. A session belongs to who began it. Rows are bounded for each
 * principal and go when nobody used them for a month; what is in memory goes after half an hour.
 */
import { randomUUID } from 'node:crypto'
import {
  type AuthInfo,
  isInitializeRequest,
  type JSONRPCMessage,
  type Server,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { Principal } from '../auth/principal.ts'
import type { Lender, SamplingAnswer } from '../models/sampling.ts'
import type { Store } from '../store/store.ts'
import { openReplay, type Replay } from './replay.ts'
import { authInfoOf, principalOf, type Subscriptions } from './server.ts'

/** Sessions that one principal may have; the one that was used longest ago ends. */
const MOST = 50
const ROW_MS = 30 * 86_400_000
const MEMORY_MS = 30 * 60_000
/** Uses are noted at most this often, so that looking is not writing. */
const NOTED_MS = 60_000
/** A person at the client may look at each request first. */
const SAMPLING_MS = 600_000
/** Whoever answers for an agent decides what it does; looking alone is not enough for that. */
const mayLend = ({ scopes }: Principal): boolean => scopes.has('goals:write') || scopes.has('work')
/** How soon clients come back to a stream that ended. */
const RETRY_MS = 1_000

type Session = {
  id: string
  owner: string
  principal: Principal
  transport: WebStandardStreamableHTTPServerTransport
  server: Server
  replay: Replay
  uris: Set<string>
  /** Aborts when the client no longer listens on the stream that it opened for what comes unasked; absent: it never opened one. */
  listening?: AbortSignal
  usedAt: number
  notedAt: number
}
export type Sessions = ReturnType<typeof openSessions>

/** Who a session belongs to: the token, the browser or the admin token that began it. */
export const ownerOf = ({ via, userId }: Principal): string => (via.kind === 'token' ? `token:${via.id}` : `${via.kind}:${userId}`)

export function openSessions(parts: {
  store: Store
  build: (principal: Principal, subscriptions: Subscriptions) => Server
  now: () => number
  log: (words: string, cause: unknown) => void
}) {
  const { store, now } = parts
  const live = new Map<string, Session>()
  /** Two requests that come at once must not make a session twice; a stranger's must not stand in the way of its owner's. */
  const opening = new Map<string, Promise<Session | null>>()

  async function open(id: string, principal: Principal, given: readonly string[], keep: ((session: Session) => Promise<void>) | null) {
    const uris = new Set(given)
    const write = () =>
      store.transact(async (tx) => {
        await tx.db
          .updateTable('mcp_sessions')
          .set({ subscriptions: JSON.stringify([...uris]) })
          .where('id', '=', id)
          .execute()
      })
    const server = parts.build(principal, {
      async add(uri) {
        uris.add(uri)
        await write()
      },
      async remove(uri) {
        uris.delete(uri)
        await write()
      },
    })
    const replay = openReplay()
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: replay,
      retryInterval: RETRY_MS,
      onsessioninitialized: async () => {
        await keep?.(session)
        live.set(id, session)
      },
      onsessionclosed: () => forget(id),
    })
    const session: Session = { id, owner: ownerOf(principal), principal, transport, server, replay, uris, usedAt: now(), notedAt: now() }
    await server.connect(transport)
    const closed = transport.onclose
    transport.onclose = () => {
      live.delete(id)
      closed?.()
    }
    return session
  }

  /** The session as its row tells it, ready for the next request; null: there is no such session of theirs. */
  async function restore(id: string, principal: Principal, request: Request): Promise<Session | null> {
    const row = await store.db.selectFrom('mcp_sessions').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row || row.principal !== ownerOf(principal)) return null
    const initialize = JSON.parse(row.initialize) as JSONRPCMessage
    const session = await open(id, principal, JSON.parse(row.subscriptions) as string[], null)
    const headers = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' }
    const authInfo = authInfoOf(principal)
    const begun = await session.transport.handleRequest(new Request(request.url, { method: 'POST', headers }), {
      parsedBody: initialize,
      authInfo,
    })
    await begun.text()
    const ready = { jsonrpc: '2.0', method: 'notifications/initialized' }
    const told = new Request(request.url, { method: 'POST', headers: { ...headers, 'mcp-session-id': id } })
    await (await session.transport.handleRequest(told, { parsedBody: ready, authInfo })).text()
    return session
  }

  async function find(id: string, principal: Principal, request: Request): Promise<Session | null> {
    const known = live.get(id)
    if (known) return known.owner === ownerOf(principal) ? known : null
    const key = `${ownerOf(principal)} ${id}`
    const under = opening.get(key) ?? restore(id, principal, request).finally(() => opening.delete(key))
    opening.set(key, under)
    return under
  }

  async function keep(session: Session, initialize: unknown): Promise<void> {
    const gone = await store.transact(async (tx) => {
      const row = {
        id: session.id,
        principal: session.owner,
        initialize: JSON.stringify(initialize),
        subscriptions: '[]',
        created_at: tx.now,
        last_seen_at: tx.now,
      }
      await tx.db.insertInto('mcp_sessions').values(row).execute()
      await tx.db
        .deleteFrom('mcp_sessions')
        .where('last_seen_at', '<', tx.now - ROW_MS)
        .execute()
      const all = await tx.db
        .selectFrom('mcp_sessions')
        .select('id')
        .where('principal', '=', session.owner)
        .orderBy('last_seen_at', 'desc')
        .execute()
      const ids = all
        .map((one) => one.id)
        .filter((id) => id !== session.id)
        .slice(MOST - 1)
      if (ids.length > 0) await tx.db.deleteFrom('mcp_sessions').where('id', 'in', ids).execute()
      return ids
    })
    for (const id of gone) await live.get(id)?.transport.close()
  }
  async function forget(id: string): Promise<void> {
    await store.transact(async (tx) => {
      await tx.db.deleteFrom('mcp_sessions').where('id', '=', id).execute()
    })
  }
  async function note(session: Session): Promise<void> {
    session.usedAt = now()
    if (session.usedAt - session.notedAt < NOTED_MS) return
    session.notedAt = session.usedAt
    await store.transact(async (tx) => {
      await tx.db.updateTable('mcp_sessions').set({ last_seen_at: tx.now }).where('id', '=', session.id).execute()
    })
  }

  return {
    /** Answers a request; `body` is its JSON. Its headers are those of the client. */
    async handle(request: Request, body: unknown, authInfo: AuthInfo): Promise<Response> {
      const principal = principalOf(authInfo)
      const id = request.headers.get('mcp-session-id')
      if (id === null) {
        if (request.method !== 'POST' || !isInitializeRequest(body))
          return refusal(400, -32_000, 'There is no session: begin with an initialize request, then send its Mcp-Session-Id.')
        const session = await open(randomUUID(), principal, [], (made) => keep(made, body))
        return session.transport.handleRequest(request, { parsedBody: body, authInfo })
      }
      const session = await find(id, principal, request)
      if (session === null) return refusal(404, -32_001, 'There is no such session; begin a new one with an initialize request.')
      session.principal = principal
      await note(session)
      if (request.method === 'GET') session.listening = request.signal
      return session.transport.handleRequest(session.replay.known(request), {
        authInfo,
        ...(body === undefined ? {} : { parsedBody: body }),
      })
    },
    /** Tells the sessions that asked for it. */
    changed(uris: ReadonlySet<string>, list: boolean): void {
      for (const { server, uris: asked } of live.values()) {
        for (const uri of asked) if (uris.has(uri)) server.sendResourceUpdated({ uri }).catch(() => undefined) // it is gone, and hears of it when it is back
        if (list) server.sendResourceListChanged().catch(() => undefined) // as above
      }
    },
    /** Whom the sessions in memory speak for. */
    principals: (): Principal[] => [...live.values()].map((session) => session.principal),
    /** Tells those whose list of tools is another. */
    toolsChanged(concerns: (principal: Principal) => boolean): void {
      for (const { server, principal } of live.values()) if (concerns(principal)) server.sendToolListChanged().catch(() => undefined) // it is gone, and lists anew when it is back
    },
    /** The client that was used last of those that lend their model and may; null: none does. */
    lender(): Lender | null {
      const lending = [...live.values()].filter(
        ({ server, principal, listening }) =>
          listening?.aborted === false && server.getClientCapabilities()?.sampling !== undefined && mayLend(principal),
      )
      const newest = lending.sort((a, b) => b.usedAt - a.usedAt)[0]
      if (newest === undefined) return null
      const { server } = newest
      const listening = newest.listening!
      return {
        tools: server.getClientCapabilities()?.sampling?.tools !== undefined,
        ask: (request, signal) =>
          server.createMessage(request as never, {
            signal: AbortSignal.any([signal, listening]),
            timeout: SAMPLING_MS,
          }) as Promise<SamplingAnswer>,
      }
    },
    any: (): boolean => live.size > 0,
    count: (): number => live.size,
    /** Ends those in memory that nobody used for long, and those whose principal may no more; rows stay. */
    async tidy(mayStill: (principal: Principal) => Promise<boolean>): Promise<void> {
      for (const session of [...live.values()])
        if (now() - session.usedAt > MEMORY_MS || !(await mayStill(session.principal))) await session.transport.close()
    },
    /** Lets go of all of them; rows stay. */
    async close(): Promise<void> {
      for (const session of [...live.values()]) await session.transport.close()
    },
  }
}

/** An error of JSON-RPC; `id` is that of the request where it could be read. */
export const refusal = (
  status: number,
  code: number,
  message: string,
  more: { id?: string | number | null | undefined; data?: unknown } = {},
): Response =>
  new Response(
    JSON.stringify({ jsonrpc: '2.0', id: more.id ?? null, error: { code, message, ...(more.data ? { data: more.data } : {}) } }),
    {
      status,
      headers: { 'content-type': 'application/json' },
    },
  )
