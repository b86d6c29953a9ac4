import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { streamOf } from '../../scripts/testing/model-stream.ts'
import { endWith } from '../../scripts/testing/scripted.ts'
import { anthropic } from '../models/anthropic.ts'
import type { Provider } from '../models/provider.ts'

type Refusal = { status: number; headers?: Record<string, string>; type: string; message: string }

/** A service that speaks the protocol; while `refuses` is set every call meets that. `asked`: the goals of the calls, in their order. */
async function service() {
  const state = { refuses: null as Refusal | null, asked: [] as string[], holding: null as Promise<void> | null }
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString()
    state.asked.push(/goal number (\d+)/.exec(body)?.[1] ?? '?')
    const { refuses } = state
    await state.holding
    if (refuses) {
      res.writeHead(refuses.status, { 'content-type': 'application/json', ...refuses.headers })
      return void res.end(JSON.stringify({ type: 'error', error: { type: refuses.type, message: refuses.message } }))
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    res.end(streamOf('anthropic', { name: 'end_task', input: { status: 'success', result: 'answered' } }))
  }
  const server = createServer((req, res) => void answer(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    state,
    /** Nobody judges what it answers, so that each goal is one call. */
    provider: (apiKey = 'key-1', more: Partial<Provider> = {}): Provider => ({
      ...anthropic({ apiKey, baseUrl: url }),
      ...{ name: 'claude', judges: false, ...more },
    }),
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
const inAnHour = (clock: number): Refusal => ({
  status: 429,
  headers: {
    'anthropic-ratelimit-tokens-remaining': '0',
    'anthropic-ratelimit-tokens-reset': new Date(clock + 3_600_000).toISOString(),
    'anthropic-ratelimit-requests-remaining': '7',
    'anthropic-ratelimit-requests-reset': new Date(clock + 60_000).toISOString(),
  },
  type: 'rate_limit_error',
  message: 'This would exceed the limit of your organization.',
})
const unpaid: Refusal = { status: 400, type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' }

let h: Harness | undefined
let server: Awaited<ReturnType<typeof service>> | undefined
afterEach(async () => {
  const found = await h?.end()
  await server?.stop()
  h = server = undefined
  expect(found ?? []).toEqual([])
})

async function open(options: Parameters<typeof harness>[1] = {}, more: Partial<Provider> = {}) {
  server = await service()
  const time = { now: Date.now() }
  const own = { now: () => time.now, providers: [server.provider('key-1', more)], env: { MODEL: 'claude/m' }, ...options }
  h = await harness(() => endWith('by the other model'), own)
  return { ...h, time, state: server.state, tasks: h.runtime.tasks }
}
const goals = (from: number, to: number, { goal }: Pick<Harness, 'goal'>) =>
  Promise.all(Array.from({ length: to - from + 1 }, (_, i) => goal(`goal number ${from + i}`)))

describe('a provider whose limit one call met', () => {
  test('is called by nobody until the time that it named; then one call tries, and the others follow', async () => {
    const { state, time, tasks, over, until, ...rest } = await open({ slots: 1 })
    state.refuses = inAnHour(time.now)
    const ids = await goals(1, 8, rest)
    const parked = await Promise.all(ids.map((id) => until(id, (task) => task.status === 'waiting')))
    expect(state.asked).toHaveLength(1)
    for (const task of parked) {
      expect(task).toMatchObject({ reason: 'quota', attempt: 0, note: expect.stringContaining('claude takes no more calls until ') })
      expect(Math.abs(Date.parse(task.wakeAt!) - time.now - 3_600_000)).toBeLessThan(60_000)
    }
    // Whoever met the limit made the one call; nothing of the others was counted or reserved.
    const spent = await Promise.all(ids.map(async (id) => (await tasks.tree(id)).spend))
    expect(spent.reduce((sum, one) => sum + one.turns, 0)).toBe(1)
    expect(spent.reduce((sum, one) => sum + one.tokens + one.costMicros + one.unpricedCalls, 0)).toBe(0)

    time.now += 3_590_000
    await tasks.sweep('quick', time.now)
    expect(state.asked).toHaveLength(1)

    // The one that tries is refused again: still nobody else asks.
    time.now += 11_000
    await expect.poll(() => state.asked.length, { timeout: 15_000 }).toBe(2)
    await expect.poll(async () => (await tasks.holds.list())[0]?.probe, { timeout: 15_000 }).toBe(null)

    const gate = Promise.withResolvers<void>()
    state.refuses = null
    state.holding = gate.promise
    time.now += 3_600_000
    await expect.poll(() => state.asked.length, { timeout: 15_000 }).toBe(3)
    await tasks.sweep('quick', time.now)
    await tasks.sweep('quick', time.now)
    expect(state.asked).toHaveLength(3)
    gate.resolve()
    for (const id of ids) expect((await over(id)).result).toBe('answered')
    expect(new Set(state.asked).size).toBe(8)
    expect(state.asked).toHaveLength(10)
    const told = (await rest.runtime.store.eventsAfter(0, { limit: 5_000 })).filter((event) => event.type.startsWith('provider.'))
    expect(told.map((event) => event.type)).toEqual(['provider.held', 'provider.held', 'provider.released'])
    await expect.poll(() => rest.runtime.store.db.selectFrom('provider_holds').selectAll().execute(), { timeout: 15_000 }).toEqual([])
  })

  test('is left for the model that a person set as its stand-in, at once', async () => {
    const { state, time, over, tasks, ...rest } = await open(
      { env: { MODEL: 'judge/m', FALLBACK_MODEL: 'scripted' } },
      { name: 'judge', judges: true },
    )
    state.refuses = inAnHour(time.now)
    const [first] = await goals(1, 1, rest)
    expect((await over(first!)).status).toBe('done')
    // Watchers and a later goal do not ask it again.
    expect((await over((await goals(2, 2, rest))[0]!)).status).toBe('done')
    expect(state.asked).toEqual(['1'])
    expect(await tasks.holds.list()).toMatchObject([{ provider: 'judge', kind: 'rate' }])
  })

  test('is asked again at once when a person says so, by one call', async () => {
    const { state, time, tasks, over, until, ...rest } = await open({ slots: 1 })
    state.refuses = unpaid
    const ids = await goals(1, 3, rest)
    const [parked] = await Promise.all(ids.map((id) => until(id, (task) => task.status === 'waiting')))
    expect(parked!.note).toMatch(/^claude is out of quota; it is asked again at /)
    expect(state.asked).toHaveLength(1)
    expect(Date.parse(parked!.wakeAt!) - time.now).toBe(300_000)
    expect((await tasks.reviews({ state: 'open', limit: 5 })).items).toEqual([])

    const before = rest.runtime.monitor.providers()
    expect((await before).find((one) => one.id === 'claude')).toMatchObject({
      waiting: 3,
      hold: { kind: 'quota', trying: false, why: expect.stringContaining('credit balance is too low') },
    })
    expect(await (await rest.runtime.monitor.metrics()).text()).toMatch(/banyan_provider_held\{[^}]*provider="claude"[^}]*\} 1/)

    expect(await tasks.holds.tryNow('claude')).toBe(true)
    await expect.poll(async () => (await tasks.holds.list())[0], { timeout: 15_000 }).toMatchObject({ rounds: 1, probe: null })
    expect(state.asked).toHaveLength(2)
    state.refuses = null
    await tasks.holds.tryNow('claude')
    for (const id of ids) expect((await over(id)).result).toBe('answered')
    expect(state.asked).toHaveLength(5)
    expect(await tasks.holds.tryNow('claude')).toBe(false)
  })

  test('is called again when a person gives another key', async () => {
    const { state, time, over, until, ...rest } = await open({ slots: 1 })
    state.refuses = inAnHour(time.now)
    const ids = await goals(1, 3, rest)
    await Promise.all(ids.map((id) => until(id, (task) => task.status === 'waiting')))
    state.refuses = null
    const { providers } = rest.runtime.models
    providers.splice(
      providers.findIndex(({ name }) => name === 'claude'),
      1,
      server!.provider('key-2'),
    )
    for (const id of ids) expect((await over(id)).result).toBe('answered')
  })
})
