/** Resources, subscriptions, prompts, completions, forms, progress and tasks that clients follow by themselves: on the whole engine. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { askAsFollower, callWith, dataOf, MODERN, modernClient, oldClient, textOf } from './fixture/clients.ts'

type Standing = { over: boolean; task: { task_id: string; status: string }; reviews: { review_id: string }[] }
type Told = { method: string; params: Record<string, unknown> }

let running: Running
beforeAll(async () => {
  running = await engine()
})
afterAll(() => running.stop())

const ERAS = [
  { era: MODERN, connect: () => modernClient(running.url, TOKEN) },
  { era: '2025-11-25', connect: () => oldClient(running.url, TOKEN) },
] as const
const question = async () => (await running.submit('What is the best colour?')).json.treeId

describe.each(ERAS)('a client of $era', ({ connect }) => {
  test('reads goals, tasks, histories, documents, agents and review items', async () => {
    const client = await connect()
    const treeId = await question()
    const review = await running.asked(treeId)
    const read = async (uri: string) => {
      const [content] = (await client.readResource({ uri })).contents
      return (content as { text: string }).text
    }
    expect(JSON.parse(await read(`banyan://tree/${treeId}`))).toMatchObject({ goal_id: treeId, needs_you: 1, tree: [{ task_id: treeId }] })
    expect(JSON.parse(await read(`banyan://task/${treeId}`))).toMatchObject({ id: treeId, instruction: 'What is the best colour?' })
    expect(await read(`banyan://task/${treeId}/messages`)).toContain('What is the best colour?')
    expect(JSON.parse(await read(`banyan://review/${encodeURIComponent(review.id)}`))).toMatchObject({ review_id: review.id })
    expect(JSON.parse(await read('banyan://agent/agent_selector'))).toMatchObject({ name: 'agent_selector' })
    expect(await read('banyan://document/system_architecture')).toContain('#')
    const { resourceTemplates } = await client.listResourceTemplates()
    expect(resourceTemplates).toHaveLength(6)
    const { resources } = await client.listResources()
    expect(resources.map((one) => one.uri)).toEqual(
      expect.arrayContaining([`banyan://tree/${treeId}`, 'banyan://document/system_architecture', 'banyan://agent/agent_selector']),
    )
    for (const uri of ['banyan://tree/nope', 'banyan://nope/x', 'banyan://tree/%', 'file:///etc/passwd', 'banyan://constructor/x'])
      await expect(client.readResource({ uri }), uri).rejects.toThrow()
    await client.close()
  })

  test('is helped to ids and names', async () => {
    const client = await connect()
    const treeId = await question()
    const complete = async (uri: string, name: string, value: string) =>
      (await client.complete({ ref: { type: 'ref/resource', uri }, argument: { name, value } })).completion.values
    expect(await complete('banyan://tree/{id}', 'id', treeId.slice(0, 5))).toContain(treeId)
    expect(await complete('banyan://document/{name}', 'name', 'system_arch')).toEqual(['system_architecture'])
    expect(await complete('banyan://agent/{name}', 'name', 'no such')).toEqual([])
    const review = await running.asked(treeId)
    const ref = { type: 'ref/prompt', name: 'review_item' } as const
    expect((await client.complete({ ref, argument: { name: 'review_id', value: treeId } })).completion.values).toContain(review.id)
    await client.close()
  })

  test('gets prompts with what they are about in them, and is told which argument is missing', async () => {
    const client = await connect()
    const { prompts } = await client.listPrompts()
    expect(prompts.map((one) => one.name)).toEqual(['plan_goal', 'ask', 'review_item', 'explain_failure'])
    const review = await running.asked(await question())
    const text = async (name: string, given: Record<string, string>) => {
      const [message] = (await client.getPrompt({ name, arguments: given })).messages
      return (message!.content as { text: string }).text
    }
    expect(await text('review_item', { review_id: review.id })).toContain(review.actionHash)
    expect(await text('ask', { words: 'how is the attic?' })).toContain('how is the attic?')
    expect(await text('plan_goal', { wish: 'Tidy the attic' })).toContain('Tidy the attic')
    const failed = (await running.submit('Run `exit 3`')).json.treeId
    await running.over(failed)
    expect(await text('explain_failure', { goal_id: failed })).toContain('failed')
    await expect(client.getPrompt({ name: 'plan_goal', arguments: {} })).rejects.toThrow('needs wish')
    await expect(client.getPrompt({ name: 'explain_failure', arguments: { goal_id: 'nope' } })).rejects.toThrow('There is no tree nope.')
    await client.close()
  })
})

describe('subscriptions', () => {
  test('a client of 2026-07-28 hears of the goals that it listens to, and of no other', async () => {
    const client = await modernClient(running.url, TOKEN)
    const [mine, other] = [await question(), await question()]
    await Promise.all([running.asked(mine), running.asked(other)])
    const told: string[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => void told.push(params.uri))
    const subscription = await client.listen({ resourceSubscriptions: [`banyan://tree/${mine}`] })
    const decide = async (treeId: string) => running.decide(await running.asked(treeId), 'answer', 'Green.')
    await decide(other)
    await decide(mine)
    await vi.waitFor(() => expect(told).toContain(`banyan://tree/${mine}`), { timeout: 10_000 })
    expect(new Set(told)).toEqual(new Set([`banyan://tree/${mine}`]))
    await subscription.close()
    await client.close()
  })

  test('a session hears until it unsubscribes, of many facts at once in one word, and of new goals as a changed list', async () => {
    const client = await oldClient(running.url, TOKEN)
    const told: Told[] = []
    client.fallbackNotificationHandler = async (one) => void told.push(one as Told)
    const treeId = await question()
    const review = await running.asked(treeId)
    const uri = `banyan://tree/${treeId}`
    await client.subscribeResource({ uri })
    const heard = () => told.filter((one) => one.method === 'notifications/resources/updated' && one.params.uri === uri)
    await running.decide(review, 'answer', 'Green.')
    await running.over(treeId)
    await vi.waitFor(() => expect(heard().length).toBeGreaterThan(0), { timeout: 10_000 })
    const facts = (await running.ask<{ items: unknown[] }>('GET', `/api/events?treeId=${treeId}&limit=1000`)).json.items
    expect(heard().length).toBeLessThan(facts.length / 2)
    await client.unsubscribeResource({ uri })
    await running.submit('Run `true`')
    await vi.waitFor(() => expect(told.some((one) => one.method === 'notifications/resources/list_changed')).toBe(true), {
      timeout: 10_000,
    })
    await expect(client.subscribeResource({ uri: 'banyan://tree/nope' })).rejects.toThrow()
    await client.close()
  })

  test('a stream ends with the token that opened it', async () => {
    const { token } = (await running.ask<{ token: string }>('POST', '/api/tokens', { name: 'listener', scopes: ['read'], expiresAt: null }))
      .json
    const client = await modernClient(running.url, token)
    const subscription = await client.listen({ resourcesListChanged: true })
    await running.ask('DELETE', '/api/tokens/listener')
    await subscription.closed
    await client.close()
  })
})

describe('a person at a client that shows forms', () => {
  const elicitation = { capabilities: { elicitation: { form: {} } } }
  const wait = (task_id: string) => ({ name: 'wait_task', arguments: { task_id, timeout_seconds: 20 } })

  test('answers a question while the call waits, in 2026-07-28', async () => {
    const asked: string[] = []
    const client = await modernClient(running.url, TOKEN, elicitation)
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      asked.push(params.message)
      return { action: 'accept', content: { answer: 'Blue.' } }
    })
    const treeId = await question()
    const waited = await client.callTool(wait(treeId))
    expect(asked).toEqual([expect.stringContaining('What is the best colour?')])
    expect(dataOf<Standing>(waited)).toMatchObject({ over: true, task: { status: 'done' } })
    expect(textOf(waited)).toContain('Blue.')
    await client.close()
  })

  test('answers a question while the call waits, in 2025-11-25', async () => {
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
    const client = await oldClient(running.url, TOKEN)
    client.setRequestHandler(ElicitRequestSchema, async () => ({ action: 'accept' as const, content: { answer: 'Red.' } }))
    const waited = await client.callTool(wait(await question()))
    expect(textOf(waited)).toContain('Red.')
    await client.close()
  })

  test('is asked once: what they decline stays in the queue for others', async () => {
    let asked = 0
    const client = await modernClient(running.url, TOKEN, elicitation)
    client.setRequestHandler('elicitation/create', async () => {
      asked += 1
      return { action: 'decline' }
    })
    const treeId = await question()
    await running.asked(treeId)
    const waited = await client.callTool({ name: 'wait_task', arguments: { task_id: treeId, timeout_seconds: 2 } })
    expect(asked).toBe(1)
    expect(dataOf<Standing>(waited)).toMatchObject({ over: false, reviews: [{ state: 'open' }] })
    await client.close()
  })

  test('is not asked where the token may not decide', async () => {
    const body = { name: 'no-decider', scopes: ['read', 'goals:write'], expiresAt: null }
    const { token } = (await running.ask<{ token: string }>('POST', '/api/tokens', body)).json
    let asked = 0
    const client = await modernClient(running.url, token, elicitation)
    client.setRequestHandler('elicitation/create', async () => {
      asked += 1
      return { action: 'accept', content: { answer: 'Mine.' } }
    })
    const treeId = await question()
    await running.asked(treeId)
    expect(dataOf<Standing>(await client.callTool(wait(treeId)))).toMatchObject({ over: false, reviews: [{ state: 'open' }] })
    expect(asked).toBe(0)
    await client.close()
  })
})

describe.each(ERAS)('a call of $era that takes long', ({ connect }) => {
  test('gives signs of life with how it stands before it is answered', async () => {
    const client = await connect()
    const treeId = await question()
    await running.asked(treeId)
    const signs: (string | undefined)[] = []
    const given = { name: 'wait_task', arguments: { task_id: treeId, timeout_seconds: 6, until: 'over' } }
    await callWith(client, given, { onprogress: ({ message }) => void signs.push(message) })
    expect(signs).toEqual(expect.arrayContaining(['waiting for you']))
    await client.close()
  })

  test('is left by a client that cancels, and the goal goes on', async () => {
    const client = await connect()
    const treeId = await question()
    const review = await running.asked(treeId)
    const cut = new AbortController()
    const waiting = callWith(client, { name: 'wait_task', arguments: { task_id: treeId, until: 'over' } }, { signal: cut.signal })
    cut.abort()
    await expect(waiting).rejects.toThrow()
    expect((await running.tree(treeId)).status).toBe('waiting')
    await running.decide(review, 'answer', 'Green.')
    expect((await running.over(treeId)).status).toBe('done')
    await client.close()
  })
})

describe('a client that follows tasks by itself', () => {
  const rpc = (method: string, params: Record<string, unknown>, token = TOKEN) => askAsFollower({ url: running.url, token }, method, params)
  const begin = async (goal: string) =>
    (await rpc('tools/call', { name: 'start_goal', arguments: { goal } })).result as never as { resultType: string; taskId: string }
  const get = async (taskId: string) =>
    (await rpc('tasks/get', { taskId })).result as never as {
      status: string
      inputRequests?: Record<string, unknown>
      result?: { structuredContent: Standing }
    }

  test('is given a task with the id of the goal, and reads its end there', async () => {
    const { resultType, taskId } = await begin('Run `echo followed`')
    expect(resultType).toBe('task')
    await running.over(taskId)
    expect(await get(taskId)).toMatchObject({
      status: 'completed',
      result: { structuredContent: { over: true, task: { task_id: taskId, status: 'done' } } },
    })
  })

  test('finds what a person is asked as input that is required, and answers it there', async () => {
    const { taskId } = await begin('Which way is up?')
    const review = await running.asked(taskId)
    const { status, inputRequests = {} } = await get(taskId)
    expect(status).toBe('input_required')
    const key = `${review.id}#${review.actionHash}`
    expect(Object.keys(inputRequests)).toEqual([key])
    await rpc('tasks/update', { taskId, inputResponses: { [key]: { action: 'accept', content: { answer: 'That way.' } } } })
    expect((await running.over(taskId)).result).toContain('That way.')
  })

  test('is not asked again what it turned down, and stops the goal by cancelling', async () => {
    const { taskId } = await begin('Which way is down?')
    const review = await running.asked(taskId)
    const key = `${review.id}#${review.actionHash}`
    await rpc('tasks/update', { taskId, inputResponses: { [key]: { action: 'decline' } } })
    expect(await get(taskId)).toMatchObject({ status: 'working' })
    await rpc('tasks/cancel', { taskId })
    await running.until(
      () => get(taskId),
      ({ status }) => status === 'cancelled' || status === 'completed',
    )
  })

  test('is told that there is no such task, and cannot stop one with a token that only reads', async () => {
    expect((await rpc('tasks/get', { taskId: 'nope' })).error?.code).toBe(-32_602)
    const { taskId } = await begin('Which way is left?')
    const { token } = (await running.ask<{ token: string }>('POST', '/api/tokens', { name: 'looker', scopes: ['read'], expiresAt: null }))
      .json
    expect((await rpc('tasks/cancel', { taskId }, token)).error?.message).toContain('goals:write')
    const review = await running.asked(taskId)
    const key = `${review.id}#${review.actionHash}`
    const refused = await rpc('tasks/update', { taskId, inputResponses: { [key]: { action: 'accept', content: { answer: 'x' } } } }, token)
    expect(refused.error?.message).toContain('review:decide')
  })
})
