/** Programs that called are kept within bounds, whatever they say of themselves. The clock is the test's. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OWNER, type Principal } from '../auth/principal.ts'
import { openStore, type Store } from '../store/store.ts'
import { type Clients, openClients } from './clients.ts'

const [MINUTE, DAY] = [60_000, 86_400_000]
let folder: string
let store: Store
let now: number
let clients: Clients
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-clients-'))
  now = Date.parse('2026-11-21T12:00:00Z')
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`, { now: () => now })
  clients = openClients(store, () => now)
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})
const initialize = (name: unknown, version = '1.0') => ({
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', clientInfo: { name, version } },
})
const request = (name: string) => ({
  method: 'tools/list',
  params: {
    _meta: { 'io.modelcontextprotocol/clientInfo': { name, version: '2.0' }, 'io.modelcontextprotocol/protocolVersion': '2026-07-28' },
  },
})
const token = (id: string): Principal => ({ ...OWNER, via: { kind: 'token', id } })
const names = async () => (await clients.list(null)).map((one) => one.name)
const connected = async () => (await store.eventsAfter(0)).filter((event) => event.type === 'access.changed').length

test('one principal is remembered by twenty names; a twenty-first is let in and not kept, and others have room of their own', async () => {
  for (let i = 0; i < 25; i++) await clients.saw(token('a'), initialize(`program ${i}`))
  expect(await names()).toHaveLength(20)
  expect(await names()).not.toContain('program 20')
  expect(await connected()).toBe(20)
  await clients.saw(token('b'), initialize('another'))
  expect(await names()).toContain('another')
  now += 2 * MINUTE
  await clients.saw(token('a'), initialize('program 3', '9.9'))
  expect((await clients.list(null)).find((one) => one.name === 'program 3')).toMatchObject({
    version: '9.9',
    lastSeenAt: new Date(now).toISOString(),
  })
})

test('calls within a minute are one note; the next minute is another', async () => {
  const at = async () => (await clients.list(null))[0]?.lastSeenAt
  await clients.saw(OWNER, request('busy'))
  const first = await at()
  now += MINUTE - 1
  await clients.saw(OWNER, request('busy'))
  expect(await at()).toBe(first)
  now += 1
  await clients.saw(OWNER, request('busy'))
  expect(await at()).toBe(new Date(now).toISOString())
  expect(await connected()).toBe(1)
})

test('a program that nobody heard of for ninety days is forgotten when the next one calls, and makes room', async () => {
  for (let i = 0; i < 20; i++) await clients.saw(OWNER, initialize(`old ${i}`))
  await clients.saw(OWNER, initialize('too many'))
  now += 90 * DAY + 1
  await clients.saw(OWNER, initialize('new'))
  expect(await names()).toEqual(['new'])
})

test('what it says of itself is one short line', async () => {
  await clients.saw(OWNER, initialize(`evil\n\u202e\u0007${'x'.repeat(500)}`))
  const [name] = await names()
  expect(name!.length).toBeLessThanOrEqual(80)
  expect(['\n', '\u202e', '\u0007'].filter((one) => name!.includes(one))).toEqual([])
})

test.each([[initialize('')], [initialize(7)], [{ method: 'tools/list' }], ['no object'], [null], [[]]])(
  '%j says no name, and nothing is kept',
  async (body) => {
    await clients.saw(OWNER, body)
    expect(await names()).toEqual([])
  },
)
