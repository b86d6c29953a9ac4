/** What MCP costs: lists of many tools, a call over HTTP, many clients that wait, many tasks that wait for outside agents. Prints one JSON object. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import * as z from 'zod'
import { OWNER, type Principal } from '../../core/auth/principal.ts'
import { type ReadyConfig, readConfig } from '../../core/config.ts'
import { Agent } from '../../core/contract/registry.ts'
import { start } from '../../core/main.ts'
import { openEndpoint } from '../../core/mcp/endpoint.ts'
import type { McpTool, Surface } from '../../core/mcp/surface.ts'
import { harness } from '../testing/harness.ts'
import { endWith } from '../testing/scripted.ts'
import { TALLY } from '../testing/tally-words.ts'

const MODERN = '2026-07-28'
const [CLIENTS, WAITING] = [100, 1_000]
const TOKEN = 'bench-token-of-the-owner-0123'
const folder = mkdtempSync(join(tmpdir(), 'banyan-bench-mcp-'))
const median = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
const p95 = (list: number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)]!
async function times(n: number, work: (i: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  for (let i = 0; i < n; i++) {
    const begun = performance.now()
    await work(i)
    taken.push(performance.now() - begun)
  }
  return taken
}

/** Time of the server alone: no socket, no client. */
async function listing(count: number): Promise<number> {
  const input = z.object({ path: z.string(), lines: z.number().optional() }).strict()
  const schemas = { input: z.toJSONSchema(input), output: z.toJSONSchema(z.object({ text: z.string() })) }
  const one = (i: number): McpTool => ({
    name: `tool_${i}`,
    title: `Tool ${i}`,
    description: 'Reads some lines of a file. '.repeat(8),
    scope: 'read',
    input,
    schemas,
    hints: { reads: true },
    run: async () => ({ kind: 'done', data: { text: '' }, text: '' }),
  })
  const surface: Surface = {
    name: 'bench',
    title: 'Bench',
    version: '1',
    instructions: '',
    tools: Array.from({ length: count }, (_, i) => one(i)),
    resources: { templates: [], list: async () => ({ items: [], nextCursor: null }), read: async () => null, complete: async () => [] },
    prompts: [],
  }
  const by: Principal = { ...OWNER, kind: 'agent' }
  const { runtime, end } = await harness(() => endWith('nothing'), { paused: true })
  const endpoint = openEndpoint({
    ...runtime,
    submitGoal: async ({ by: name, ...goal }) => runtime.submitGoal(goal, name),
    baseUrl: () => 'http://127.0.0.1',
    version: '1',
    secretKey: 'bench',
    mayStill: async () => true,
    log: () => undefined,
    worker: surface,
  })
  const meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: meta } })
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': MODERN,
    'mcp-method': 'tools/list',
  }
  const ask = async () => {
    const answer = await endpoint.fetch(new Request('http://127.0.0.1/mcp', { method: 'POST', headers, body }), by)
    const text = await answer.text()
    if (!text.includes(`tool_${count - 1}`)) throw new Error(`the list is not whole: ${text.slice(0, 500)}`)
  }
  await times(200, ask)
  const cpu = process.cpuUsage()
  await times(300, ask)
  const used = process.cpuUsage(cpu)
  await endpoint.close()
  await end()
  return (used.user + used.system) / 1_000 / 300
}

const root = dirname(dirname(import.meta.dirname))
const config: ReadyConfig = {
  ...readConfig({ DATA_DIR: folder, PORT: '0', MODEL: 'playbook', PATH: '/usr/bin:/bin', MAX_CONCURRENT_AGENTS: '8' }, '/nonexistent'),
  root,
  code: root,
  systemSecretKey: 'bench-secret-key-0123',
  secretKeyFile: null,
  adminToken: TOKEN,
}
const list = { listMs200: await listing(200), listMs12: await listing(12) }
const engine = await start(config)
const post = async <T>(path: string, body: object): Promise<T> => {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  return (await (await fetch(`${engine.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as T
}
const get = async (path: string): Promise<unknown> =>
  (await fetch(`${engine.url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })).json()
const put = async (path: string, body: object): Promise<void> => {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const answer = await fetch(`${engine.url}${path}`, { method: 'PUT', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(await answer.text())
}
async function connect(token: string): Promise<Client> {
  const client = new Client({ name: 'bench', version: '1.0.0' }, { versionNegotiation: { mode: { pin: MODERN } } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${engine.url}/mcp`), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  )
  return client
}
type Claim = { claimed: boolean; task_id: string; lease: string }
const call = async <T = Claim>(client: Client, name: string, given: Record<string, unknown>): Promise<T> =>
  (await client.callTool({ name, arguments: given })).structuredContent as T

// 1,000 tasks wait for an outside agent.
const { token } = await post<{ token: string }>('/api/tokens', { name: 'bench', scopes: ['work'] })
const parks = (wanted: number): Promise<void> =>
  new Promise((resolve) => {
    let n = 0
    const stop = engine.store.onCommit((events) => {
      for (const e of events) if (e.type === 'task.moved' && e.to === 'waiting' && e.reason === 'external') n += 1
      if (n < wanted) return
      stop()
      resolve()
    })
  })
const parked = parks(WAITING)
for (let i = 0; i < WAITING; i += 50)
  await Promise.all(
    Array.from({ length: 50 }, (_, k) => post('/api/goals', { goal: `task ${i + k}`, agent: 'generalist', model: 'external' })),
  )
await parked
const idle = async (): Promise<number> => {
  const cpu = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 3_000))
  const used = process.cpuUsage(cpu)
  return (used.user + used.system) / 3_000
}
const idleWaiting = await idle()
const worker = await connect(token)
const claims: Claim[] = []
const ending: number[] = []
const claiming = await times(50, async (i) => {
  const claim = await call(worker, 'claim_task', {})
  if (!claim.claimed) throw new Error(`claim ${i} found nothing`)
  claims.push(claim)
  const begun = performance.now()
  await call(worker, 'end_task', { task_id: claim.task_id, lease: claim.lease, status: 'success', result: 'Done.' })
  ending.push(performance.now() - begun)
})
const last = await call(worker, 'claim_task', {})
const handles = { task_id: last.task_id, lease: last.lease }
await times(20, () => call(worker, 'heartbeat', handles))
const beats = await times(100, () => call(worker, 'heartbeat', handles))
const calls = await times(50, () => call(worker, 'call_tool', { ...handles, tool: 'list_files', arguments: {} }))

// A tool made for the task gets another version; the clients of its agent, of both eras, hear of it.
async function hearing(): Promise<{ heardMs?: number; heardP95?: number }> {
  const { name: _, ...agent } = Agent.parse(await get('/api/agents/generalist'))
  await put('/api/agents/generalist', { name: 'generalist', ...agent, tools: [...agent.tools, 'create_tool'] })
  for (const source of [TALLY.source, `${TALLY.source}// the second\n`]) {
    const given = { ...handles, tool: 'create_tool', arguments: { ...TALLY, source }, wait_seconds: 40 }
    const { answer } = await call<{ answer: string | null }>(worker, 'call_tool', given)
    if (answer?.includes('need a sandbox')) return {}
    if (!answer?.startsWith('Made the tool')) throw new Error(answer ?? 'create_tool did not answer')
  }
  const old = new OldClient({ name: 'bench', version: '1.0.0' })
  const headers = { authorization: `Bearer ${token}` }
  await old.connect(new OldTransport(new URL(`${engine.url}/mcp`), { requestInit: { headers } }) as never)
  let hear: () => void = () => undefined
  worker.setNotificationHandler('notifications/tools/list_changed', () => hear())
  old.setNotificationHandler(ToolListChangedNotificationSchema, () => hear())
  await worker.listen({ toolsListChanged: true })
  await old.listTools()
  const both = () =>
    new Promise<number>((resolve) => {
      let left = 2
      hear = () => {
        left -= 1
        if (left === 0) resolve(performance.now())
      }
    })
  const taken: number[] = []
  for (let i = 0; i < 30; i++) {
    let saved = 0
    const stop = engine.store.onCommit((events) => {
      if (events.some((event) => event.type === 'registry.saved')) saved = performance.now()
    })
    const heard = both()
    await post(`/api/tools/${TALLY.name}/rollback`, { to: 1 + (i % 2) })
    taken.push((await heard) - saved)
    stop()
  }
  await old.close()
  return { heardMs: median(taken), heardP95: p95(taken) }
}
const heard = await hearing()

// 100 clients wait on goals that a person's word ends.
const clients = await Promise.all(Array.from({ length: CLIENTS }, () => connect(TOKEN)))
const ready = parks(CLIENTS)
const goals = await Promise.all(
  clients.map((_, i) => post<{ treeId: string }>('/api/goals', { goal: `task of ${i}`, agent: 'generalist', model: 'external' })),
)
const waits = clients.map((client, i) =>
  call<{ over: boolean }>(client, 'wait_task', { task_id: goals[i]!.treeId, timeout_seconds: 45, until: 'over' }),
)
await ready
const idleClients = await idle()
const begun = performance.now()
await Promise.all(goals.map((goal) => post(`/api/tasks/${goal.treeId}/abort`, {})))
const over = await Promise.all(waits)
if (!over.every((one) => one.over)) throw new Error('a goal was not over')
const answeredMs = performance.now() - begun
await Promise.all([worker, ...clients].map((client) => client.close()))
await engine.stop('now')
rmSync(folder, { recursive: true, force: true })
const claimOnly = claiming.map((ms, i) => ms - ending[i]!)
console.log(
  JSON.stringify({
    ...list,
    heartbeatMs: median(beats),
    callMs: median(calls),
    callP95: p95(calls),
    claimMs: median(claimOnly),
    endMs: median(ending),
    idleWaiting,
    idleClients,
    answeredMs,
    ...heard,
  }),
)
process.exit(0)
