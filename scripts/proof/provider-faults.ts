/**
 * Providers that fail in every way while goals run: 429, 529, 5xx, silence, connections reset, and a stream cut after each of its bytes. A whole
 * runtime works the goals against servers that speak the real protocols; each goal meets one fault. Afterwards every goal must be done, every
 * file must hold what the whole call said, and no call may have run twice or half.
 *
 *   npm run proof -- faults [--every N]    (N: a cut after each N-th byte only)
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type ReadyConfig, readConfig } from '../../core/config.ts'
import { isOver } from '../../core/contract/task.ts'
import { anthropic } from '../../core/models/anthropic.ts'
import { openai } from '../../core/models/openai.ts'
import type { Provider } from '../../core/models/provider.ts'
import { openRuntime } from '../../core/runtime.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { type Protocol, streamOf } from '../testing/model-stream.ts'

type Fault = { kind: 'status'; status: number; retryAfter?: string } | { kind: 'hang' } | { kind: 'reset' } | { kind: 'cut'; at: number }
type Case = { n: number; protocol: Protocol; turn: 0 | 1 | 2; fault: Fault }
export type Outcome = { goals: number; met: Record<string, number>; requests: number; closed: number; tried: number; broken: string[] }

/** Silence that counts as one. Milliseconds. */
const IDLE_MS = 1_500
const AT_ONCE = 24
const LOOK_MS = 100

const textOf = (n: number): string => `${n}: ${'all of it, to the last word. '.repeat(4)}`
const CALLS = (n: number) => [
  { name: 'write_file', input: { path: 'out.txt', content: textOf(n) } },
  { name: 'read_file', input: { path: 'out.txt' } },
  { name: 'end_task', input: { status: 'success', result: `done ${n}`, evidence: [{ kind: 'file', path: 'out.txt' }] } },
]

/** Where the message is complete: what a cut after this leaves is a whole reply. */
const endOf = (protocol: Protocol, body: string): number =>
  protocol === 'openai' ? body.indexOf('"finish_reason":"tool_calls"') : body.indexOf('event: message_stop')

/** Every case, or with `every` a cut after each N-th byte and a few of each other kind. */
function casesOf(every: number): Case[] {
  const cases: Omit<Case, 'n'>[] = []
  for (const protocol of ['anthropic', 'openai'] as const) {
    const body = streamOf(protocol, CALLS(1_000)[0]!)
    // The numbers of goals have up to four digits, so bodies differ by a few bytes; cuts stop before the end of the shortest.
    for (let at = 0; at < endOf(protocol, body) - 8; at += every) cases.push({ protocol, turn: 0, fault: { kind: 'cut', at } })
    const others: Fault[] = [
      ...[429, 500, 502, 503, 504, 529].map((status): Fault => ({ kind: 'status', status })),
      { kind: 'status', status: 429, retryAfter: '1' },
      { kind: 'hang' },
      { kind: 'reset' },
    ]
    const rounds = Math.max(1, Math.round(10 / every))
    for (let i = 0; i < rounds; i++)
      for (const turn of [0, 1, 2] as const) for (const fault of others) cases.push({ protocol, turn, fault })
  }
  // Kinds and protocols mixed, the same way each time, so that a breaker sees them as it would in life.
  let seed = 1
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed
  }
  return cases
    .map((one) => ({ one, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }, n) => ({ ...one, n }))
}

export async function run(every: number, progress: (words: string) => void = () => undefined): Promise<Outcome> {
  const cases = casesOf(every)
  const byNumber = new Map(cases.map((one) => [one.n, one]))
  const outcome: Outcome = { goals: cases.length, met: {}, requests: 0, closed: 0, tried: 0, broken: [] }
  const met = new Set<number>()
  const server = createServer((req, res) => void answer(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString()
    outcome.requests++
    const asked = JSON.parse(body) as { messages: { role: string }[] }
    const n = Number(/Write note number (\d+)\./.exec(body)?.[1])
    const one = byNumber.get(n)!
    const turn = asked.messages.filter((message) => message.role === 'assistant').length
    const stream = streamOf(one.protocol, CALLS(n)[Math.min(turn, 2)]!)
    const headers = { 'content-type': 'text/event-stream' }
    if (turn !== one.turn || met.has(n)) return void res.writeHead(200, headers).end(stream)
    met.add(n)
    const { fault } = one
    const name = fault.kind === 'status' ? `${one.protocol} ${fault.status}` : `${one.protocol} ${fault.kind}`
    outcome.met[name] = (outcome.met[name] ?? 0) + 1
    switch (fault.kind) {
      case 'status':
        res.writeHead(fault.status, {
          'content-type': 'application/json',
          ...(fault.retryAfter ? { 'retry-after': fault.retryAfter } : {}),
        })
        return void res.end(JSON.stringify({ type: 'error', error: { type: 'api_error', message: 'Try later.' } }))
      case 'hang':
        return void res.writeHead(200, headers).flushHeaders()
      case 'reset':
        return void req.socket.destroy()
      case 'cut':
        res.writeHead(200, headers)
        if (fault.at === 0) res.flushHeaders()
        return void res.write(Buffer.from(stream).subarray(0, fault.at), () => setImmediate(() => req.socket.destroy()))
    }
  }

  const dataDir = await mkdtemp(join(tmpdir(), 'banyan-faults-'))
  const root = dirname(dirname(import.meta.dirname))
  const settings = { DATA_DIR: dataDir, MODEL: 'faulty-anthropic', PATH: '/usr/bin:/bin', MAX_CONCURRENT_AGENTS: String(AT_ONCE) }
  const config: ReadyConfig = {
    ...readConfig(settings, '/nonexistent'),
    ...{ root, code: root, systemSecretKey: 'proof-secret-key-0123', secretKeyFile: null, adminToken: 'proof-token' },
  }
  // Nobody judges here: what is proved is the road of a call, and watchers would only add requests.
  const alone = (provider: Provider, name: string): Provider => ({ ...provider, name, judges: false, stream: provider.stream })
  const providers = [
    alone(anthropic({ apiKey: 'k', baseUrl: `http://127.0.0.1:${port}`, idleTimeoutMs: IDLE_MS }), 'faulty-anthropic'),
    alone(openai({ name: 'openai', apiKey: 'k', baseUrl: `http://127.0.0.1:${port}/v1`, idleTimeoutMs: IDLE_MS }), 'faulty-openai'),
  ]
  const runtime = await openRuntime(config, { providers })
  const runner = runtime.run()
  try {
    const goals = new Map<number, string>()
    for (const { n, protocol } of cases) {
      const model = `faulty-${protocol}/m`
      const { treeId } = await runtime.submitGoal({ goal: `Write note number ${n}.`, agent: 'generalist', model }, 'proof')
      goals.set(n, treeId)
    }
    const left = new Set(goals.values())
    for (let told = 0; left.size > 0; ) {
      for (const id of left) {
        const task = await runtime.tasks.task(id)
        if (isOver(task.status) || task.status === 'paused' || task.reason === 'review') left.delete(id)
      }
      const over = goals.size - left.size
      if (over >= told + 100) progress(`${over} of ${goals.size} goals are over`)
      told = over - (over % 100)
      // With one fault to every three good replies a breaker opens now and then, and a call that tries a held provider meets a fault of its own, so
      // that the waits grow; a person closes the one and has the other tried, as they can on the page.
      for (const provider of providers)
        if (runtime.models.breakerOf(provider).state() !== 'closed') {
          outcome.closed++
          runtime.models.breakerOf(provider).reset()
          await runtime.tasks.wakeQuota(provider.name)
        }
      for (const { provider } of await runtime.tasks.holds.list()) if (await runtime.tasks.holds.tryNow(provider)) outcome.tried++
      await delay(LOOK_MS)
    }
    for (const [n, id] of goals) outcome.broken.push(...(await wrong(n, id)))
    outcome.broken.push(...cases.filter(({ n }) => !met.has(n)).map(({ n }) => `goal ${n} never met its fault`))
    outcome.broken.push(...(await violations(runtime.store)))
  } finally {
    await runner.stop(0)
    await runtime.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await rm(dataDir, { recursive: true, force: true })
  return outcome

  /** What is not as it should be with one goal. */
  async function wrong(n: number, id: string): Promise<string[]> {
    const found: string[] = []
    const say = (words: string) => found.push(`goal ${n} (${JSON.stringify(byNumber.get(n))}): ${words}`)
    const task = await runtime.tasks.task(id)
    if (task.status !== 'done') say(`is ${task.status} (${task.reason ?? ''} ${task.note ?? ''})`)
    const calls = await runtime.store.db
      .selectFrom('calls')
      .select(['tool', 'input', 'attempts'])
      .where('task_id', '=', id)
      .orderBy('n')
      .execute()
    const wanted = CALLS(n)
    if (calls.map(({ tool }) => tool).join() !== wanted.map(({ name }) => name).join())
      say(`made the calls ${calls.map(({ tool }) => tool).join()}`)
    for (const [i, call] of calls.entries())
      if (call.tool === 'write_file' && (JSON.parse(call.input) as { content?: string }).content !== textOf(n)) say(`ran half of call ${i}`)
    const file = join(runtime.workspaces.path({ treeId: id, workspace: '' }), 'out.txt')
    const written = await readFile(file, 'utf8').catch(() => null)
    if (written !== textOf(n)) say('its file does not hold what the call said')
    return found
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { every: { type: 'string', default: '1' } } })
  const begun = performance.now()
  const { goals, met, requests, closed, tried, broken } = await run(Math.max(1, Number(values.every)), (words) => console.error(words))
  for (const [name, count] of Object.entries(met).sort()) console.log(`${String(count).padStart(6)}  ${name}`)
  console.log(
    `${goals} goals, ${requests} requests, ${closed} times a person closed a breaker and ${tried} had a held provider tried, ${broken.length} broken, ${((performance.now() - begun) / 1_000).toFixed(0)} s`,
  )
  for (const line of broken.slice(0, 50)) console.log(`- ${line}`)
  process.exitCode = broken.length > 0 ? 1 : 0
}
