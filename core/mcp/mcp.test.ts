/** Banyan as an MCP server: real clients of both eras against the whole engine. */
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { dataOf, MODERN, modernClient, oldClient, textOf } from './fixture/clients.ts'

type Standing = { over: boolean; task: { task_id: string; status: string; result: string | null }; reviews: { review_id: string }[] }

const OVER = ['done', 'failed', 'cancelled', 'dead']
let running: Running
beforeAll(async () => {
  running = await engine()
})
afterAll(() => running.stop())

const ERAS = [
  { era: MODERN, connect: () => modernClient(running.url, TOKEN) },
  { era: '2025-11-25', connect: () => oldClient(running.url, TOKEN) },
] as const

describe.each(ERAS)('a client of $era', ({ era, connect }) => {
  test('gives a goal, waits for it and reads the result', async () => {
    const client = await connect()
    const begun = await client.callTool({ name: 'start_goal', arguments: { goal: 'Run `echo over-mcp`' } })
    const { task } = dataOf<Standing>(begun)
    const waited = await client.callTool({ name: 'wait_task', arguments: { task_id: task.task_id, timeout_seconds: 30 } })
    expect(dataOf<Standing>(waited)).toMatchObject({ over: true, task: { status: 'done' } })
    expect(textOf(waited)).toContain('over-mcp')
    const goal = await client.callTool({ name: 'get_goal', arguments: { goal_id: task.task_id } })
    expect(dataOf(goal)).toMatchObject({ goal: 'Run `echo over-mcp`', status: 'done', tree_complete: true })
    await client.close()
  })

  test('sees at most twelve tools, in the same order each time, all described in full', async () => {
    const client = await connect()
    const { tools } = await client.listTools()
    expect(tools.map((tool) => tool.name)).toEqual([
      'start_goal', 'wait_task', 'get_goal', 'list_goals', 'get_task', 'steer_task', 'control_task', 'list_reviews', 'decide_review',
      'list_agents', 'search_documents', 'read_document',
    ]) // biome-ignore format: a list
    for (const tool of tools) {
      expect(tool.outputSchema, tool.name).toMatchObject({ type: 'object' })
      expect(tool.annotations, tool.name).toHaveProperty('readOnlyHint')
    }
    expect(client.getInstructions()).toContain('start_goal')
    await client.close()
  })

  test('gives a goal the rules and all that HTTP lets it have', async () => {
    const client = await connect()
    const give = (given: Record<string, unknown>) => client.callTool({ name: 'start_goal', arguments: given })
    const rules = [{ verdict: 'deny', scope: 'program', signature: 'printf' }]
    const more = { rules, agent: 'generalist', mode: 'step', workspace: 'shared', priority: 7, approval: 'run_free', budget: { turns: 9 } }
    const { task_id } = dataOf<Standing>(await give({ goal: `Run \`printf over-${era}\``, ...more })).task
    const held = () => running.tree(task_id)
    const rests = () => running.until(held, ({ status }) => status === 'paused' || OVER.includes(status))
    let tree = await rests()
    expect(tree).toMatchObject({ mode: 'step', approval: 'run_free', limits: { turns: 9 } })
    const live = (await running.ask<{ items: object[] }>('GET', '/api/rules')).json.items
    expect(live).toContainEqual(expect.objectContaining({ ...rules[0], treeId: task_id }))
    while (!OVER.includes(tree.status)) {
      const stepped = await client.callTool({ name: 'control_task', arguments: { task_id, action: 'step' } })
      expect(stepped.isError, textOf(stepped)).toBeFalsy()
      tree = await rests()
    }
    expect(tree.status).toBe('failed')
    const wrong = await give({ goal: 'Run `true`', rules: [{ verdict: 'allow', scope: 'program', signature: 'printf' }] })
    expect([wrong.isError, textOf(wrong)]).toEqual([true, expect.stringContaining('rules.0.verdict')])
    const missing = await give({ goal: 'Run `true`', example: 'no-such-example' })
    expect([missing.isError, textOf(missing)]).toEqual([true, expect.stringContaining('There is no example goal')])
    await client.close()
  })

  test('speaks with Banyan about itself, is asked which goal is meant, and goes on from there', async () => {
    const client = await connect()
    const speak = async (words: string, conversation?: string) => {
      const how = { goal: words, agent: 'interface', ...(conversation ? { conversation } : {}) }
      const begun = await client.callTool({ name: 'start_goal', arguments: how })
      expect(begun.isError, textOf(begun)).toBeFalsy()
      const { task_id } = dataOf<Standing>(begun).task
      return dataOf<Standing>(await client.callTool({ name: 'wait_task', arguments: { task_id } })).task
    }
    const subject = `owls-${era}`
    const goals = ['trees', 'rivers'].map(async (where) => (await running.submit(`Write of ${subject} and ${where}`)).json.treeId)
    const [trees, rivers] = (await Promise.all(goals)) as [string, string]
    await Promise.all([trees, rivers].map((id) => running.asked(id)))
    expect((await speak('What is going on?')).result).toContain(`Write of ${subject} and trees`)
    const unclear = await speak(`Cancel the ${subject} goal`)
    expect(unclear).toMatchObject({ status: 'failed', result: expect.stringContaining(trees) as string })
    expect(await speak(`Cancel ${rivers}`, unclear.task_id)).toMatchObject({ status: 'done' })
    expect((await running.over(rivers)).status).toBe('cancelled')
    expect((await running.tree(trees)).status).toBe('waiting')
    const nowhere = await client.callTool({ name: 'start_goal', arguments: { goal: 'And now?', conversation: trees } })
    expect([nowhere.isError, textOf(nowhere)]).toEqual([true, expect.stringContaining('There is no conversation')])
    await client.close()
  })

  test('gives the same goal twice under one key and has one goal', async () => {
    const client = await connect()
    const give = (goal: string) => client.callTool({ name: 'start_goal', arguments: { goal, idempotency_key: `key-${era}` } })
    const first = dataOf<Standing>(await give('Run `true`'))
    expect(dataOf<Standing>(await give('Run `true`')).task.task_id).toBe(first.task.task_id)
    const other = await give('Run `false`')
    expect(other.isError).toBe(true)
    expect(textOf(other)).toContain('use a new key')
    await client.close()
  })

  test('says, stops and decides a thing twice under one key, and it is done once', async () => {
    const client = await connect()
    const goal = await client.callTool({ name: 'start_goal', arguments: { goal: 'What is the best colour?' } })
    const { task_id } = dataOf<Standing>(goal).task
    const review = await running.asked(task_id)
    const twice = async (name: string, given: Record<string, unknown>) => {
      const call = { name, arguments: { ...given, idempotency_key: `${era} ${name}` } }
      const first = await client.callTool(call)
      expect(first.isError, textOf(first)).toBeFalsy()
      const second = await client.callTool(call)
      expect(second.isError, textOf(second)).toBeFalsy()
    }
    await twice('steer_task', { task_id, message: 'Think of the sea.' })
    const { items } = (await running.ask<{ items: { role: string; text?: string }[] }>('GET', `/api/tasks/${task_id}/messages`)).json
    expect(items.filter((message) => message.text === 'Think of the sea.')).toHaveLength(1)
    const other = { task_id, message: 'Think of the sky.', idempotency_key: `${era} steer_task` }
    expect(textOf(await client.callTool({ name: 'steer_task', arguments: other }))).toContain('use a new key')
    const decision = { review_id: review.id, decision: 'answer', comment: 'Blue.', action_hash: review.actionHash }
    await twice('decide_review', decision)
    expect((await running.over(task_id)).result).toContain('Blue.')
    const failed = (await running.submit('Run `exit 1`')).json.treeId
    await running.over(failed)
    await twice('control_task', { task_id: failed, action: 'retry' })
    await running.over(failed)
    const facts = (await running.ask<{ items: { type: string }[] }>('GET', `/api/events?treeId=${failed}&limit=1000`)).json.items
    expect(facts.filter((one) => one.type === 'task.controlled')).toHaveLength(1)
    await client.close()
  })

  test('is told what is wrong with a call in words that a model can act on', async () => {
    const client = await connect()
    const wrong = await client.callTool({ name: 'wait_task', arguments: { task_id: 'x', timeout_seconds: 900 } })
    expect(wrong.isError).toBe(true)
    expect(textOf(wrong)).toContain('timeout_seconds')
    expect(textOf(await client.callTool({ name: 'list_goals', arguments: { state: 'done' } }))).toContain('state')
    expect(textOf(await client.callTool({ name: 'get_task', arguments: { task_id: 'nope' } }))).toBe('There is no task nope.')
    await expect(client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toThrow('There is no tool "no_such_tool".')
    await client.close()
  })

  test('a question waits in the queue, and a person answers it through the client', async () => {
    const client = await connect()
    const begun = dataOf<Standing>(await client.callTool({ name: 'start_goal', arguments: { goal: 'What is the best colour?' } }))
    const review = await running.asked(begun.task.task_id)
    const listed = await client.callTool({ name: 'list_reviews', arguments: { goal_id: begun.task.task_id } })
    expect(textOf(listed)).toContain(review.id)
    const decided = await client.callTool({
      name: 'decide_review',
      arguments: { review_id: review.id, decision: 'answer', comment: 'Green.', action_hash: review.actionHash },
    })
    expect(dataOf(decided)).toMatchObject({ state: 'decided', decision: 'answer' })
    expect((await running.over(begun.task.task_id)).result).toContain('Green.')
    const again = await client.callTool({
      name: 'decide_review',
      arguments: { review_id: review.id, decision: 'answer', comment: 'Red.', action_hash: review.actionHash },
    })
    expect(textOf(again)).toContain('decided already')
    await client.close()
  })
})

describe('what a token may do', () => {
  const tokenWith = async (name: string, scopes: string[]) =>
    (await running.ask<{ token: string }>('POST', '/api/tokens', { name, scopes, expiresAt: null })).json.token

  test('a token that may only read sees only tools that read, and is told which scope is missing', async () => {
    const client = await modernClient(running.url, await tokenWith('reader', ['read']))
    const { tools } = await client.listTools()
    expect(tools.every((tool) => tool.annotations?.readOnlyHint)).toBe(true)
    expect(tools.map((tool) => tool.name)).not.toContain('start_goal')
    const refused = await client.callTool({ name: 'start_goal', arguments: { goal: 'Run `true`' } })
    expect(refused.isError).toBe(true)
    expect(textOf(refused)).toContain('goals:write')
    await client.close()
  })

  test('a token that may give goals decides nothing', async () => {
    const client = await oldClient(running.url, await tokenWith('giver', ['read', 'goals:write']))
    expect((await client.listTools()).tools.map((tool) => tool.name)).not.toContain('decide_review')
    const refused = await client.callTool({ name: 'decide_review', arguments: { review_id: 'x', decision: 'approve', action_hash: 'x' } })
    expect(textOf(refused)).toContain('review:decide')
    await client.close()
  })

  test('a session belongs to the token that began it', async () => {
    const [mine, other] = await Promise.all([tokenWith('mine', ['read']), tokenWith('other', ['read'])])
    const client = await oldClient(running.url, mine)
    const id = (client.transport as unknown as { sessionId: string }).sessionId
    const ask = (token: string) =>
      post({ authorization: `Bearer ${token}`, 'mcp-session-id': id }, { jsonrpc: '2.0', id: 1, method: 'tools/list' })
    expect((await ask(mine)).status).toBe(200)
    expect((await ask(other)).status).toBe(404)
    await client.close()
  })

  test('one token has fifty sessions at most; the one that was used longest ago ends', async () => {
    const known = { authorization: `Bearer ${await tokenWith('busy', ['read'])}` }
    const clientInfo = { name: 'busy', version: '1' }
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    }
    const ids: string[] = []
    for (let i = 0; i < 51; i += 1) ids.push(String((await post(known, initialize)).headers['mcp-session-id']))
    const list = async (id: string | undefined) =>
      (await post({ ...known, 'mcp-session-id': id! }, { jsonrpc: '2.0', id: 2, method: 'ping' })).status
    expect(new Set(ids).size).toBe(51)
    expect(await Promise.all([list(ids[50]), list(ids[1])])).toEqual([200, 200])
    expect(await list(ids[0])).toBe(404)
  })

  test('the stream of a session ends with its token', async () => {
    const known = { authorization: `Bearer ${await tokenWith('streaming', ['read'])}` }
    const clientInfo = { name: 'streaming', version: '1' }
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo },
    }
    const id = String((await post(known, initialize)).headers['mcp-session-id'])
    const stream = await fetch(`${running.url}/mcp`, { headers: { ...known, 'mcp-session-id': id, accept: 'text/event-stream' } })
    expect(stream.status).toBe(200)
    await running.ask('DELETE', '/api/tokens/streaming')
    // It would stay open for ever.
    expect(await stream.text()).not.toContain('error')
  })

  test('a session ends with its token', async () => {
    const client = await oldClient(running.url, await tokenWith('short', ['read']))
    await running.ask('DELETE', '/api/tokens/short')
    await expect(client.listTools()).rejects.toThrow(/401|unauthorized/i)
  })
})

describe('who is let in', () => {
  test('nobody without a token, and 401 says where it is told what to send', async () => {
    const answer = await post({}, {})
    expect(answer.status).toBe(401)
    const [, url] = /resource_metadata="([^"]+)"/.exec(String(answer.headers['www-authenticate'])) ?? []
    const metadata = (await (await fetch(url!)).json()) as { resource: string; scopes_supported: string[] }
    expect(metadata.resource).toBe(`${running.url}/mcp`)
    expect(metadata.scopes_supported).toContain('goals:write')
  })

  test('no browser session, and no page of another site', async () => {
    const login = await fetch(`${running.url}/api/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: TOKEN }),
    })
    const cookie = login.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    expect(cookie).not.toBe('')
    expect((await post({ cookie, origin: running.url }, {})).status).toBe(401)
    expect((await post({ authorization: `Bearer ${TOKEN}`, origin: 'http://evil.example' }, {})).status).toBe(403)
    expect((await post({ authorization: `Bearer ${TOKEN}`, host: 'evil.example' }, {})).status).toBe(403)
  })

  test('a request of no session is 400, of an unknown one 404, and what is no JSON or too large is refused', async () => {
    const known = { authorization: `Bearer ${TOKEN}` }
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    expect((await post(known, list)).status).toBe(400)
    expect((await post({ ...known, 'mcp-session-id': 'gone' }, list)).status).toBe(404)
    expect((await post({ ...known, 'content-type': 'text/plain' }, list)).status).toBe(415)
    expect((await post(known, '{')).status).toBe(400)
    expect((await post(known, { text: 'x'.repeat(5_000_000) })).status).toBe(413)
  })
})

function post(headers: Record<string, string>, body: unknown): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  const { hostname, port } = new URL(running.url)
  return new Promise((resolve, reject) => {
    const given = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers }
    const sent = request({ hostname, port, path: '/mcp', method: 'POST', headers: given }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}
