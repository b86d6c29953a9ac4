/** kill -9 under connected clients: of both eras, over HTTP and through the bridge. They go on as if nothing had been. */
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { askAsFollower, dataOf, MODERN, modernClient, oldClient, textOf } from './fixture/clients.ts'
import { openEngineProcess } from './fixture/engine-process.ts'

type Standing = { over: boolean; task: { task_id: string } }
const INFO = { name: 'banyan-test', version: '1.0.0' }
let engine: Awaited<ReturnType<typeof openEngineProcess>>
beforeAll(async () => {
  engine = await openEngineProcess()
})
afterAll(() => engine.stop())

const bridge = () => ({
  command: process.execPath,
  args: [join(import.meta.dirname, '..', '..', 'scripts', 'cli.ts'), 'mcp', 'serve'],
  env: engine.env,
})

test('clients of both eras go on after kill -9, without a word of it', async () => {
  const modern = await modernClient(engine.url, engine.token)
  const old = await oldClient(engine.url, engine.token)
  const modernStdio = new Client(INFO, { versionNegotiation: { mode: { pin: MODERN } } })
  await modernStdio.connect(new StdioClientTransport(bridge()))
  const oldStdio = new OldClient(INFO)
  await oldStdio.connect(new OldStdio(bridge()) as never)
  expect(modernStdio.getNegotiatedProtocolVersion()).toBe(MODERN)
  const clients = [modern, old, modernStdio, oldStdio] as const

  const goals = await Promise.all(
    clients.map(async (client, i) => {
      const begun = await client.callTool({ name: 'start_goal', arguments: { goal: `Run \`echo before-${i}\`` } })
      return dataOf<Standing>(begun).task.task_id
    }),
  )
  await engine.kill()
  await engine.start()
  for (const [i, client] of clients.entries()) {
    const waited = await client.callTool({ name: 'wait_task', arguments: { task_id: goals[i], timeout_seconds: 30 } })
    expect(dataOf<Standing>(waited).over, textOf(waited)).toBe(true)
    expect(textOf(waited)).toContain(`before-${i}`)
  }
  await Promise.all(clients.map((client) => client.close()))
}, 120_000)

test('what was subscribed to before kill -9 is told after it', async () => {
  const old = await oldClient(engine.url, engine.token)
  const { task } = dataOf<Standing>(await old.callTool({ name: 'start_goal', arguments: { goal: 'What is to be done?' } }))
  const uri = `banyan://tree/${task.task_id}`
  await old.subscribeResource({ uri })
  await engine.kill()
  await engine.start()
  const told = new Promise<string>((resolve) => {
    old.fallbackNotificationHandler = async ({ method, params }) => {
      if (method === 'notifications/resources/updated') resolve(String(params?.uri))
    }
  })
  await old.listTools()
  const steering = setInterval(
    () => void old.callTool({ name: 'steer_task', arguments: { task_id: task.task_id, message: 'Hurry.' } }).catch(() => undefined),
    500,
  )
  expect(await told).toBe(uri)
  clearInterval(steering)
  await old.close()
}, 60_000)

test('a listener of 2026-07-28 is told that its stream is over, and hears on when it listens again', async () => {
  const client = await modernClient(engine.url, engine.token)
  const { task } = dataOf<Standing>(await client.callTool({ name: 'start_goal', arguments: { goal: 'What is to be heard?' } }))
  const uri = `banyan://tree/${task.task_id}`
  const told: string[] = []
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.push(params.uri))
  const subscription = await client.listen({ resourceSubscriptions: [uri] })
  await engine.kill()
  await subscription.closed
  await engine.start()
  const again = await client.listen({ resourceSubscriptions: [uri] })
  await client.callTool({ name: 'control_task', arguments: { task_id: task.task_id, action: 'abort' } })
  await vi.waitFor(() => expect(told).toContain(uri), { timeout: 15_000 })
  await again.close()
  await client.close()
}, 60_000)

test('who follows tasks by itself finds task and question again, and an answer sent twice counts once', async () => {
  type Followed = { taskId: string; status: string; inputRequests?: Record<string, unknown>; result?: { structuredContent: Standing } }
  const rpc = async (method: string, params: Record<string, unknown>) => {
    const { result, error } = await askAsFollower(engine, method, params)
    expect(error, error?.message).toBeUndefined()
    return result as never as Followed
  }
  const given = { name: 'start_goal', arguments: { goal: 'Which way is up?', idempotency_key: 'followed' } }
  const { taskId } = await rpc('tools/call', given)
  await engine.kill()
  await engine.start()
  expect((await rpc('tools/call', given)).taskId).toBe(taskId)
  const asked = await vi.waitFor(
    async () => {
      const task = await rpc('tasks/get', { taskId })
      expect(task.status).toBe('input_required')
      return task
    },
    { timeout: 15_000, interval: 200 },
  )
  const [key] = Object.keys(asked.inputRequests ?? {})
  const answer = { taskId, inputResponses: { [key!]: { action: 'accept', content: { answer: 'That way.' } } } }
  await rpc('tasks/update', answer)
  await engine.kill()
  await engine.start()
  await rpc('tasks/update', answer)
  const over = await vi.waitFor(
    async () => {
      const task = await rpc('tasks/get', { taskId })
      expect(task.status).toBe('completed')
      return task
    },
    { timeout: 15_000, interval: 200 },
  )
  expect(over.result?.structuredContent).toMatchObject({ over: true, task: { task_id: taskId, status: 'done' } })
  const facts = await fetch(`${engine.url}/api/events?treeId=${taskId}&limit=1000`, {
    headers: { authorization: `Bearer ${engine.token}` },
  })
  const { items } = (await facts.json()) as { items: { type: string }[] }
  expect(items.filter((one) => one.type === 'review.decided')).toHaveLength(1)
}, 90_000)

test('a call that may have been done is not done twice by the bridge, and one that only looks is', async () => {
  const client = new OldClient(INFO)
  await client.connect(new OldStdio(bridge()) as never)
  await client.listTools()
  const { task } = dataOf<Standing>(await client.callTool({ name: 'start_goal', arguments: { goal: 'What is to be said?' } }))
  const waiting = client.callTool({ name: 'wait_task', arguments: { task_id: task.task_id, timeout_seconds: 20, until: 'over' } })
  // It waits on the server by the time that another call of the same session is answered.
  await client.callTool({ name: 'get_task', arguments: { task_id: task.task_id } })
  await engine.kill()
  await engine.start()
  const controlled = await client.callTool({ name: 'control_task', arguments: { task_id: task.task_id, action: 'abort' } })
  expect(controlled.isError, textOf(controlled)).toBeFalsy()
  expect(dataOf<Standing>(await waiting).over).toBe(true)
  await client.close()
}, 90_000)

test('the bridge says in its first answer what is wrong when no Banyan runs', async () => {
  await engine.kill()
  const client = new OldClient(INFO)
  await expect(client.connect(new OldStdio({ ...bridge(), stderr: 'ignore' }) as never)).rejects.toThrow('Banyan is not running at')
  await engine.start()
}, 60_000)
