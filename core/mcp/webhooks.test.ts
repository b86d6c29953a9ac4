/** Webhooks of outside agents: a real receiver, reached under a public name as the internet would be. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { signatureOf } from '../web/webhook-signature.ts'
import { checkWebhook, openWebhooks, webhookSecret } from './webhooks.ts'

const NAME = 'agent.example.com'
const SECRET = webhookSecret('a-key-of-this-test', 'codex')
let h: Harness
let receiver: Server
let close: () => Promise<void>
let got: { headers: IncomingMessage['headers']; body: string }[]
let statuses: number[]
let logged: string[]

beforeEach(async () => {
  ;[got, statuses, logged] = [[], [], []]
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
    response.writeHead(statuses.shift() ?? 204).end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const { port } = receiver.address() as AddressInfo
  h = await harness(() => ({ text: 'Nobody asks this model.' }))
  close = openWebhooks({
    store: h.runtime.store,
    outside: h.runtime.tasks.outside,
    secret: () => SECRET,
    log: (words, cause) => void logged.push(`${words}: ${cause}`),
    resolve: async (host) => (host === NAME ? [{ address: '93.184.215.14', family: 4 }] : [{ address: '10.0.0.7', family: 4 }]),
    route: () => ({ address: { address: '127.0.0.1', family: 4 }, port }),
    retryMs: [1, 1],
    quietMs: 50,
  })
})
afterEach(async () => {
  await close()
  receiver.close()
  receiver.closeAllConnections()
  expect(await h.end()).toEqual([])
})
const register = (name: string, host: string, capabilities: string[] = []) =>
  h.runtime.tasks.outside.register(
    name,
    { capabilities, description: '', repository: null, webhook: `http://${host}/hook`, maxTasks: 1 },
    name,
  )
const heard = (times: number) => expect.poll(() => got.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(times)

test('work that an agent could claim is told to its webhook, signed, and to no other', async () => {
  await register('codex', NAME)
  await register('elsewhere', NAME, ['rust'])
  await h.goal('anything', { model: 'external' })
  await heard(1)
  const { headers, body } = got[0]!
  expect(JSON.parse(body)).toMatchObject({ type: 'work.available', data: { agent: 'codex' } })
  expect(headers['webhook-signature']).toBe(signatureOf(SECRET, String(headers['webhook-id']), Number(headers['webhook-timestamp']), body))
  expect(headers.host).toBe(NAME)
})

test('it is tried again when it is not taken, as the same message, and given up in the end', async () => {
  statuses = [500, 503, 500]
  await register('codex', NAME)
  await h.goal('anything', { model: 'external' })
  await expect
    .poll(() => logged, { timeout: 15_000 })
    .toEqual([expect.stringContaining('codex was given up after 3 tries: it answered 500')])
  expect(new Set(got.slice(0, 3).map((one) => one.headers['webhook-id'])).size).toBe(1)
})

test('an address inside is refused when it is given, and a name that leads inside is never called', async () => {
  for (const address of [
    'http://127.0.0.1/hook',
    'http://169.254.169.254/',
    'http://[::1]/',
    'http://localhost/',
    'ftp://example.com/',
    'http://example.com:22/',
  ])
    expect(() => checkWebhook(address), address).toThrow()
  await register('codex', 'rebound.example.com')
  await h.goal('anything', { model: 'external' })
  await expect.poll(() => logged, { timeout: 15_000 }).toEqual([expect.stringContaining('10.0.0.7, which is not on the public web')])
  expect(got).toEqual([])
})
