import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { ResponseOf } from '../contract/api.ts'
import { engine, type Running } from './fixture/engine.ts'

const KEY = 'sk-ant-a-key-that-is-right'
/** Answers `GET /v1/models` as Anthropic does, to one key alone. */
let provider: Server
let url: string
const keys: string[] = []
beforeAll(async () => {
  provider = createServer((request, response) => {
    const key = String(request.headers['x-api-key'] ?? '')
    keys.push(key)
    const right = key === KEY && request.headers['anthropic-version'] !== undefined && request.url === '/v1/models?limit=1'
    response.writeHead(right ? 200 : 401, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(
        right
          ? { data: [{ type: 'model', id: 'claude-sonnet-5-5', display_name: 'x', created_at: '2026-01-01T00:00:00Z' }], has_more: false }
          : { type: 'error', error: { type: 'authentication_error', message: `invalid x-api-key ${key}` } },
      ),
    )
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => provider.close(resolve)))
let server: Running
afterEach(() => server?.stop())

const models = async (query = '') => (await server.ask<ResponseOf<'models'>>('GET', `/api/models${query}`)).json.items
const check = (body: object, name = 'anthropic') => server.ask<ResponseOf<'checkProvider'>>('POST', `/api/providers/${name}/check`, body)

test('a key is checked, kept where nobody reads it, used at once, used after a restart, and forgotten', async () => {
  server = await engine()
  expect(await models('?ready=1')).toMatchObject([{ id: 'playbook', isDefault: true, inputPerMillion: 0 }, { id: 'external' }])
  const sonnet = (await models()).find((one) => one.id === 'anthropic/claude-sonnet-5-5')
  expect(sonnet).toMatchObject({ inputPerMillion: 2, outputPerMillion: 10, contextTokens: 1_000_000, keyPresent: false })

  expect((await check({ key: KEY, baseUrl: url })).json).toMatchObject({ status: 'works' })
  const wrong = await check({ key: 'sk-ant-a-wrong-one', baseUrl: url })
  expect(wrong.json).toMatchObject({ status: 'refused', detail: expect.stringContaining('does not accept the key (401)') })
  expect(wrong.text).not.toContain('sk-ant-a-wrong-one')
  expect((await check({ key: KEY, baseUrl: 'http://127.0.0.1:9' })).json).toMatchObject({ status: 'unreachable' })

  const saved = await server.ask('PUT', '/api/providers/anthropic', { key: KEY, baseUrl: url })
  expect([saved.status, saved.json]).toEqual([200, { id: 'anthropic', source: 'stored', setting: 'ANTHROPIC_API_KEY', baseUrl: url }])
  for (const path of ['/api/providers', '/api/secrets', '/api/events?limit=1000', '/api/system'])
    expect((await server.ask('GET', path)).text).not.toContain(KEY)
  expect(readFileSync(join(server.folder, 'agent_system.db')).includes(KEY)).toBe(false)
  expect((await models()).find((one) => one.isDefault)).toMatchObject({ id: 'anthropic/claude-sonnet-5-5', keyPresent: true })
  expect((await check({})).json).toMatchObject({ status: 'works' })

  await server.restart()
  expect((await server.ask<ResponseOf<'system'>>('GET', '/api/system')).json.provider).toMatchObject({ name: 'anthropic', judges: true })
  expect((await server.ask('DELETE', '/api/providers/anthropic')).status).toBe(204)
  expect((await models()).find((one) => one.isDefault)).toMatchObject({ id: 'playbook' })
})

test('a key of the environment wins, is shown as such, and is not sent to another address', async () => {
  server = await engine({ ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: url })
  const { items } = (await server.ask<ResponseOf<'providers'>>('GET', '/api/providers')).json
  expect(items[0]).toMatchObject({ id: 'anthropic', source: 'environment' })
  expect((await server.ask('PUT', '/api/providers/anthropic', { key: 'another-key' })).status).toBe(409)
  expect((await check({})).json).toMatchObject({ status: 'works' })
  keys.length = 0
  expect((await check({ baseUrl: `${url}/elsewhere` })).status).toBe(400)
  expect(keys).toEqual([])
  expect((await check({ key: KEY }, 'nobody')).status).toBe(404)
})
