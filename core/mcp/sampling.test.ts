/** A connected client lends its model: a real client of the older revisions, whose model is a function of this file. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { type CreateMessageRequest, CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'

let running: Running
beforeAll(async () => {
  running = await engine()
})
afterAll(() => running.stop())

type Params = CreateMessageRequest['params']
async function lending(capability: object, answer: (params: Params) => object, token = TOKEN): Promise<Client> {
  const client = new Client({ name: 'lender', version: '1.0.0' }, { capabilities: { sampling: capability } })
  client.setRequestHandler(
    CreateMessageRequestSchema,
    (request) => ({ model: 'theirs', role: 'assistant', ...answer(request.params) }) as never,
  )
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${running.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }) as never,
  )
  return client
}
const submit = async (goal: string) => (await running.submit(goal, { agent: 'generalist', model: 'sampling' })).json.treeId
const standing = async () =>
  (await running.ask<{ items: { id: string; keyPresent: boolean }[] }>('GET', '/api/models')).json.items.find(
    (one) => one.id === 'sampling',
  )

test('with tools: calls are calls, and their answers come back beside them', async () => {
  expect(await standing()).toMatchObject({ keyPresent: false })
  const seen: Params[] = []
  const client = await lending({ tools: {} }, (params) => {
    seen.push(params)
    const [name, input] =
      seen.length === 1
        ? ['write_file', { path: 'a.txt', content: 'a' }]
        : ['end_task', { status: 'success', result: 'Written by a lent model.' }]
    return { stopReason: 'toolUse', content: [{ type: 'tool_use', id: `t${seen.length}`, name, input }] }
  })
  await expect.poll(standing, { timeout: 15_000 }).toMatchObject({ keyPresent: true })
  const tree = await running.over(await submit('Write a file'))
  expect(tree).toMatchObject({ status: 'done', result: 'Written by a lent model.', cost: { dollars: 0, unpricedCalls: 0 } })
  expect(seen[0]!.systemPrompt).toContain('You are one agent in Banyan')
  expect(JSON.stringify(seen[1]!.messages.at(-1))).toContain('Wrote a.txt')
  await client.close()
  await expect.poll(standing, { timeout: 15_000 }).toMatchObject({ keyPresent: false })
})

test('without tools: what it writes as JSON is the call', async () => {
  const client = await lending({}, (params) => {
    expect(params.tools).toBeUndefined()
    return {
      stopReason: 'endTurn',
      content: { type: 'text', text: '{"name": "end_task", "arguments": {"status": "success", "result": "In plain text."}}' },
    }
  })
  await expect.poll(standing, { timeout: 15_000 }).toMatchObject({ keyPresent: true })
  expect((await running.over(await submit('Say it'))).result).toBe('In plain text.')
  await client.close()
})

test('while nobody lends, or only a client that may look, the task waits and says so', async () => {
  const { token } = (await running.ask<{ token: string }>('POST', '/api/tokens', { name: 'looks', scopes: ['read'], expiresAt: null })).json
  const client = await lending({}, () => ({ content: { type: 'text', text: '' } }), token)
  const id = await submit('Wait')
  const task = await running.until(
    () => running.tree(id),
    ({ tasks }) => tasks[0]?.reason === 'quota',
  )
  expect(task.tasks[0]!.note).toContain('no connected MCP client lends its model')
  await client.close()
})
