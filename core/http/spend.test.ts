import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ResponseOf } from '../contract/api.ts'
import { openStore } from '../store/store.ts'
import { violations } from '../tasks/invariants.ts'
import { engine, type Running } from './fixture/engine.ts'

/** Speaks the Messages protocol: ends each task at once, and bills a million tokens of output. */
let provider: Server
let url: string
let asked = 0
beforeAll(async () => {
  provider = createServer((request, response) => {
    request.resume().on('end', () => {
      asked += 1
      const send = (event: object & { type: string }) => response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
      const message = {
        id: 'm',
        type: 'message',
        role: 'assistant',
        content: [],
        model: 'claude-sonnet-5-5',
        stop_reason: null,
        stop_sequence: null,
        usage,
      }
      send({ type: 'message_start', message } as never)
      send({ type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'c', name: 'end_task', input: {} } } as never)
      const json = JSON.stringify({ status: 'success', result: 'It is done.' })
      send({ type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: json } } as never)
      send({ type: 'content_block_stop', index: 0 } as never)
      send({ type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 10_000 } } as never)
      send({ type: 'message_stop' })
      response.end()
    })
  })
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => provider.close(resolve)))

let server: Running
afterEach(() => server?.stop())
const paid = (more: Record<string, string> = {}) => engine({ ANTHROPIC_API_KEY: 'sk-ant-of-this-test', ANTHROPIC_BASE_URL: url, ...more })
const spend = async () => (await server.ask<ResponseOf<'spend'>>('GET', '/api/spend')).json

describe('what is spent', () => {
  test('is told by day, model and agent', async () => {
    server = await paid()
    const { json } = await server.submit('Say hello', { agent: 'generalist' })
    expect((await server.over(json.treeId)).status).toBe('done')
    const told = await spend()
    // 10,000 tokens of output at ten dollars a million, and one token of input at two.
    expect(told.today).toEqual({ dollars: 0.100002, calls: 1, tokens: 10_001, unpricedCalls: 0 })
    expect(told.days).toHaveLength(7)
    expect(told.days.at(-1)).toMatchObject(told.today)
    expect(told.byModel).toMatchObject([{ provider: 'anthropic', model: 'claude-sonnet-5-5', calls: 1 }])
    expect(told.byAgent).toMatchObject([{ agent: 'generalist', calls: 1 }])
    expect(told.limit).toBeNull()
  })

  test('never passes the limit of a day: goals pause and ask, and go on when a person raises it', async () => {
    server = await paid({ DAILY_BUDGET_DOLLARS: '0.20' })
    const first = await server.submit('One', { agent: 'generalist' })
    await server.over(first.json.treeId)
    const before = asked
    const goals = [await server.submit('Two', { agent: 'generalist' }), await server.submit('Three', { agent: 'generalist' })]
    const reviews = [await server.asked(goals[0]!.json.treeId), await server.asked(goals[1]!.json.treeId)]
    expect(reviews.map((one) => [one.kind, one.title])).toEqual(
      Array.from({ length: 2 }, () => ['budget', expect.stringContaining('$0.20 a day for all goals is reached')]),
    )
    expect(asked).toBe(before)
    await server.restart()
    expect((await server.tree(goals[0]!.json.treeId)).pausedReason).toContain('a day')
    const wrong = await server.ask('POST', `/api/reviews/${reviews[0]!.id}/decision`, { decision: 'approve', edit: { turns: 1 } })
    expect(wrong.status).toBe(400)
    const raised = await server.ask('POST', `/api/reviews/${reviews[0]!.id}/decision`, { decision: 'approve', edit: { dailyDollars: 5 } })
    expect(raised.status, raised.text).toBe(200)
    for (const goal of goals) expect((await server.over(goal.json.treeId)).status).toBe('done') // the other one is let go with it
    expect((await spend()).limit).toMatchObject({ dollars: 5 })
  })
})

describe('everything is paused', () => {
  test('and nothing begins until it is resumed, a restart between them changes nothing, and the facts tell who', async () => {
    server = await engine()
    expect((await server.ask('POST', '/api/system/resume', {})).status).toBe(409)
    const paused = await server.ask<ResponseOf<'pauseAll'>>('POST', '/api/system/pause', { comment: 'the disk is changed' })
    expect(paused.json.paused).toMatchObject({ by: 'owner', comment: 'the disk is changed' })
    expect((await server.ask('POST', '/api/system/pause', {})).status).toBe(409)
    const { json } = await server.submit('Run `echo later`')
    await server.restart()
    expect((await server.ask<ResponseOf<'system'>>('GET', '/api/system')).json.paused).toMatchObject({ by: 'owner' })
    expect((await server.tree(json.treeId)).tasks[0]).toMatchObject({ status: 'pending', attempt: 0 })
    expect((await server.ask('POST', '/api/system/resume', {})).status).toBe(200)
    expect((await server.over(json.treeId)).result).toContain('later')
    const { items } = (await server.ask<{ items: { type: string; by?: string }[] }>('GET', '/api/events?limit=1000')).json
    expect(items.filter((one) => one.type.startsWith('system.')).map(({ type, by }) => [type, by])).toEqual([
      ['system.paused', 'owner'],
      ['system.resumed', 'owner'],
    ])
    await server.ask('POST', '/api/system/pause', {})
    const store = await openStore(`sqlite:${join(server.folder, 'agent_system.db')}`)
    expect(await violations(store)).toEqual([])
    await store.close()
  })
})
