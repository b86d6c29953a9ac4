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

  test('reads a document and gets a prompt', async () => {
    const http = ['--server-url', `${running.url}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${TOKEN}`]
    const read = await inspector(
      ...http,
      '--stored-auth-only',
      '--method',
      'resources/read',
      '--uri',
      'banyan://document/system_architecture',
    )
    expect(JSON.stringify(read)).toContain('banyan://document/system_architecture')
    const wish = 'wish=Tidy the attic'
    const got = await inspector(
      ...http,
      '--stored-auth-only',
      '--method',
      'prompts/get',
      '--prompt-name',
      'plan_goal',
      '--prompt-args',
      wish,
    )
    expect(JSON.stringify(got)).toContain('Tidy the attic')
  }, 60_000)

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

test.runIf(ready)(
  'the AI SDK gives a goal, waits, steers, reads, decides for its person and stops another',
  async () => {
    type Task = { task_id: string; status: string; result: string | null }
    type Standing = { over: boolean; task: Task; reviews: { review_id: string; action_hash: string }[] }
    type Client = {
      callTool(call: { name: string; arguments: object }): Promise<{ isError?: boolean; structuredContent: unknown }>
      tools(): Promise<Record<string, { execute(input: object, options: object): Promise<{ structuredContent: Standing }> }>>
      readResource(of: { uri: string }): Promise<{ contents: { text: string }[] }>
      experimental_getPrompt(of: { name: string; arguments: object }): Promise<{ messages: { content: { text: string } }[] }>
      close(): Promise<void>
    }
    type Sdk = { createMCPClient(options: object): Promise<Client> }
    const { createMCPClient } = (await import(pathToFileURL(peer('@ai-sdk/mcp/dist/index.js')).href)) as Sdk
    const client = await createMCPClient({
      transport: { type: 'http', url: `${running.url}/mcp`, headers: { Authorization: `Bearer ${TOKEN}` } },
    })
    const call = async <T = Standing>(name: string, given: object): Promise<T> => {
      const answer = await client.callTool({ name, arguments: given })
      expect(answer.isError, JSON.stringify(answer)).toBeFalsy()
      return answer.structuredContent as T
    }
    // As a model of the AI SDK would call it.
    const tools = await client.tools()
    const begun = await tools.start_goal!.execute({ goal: 'What is the best colour?' }, { toolCallId: 'one', messages: [] })
    const { task_id } = begun.structuredContent.task
    const asks = await call('wait_task', { task_id })
    expect(asks).toMatchObject({ over: false, reviews: [{ state: 'open' }] })
    const [review] = asks.reviews
    await call('steer_task', { task_id, message: 'Think of the sea.' })
    const history = await client.readResource({ uri: `banyan://task/${task_id}/messages` })
    expect(history.contents[0]?.text).toContain('Think of the sea.')
    const prompt = await client.experimental_getPrompt({ name: 'review_item', arguments: { review_id: review!.review_id } })
    expect(prompt.messages[0]?.content.text).toContain(review!.action_hash)
    const { review_id, action_hash } = review!
    await call('decide_review', { review_id, action_hash, decision: 'answer', comment: 'Blue.' })
    expect(await call('wait_task', { task_id })).toMatchObject({
      over: true,
      task: { status: 'done', result: expect.stringContaining('Blue.') },
    })
    const other = await call('start_goal', { goal: 'What is the worst colour?' })
    await call('control_task', { task_id: other.task.task_id, action: 'abort' })
    expect(await call('wait_task', { task_id: other.task.task_id })).toMatchObject({ over: true, task: { status: 'cancelled' } })
    await client.close()
  },
  60_000,
)
