/** Sessions as rows: on every database, over restarts, with their bounds. The clock is the test's. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { OWNER, type Principal } from '../auth/principal.ts'
import { openStore, type Store } from '../store/store.ts'
import { authInfoOf } from './server.ts'
import { openSessions, type Sessions } from './sessions.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}
const token = (id: string): Principal => ({ ...OWNER, via: { kind: 'token', id } })

type Place = { url: string; stop(): Promise<void> }
const sqlite = async (): Promise<Place> => {
  const path = await mkdtemp(join(tmpdir(), 'banyan-sessions-'))
  return { url: `sqlite:${join(path, 'agent_system.db')}`, stop: () => rm(path, { recursive: true, force: true }) }
}

function suite(open: () => Promise<Place>): void {
  let place: Place
  let store: Store
  let now: number
  /** How often an SDK server was made. */
  let made: number
  beforeAll(async () => {
    place = await open()
    store = await openStore(place.url)
  })
  afterAll(async () => {
    await store?.close()
    await place?.stop()
  })
  beforeEach(async () => {
    await store.transact(async (tx) => void (await tx.db.deleteFrom('mcp_sessions').execute()))
    now = Date.now()
    made = 0
  })

  /** As a process has them: what it holds in memory is its own. */
  const opened = (): Sessions =>
    openSessions({
      store,
      now: () => now,
      log: (words, cause) => expect.unreachable(`${words}: ${cause}`),
      build(_principal, subscriptions) {
        made += 1
        const server = new Server({ name: 'test', version: '1' }, { capabilities: { tools: {}, resources: { subscribe: true } } })
        server.setRequestHandler('tools/list', () => ({ tools: [] }))
        server.setRequestHandler('resources/subscribe', async ({ params }) => {
          await subscriptions.add(params.uri)
          return {}
        })
        return server
      },
    })
  const send = (sessions: Sessions, by: Principal, id: string | null, body?: object, signal?: AbortSignal) => {
    const headers = { accept: 'application/json, text/event-stream', ...(id === null ? {} : { 'mcp-session-id': id }) }
    const method = body === undefined ? 'GET' : 'POST'
    const sent = { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
    return sessions.handle(
      new Request('http://127.0.0.1/mcp', { method, headers: sent, ...(signal ? { signal } : {}) }),
      body,
      authInfoOf(by),
    )
  }
  const begin = async (sessions: Sessions, by: Principal = OWNER): Promise<string> => {
    const response = await send(sessions, by, null, initialize)
    await response.text()
    return response.headers.get('mcp-session-id')!
  }
  let asked = 1
  const list = async (sessions: Sessions, id: string, by: Principal = OWNER): Promise<number> => {
    const response = await send(sessions, by, id, { jsonrpc: '2.0', id: ++asked, method: 'tools/list' })
    await response.text()
    return response.status
  }

  test('a session goes on in a process that never saw it, made once however many requests come at once', async () => {
    const id = await begin(opened())
    const after = opened()
    expect(await Promise.all([1, 2, 3].map(() => list(after, id)))).toEqual([200, 200, 200])
    expect([made, after.count()]).toEqual([2, 1])
  })

  test('a session belongs to who began it, also while a stranger asks for it at the same moment', async () => {
    const id = await begin(opened(), token('mine'))
    const after = opened()
    expect(await Promise.all([list(after, id, token('other')), list(after, id, token('mine')), list(after, id)])).toEqual([404, 200, 404])
  })

  test('what a session subscribed to is told after a restart', async () => {
    const before = opened()
    const id = await begin(before)
    await (
      await send(before, OWNER, id, { jsonrpc: '2.0', id: 3, method: 'resources/subscribe', params: { uri: 'banyan://tree/a' } })
    ).text()
    const after = opened()
    const stream = (await send(after, OWNER, id)).body!.pipeThrough(new TextDecoderStream()).getReader()
    after.changed(new Set(['banyan://tree/b', 'banyan://tree/a']), false)
    let heard = ''
    while (!heard.includes('banyan://tree/a')) heard += (await stream.read()).value
    expect(heard).not.toContain('banyan://tree/b')
    await stream.cancel()
  })

  test('a session that nobody uses leaves memory after half an hour and is still there; after a month its row goes', async () => {
    const sessions = opened()
    const id = await begin(sessions)
    now += 29 * MINUTE
    await sessions.tidy(async () => true)
    expect(sessions.count()).toBe(1)
    now += 2 * MINUTE
    await sessions.tidy(async () => true)
    expect(sessions.count()).toBe(0)
    expect(await list(sessions, id)).toBe(200)
    const seen = async (days: number) => {
      await store.transact(async (tx) => {
        await tx.db
          .updateTable('mcp_sessions')
          .set({ last_seen_at: tx.now - days * DAY })
          .where('id', '=', id)
          .execute()
      })
      await begin(sessions)
      return list(opened(), id)
    }
    expect([await seen(29), await seen(31)]).toEqual([200, 404])
  })

  test('a session ends in memory with the right to it, and for good when its client ends it', async () => {
    const sessions = opened()
    const id = await begin(sessions)
    await sessions.tidy(async () => false)
    expect(sessions.count()).toBe(0)
    const gone = new Request('http://127.0.0.1/mcp', { method: 'DELETE', headers: { 'mcp-session-id': id } })
    expect((await sessions.handle(gone, undefined, authInfoOf(OWNER))).status).toBe(200)
    expect([await list(sessions, id), await list(opened(), id)]).toEqual([404, 404])
  })

  test('who begins more than fifty loses the one that was used longest ago, and nobody else loses one', async () => {
    const sessions = opened()
    const other = await begin(sessions, token('other'))
    const ids = []
    for (let i = 0; i < 51; i += 1) ids.push(await begin(sessions, token('busy')))
    const statuses = [
      await list(sessions, ids[0]!, token('busy')),
      await list(sessions, ids[1]!, token('busy')),
      await list(sessions, other, token('other')),
    ]
    expect(statuses).toEqual([404, 200, 200])
    expect(sessions.count()).toBe(51)
  })
}

describe('on SQLite', () => suite(sqlite))
describe.skipIf(!need('postgres'))('on PostgreSQL', () => suite(startPostgres))
