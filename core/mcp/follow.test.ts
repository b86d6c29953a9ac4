/** Who waits over MCP, and who has gone. */
import { request } from 'node:http'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Server, serve, TOKEN } from '../http/fixture/serve.ts'
import { MODERN } from './fixture/clients.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.stop())

test('nothing waits any more for a client of 2026-07-28 that has gone', async () => {
  const treeId = await server.goal()
  let waiting = 0
  const { onFacts } = server.store
  server.store.onFacts = (listener) => {
    waiting += 1
    const stop = onFacts(listener)
    return () => {
      waiting -= 1
      stop()
    }
  }
  const meta = {
    'io.modelcontextprotocol/protocolVersion': MODERN,
    'io.modelcontextprotocol/clientInfo': { name: 'gone', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: 'wait_task', arguments: { task_id: treeId, until: 'over' }, _meta: meta }
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': MODERN,
    'mcp-method': 'tools/call',
    'mcp-name': 'wait_task',
  }
  const sent = request({ port: server.port, path: '/mcp', method: 'POST', headers })
  sent.on('error', () => undefined)
  sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }))
  await vi.waitFor(() => expect(waiting).toBe(1), { timeout: 10_000 })
  sent.destroy()
  await vi.waitFor(() => expect(waiting).toBe(0), { timeout: 10_000 })
})
