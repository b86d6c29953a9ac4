/** kill -9 under connected clients: of both eras, over HTTP and through the bridge. They go on as if nothing had been. */
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdio } from '@modelcontextprotocol/sdk/client/stdio.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dataOf, MODERN, modernClient, oldClient, textOf } from './fixture/clients.ts'
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
