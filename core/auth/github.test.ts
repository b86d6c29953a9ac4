import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { githubProvider } from './github.ts'

/** What GitHub does: codes work once and for the verifier whose hash they were asked with; a refusal comes with status 200. */
let github: Server
let at: { site: string; api: string }
let emails: object[]
const codes = new Map<string, string>()
beforeAll(async () => {
  github = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      const say = (answer: unknown, status = 200) => {
        response.writeHead(status, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer))
      }
      const isUs = request.headers.authorization === 'Bearer gho_token'
      if (request.url === '/login/oauth/access_token') {
        const sent = new URLSearchParams(body)
        const challenge = codes.get(sent.get('code') ?? '')
        codes.delete(sent.get('code') ?? '')
        const known = request.headers.authorization === `Basic ${Buffer.from('id:secret').toString('base64')}`
        const hash = createHash('sha256')
          .update(sent.get('code_verifier') ?? '')
          .digest('base64url')
        return say(known && challenge === hash ? { access_token: 'gho_token', token_type: 'bearer' } : { error: 'bad_verification_code' })
      }
      if (request.url === '/user') return say({ id: 583231, login: 'ann', name: null }, isUs ? 200 : 401)
      return say(request.url === '/user/emails' ? emails : {}, isUs ? 200 : 401)
    })
  })
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(github.address() as AddressInfo).port}`
  at = { site: url, api: url }
})
afterAll(() => new Promise((resolve) => github.close(resolve)))

const attempt = { state: 's'.repeat(43), verifier: 'v'.repeat(43), nonce: 'n', redirectUri: 'http://127.0.0.1:8000/login/github/callback' }
const begin = async (secret = 'secret') => {
  const provider = githubProvider({ clientId: 'id', clientSecret: secret }, at)
  const url = await provider.begin(attempt)
  codes.set('code-1', url.searchParams.get('code_challenge')!)
  return { provider, url }
}
const answer = { code: 'code-1', iss: undefined }

describe('GitHub', () => {
  test('is asked with PKCE, and says who somebody is by a number and a verified primary address', async () => {
    emails = [
      { email: 'old@example.org', primary: false, verified: true },
      { email: 'ann@example.org', primary: true, verified: true },
    ]
    const { provider, url } = await begin()
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      state: attempt.state,
      code_challenge_method: 'S256',
      scope: 'read:user user:email',
    })
    expect(await provider.finish(attempt, answer)).toEqual({
      subject: '583231',
      email: 'ann@example.org',
      emailVerified: true,
      name: 'ann',
    })
  })

  test('an address that is not verified is not taken for one, whatever other addresses are', async () => {
    emails = [
      { email: 'old@example.org', primary: false, verified: true },
      { email: 'ann@example.org', primary: true, verified: false },
    ]
    const { provider } = await begin()
    expect(await provider.finish(attempt, answer)).toMatchObject({ email: 'ann@example.org', emailVerified: false })
  })

  test.each<[string, object, object, string]>([
    ['a code that was used', {}, { code: 'code-2' }, 'secret'],
    ['another verifier', { verifier: 'w'.repeat(43) }, {}, 'secret'],
    ['a wrong client secret', {}, {}, 'wrong'],
  ])('%s is refused although GitHub says so with status 200', async (_, mine, theirs, secret) => {
    const { provider } = await begin(secret)
    await expect(provider.finish({ ...attempt, ...mine }, { ...answer, ...theirs })).rejects.toMatchObject({ code: 'unauthorized' })
  })
})
