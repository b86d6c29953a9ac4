import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Fact } from '../contract/event.ts'
import { task } from '../contract/fixture/task.ts'
import { openStore, type Store } from '../store/store.ts'
import { openMetrics } from './metrics.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-metrics-'))
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const open = () => openMetrics({ store, version: '1.2.3', now: Date.now, gauges: async () => [{ name: 'banyan.queue.ready', value: 4 }] })
const tell = (...facts: Fact[]) =>
  store.transact(async (tx) => {
    for (const fact of facts) tx.record('g', fact)
  })
const called = (more: Partial<Extract<Fact, { type: 'model.called' }>> = {}): Fact => ({
  type: 'model.called',
  taskId: 'g',
  provider: 'anthropic',
  model: 'm1',
  spend: { turns: 1, tokens: 100, costMicros: 250_000, unpricedCalls: 0 },
  latencyMs: 1_500,
  outcome: 'ok',
  ...more,
})
const ended = (tool: string, ok = true): Fact => ({ type: 'call.ended', taskId: 'g', callId: 'g/1', tool, ok, ms: 40 })
const numberOf = (text: string, name: string, ...labels: string[]) => {
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)))
  return line === undefined ? null : Number(line.split(' ').at(-1))
}

test('facts are counted by tool and outcome, model and agent, with histograms of how long it took', async () => {
  await tell(
    { type: 'task.created', task: task('g') },
    called(),
    called({ outcome: 'fault' }),
    ended('read_file'),
    ended('read_file', false),
  )
  const text = await open().text()
  expect(numberOf(text, 'banyan_tasks_created_total', 'agent="generalist"')).toBe(1)
  expect(numberOf(text, 'banyan_tool_calls_total', 'tool="read_file"', 'outcome="ok"')).toBe(1)
  expect(numberOf(text, 'banyan_tool_calls_total', 'tool="read_file"', 'outcome="error"')).toBe(1)
  expect(numberOf(text, 'banyan_turns_total', 'model="m1"', 'outcome="fault"')).toBe(1)
  expect(numberOf(text, 'banyan_cost_total', 'provider="anthropic"')).toBe(0.5)
  expect(numberOf(text, 'gen_ai_client_operation_duration_bucket', 'le="1"', 'gen_ai_request_model="m1"')).toBe(0)
  expect(numberOf(text, 'gen_ai_client_operation_duration_bucket', 'le="2.5"', 'gen_ai_request_model="m1"')).toBe(2)
  expect(text).toMatch(/^# TYPE banyan_turns_total counter$/m)
  expect(text).toMatch(/^banyan_queue_ready(\{[^}]*\})? 4$/m)
})

test('a restart forgets nothing and counts nothing twice', async () => {
  await tell(ended('read_file'))
  await open().text()
  await tell(ended('read_file'), ended('read_file'))
  const again = open()
  expect(numberOf(await again.text(), 'banyan_tool_calls_total', 'tool="read_file"')).toBe(3)
  expect(numberOf(await again.text(), 'banyan_tool_calls_total', 'tool="read_file"')).toBe(3)
})

test('two who ask at the same moment are told the same', async () => {
  await tell(...Array.from({ length: 1_200 }, () => ended('read_file')))
  const metrics = open()
  const texts = await Promise.all([metrics.text(), metrics.text()])
  expect(texts.map((text) => numberOf(text, 'banyan_tool_calls_total', 'tool="read_file"'))).toEqual([1_200, 1_200])
})

test('names without end are counted together', async () => {
  await tell(...Array.from({ length: 700 }, (_, i) => ended(`tool_${i}`)))
  const text = await open().text()
  const lines = text.split('\n').filter((line) => line.startsWith('banyan_tool_calls_total{'))
  expect(lines).toHaveLength(501)
  expect(numberOf(text, 'banyan_tool_calls_total', 'otel_metric_overflow="true"')).toBe(200)
})

test('an OTLP receiver is told the same numbers, with the headers that were set', async () => {
  await tell(ended('read_file'))
  const heard: { path: string; key: string | undefined; body: string }[] = []
  const receiver = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      heard.push({ path: request.url!, key: request.headers['x-key'] as string, body })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const stop = open().send({
    endpoint: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`,
    headers: { 'x-key': 'abc' },
    everyMs: 200,
  })
  await vi.waitFor(() => expect(heard.some((one) => one.body.includes('banyan.tool.calls'))).toBe(true), { timeout: 15_000 })
  await stop()
  receiver.close()
  receiver.closeAllConnections()
  const one = heard.find((each) => each.body.includes('banyan.tool.calls'))!
  expect(one).toMatchObject({ path: '/v1/metrics', key: 'abc' })
  const { resourceMetrics } = JSON.parse(one.body)
  const metric = resourceMetrics[0].scopeMetrics
    .flatMap((scope: { metrics: { name: string }[] }) => scope.metrics)
    .find((each: { name: string }) => each.name === 'banyan.tool.calls')
  expect(metric.sum).toMatchObject({ isMonotonic: true, dataPoints: [{ asDouble: 1 }] })
})
