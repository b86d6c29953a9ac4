import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Server, serve, TOKEN } from './fixture/serve.ts'

describe('the address a request was sent to, and the page that sent it', () => {
  let server: Server
  beforeAll(async () => {
    server = await serve({ publicUrl: 'https://banyan.example.org', host: '192.0.2.7' })
  })
  afterAll(() => server.stop())

  // PORT stands for the port that the test listens on.
  const HOSTS: [string, boolean][] = [
    ['localhost:PORT', true], ['127.0.0.1:PORT', true], ['[::1]:PORT', true], ['LOCALHOST:PORT', true], ['192.0.2.7:PORT', true],
    ['banyan.example.org', true], ['banyan.example.org:443', true], ['localhost', false], ['localhost:1', false], ['127.0.0.1', false],
    ['evil.example', false], ['evil.example:PORT', false], ['localhost.evil.example:PORT', false], ['banyan.example.org.evil.example', false],
    ['banyan.example.org:PORT', false], ['127.0.0.1:PORT.evil.example', false], ['127.1:PORT', false], ['0.0.0.0:PORT', false],
  ] // biome-ignore format: a table
  const ORIGINS: [string | undefined, boolean][] = [
    [undefined, true], ['http://localhost:PORT', true], ['http://127.0.0.1:PORT', true], ['http://[::1]:PORT', true], ['https://banyan.example.org', true],
    ['http://192.0.2.7:PORT', true], ['null', false], ['http://evil.example', false], ['https://localhost:PORT', false], ['http://localhost', false],
    ['http://localhost:1', false], ['http://banyan.example.org', false], ['https://banyan.example.org.evil.example', false], ['', false],
    ['http://localhost:PORT http://evil.example', false], ['file://', false],
  ] // biome-ignore format: a table
  const here = (text: string | undefined) => text?.replace('PORT', String(server.port))

  type Way = { name: string; passed: number; send(headers: Record<string, string | undefined>): Promise<number> }
  const WAYS: Way[] = [
    { name: 'HTTP', passed: 200, send: async (headers) => (await server.ask('GET', '/api/trees', { headers })).status },
    { name: 'the page', passed: 503, send: async (headers) => (await server.ask('GET', '/', { headers })).status },
    { name: 'health', passed: 200, send: async (headers) => (await server.ask('GET', '/health', { headers })).status },
    { name: '/mcp', passed: 400, send: async (headers) => (await server.ask('POST', '/mcp', { headers, body: {} })).status },
    { name: 'SSE', passed: 200, send: (headers) => firstStatus('/api/events', { ...headers, accept: 'text/event-stream' }) },
    { name: 'WebSocket', passed: 101, send: (headers) => upgradeStatus(headers) },
  ] // biome-ignore format: a line a way

  /** Leaves as soon as it has the status. */
  const firstStatus = (path: string, headers: Record<string, string | undefined>): Promise<number> =>
    new Promise((resolve, reject) => {
      const given = Object.fromEntries(
        Object.entries({ authorization: `Bearer ${TOKEN}`, ...headers }).filter(([, value]) => value !== undefined),
      )
      const sent = request({ port: server.port, path, headers: given }, (response) => {
        resolve(response.statusCode ?? 0)
        sent.destroy()
      })
      sent.on('error', reject)
      sent.end()
    })
  const upgradeStatus = (headers: Record<string, string | undefined>): Promise<number> =>
    new Promise((resolve, reject) => {
      const given = Object.fromEntries(
        Object.entries({ authorization: `Bearer ${TOKEN}`, ...headers }).filter(([, value]) => value !== undefined),
      )
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/api/live`, { headers: given })
      socket.on('open', () => socket.terminate())
      socket.on('close', () => resolve(101))
      socket.on('unexpected-response', (sent, response) => {
        resolve(response.statusCode ?? 0)
        sent.destroy()
      })
      socket.on('error', (error) => (/socket hang up|closed before/.test(error.message) ? undefined : reject(error)))
    })

  test.each(WAYS.map((way) => [way.name, way] as const))('are both looked at, for every pair of them, by %s', async (_, way) => {
    for (const [host, hostGood] of HOSTS)
      for (const [origin, originGood] of ORIGINS) {
        // A Host that is no host at all does not even become a request.
        const status = await way.send({ host: here(host), origin: here(origin) })
        expect(status, `Host ${host}, Origin ${origin}`).toBe(
          hostGood && originGood ? way.passed : host.includes('PORT.') && way.name !== 'WebSocket' ? 400 : 403,
        )
      }
  })

  test('are looked at before anybody is asked who they are', async () => {
    const answer = await server.ask('GET', '/api/trees', { headers: { host: 'evil.example', authorization: undefined } })
    expect(answer.json).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: 'This server does not answer for the host "evil.example"; if it is its address, set PUBLIC_URL to it.',
    })
  })
})

describe('a browser', () => {
  let server: Server
  beforeAll(async () => {
    server = await serve()
  })
  afterAll(() => server.stop())
  const login = async (link: string) => server.ask('GET', link.replace(server.url, ''), { headers: { authorization: undefined } })
  const cookieOf = (setCookie: string[] | undefined) => setCookie?.[0]?.split(';')[0] ?? ''
  const asBrowser = (cookie: string, more: Record<string, string> = {}) => ({ authorization: undefined, cookie, ...more })

  test('is logged in by a link, once', async () => {
    const link = server.auth.loginLink()
    expect(link).toMatch(new RegExp(`^${server.url}/login\\?code=[\\w-]{32}$`))
    await server.ask('HEAD', link.replace(server.url, '')) // somebody's preview of it
    const answer = await login(link)
    expect([answer.status, answer.headers.location]).toEqual([303, '/'])
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      new RegExp(`^banyan_${server.port}=[^;]+; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax$`),
    )
    const cookie = cookieOf(answer.headers['set-cookie'])
    expect((await server.ask('GET', '/api/trees', { headers: asBrowser(cookie) })).status).toBe(200)
    const again = await login(link)
    expect([again.status, again.headers['set-cookie']]).toEqual([401, undefined])
    expect(again.text).toContain('was used already')
    // Whoever is logged in and opens the old link again just gets to the page.
    expect((await server.ask('GET', link.replace(server.url, ''), { headers: asBrowser(cookie) })).status).toBe(303)
  })

  test('is not logged in by a link that is a day old, or that was made up', async () => {
    const link = server.auth.loginLink()
    server.clock.now += 24 * 3_600_000 + 1
    expect((await login(link)).status).toBe(401)
    expect((await login(`${server.url}/login?code=${'A'.repeat(32)}`)).status).toBe(401)
    expect((await login(`${server.url}/login`)).status).toBe(401)
  })

  test('gets a new link from whoever is logged in already', async () => {
    const made = (await server.ask('POST', '/api/login-links')) as { json: { url: string }; status: number }
    expect(made.status).toBe(201)
    expect((await login(made.json.url)).status).toBe(303)
  })

  test('acts only if its own page says so', async () => {
    const cookie = cookieOf((await login(server.auth.loginLink())).headers['set-cookie'])
    const act = async (more: Record<string, string>) =>
      (await server.ask('POST', '/api/goals', { headers: asBrowser(cookie, more), body: { goal: 'x' } })).status
    expect(await act({})).toBe(403)
    expect(await act({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await act({ 'sec-fetch-site': 'same-site' })).toBe(403)
    expect(await act({ origin: 'http://evil.example' })).toBe(403)
    expect(await act({ origin: server.url })).toBe(201)
    expect(await act({ 'sec-fetch-site': 'same-origin' })).toBe(201)
    expect(await act({ 'sec-fetch-site': 'none' })).toBe(201)
  })

  test('stays logged in for thirty days while it is used, for fourteen while it is not, and not with a cookie that was changed', async () => {
    const used = cookieOf((await login(server.auth.loginLink())).headers['set-cookie'])
    const unused = cookieOf((await login(server.auth.loginLink())).headers['set-cookie'])
    const look = async (sent: string) => (await server.ask('GET', '/api/trees', { headers: asBrowser(sent) })).status
    const [name, value] = used.split('=') as [string, string]
    expect(await look(`other=1; ${used}; more=2`)).toBe(200)
    expect(await look(`${name}=${value.slice(1)}`)).toBe(401)
    expect(await look(`${name}=${value}A`)).toBe(401)
    expect(await look(`${name}=`)).toBe(401)
    expect(await look(used.replace(name, 'banyan_1'))).toBe(401)
    const day = 24 * 3_600_000
    for (let days = 0; days < 26; days += 13) {
      server.clock.now += 13 * day
      expect(await look(used)).toBe(200)
    }
    expect(await look(unused)).toBe(401)
    server.clock.now += 4 * day - 1_000
    expect(await look(used)).toBe(200)
    server.clock.now += 1_001
    expect(await look(used)).toBe(401)
  })

  test('is not taken for logged in beside a wrong token', async () => {
    const cookie = cookieOf((await login(server.auth.loginLink())).headers['set-cookie'])
    expect((await server.ask('GET', '/api/trees', { headers: { cookie, authorization: 'Bearer wrong' } })).status).toBe(401)
  })

  test('is logged out', async () => {
    const cookie = cookieOf((await login(server.auth.loginLink())).headers['set-cookie'])
    const answer = await server.ask('POST', '/api/logout', { headers: asBrowser(cookie, { origin: server.url }) })
    expect([answer.status, answer.headers['set-cookie']?.[0]]).toEqual([
      204,
      `banyan_${server.port}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`,
    ])
  })
})

test('the cookie is for encrypted lines only where the browser came over one', async () => {
  const server = await serve({ publicUrl: 'https://banyan.example.org' })
  const through = async (host: string) => {
    const code = new URL(server.auth.loginLink()).search
    return (await server.ask('GET', `/login${code}`, { headers: { host } })).headers['set-cookie']?.[0]
  }
  expect(server.auth.loginLink()).toMatch(/^https:\/\/banyan\.example\.org\/login\?code=/)
  expect(await through('banyan.example.org')).toContain('; Secure')
  expect(await through(`127.0.0.1:${server.port}`)).not.toContain('Secure')
  await server.stop()
})
