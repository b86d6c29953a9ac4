/** Lists that are asked for again and again: the same for the same caller, and refused as ever when the request is wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { MODERN } from './fixture/clients.ts'
import { agentToken } from './fixture/worker.ts'

let running: Running
let agent: string
beforeAll(async () => {
  running = await engine()
  agent = await agentToken(running.url, TOKEN, 'lister')
})
afterAll(() => running.stop())

const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}
type Answer = { status: number; id: unknown; tools: string[]; code: number | undefined; type: string | null }
async function list(token: string, id: string | number, more: { headers?: Record<string, string>; meta?: object } = {}): Promise<Answer> {
  const response = await fetch(`${running.url}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/list',
      ...more.headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params: { _meta: more.meta ?? META } }),
  })
  const text = await response.text()
  const rpc = JSON.parse(text.startsWith('{') ? text : text.split('data: ').at(-1)!) as {
    id: unknown
    result?: { tools: { name: string }[] }
    error?: { code: number }
  }
  const tools = rpc.result?.tools.map((tool) => tool.name) ?? []
  return { status: response.status, id: rpc.id, tools, code: rpc.error?.code, type: response.headers.get('content-type') }
}

test('the same list is answered to each request under its own id', async () => {
  const first = await list(TOKEN, 1)
  expect(first).toMatchObject({ status: 200, id: 1, code: undefined })
  expect(first.tools).toContain('start_goal')
  expect(await list(TOKEN, 2)).toEqual({ ...first, id: 2 })
  expect(await list(TOKEN, 'a "word"')).toEqual({ ...first, id: 'a "word"' })
  expect(await list(TOKEN, 3, { meta: { ...META, progressToken: 7, traceparent: '00-a-b-01' } })).toEqual({ ...first, id: 3 })
})

test('a caller with other rights gets the list of its own, whoever asked before', async () => {
  const owner = await list(TOKEN, 1)
  const { token } = (await running.ask<{ token: string }>('POST', '/api/tokens', { name: 'reader', scopes: ['read'] })).json
  const [reader, worker, again] = [await list(token, 1), await list(agent, 1), await list(TOKEN, 1)]
  expect(reader.tools).not.toContain('start_goal')
  expect(reader.tools).toContain('get_goal')
  expect(worker.tools).toContain('claim_task')
  expect(again).toEqual(owner)
})

test.each([
  ['a header that names another method', { headers: { 'mcp-method': 'tools/call' } }, -32_020],
  ['a header of another revision', { headers: { 'mcp-protocol-version': '2025-11-25' } }, -32_020],
  ['no word of what the client can do', { meta: { ...META, 'io.modelcontextprotocol/clientCapabilities': undefined } }, -32_602],
  ['a revision that there is not', { headers: { 'mcp-protocol-version': '2031-01-01' }, meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2031-01-01' } }, -32_022], // biome-ignore format: a row
])('a request with %s is refused, also right after one that was not', async (_, more, code) => {
  expect((await list(TOKEN, 1)).status).toBe(200)
  expect(await list(TOKEN, 1, more)).toMatchObject({ status: 400, code })
})
