/** Programs of others against the whole engine: what people have on their machines, as it comes from the registry. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPeers, peer, run } from '../../scripts/testing/peers.ts'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'

let running: Running
let home: string
const ready = await installPeers()
beforeAll(async () => {
  running = await engine()
  home = mkdtempSync(join(tmpdir(), 'banyan-inspector-'))
})
afterAll(async () => {
  await running.stop()
  rmSync(home, { recursive: true, force: true })
})

describe.runIf(ready)('the MCP Inspector', () => {
  const inspector = async (...args: string[]) => {
    const { code, stdout, output } = await run(join(peer('.bin'), 'mcp-inspector'), ['--cli', ...args, '--format', 'json', '-q'], {
      env: { HOME: home, MCP_INSPECTOR_SECRET_STORE: 'file' },
    })
    expect(code, output).toBe(0)
    return JSON.parse(stdout) as { result: { structuredContent: { task: { task_id: string } }; tools: { name: string }[] } }
  }
  const call = (goal: string) => ['--method', 'tools/call', '--tool-name', 'start_goal', '--tool-args-json', JSON.stringify({ goal })]

  test.each(['modern', 'legacy', 'auto'])(
    'gives a goal over HTTP in the era %s',
    async (era) => {
      const http = [
        '--server-url',
        `${running.url}/mcp`,
        '--transport',
        'http',
        '--header',
        `Authorization: Bearer ${TOKEN}`,
        '--stored-auth-only',
      ]
      const { result } = await inspector(...http, '--protocol-era', era, ...call(`Run \`echo ${era}\``))
      expect((await running.over(result.structuredContent.task.task_id)).result).toContain(era)
    },
    60_000,
  )

  // It hands its servers a few variables only.
  test('lists the tools through the bridge', async () => {
    const cli = join(import.meta.dirname, '..', '..', 'scripts', 'cli.ts')
    const { result } = await inspector(
      'env',
      `BANYAN_URL=${running.url}`,
      `BANYAN_TOKEN=${TOKEN}`,
      process.execPath,
      cli,
      'mcp',
      'serve',
      '--method',
      'tools/list',
    )
    expect(result.tools.map((tool) => tool.name)).toContain('wait_task')
  }, 60_000)
})

test.runIf(ready)('the AI SDK gives a goal and waits for it', async () => {
  type Tools = Record<
    string,
    { execute(input: object, options: object): Promise<{ structuredContent: { over: boolean; task: { task_id: string } } }> }
  >
  type Sdk = { createMCPClient(options: object): Promise<{ tools(): Promise<Tools>; close(): Promise<void> }> }
  const { createMCPClient } = (await import(pathToFileURL(peer('@ai-sdk/mcp/dist/index.js')).href)) as Sdk
  const client = await createMCPClient({
    transport: { type: 'http', url: `${running.url}/mcp`, headers: { Authorization: `Bearer ${TOKEN}` } },
  })
  const tools = await client.tools()
  const options = { toolCallId: 'one', messages: [] }
  const begun = await tools.start_goal!.execute({ goal: 'Run `echo from-the-ai-sdk`' }, options)
  const { task } = begun.structuredContent
  const waited = await tools.wait_task!.execute({ task_id: task.task_id }, options)
  expect(waited.structuredContent.over).toBe(true)
  await client.close()
})
