import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Fact } from '../contract/event.ts'
import { openStore, type Store } from '../store/store.ts'
import { signatureOf } from '../web/webhook-signature.ts'
import { openAlertWebhook } from './alert-webhook.ts'

const SECRET = `whsec_${Buffer.from('a-secret-of-this-test-only').toString('base64')}`
let folder: string
let store: Store
let receiver: Server
let heard: { headers: IncomingHttpHeaders; body: string }[]
let statuses: number[]
let logged: string[]
beforeEach(async () => {
  ;[heard, statuses, logged] = [[], [], []]
  folder = mkdtempSync(join(tmpdir(), 'banyan-alerts-'))
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const status = statuses.shift() ?? 204
    if (status === 204) heard.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
    response.writeHead(status).end()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
})
afterEach(async () => {
  receiver.closeAllConnections()
  receiver.close()
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
const open = (aheadMs = 0) =>
  openAlertWebhook({
    store,
    url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook?key=1`,
    secret: SECRET,
    now: () => Date.now() + aheadMs,
    log: (_, words) => void logged.push(words),
    retryMs: [20],
  })
const tell = (...facts: Fact[]) =>
  store.transact(async (tx) => {
    for (const fact of facts) tx.record(null, fact)
  })
const raised: Fact = { type: 'alert.raised', what: 'disk', percent: 95, words: 'disk is used to 95 %: free space.' }
const count = (n: number) => expect.poll(() => heard.length, { timeout: 15_000 }).toBe(n)

test('an alert and its end are told in their order, signed, and nothing else is', async () => {
  const close = await open()
  await tell(raised, { type: 'secret.rotated', count: 1, by: 'ann' }, { type: 'alert.cleared', what: 'disk', percent: 80 })
  await count(2)
  expect(heard.map((one) => JSON.parse(one.body))).toMatchObject([
    { type: 'alert.raised', data: { what: 'disk', percent: 95, words: 'disk is used to 95 %: free space.' } },
    { type: 'alert.cleared', data: { what: 'disk', percent: 80 } },
  ])
  const { headers, body } = heard[0]!
  expect(headers['webhook-signature']).toBe(signatureOf(SECRET, String(headers['webhook-id']), Number(headers['webhook-timestamp']), body))
  await close()
})

test('a receiver that fails is told again, once it takes it', async () => {
  const close = await open()
  statuses = [500, 503]
  await tell(raised)
  await count(1)
  expect(logged).toHaveLength(1)
  expect(logged[0]).toContain('500')
  await close()
})

test('what happened while it was stopped is told after a restart, once, unless it is older than an hour', async () => {
  await (await open())()
  await tell(raised)
  const again = await open()
  await count(1)
  await again()
  await (await open())()
  expect(heard).toHaveLength(1)
  await tell(raised)
  const late = await open(2 * 3_600_000)
  await tell({ type: 'alert.cleared', what: 'disk', percent: 80 })
  await late()
  expect(heard).toHaveLength(1)
})
