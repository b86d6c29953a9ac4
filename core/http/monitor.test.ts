import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResponseOf, RouteName } from '../contract/api.ts'
import type { ModelFault } from '../models/provider.ts'
import { keepAlerts, keptAlerts } from '../observe/alerts.ts'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.stop())

const get = async <N extends RouteName>(_name: N, path: string): Promise<ResponseOf<N>> => {
  const answer = await server.ask('GET', path)
  expect(answer.status, answer.text).toBe(200)
  return answer.json
}
const claim = async (worker = 'w1') => (await server.tasks.turns.lease(worker, 1))[0]!

test('resources tell of now and of a history, by the hour and by the day', async () => {
  const hour = await get('resources', '/api/system/resources')
  expect(hour.now!.memoryTotalBytes).toBeGreaterThan(0)
  expect(hour).toMatchObject({ stepSeconds: 5, cores: expect.any(Number) })
  expect(hour.items.at(-1)).toEqual(hour.now)
  expect((await get('resources', '/api/system/resources?window=24h')).stepSeconds).toBe(60)
  server.clock.now += 5_000
  await server.monitor.resources.take()
  const later = await get('resources', `/api/system/resources?after=${hour.now!.at}`)
  expect(later.items.length).toBeGreaterThan(0)
  expect(later.items.every((one) => one.at > hour.now!.at)).toBe(true)
  expect((await server.ask('GET', '/api/system/resources?after=yesterday')).status).toBe(400)
  expect((await server.ask('GET', '/api/system/resources?window=1y')).status).toBe(400)
})

test('the queue counts what is ready and since when, and workers tell who claimed what', async () => {
  const tree = await server.goal('Wait in the queue.')
  server.clock.now = Date.now() + 60_000
  const queue = await get('queue', '/api/system/queue')
  expect(queue).toMatchObject({ ready: 1, claimed: 0, slots: 3, active: 0 })
  expect(queue.oldestReadySeconds).toBeGreaterThanOrEqual(59)
  expect((await get('workers', '/api/system/workers')).items).toEqual([])
  const lease = await claim('worker-7')
  await server.tasks.turns.begin(lease, { provider: 'anthropic', model: 'm1', tokens: 1, costMicros: 1, maxTurns: 5 })
  const { items } = await get('workers', '/api/system/workers')
  expect(items).toMatchObject([
    { taskId: tree, agent: 'generalist', status: 'active', worker: 'worker-7', since: null, call: { provider: 'anthropic', model: 'm1' } },
  ])
  expect(Date.parse(items[0]!.leaseUntil)).toBeGreaterThan(Date.now())
  expect(await get('queue', '/api/system/queue')).toMatchObject({ ready: 0, oldestReadySeconds: null, claimed: 1 })
  await server.tasks.turns.fail(lease, { reason: 'error', note: 'the disk was full' })
})

describe('what is stuck', () => {
  test('is told newest first with the one act that mends it, and the act works', async () => {
    const tree = (await get('dead', '/api/system/dead')).items[0]!
    expect(tree).toMatchObject({
      status: 'failed',
      reason: 'error',
      note: 'the disk was full',
      action: { method: 'POST', label: 'Run it again' },
    })
    const done = await server.ask('POST', tree.action.path, { body: tree.action.body })
    expect(done.status, done.text).toBe(200)
    expect((await get('dead', '/api/system/dead')).items).toEqual([])
  })

  test('and was put into the review queue is mended by deciding it there', async () => {
    const first = await claim()
    await server.tasks.turns
      .begin(first, { provider: 'p', model: 'm', tokens: 1, costMicros: 1, maxTurns: 5 })
      .then((start) =>
        server.tasks.turns.fault(
          first,
          start.kind === 'go' ? start.call : 0,
          { provider: 'p', model: 'm', kind: 'refused', message: 'the key is wrong', usage: null, costMicros: 0, latencyMs: 1 },
          null,
        ),
      )
    const [item] = (await get('dead', '/api/system/dead')).items
    expect(item).toMatchObject({ status: 'paused', note: 'the key is wrong', action: { body: { decision: 'approve' } } })
    const done = await server.ask('POST', item!.action.path, { body: item!.action.body })
    expect(done.status, done.text).toBe(200)
    expect((await server.tasks.task(item!.taskId)).status).toBe('pending')
  })
})

describe('what is put away', () => {
  test('is told no more, until it fails anew', async () => {
    const tree = await server.goal('Fail.')
    const lease = (await server.tasks.turns.lease('w9', 10)).find((one) => one.treeId === tree)!
    await server.tasks.turns.fail(lease, { reason: 'error', note: 'no' })
    const told = async () => (await get('dead', '/api/system/dead')).items.find((one) => one.taskId === tree)
    const { discard } = (await told())!
    const done = await server.ask('POST', discard.path, { body: discard.body })
    expect(done.status, done.text).toBe(200)
    expect(await told()).toBeUndefined()
    expect((await server.ask('POST', `/api/tasks/${tree}/retry`, { body: {} })).status).toBe(200)
    expect((await server.ask('POST', discard.path)).status).toBe(409)
    const again = (await server.tasks.turns.lease('w9', 10)).find((one) => one.treeId === tree)!
    await server.tasks.turns.fail(again, { reason: 'error', note: 'no again' })
    expect(await told()).toMatchObject({ note: 'no again' })
  })
  test('ends where it is held, with the question about it', async () => {
    const tree = await server.goal('Hold.')
    const lease = (await server.tasks.turns.lease('w9', 10)).find((one) => one.treeId === tree)!
    const start = await server.tasks.turns.begin(lease, { provider: 'p', model: 'm', tokens: 1, costMicros: 1, maxTurns: 5 })
    const fault = { provider: 'p', model: 'm', kind: 'refused', message: 'no key', usage: null, costMicros: 0, latencyMs: 1 }
    await server.tasks.turns.fault(lease, start.kind === 'go' ? start.call : 0, fault, null)
    const done = await server.ask('POST', `/api/system/dead/${tree}/discard`)
    expect(done.json).toMatchObject({ id: tree, status: 'cancelled' })
    expect((await server.tasks.reviews({ state: 'open', treeId: tree, limit: 10 })).items).toEqual([])
  })
})

test('tasks that a provider told to come later are counted with it, and ask again at once when a person says so', async () => {
  const tree = await server.goal('Later.')
  const lease = (await server.tasks.turns.lease('w9', 10)).find((one) => one.treeId === tree)!
  const ask = { provider: 'playbook', model: 'm', tokens: 1, costMicros: 1, maxTurns: 5 }
  const start = await server.tasks.turns.begin(lease, ask)
  const fault = { ...ask, kind: 'later', message: 'answered 429', usage: null, costMicros: 0, latencyMs: 1 }
  const at = Date.now() + 3_600_000
  await server.tasks.turns.fault(lease, start.kind === 'go' ? start.call : 0, fault, at)
  const of = async () => (await get('breakers', '/api/system/breakers')).items.find((one) => one.id === 'playbook')
  expect(await of()).toMatchObject({ state: 'closed', waiting: 1, resumesAt: new Date(at).toISOString() })
  const queue = await get('queue', '/api/system/queue')
  expect(queue.waiting.find((one) => one.reason === 'quota')).toMatchObject({ count: 1, resumesAt: new Date(at).toISOString() })
  const reset = await server.ask('POST', '/api/system/breakers/playbook/reset')
  expect(reset.json).toMatchObject({ waiting: 0, resumesAt: null })
  expect((await server.tasks.task(tree)).status).toBe('pending')
})

describe('a breaker', () => {
  const down: ModelFault = { kind: 'later', message: 'answered 500' }
  test('that opened says why and until when, shows in the checks, and is closed by a reset', async () => {
    const provider = server.models.providers[0]!
    for (let i = 0; i < 5; i++) server.models.breakerOf(provider).failed(down)
    const [open] = (await get('breakers', '/api/system/breakers')).items
    expect(open).toMatchObject({
      id: 'playbook',
      state: 'open',
      failuresInARow: 5,
      why: 'answered 500',
      until: expect.stringMatching(/Z$/),
    })
    const { checks } = await get('doctor', '/api/system/doctor')
    expect(checks.find((check) => check.name === 'providers')).toMatchObject({
      state: 'warn',
      words: expect.stringContaining('answered 500'),
    })
    const reset = await server.ask('POST', '/api/system/breakers/playbook/reset')
    expect(reset.json).toEqual({
      id: 'playbook',
      state: 'closed',
      failuresInARow: 0,
      why: null,
      until: null,
      hold: null,
      waiting: 0,
      resumesAt: null,
    })
    expect(server.models.breakerOf(provider).mayCall()).toEqual({ ok: true })
  })
  test('of a provider that is not there is refused with those that are', async () => {
    const answer = await server.ask('POST', '/api/system/breakers/nobody/reset')
    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([404, 'There is no provider "nobody"; there are playbook.'])
  })
})

test('the log has lines of what happened with the goal they belong to, by level and after a number', async () => {
  const all = await get('logs', '/api/system/logs')
  const failed = all.items.find((line) => line.text.includes('the disk was full'))!
  expect(failed).toMatchObject({ level: 'warn', treeId: expect.any(String), taskId: expect.any(String) })
  const warnings = await get('logs', `/api/system/logs?level=warn&treeId=${failed.treeId}`)
  expect(warnings.items.every((line) => line.level !== 'info' && line.treeId === failed.treeId)).toBe(true)
  const after = await get('logs', `/api/system/logs?after=${all.nextCursor}`)
  expect(after).toEqual({ items: [], nextCursor: all.nextCursor })
})

test('the checks are those of `banyan doctor`, and say whether anything fails', async () => {
  const { ok, checks } = await get('doctor', '/api/system/doctor')
  expect(checks.map((check) => check.name)).toEqual(
    expect.arrayContaining([
      'node',
      'settings',
      'data folder',
      'disk',
      'token',
      'database',
      'model',
      'commands',
      'providers',
      'tasks',
      'secrets',
    ]),
  )
  expect(ok).toBe(!checks.some((check) => check.state === 'fail'))
  expect(checks.find((check) => check.name === 'database')?.state).toBe('ok')
})

test('metrics are told in the words of Prometheus, of facts and of how things stand', async () => {
  const answer = await server.ask('GET', '/metrics')
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  expect(answer.text).toMatch(/^banyan_goals_submitted_total(\{[^}]*\})? [1-9]/m)
  expect(answer.text).toMatch(/^banyan_breaker_state\{.*provider="playbook".*\} 0$/m)
  expect(answer.text).toMatch(/^banyan_tasks\{.*status="pending".*\} [1-9]/m)
  for (const name of ['banyan_database_size', 'banyan_eventloop_delay_p99', 'banyan_disk_free', 'banyan_reviews_open'])
    expect(answer.text).toContain(`\n${name}`)
  expect((await server.ask('GET', '/metrics', { headers: { authorization: undefined } })).status).toBe(401)
})

test('an alert is a fact once, and its end is one too', async () => {
  const before = await server.store.lastSeq()
  const alert = { what: 'disk' as const, percent: 95, words: 'disk is used to 95 %: free space on the disk that holds DATA_DIR.' }
  await keepAlerts(server.store, alert, true)
  expect(await keptAlerts(server.store)).toEqual(['disk'])
  await keepAlerts(server.store, { ...alert, percent: 80 }, false)
  expect(await keptAlerts(server.store)).toEqual([])
  expect(await server.store.eventsAfter(before)).toMatchObject([
    { type: 'alert.raised', what: 'disk', percent: 95, treeId: null },
    { type: 'alert.cleared', what: 'disk', percent: 80 },
  ])
  const { items } = await get('logs', '/api/system/logs?level=warn')
  expect(items.at(-1)?.text).toBe(alert.words)
})

test('none of it is told without a login', async () => {
  for (const path of ['resources', 'workers', 'queue', 'dead', 'breakers', 'logs', 'doctor'])
    expect((await server.ask('GET', `/api/system/${path}`, { headers: { authorization: undefined } })).status).toBe(401)
})
