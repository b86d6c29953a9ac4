import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fact } from '../contract/event.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { openEngineProcess } from '../mcp/fixture/engine-process.ts'
import { openStore, type Store } from '../store/store.ts'
import { openTasks } from '../tasks/tasks.ts'
import { openReceiver } from './fixture/receiver.ts'
import { openTraces } from './traces.ts'

let receiver: Awaited<ReturnType<typeof openReceiver>>
beforeEach(async () => {
  receiver = await openReceiver()
})
afterEach(() => receiver.close())
const soon = { timeout: 15_000, interval: 50 }

describe('facts of a database', () => {
  let folder: string
  let store: Store
  const logged: string[] = []
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-traces-'))
    store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
    logged.length = 0
  })
  afterEach(async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  })
  const open = (content = false) =>
    openTraces({
      store,
      endpoint: receiver.url,
      headers: {},
      version: '1',
      content,
      redact: (text) => text.replaceAll('hunter2', '[secret]'),
      log: (_, words) => void logged.push(words),
    })
  const goal = async (words: string) =>
    (
      await openTasks(store).createGoal({
        goal: words,
        agent: 'generalist',
        mode: 'auto',
        limits: DEFAULT_LIMITS,
        priority: 0,
        workspace: 'task',
        submittedBy: 'owner',
        origin: 'person',
      })
    ).treeId
  const end = async (id: string) => {
    const tasks = openTasks(store)
    const lease = (await tasks.turns.lease('w', 1))[0]!
    const start = await tasks.turns.begin(lease, { provider: 'anthropic', model: 'm1', tokens: 1, costMicros: 1, maxTurns: 5 })
    if (start.kind !== 'go') throw new Error(`task ${id} did not begin`)
    await tasks.turns.fault(
      lease,
      start.call,
      {
        provider: 'anthropic',
        model: 'm1',
        kind: 'refused',
        message: 'no',
        usage: { input: 10, output: 5, reasoning: 0, cacheRead: 3, cacheWrite: 2 },
        costMicros: 70,
        latencyMs: 9,
      },
      null,
    )
    await tasks.control(id, { verb: 'abort', by: 'owner' })
  }
  const tell = (...facts: Fact[]) =>
    store.transact(async (tx) => {
      for (const fact of facts) tx.record('g', fact)
    })
  const ended = (n: number): Fact => ({ type: 'call.ended', taskId: 'g', callId: `g/${n}`, tool: 'read_file', ok: true, ms: 40 })

  test('a goal is a trace: its agent, and under it the model call with its tokens', async () => {
    const traces = await open()
    const id = await goal('Say hunter2.')
    await end(id)
    await vi.waitFor(() => expect(receiver.spans.some((one) => one.name === 'invoke_agent generalist')).toBe(true), soon)
    const root = receiver.spans.find((one) => one.name === 'invoke_agent generalist')!
    expect(root).toMatchObject({ parentSpanId: undefined, error: true })
    expect(root.attributes).toMatchObject({ 'gen_ai.operation.name': 'invoke_agent', 'banyan.task.status': 'cancelled' })
    const chat = receiver.spans.find((one) => one.name === 'chat m1')!
    expect(chat).toMatchObject({ traceId: root.traceId, parentSpanId: root.spanId, error: true })
    expect(chat.attributes).toMatchObject({
      'gen_ai.provider.name': 'anthropic',
      'gen_ai.usage.input_tokens': 15,
      'gen_ai.usage.output_tokens': 5,
      'gen_ai.agent.name': 'generalist',
      'banyan.cost.usd': 0.00007,
    })
    expect(chat.end - chat.start).toBe(9_000_000n)
    expect(receiver.bodies.join()).not.toContain('Say ')
    await traces.close()
  })

  test('texts go out only where somebody asked for them, and never with a secret', async () => {
    const traces = await open(true)
    await end(await goal('Say hunter2.'))
    await vi.waitFor(() => expect(receiver.bodies.join()).toContain('Say [secret].'), soon)
    expect(receiver.bodies.join()).not.toContain('hunter2')
    await traces.close()
  })

  test('a receiver that is away loses nothing: it is asked again, and then told each span once', async () => {
    const traces = await open()
    receiver.refuse(404)
    await tell(ended(1), ended(2))
    await vi.waitFor(() => expect(receiver.refused()).toBeGreaterThan(0), soon)
    receiver.refuse(null)
    await vi.waitFor(() => expect(receiver.spans).toHaveLength(2), soon)
    expect(new Set(receiver.spans.map((one) => one.spanId)).size).toBe(2)
    await vi.waitFor(() => expect(logged.at(-1)).toContain('again'), soon)
    expect(logged[0]).toContain('nothing is lost')
    await traces.close()
  })

  test('what it would never take does not hold up what comes after', async () => {
    const traces = await open()
    receiver.refuse(400)
    await tell(ended(1))
    await vi.waitFor(() => expect(logged.join()).toContain('refused'), soon)
    receiver.refuse(null)
    await tell(ended(2))
    await vi.waitFor(() => expect(receiver.spans).toHaveLength(1), soon)
    await traces.close()
  })

  test('a stop sends what there is, and the next start goes on after it', async () => {
    const first = await open()
    await tell(ended(1))
    await first.close()
    expect(receiver.spans).toHaveLength(1)
    await tell(ended(2))
    const second = await open()
    await vi.waitFor(() => expect(receiver.spans).toHaveLength(2), soon)
    await second.close()
    expect(receiver.spans).toHaveLength(2)
  })
})

test('kill -9 in the middle: every span of the goal arrives, under the same ids, and every parent is there', async () => {
  const engine = await openEngineProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  try {
    const ask = async <T>(path: string, body?: object): Promise<T> => {
      const answer = await fetch(`${engine.url}${path}`, {
        headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      })
      return (await answer.json()) as T
    }
    const lines = Array.from({ length: 6 }, (_, i) => `${i + 1}. Run \`echo part-${i}\``).join('\n')
    const { treeId } = await ask<{ treeId: string }>('/api/goals', { goal: lines })
    await vi.waitFor(() => expect(receiver.spans.length).toBeGreaterThan(3), { ...soon, timeout: 60_000 })
    await engine.kill()
    await engine.start()
    type Tree = { status: string; tasks: { id: string; status: string }[] }
    await vi.waitFor(async () => expect((await ask<Tree>(`/api/trees/${treeId}`)).status).toBe('done'), { timeout: 90_000, interval: 200 })
    const tree = await ask<Tree>(`/api/trees/${treeId}`)
    const agents = () => receiver.spans.filter((one) => one.name.startsWith('invoke_agent '))
    await vi.waitFor(() => expect(new Set(agents().map((one) => one.attributes['banyan.task.id'])).size).toBe(tree.tasks.length), {
      ...soon,
      timeout: 60_000,
    })

    const { items } = await ask<{ items: { type: string; outcome?: string }[] }>(`/api/events?treeId=${treeId}&limit=1000`)
    const facts = (type: string) => items.filter((one) => one.type === type).length
    const unique = new Map(receiver.spans.map((one) => [one.spanId, one]))
    const named = (word: string) => [...unique.values()].filter((one) => one.name.startsWith(word)).length
    expect(named('chat ')).toBe(facts('model.called'))
    expect(named('execute_tool ')).toBe(facts('call.ended'))
    expect(new Set(receiver.spans.map((one) => one.traceId)).size).toBe(1)
    for (const one of unique.values()) if (one.parentSpanId) expect(unique.has(one.parentSpanId), one.name).toBe(true)
    expect([...unique.values()].filter((one) => !one.parentSpanId)).toHaveLength(1)
    // A span that came twice is the same in all that it says.
    for (const one of receiver.spans) expect(one).toEqual(unique.get(one.spanId))
  } finally {
    await engine.stop()
  }
}, 180_000)
