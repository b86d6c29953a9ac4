import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { newToken } from '../auth/tokens.ts'
import { SCOPES, type Scope } from '../contract/access.ts'
import { ROUTES, type Route } from '../contract/api.ts'
import { type Answer, type Server, serve, TOKEN } from './fixture/serve.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.stop())

/** What programs of people may be given. */
const OF_PEOPLE = SCOPES.filter((scope) => scope !== 'work')
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const json = <T>(answer: Answer): T => answer.json as T
let made = 0
async function token(scopes: readonly Scope[], expiresAt: string | null = null): Promise<{ token: string; id: string; name: string }> {
  const answer = await server.ask('POST', '/api/tokens', { body: { name: `t${++made}`, scopes, expiresAt } })
  expect(answer.status, answer.text).toBe(201)
  return json(answer)
}
async function browser(): Promise<Record<string, string | undefined>> {
  const answer = await server.ask('GET', `/login${new URL(server.auth.loginLink()).search}`, { headers: { authorization: undefined } })
  return { authorization: undefined, origin: server.url, cookie: answer.headers['set-cookie']![0]!.split(';')[0] }
}

describe('a token for programs', () => {
  const routes = (Object.entries(ROUTES) as [string, Route][]).filter(([, route]) => !route.open)
  const withId = (path: string) => path.replace(/\{\w+\}/g, 'some-id')

  test('is told that it lacks the scope by every route that asks for one it has not, and by no other', async () => {
    const all = (await token(OF_PEOPLE)).token
    for (const missing of OF_PEOPLE) {
      const { token: lacking } = await token(OF_PEOPLE.filter((scope) => scope !== missing))
      for (const [name, { method, path, scope }] of routes) {
        // Neither may end what the test runs on.
        if (scope !== missing || name === 'shutdown') continue
        const ask = (by: string) => server.ask(method, withId(path), { headers: bearer(by), ...(method === 'GET' ? {} : { body: {} }) })
        const refused = await ask(lacking)
        expect([name, refused.status, json<{ detail: string }>(refused).detail]).toEqual([
          name,
          403,
          expect.stringContaining(`the scope ${missing};`),
        ])
        expect((await ask(all)).status, name).not.toBe(403)
      }
    }
    const shutdown = await server.ask('POST', '/admin/graceful-shutdown', { headers: bearer((await token(['read', 'evolve'])).token) })
    expect([shutdown.status, server.asked]).toEqual([403, []])
  })

  test('does nothing that only a person may do, whatever its scopes', async () => {
    const all = (await token(OF_PEOPLE)).token
    const only = routes.filter(([, route]) => route.scope === 'person')
    expect(only.length).toBeGreaterThan(6)
    for (const [name, { method, path }] of only) {
      const answer = await server.ask(method, withId(path), { headers: bearer(all), ...(method === 'GET' ? {} : { body: {} }) })
      expect([name, answer.status, answer.text]).toEqual([name, 403, expect.stringContaining('A token for programs may not do this')])
    }
  })

  test('of an outside agent opens nothing but /mcp: no review, no secret, no task, not even who it is', async () => {
    const { token: agents } = await token(['work'])
    for (const [name, { method, path }] of routes) {
      const answer = await server.ask(method, withId(path), { headers: bearer(agents), ...(method === 'GET' ? {} : { body: {} }) })
      expect([name, answer.status, answer.text]).toEqual([name, 403, expect.stringContaining('is for claiming and working tasks at /mcp')])
    }
    const mixed = await server.ask('POST', '/api/tokens', { body: { name: 'mixed', scopes: ['work', 'read'], expiresAt: null } })
    expect([mixed.status, mixed.text]).toEqual([400, expect.stringContaining('has the scope work and no other')])
  })

  test('decides a review only with review:decide, and the item says whose token it was', async () => {
    const tree = await server.goal()
    const id = await server.flag(tree)
    const decide = (by: string) =>
      server.ask('POST', `/api/reviews/${encodeURIComponent(id)}/decision`, { headers: bearer(by), body: { decision: 'approve' } })
    expect((await decide((await token(OF_PEOPLE.filter((scope) => scope !== 'review:decide'))).token)).status).toBe(403)
    const { token: may, name } = await token(['review:decide'])
    expect(json<{ decidedBy: string }>(await decide(may)).decidedBy).toBe(`owner (token ${name})`)
  })

  test('is shown once, kept as a hash, and listed with when it was used', async () => {
    const { token: value, id } = await token(['read'])
    expect(value).toMatch(/^bny_[0-9A-Za-z]{49}$/)
    expect((await server.ask('GET', '/api/me', { headers: bearer(value) })).json).toMatchObject({ via: 'token', scopes: ['read'] })
    const list = await server.ask('GET', '/api/tokens')
    expect(list.text).not.toContain(value)
    expect(json<{ items: object[] }>(list).items).toContainEqual(
      expect.objectContaining({ id, lastUsedAt: new Date(server.clock.now).toISOString() }),
    )
    const rows = JSON.stringify(await server.store.db.selectFrom('api_tokens').selectAll().execute())
    expect(rows).not.toContain(value.slice(4, 20))
    expect((await server.ask('GET', '/api/events?limit=1000')).text).not.toContain(value.slice(4, 20))
  })

  test.each<[string, (value: string) => string]>([
    ['with another last letter', (v) => v.slice(0, -1) + (v.endsWith('0') ? '1' : '0')],
    ['with another first letter', (v) => `bny_${v[4] === '0' ? '1' : '0'}${v.slice(5)}`],
    ['cut short', (v) => v.slice(0, -1)],
    ['in capitals', (v) => v.toUpperCase()],
    ['without its beginning', (v) => v.slice(4)],
    ['well formed and never made', () => newToken()],
  ])('%s is nobody', async (_, change) => {
    server.clock.now += 60_000
    const { token: value } = await token(['read'])
    expect((await server.ask('GET', '/api/trees', { headers: bearer(change(value)) })).status).toBe(401)
    expect((await server.ask('GET', '/api/trees', { headers: bearer(value) })).status).toBe(200)
  })

  test('ends at its time, and when it is revoked by name or id', async () => {
    const ends = new Date(server.clock.now + 5_000).toISOString()
    const [timed, named, byId] = [await token(['read'], ends), await token(['read']), await token(['read'])]
    const status = async (value: string) => (await server.ask('GET', '/api/trees', { headers: bearer(value) })).status
    expect([await status(timed.token), await status(named.token), await status(byId.token)]).toEqual([200, 200, 200])
    expect((await server.ask('DELETE', `/api/tokens/${named.name}`)).status).toBe(204)
    expect((await server.ask('DELETE', `/api/tokens/${byId.id}`)).status).toBe(204)
    expect((await server.ask('DELETE', `/api/tokens/${byId.id}`)).status).toBe(204)
    expect((await server.ask('DELETE', '/api/tokens/nothing')).status).toBe(404)
    server.clock.now += 5_000
    expect([await status(timed.token), await status(named.token), await status(byId.token)]).toEqual([401, 401, 401])
  })

  test.each<[string, object, number]>([
    ['no scope', { name: 'x', scopes: [] }, 400],
    ['a scope that is none', { name: 'x', scopes: ['everything'] }, 400],
    ['a name that could drive a terminal', { name: 'x\u001b[2J', scopes: ['read'] }, 400],
    ['an end in the past', { name: 'x', scopes: ['read'], expiresAt: '2001-01-01T00:00:00Z' }, 400],
    ['the name of a live one', { name: 'twice', scopes: ['read'] }, 409],
  ])('is not made with %s', async (_, body, status) => {
    if (status === 409) await server.ask('POST', '/api/tokens', { body })
    expect((await server.ask('POST', '/api/tokens', { body })).status).toBe(status)
  })
})

describe('sessions', () => {
  test('are listed, marked as the own one, and ended by hand, one or all others', async () => {
    const [one, two, three] = [await browser(), await browser(), await browser()]
    type Items = { items: { id: string; current: boolean; how: string }[] }
    const of = async (who: Record<string, string | undefined>) =>
      json<Items>(await server.ask('GET', '/api/sessions', { headers: who })).items
    const mine = (await of(one)).filter((item) => item.current)
    expect(mine).toHaveLength(1)
    expect(mine[0]!.how).toBe('link')
    const other = (await of(two)).find((item) => item.current)!
    expect((await server.ask('DELETE', `/api/sessions/${other.id}`, { headers: one })).status).toBe(204)
    expect((await server.ask('GET', '/api/trees', { headers: two })).status).toBe(401)
    expect(json<{ ended: number }>(await server.ask('DELETE', '/api/sessions', { headers: one })).ended).toBeGreaterThanOrEqual(1)
    expect((await server.ask('GET', '/api/trees', { headers: three })).status).toBe(401)
    expect((await server.ask('GET', '/api/trees', { headers: one })).status).toBe(200)
  })

  test('end at a logout, on the server, and a copy of the cookie is worth nothing', async () => {
    const who = await browser()
    expect((await server.ask('GET', '/api/me', { headers: who })).json).toMatchObject({
      via: 'session',
      name: 'owner',
      person: { role: 'owner' },
    })
    expect((await server.ask('POST', '/api/logout', { headers: who })).status).toBe(204)
    expect((await server.ask('GET', '/api/me', { headers: who })).status).toBe(401)
  })

  test('are kept as hashes', async () => {
    const who = await browser()
    const value = who.cookie!.split('=')[1]!
    expect(JSON.stringify(await server.store.db.selectFrom('sessions').selectAll().execute())).not.toContain(value)
  })

  test('begin with the admin token too, from our own page only', async () => {
    const log = (body: object, headers: Record<string, string> = {}) =>
      server.ask('POST', '/api/login', { headers: { authorization: undefined, ...headers }, body })
    const good = await log({ token: `${TOKEN}\n` }, { origin: server.url, 'sec-fetch-site': 'same-origin' })
    expect([good.status, good.headers['set-cookie']?.[0]]).toEqual([204, expect.stringContaining('HttpOnly; SameSite=Lax')])
    expect((await log({ token: 'wrong' })).status).toBe(401)
    for (const headers of [{ origin: 'http://evil.example' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }])
      expect((await log({ token: TOKEN }, headers)).status).toBe(403)
    const form = await server.ask('POST', '/api/login', {
      headers: { authorization: undefined, 'content-type': 'text/plain' },
      body: `{"token":"${TOKEN}"}`,
    })
    expect([form.status, form.headers['set-cookie']]).toEqual([415, undefined])
  })
})

describe('a cookie alone changes nothing that another site asks for', () => {
  const writes = (Object.entries(ROUTES) as [string, Route][]).filter(([, route]) => route.method !== 'GET' && !route.open)
  test.each(writes.map(([name, { method, path }]) => [name, method, path.replace(/\{\w+\}/g, 'some-id')] as const))(
    '%s (%s %s)',
    async (_, method, path) => {
      const { origin: _origin, ...who } = await browser()
      const sent: [string, Record<string, string>][] = [
        ['no Origin', {}],
        ['a foreign Origin', { origin: 'http://evil.example' }],
        ['Origin null', { origin: 'null' }],
        ['a neighbour', { 'sec-fetch-site': 'same-site' }],
      ]
      for (const [words, headers] of sent)
        expect((await server.ask(method, path, { headers: { ...who, ...headers }, body: {} })).status, words).toBe(403)
    },
  )
})

describe('an open line', () => {
  const line = (headers: Record<string, string | undefined>) =>
    new Promise<WebSocket>((resolve, reject) => {
      const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)) as Record<string, string>
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/live`, { headers: given })
      socket.once('message', () => resolve(socket))
      socket.once('unexpected-response', (_, response) => reject(new Error(String(response.statusCode))))
      socket.once('error', reject)
    })
  const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve))
  const ownId = async (who: Record<string, string | undefined>) =>
    json<{ sessionId: string }>(await server.ask('GET', '/api/me', { headers: who })).sessionId

  test('closes when its session is ended, and no other line does', async () => {
    const [who, other] = [await browser(), await browser()]
    const [socket, stays] = [await line(who), await line(other)]
    const gone = closed(socket)
    await server.ask('DELETE', `/api/sessions/${await ownId(who)}`)
    expect(await gone).toBe(1008)
    expect(stays.readyState).toBe(WebSocket.OPEN)
    stays.terminate()
  })

  test('closes when its token is revoked, over WebSocket and as a stream', async () => {
    const { token: value, id } = await token(['read'])
    const socket = await line(bearer(value))
    const gone = closed(socket)
    const stream = await fetch(`${server.url}/api/events`, { headers: { ...bearer(value), accept: 'text/event-stream' } })
    await server.ask('DELETE', `/api/tokens/${id}`)
    expect(await gone).toBe(1008)
    expect(await stream.text()).toContain('retry: 1000')
  })

  test('is not opened by a token that may not read, nor by a cookie that another site sends', async () => {
    await expect(line(bearer((await token(['goals:write'])).token))).rejects.toThrow('403')
    const { origin: _, ...who } = await browser()
    await expect(line(who)).rejects.toThrow('403')
    await expect(line({ ...who, origin: 'http://evil.example' })).rejects.toThrow('403')
    const socket = await line({ ...who, origin: server.url })
    socket.terminate()
  })
})

describe('guessing', () => {
  const guess = (value: string, forwarded?: string) =>
    server.ask('GET', '/api/trees', { headers: { ...bearer(value), ...(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }) } })

  test('is slowed down after ten failures, by address, and says when to come back', async () => {
    server.clock.now += 3_600_000
    for (let i = 0; i < 10; i++) expect((await guess(`wrong${i}`, 'x, 198.51.100.1')).status).toBe(401)
    const slowed = await guess('wrong', 'made-up, 198.51.100.1')
    expect([slowed.status, slowed.headers['retry-after'], json<{ code: string }>(slowed).code]).toEqual([429, '6', 'limited'])
    expect((await guess('wrong', '198.51.100.2')).status).toBe(401)
    server.clock.now += 6_000
    expect((await guess('wrong', '198.51.100.1')).status).toBe(401)
    expect((await guess('wrong', '198.51.100.1')).status).toBe(429)
    // A token that cannot be guessed is not kept out by somebody's guesses.
    expect((await guess(TOKEN, '198.51.100.1')).status).toBe(200)
    expect((await guess((await token(['read'])).token, '198.51.100.1')).status).toBe(200)
  })

  test('is slowed down for all together when the addresses are made up', async () => {
    server.clock.now += 3_600_000
    let refused = 0
    for (let i = 0; i < 110; i++) if ((await guess('wrong', `203.0.113.${i}`)).status === 429) refused++
    expect(refused).toBe(10)
  })

  test('counts for login links and the token field as well', async () => {
    server.clock.now += 3_600_000
    const by = { authorization: undefined, 'x-forwarded-for': '198.51.100.9' }
    for (let i = 0; i < 5; i++) {
      expect((await server.ask('GET', `/login?code=wrong${i}`, { headers: by })).status).toBe(401)
      expect((await server.ask('POST', '/api/login', { headers: by, body: { token: `wrong${i}` } })).status).toBe(401)
    }
    expect((await server.ask('GET', '/login?code=wrong', { headers: by })).status).toBe(429)
    expect((await server.ask('POST', '/api/login', { headers: by, body: { token: 'wrong' } })).status).toBe(429)
    expect((await server.ask('GET', `/login${new URL(server.auth.loginLink()).search}`, { headers: by })).status).toBe(303)
    server.clock.now += 3_600_000
  })
})
