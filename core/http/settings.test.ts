import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResponseOf } from '../contract/api.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.stop())
const all = async () => ((await server.ask('GET', '/api/settings')).json as ResponseOf<'settings'>).items
const put = (name: string, value: string | null) => server.ask('PUT', `/api/settings/${name}`, { body: { value } })
const detail = (answer: { json: never }) => (answer.json as { detail: string }).detail

describe('the policy', () => {
  test('is the default until somebody saves one; each save is a version and a fact', async () => {
    const before = await server.ask('GET', '/api/policy')
    expect(before.json).toMatchObject({ version: 0, policy: { permissions: {}, tools: {}, tainted: 'ask', limits: DEFAULT_LIMITS } })
    const body = { permissions: { exec: 'ask' }, tools: { web_fetch: 'deny' }, tainted: 'deny' }
    const saved = await server.ask('PUT', '/api/policy', { body, headers: { 'if-match': before.headers.etag as string } })
    expect(saved.json, saved.text).toMatchObject({ version: 1, author: 'owner', policy: body })
    const late = await server.ask('PUT', '/api/policy', { body, headers: { 'if-match': '"0"' } })
    expect([late.status, detail(late)]).toEqual([412, expect.stringMatching(/version 1 by owner is the newest/)])
    expect((await server.store.eventsAfter(0)).filter((event) => event.type === 'settings.saved')).toMatchObject([
      { name: 'policy', version: 1 },
    ])
    expect(((await server.ask('GET', '/api/policy/versions')).json as { items: unknown[] }).items).toHaveLength(1)
  })
  test('cannot widen: allowing is not a level', async () => {
    const answer = await server.ask('PUT', '/api/policy', { body: { permissions: { exec: 'allow' } } })
    expect(answer.status).toBe(400)
  })
})

describe('settings', () => {
  test('are told with value, source and meaning, each of them, and no secret', async () => {
    const items = await all()
    expect(items.find((one) => one.id === 'ANTHROPIC_API_KEY')).toMatchObject({
      value: '***',
      secret: true,
      source: 'environment',
      live: false,
    })
    expect(items.find((one) => one.id === 'PORT')).toMatchObject({
      value: '8000',
      source: 'default',
      about: '0: any free port',
      change: 'Set PORT in .env and restart.',
    })
    expect(JSON.stringify(items)).not.toContain('not-to-be-shown')
    expect(items.filter((one) => one.about === '').map((one) => one.id)).toEqual([])
  })
  test('that need no restart are changed here and taken back', async () => {
    expect((await put('MAX_CONCURRENT_AGENTS', '7')).json).toMatchObject({ value: '7', source: 'stored', live: true })
    expect((await put('MAX_CONCURRENT_AGENTS', null)).json).toMatchObject({ value: '3', source: 'default' })
  })
  test('say what a value must be, and what to do about those that need a restart', async () => {
    const bad = await put('MAX_CONCURRENT_AGENTS', 'many')
    expect([bad.status, detail(bad)]).toEqual([400, expect.stringMatching(/must be a whole number from 1 to 1000/)])
    const start = await put('PORT', '1')
    expect([start.status, detail(start)]).toEqual([409, 'PORT is read at the start only: set PORT in .env and restart.'])
    expect((await put('NOTHING', '1')).status).toBe(404)
  })
})
