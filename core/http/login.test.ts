import { createPublicKey } from 'node:crypto'
import { importJWK, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserOf, CLIENT, type Claims, type Forge, type OpenId, openidProvider, strangersKey } from '../auth/fixture/openid.ts'
import { oidcProvider } from '../auth/oidc.ts'
import { type Server, serve } from './fixture/serve.ts'

let openid: OpenId
let server: Server
beforeAll(async () => {
  openid = await openidProvider()
  const settings = { issuer: openid.issuer, clientId: CLIENT, clientSecret: 'a-client-secret', keysAgainMs: 0 }
  server = await serve({
    allowed: ['ann@example.org', '@example.com'],
    providers: [
      oidcProvider({ id: 'google', name: 'Google', tellsDomain: true, ...settings }),
      oidcProvider({ id: 'oidc', name: 'Own', ...settings }),
    ],
  })
})
afterAll(async () => {
  await server.stop()
  await openid.stop()
})
const people = () => server.store.db.selectFrom('users').selectAll().execute()
const sessions = async () => (await server.store.db.selectFrom('sessions').select('id').execute()).length

describe('signing in with a provider', () => {
  test('makes a member, who comes back as the same person, and never an owner', async () => {
    const browser = browserOf(server)
    const url = new URL(await browser.begin('google', '/goals/1?tab=files'))
    expect(url.origin).toBe(openid.issuer)
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      client_id: CLIENT, response_type: 'code', code_challenge_method: 'S256', scope: 'openid email profile',
      redirect_uri: `${server.url}/login/google/callback`, nonce: expect.stringMatching(/^[\w-]{43}$/), state: expect.stringMatching(/^[\w-]{43}$/),
    }) // biome-ignore format: parameters
    const back = await browser.ask('GET', await openid.agree(url.href))
    expect([back.status, back.headers.location]).toEqual([303, '/goals/1?tab=files'])
    expect(await browser.me()).toMatchObject({ name: 'ann@example.org', person: { role: 'member', email: 'ann@example.org' } })
    const again = browserOf(server)
    await again.ask('GET', await openid.agree(await again.begin(), { email: 'ann.new@example.org' }))
    expect((await again.me())?.person.id).toBe((await browser.me())?.person.id)
    expect((await people()).filter((one) => one.role === 'owner').map((one) => one.id)).toEqual(['owner'])
    expect((await browser.ask('POST', '/api/goals', { goal: 'x' })).status).toBe(201)
    expect((await browser.ask('GET', '/api/people')).status).toBe(403)
  })

  test('follows a key that the provider made meanwhile', async () => {
    const fresh = await openid.keys.generate('ES256')
    openid.forge(async (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: fresh.kid }).sign(await importJWK(fresh)))
    const browser = browserOf(server)
    await browser.ask('GET', await openid.agree(await browser.begin()))
    expect(await browser.me()).not.toBeNull()
    openid.forge(undefined)
  })

  test('the state is kept as a hash, and neither nonce nor verifier at all', async () => {
    const url = new URL(await browserOf(server).begin())
    const rows = JSON.stringify(await server.store.db.selectFrom('login_attempts').selectAll().execute())
    for (const name of ['state', 'nonce', 'code_challenge']) expect(rows).not.toContain(url.searchParams.get(name))
  })
})

const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (claims: Claims, kid: string | undefined, secret: string | Buffer) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', ...(kid ? { kid } : {}) }).sign(Buffer.from(secret))
const publicPem = (key: JWK) =>
  createPublicKey({ key: { kty: 'RSA', n: key.n!, e: key.e! }, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
const minutes = (n: number) => Math.floor(Date.now() / 1000) + n * 60
const without = (claims: Claims, name: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name))

const FORGED: [string, Forge][] = [
  ['another nonce', (c, { sign }) => sign({ ...c, nonce: 'A'.repeat(43) })],
  ['no nonce', (c, { sign }) => sign(without(c, 'nonce'))],
  ['an empty nonce', (c, { sign }) => sign({ ...c, nonce: '' })],
  ['another audience', (c, { sign }) => sign({ ...c, aud: 'another-client' })],
  ['audiences without us', (c, { sign }) => sign({ ...c, aud: ['one', 'two'] })],
  ['us among the audiences, made for another', (c, { sign }) => sign({ ...c, aud: [CLIENT, 'two'], azp: 'two' })],
  ['us among the audiences, made for nobody', (c, { sign }) => sign({ ...c, aud: [CLIENT, 'two'] })],
  ['our audience, made for another', (c, { sign }) => sign({ ...c, azp: 'two' })],
  ['no audience', (c, { sign }) => sign(without(c, 'aud'))],
  ['another issuer', (c, { sign }) => sign({ ...c, iss: 'https://evil.example' })],
  ['the issuer with a slash', (c, { sign }) => sign({ ...c, iss: `${String(c.iss)}/` })],
  ['no issuer', (c, { sign }) => sign(without(c, 'iss'))],
  ['an end in the past', (c, { sign }) => sign({ ...c, exp: minutes(-2), iat: minutes(-5) })],
  ['no end', (c, { sign }) => sign(without(c, 'exp'))],
  ['a beginning in the future', (c, { sign }) => sign({ ...c, nbf: minutes(10) })],
  ['an age of an hour', (c, { sign }) => sign({ ...c, iat: minutes(-60) })],
  ['no age', (c, { sign }) => sign(without(c, 'iat'))],
  ['no subject', (c, { sign }) => sign(without(c, 'sub'))],
  ['an empty subject', (c, { sign }) => sign({ ...c, sub: '' })],
  ['alg none', (c) => `${b64({ alg: 'none' })}.${b64(c)}.`],
  ['alg None and the right kid', (c, { key }) => `${b64({ alg: 'None', kid: key.kid })}.${b64(c)}.`],
  ['the signature of another token', async (c, { sign }) => `${(await sign(c)).split('.').slice(0, 2).join('.')}.${(await sign({ ...c, sub: 'x' })).split('.')[2]}`],
  ['no signature', async (c, { sign }) => `${(await sign(c)).split('.').slice(0, 2).join('.')}.`],
  ['claims changed after signing', async (c, { sign }) => (await sign(c)).replace(/\.[^.]+\./, `.${b64({ ...c, sub: 'owner' })}.`)],
  ['HS256 with the public key as PEM', (c, { key }) => hmac(c, key.kid, publicPem(key))],
  ['HS256 with the public key as JWK', (c, { key }) => hmac(c, key.kid, JSON.stringify({ kty: 'RSA', n: key.n, e: key.e }))],
  ['HS256 with the client secret', (c, { key }) => hmac(c, key.kid, 'a-client-secret'.padEnd(32, '\0'))],
  ["a stranger's key under the right kid", async (c, { key }) => new SignJWT(c).setProtectedHeader({ alg: 'RS256', kid: key.kid! }).sign(await importJWK(await strangersKey()))],
  ['a key that is not in the set', async (c) => new SignJWT(c).setProtectedHeader({ alg: 'RS256', kid: 'nobody' }).sign(await importJWK(await strangersKey()))],
  ['its own key in the header', async (c) => {
    const key = await strangersKey()
    return new SignJWT(c).setProtectedHeader({ alg: 'RS256', jwk: { kty: 'RSA', n: key.n!, e: key.e! } }).sign(await importJWK(key))
  }],
  ['an address of keys in the header', async (c) => new SignJWT(c).setProtectedHeader({ alg: 'RS256', jku: 'http://127.0.0.1:1/jwks', kid: 'x' }).sign(await importJWK(await strangersKey()))],
  ['nothing but dots', () => '..'],
  ['no ID token at all', () => undefined],
] // biome-ignore format: a line a case

describe('an ID token with', () => {
  test.each(FORGED)('%s logs nobody in', async (_, forge) => {
    const [before, known] = [await sessions(), (await people()).length]
    const browser = browserOf(server)
    openid.forge(forge)
    const back = await browser.ask('GET', await openid.agree(await browser.begin('oidc'), { sub: 'forged', email: 'mallory@example.com' }))
    openid.forge(undefined)
    expect([back.status, back.headers.location]).toEqual([303, expect.stringMatching(/^\/\?login=(stale|unavailable)$/)])
    expect(await browser.me()).toBeNull()
    expect([await sessions(), (await people()).length]).toEqual([before, known])
  })

  test('honest claims of the same person does', async () => {
    const browser = browserOf(server)
    await browser.ask('GET', await openid.agree(await browser.begin('oidc'), { sub: 'forged', email: 'mallory@example.com' }))
    expect(await browser.me()).toMatchObject({ name: 'mallory@example.com' })
  })
})

describe('an answer of the provider', () => {
  type Case = [string, (mine: ReturnType<typeof browserOf>, path: string) => Promise<string> | string]
  const other = (path: string, name: string, value: string | null) => {
    const url = new URL(path, server.url)
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
    return url.pathname + url.search
  }
  const CASES: Case[] = [
    ['with a state that nobody made', (_, path) => other(path, 'state', 'A'.repeat(43))],
    ['without a state', (_, path) => other(path, 'state', null)],
    ['with the state of another login of the same browser', async (mine, path) => {
      const state = new URL(await mine.begin('oidc')).searchParams.get('state')
      return other(path, 'state', state)
    }],
    ["with somebody else's code (login CSRF by injection; PKCE does not fit)", async (_, path) => {
      const theirs = await openid.agree(await browserOf(server).begin('oidc'))
      return other(path, 'code', new URL(theirs, server.url).searchParams.get('code'))
    }],
    ['with a made-up code', (_, path) => other(path, 'code', 'made-up')],
    ['without a code', (_, path) => other(path, 'code', null)],
    ['in a browser that lost its cookie (login CSRF)', (mine, path) => {
      mine.jar.clear()
      return path
    }],
    ["in another browser, with that one's own login under way (login CSRF)", async (mine, path) => {
      const theirs = browserOf(server)
      await theirs.begin('oidc')
      mine.jar.clear()
      for (const [name, value] of theirs.jar) mine.jar.set(name, value)
      return path
    }],
    ['at the address of another provider', (_, path) => path.replace('/oidc/', '/google/')],
    ['that names another issuer', (_, path) => other(path, 'iss', 'https://evil.example')],
    ['after eleven minutes', (_, path) => {
      server.clock.now += 11 * 60_000
      return path
    }],
    ['that was used already', async (mine, path) => {
      const jar = new Map(mine.jar)
      expect((await mine.ask('GET', path)).headers.location).toBe('/')
      mine.jar.clear()
      for (const [name, value] of jar) mine.jar.set(name, value)
      return path
    }],
    ['whose code was used already, under a new state', async (mine, path) => {
      expect((await mine.ask('GET', path)).headers.location).toBe('/')
      mine.jar.clear()
      const state = new URL(await mine.begin('oidc')).searchParams.get('state')
      return other(path, 'state', state)
    }],
  ] // biome-ignore format: a case a paragraph
  test.each(CASES)('%s logs nobody in', async (_, attack) => {
    const browser = browserOf(server)
    const path = await attack(browser, await openid.agree(await browser.begin('oidc'), { sub: 'forged', email: 'mallory@example.com' }))
    const before = await sessions()
    const back = await browser.ask('GET', path)
    expect([back.status, back.headers.location]).toEqual([303, '/?login=stale'])
    expect(await browser.me()).toBeNull()
    expect(await sessions()).toBe(before)
  })

  test('that is a refusal is told in our own words', async () => {
    const browser = browserOf(server)
    await browser.begin()
    expect((await browser.ask('GET', '/login/google/callback?error=access_denied&error_description=<b>x')).headers.location).toBe(
      '/?login=cancelled',
    )
    expect((await browser.ask('GET', '/login/google/callback?error=%3Cscript%3E')).headers.location).toBe('/?login=provider')
  })
})

describe('who may come in', () => {
  const HD = { hd: 'example.com' }
  const CASES: [string, Claims, string][] = [
    ['an address of the list', { sub: 'a', email: 'ann@example.org' }, '/?login=taken'],
    ['an address of an allowed domain', { sub: 'b', email: 'bob@example.com', ...HD }, '/'],
    ['the same in capitals', { sub: 'b', email: 'BOB@Example.com', ...HD }, '/'],
    ['email_verified as text', { sub: 'c', email: 'cyd@example.com', email_verified: 'true', ...HD }, '/'],
    ['an address that is not verified', { sub: 'd', email: 'dan@example.com', email_verified: false, ...HD }, '/?login=not_allowed'],
    ['an address of which nothing is said', { sub: 'd', email: 'dan@example.com', email_verified: undefined, ...HD }, '/?login=not_allowed'],
    ['"false" as text', { sub: 'd', email: 'dan@example.com', email_verified: 'false', ...HD }, '/?login=not_allowed'],
    ['no address', { sub: 'e', email: undefined, ...HD }, '/?login=not_allowed'],
    ['another domain', { sub: 'f', email: 'fay@evil.example', hd: 'evil.example' }, '/?login=not_allowed'],
    ['a domain that ends alike', { sub: 'g', email: 'gus@notexample.com', hd: 'notexample.com' }, '/?login=not_allowed'],
    ['a domain that begins alike', { sub: 'g', email: 'gus@example.com.evil.example', hd: 'example.com.evil.example' }, '/?login=not_allowed'],
    ['our domain before the sign', { sub: 'h', email: '@example.com@evil.example', hd: 'evil.example' }, '/?login=not_allowed'],
    ['a private account under a company address', { sub: 'i', email: 'ivy@example.com' }, '/?login=not_allowed'],
    ['an account of another company under our address', { sub: 'i', email: 'ivy@example.com', hd: 'evil.example' }, '/?login=not_allowed'],
    ['an account with somebody\'s address and another subject', { sub: 'not-bob', email: 'bob@example.com', ...HD }, '/?login=taken'],
  ] // biome-ignore format: a line a case
  test.each(CASES)('%s', async (_, claims, expected) => {
    const browser = browserOf(server)
    const back = await browser.ask('GET', await openid.agree(await browser.begin('google'), claims))
    expect(back.headers.location).toBe(expected)
    expect((await browser.me())?.person.role).toBe(expected === '/' ? 'member' : undefined)
  })

  test('a person who is switched off is out at once, tokens too, and stays out', async () => {
    const browser = browserOf(server)
    const sign = async () =>
      browser.ask('GET', await openid.agree(await browser.begin(), { sub: 'b', email: 'bob@example.com', hd: 'example.com' }))
    await sign()
    const made = (await browser.ask('POST', '/api/tokens', { name: 'ci', scopes: ['read'] })).json as { token: string }
    const beyond = await browser.ask('POST', '/api/tokens', { name: 'more', scopes: ['read', 'admin'] })
    expect([beyond.status, beyond.text]).toEqual([403, expect.stringContaining('leave out admin')])
    const asToken = () => server.ask('GET', '/api/trees', { headers: { authorization: `Bearer ${made.token}` } })
    expect((await asToken()).status).toBe(200)
    const { id } = (await browser.me())!.person
    const changed = await server.ask('PUT', `/api/people/${id}`, { body: { disabled: true } })
    expect(changed.json).toMatchObject({ disabled: true, role: 'member' })
    expect([await browser.me(), (await asToken()).status]).toEqual([null, 401])
    expect((await sign()).headers.location).toBe('/?login=not_allowed')
    await server.ask('PUT', `/api/people/${id}`, { body: { disabled: false, role: 'viewer' } })
    await sign()
    expect((await browser.ask('POST', '/api/goals', { goal: 'x' })).text).toContain(
      'the scope goals:write, which the role viewer does not have',
    )
    expect((await server.ask('PUT', '/api/people/owner', { body: { disabled: true } })).status).toBe(409)
  })
})

describe('after the login a browser goes only to our own page', () => {
  const RETURNS: [string, string][] = [
    ['/goals/1', '/goals/1'], ['/reviews?state=open#x', '/reviews?state=open#x'], ['https://evil.example/', '/'], ['//evil.example', '/'],
    ['/\\evil.example', '/'], ['\\\\evil.example', '/'], ['/\t/evil.example', '/'], ['/\n//evil.example', '/'], ['javascript:alert(1)', '/'],
    ['/a/../../evil', '/evil'], ['/.//evil.example', '/'], ['/a/..//evil.example', '/'], ['/%2F%2Fevil.example', '/%2F%2Fevil.example'],
    ['/api/logout', '/'], ['/login?code=x', '/'], ['@evil.example', '/'], ['', '/'], ['/x\r\nset-cookie: a=b', '/'],
  ] // biome-ignore format: a table
  test.each(RETURNS)('%j becomes %s', async (given, expected) => {
    const browser = browserOf(server)
    const back = await browser.ask(
      'GET',
      await openid.agree(await browser.begin('oidc', given), { sub: 'forged', email: 'mallory@example.com' }),
    )
    expect(back.headers.location).toBe(expected)
  })
})

describe('a second way to sign in', () => {
  const claims = { sub: 'owners-own', email: 'somebody@elsewhere.example' }

  test('is added by whoever is logged in, in the same browser, and then signs in the same person', async () => {
    const browser = browserOf(server)
    await browser.ask('GET', `/login${new URL(server.auth.loginLink()).search}`)
    const { url } = (await browser.ask('POST', '/api/identities/oidc')).json as { url: string }
    const back = await browser.ask('GET', await openid.agree(url, claims))
    expect(back.headers.location).toBe('/settings')
    const fresh = browserOf(server)
    await fresh.ask('GET', await openid.agree(await fresh.begin('oidc'), claims))
    expect(await fresh.me()).toMatchObject({ name: 'owner', person: { id: 'owner', role: 'owner' } })
    expect((await fresh.ask('DELETE', '/api/identities/oidc')).status).toBe(204)
  })

  test('is not added when the session ended meanwhile, nor in a browser that did not begin it', async () => {
    const browser = browserOf(server)
    await browser.ask('GET', `/login${new URL(server.auth.loginLink()).search}`)
    const begin = async () => ((await browser.ask('POST', '/api/identities/oidc')).json as { url: string }).url
    const elsewhere = await browserOf(server).ask('GET', await openid.agree(await begin(), claims))
    expect(elsewhere.headers.location).toBe('/?login=stale')
    const path = await openid.agree(await begin(), claims)
    await browser.ask('POST', '/api/logout')
    expect((await browser.ask('GET', path)).headers.location).toBe('/?login=stale')
    expect(await server.store.db.selectFrom('identities').selectAll().where('user_id', '=', 'owner').execute()).toEqual([])
  })
})

test('a provider that is not set up is nothing, and one that does not answer says so', async () => {
  const browser = browserOf(server)
  expect((await browser.ask('GET', '/login/nobody')).status).toBe(404)
  expect((await browser.ask('GET', '/login/nobody/callback?state=x&code=y')).status).toBe(404)
  expect((await browser.ask('GET', '/api/login-ways')).json).toEqual({
    providers: [
      { id: 'google', name: 'Google' },
      { id: 'oidc', name: 'Own' },
    ],
  })
  const dead = await serve({
    providers: [oidcProvider({ id: 'oidc', name: 'Own', issuer: 'http://127.0.0.1:1', clientId: 'x', clientSecret: null })],
  })
  expect((await browserOf(dead).ask('GET', '/login/oidc')).headers.location).toBe('/?login=unavailable')
  await dead.stop()
})
