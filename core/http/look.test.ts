import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CallDetail, SearchHit, SentContext, Since } from '../contract/api-look.ts'
import type { Message } from '../contract/message.ts'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
let tree: string
beforeEach(async () => {
  server = await serve()
  tree = await server.goal('Bake a cake.')
})
afterEach(() => server.stop())

const get = async <T>(path: string): Promise<T> => {
  const answer = await server.ask('GET', path)
  expect(answer.status, answer.text).toBe(200)
  return answer.json as T
}
/** A subtask with messages and a call, as a run leaves them in the tables. */
async function addTask(
  name: string,
  more: { title: string; agent?: string; status?: string; cost?: number; said?: string; tool?: string; answer?: string },
) {
  const [root] = await server.store.db.selectFrom('tasks').selectAll().where('id', '=', tree).execute()
  const id = `${tree}.${name}`
  const body = (message: Message) => JSON.stringify(message)
  await server.store.transact(async (tx) => {
    await tx.db
      .insertInto('tasks')
      .values({
        ...root!,
        id,
        parent_id: tree,
        title: more.title,
        instruction: `${more.title}, please.`,
        agent: more.agent ?? 'generalist',
        status: more.status ?? 'pending',
        cost_micros: more.cost ?? 0,
        created_at: tx.now,
        updated_at: tx.now,
      })
      .execute()
    if (more.said !== undefined)
      await tx.db
        .insertInto('messages')
        .values({ task_id: id, n: 1, role: 'user', body: body({ role: 'user', from: 'parent', text: more.said }), at: tx.now })
        .execute()
    if (more.tool !== undefined) {
      const call = `${id}/2a`
      await tx.db
        .insertInto('calls')
        .values({
          id: call,
          task_id: id,
          n: 2,
          tool: more.tool,
          input: '{"path":"a"}',
          state: 'ended',
          effect: 'read',
          attempts: 1,
          waits: null,
          wait_ids: null,
          approved: 0,
          begun_at: 1,
          ended_at: 2,
          ok: 1,
        })
        .execute()
      await tx.db
        .insertInto('messages')
        .values({
          task_id: id,
          n: 3,
          role: 'tool',
          body: body({ role: 'tool', callId: call, tool: more.tool, text: more.answer ?? '', isError: false }),
          at: tx.now,
        })
        .execute()
    }
  })
  return id
}
const found = async (query: string) =>
  (await get<{ items: SearchHit[] }>(`/api/trees/${tree}/search?${query}`)).items.map(({ taskId, where }) => [
    taskId.slice(tree.length),
    where,
  ])

describe('searching a goal', () => {
  test('finds words in titles, agents, instructions, tools and messages, and says where', async () => {
    await addTask('a', { title: 'Buy flour', said: 'The best flour is "Type 405".' })
    await addTask('b', { title: 'Warm the oven', agent: 'researcher' })
    await addTask('c', {
      title: 'Stir',
      said: 'Take 100 % butter, no_margarine, and back\\slashes.',
      tool: 'read_file',
      answer: 'Ünder 180 degrees',
    })
    expect(await found('q=FLOUR')).toEqual([['.a', 'title']])
    expect(await found('q=research')).toEqual([['.b', 'agent']])
    expect(await found('q=oven,%20please')).toEqual([['.b', 'instruction']])
    expect(await found('q=read_f')).toEqual([['.c', 'tool']])
    expect(await found(`q=${encodeURIComponent('"type 405"')}`)).toEqual([['.a', 'message']])
    expect(await found(`q=${encodeURIComponent('100 % b')}`)).toEqual([['.c', 'message']])
    expect(await found(`q=${encodeURIComponent('back\\slash')}`)).toEqual([['.c', 'message']])
    expect(await found(`q=${encodeURIComponent('Ünder')}`)).toEqual([['.c', 'message']])
    for (const sign of ['%', '_', 'noXmargarine', 'callId'])
      expect(await found(`q=${encodeURIComponent(sign)}`), sign).not.toContainEqual(['.b', 'message'])
    expect(await found('q=noXmargarine')).toEqual([])
    expect(await found('q=callId')).toEqual([]) // a word of how messages are kept, that nobody said
    const { items } = await get<{ items: SearchHit[] }>(`/api/trees/${tree}/search?q=405`)
    expect(items[0]).toMatchObject({ snippet: 'The best flour is "Type 405".', n: 1 })
  })

  test('narrows by how tasks stand', async () => {
    const seq = await server.store.lastSeq()
    await addTask('a', { title: 'One', status: 'failed', cost: 500 })
    await addTask('b', { title: 'Two', status: 'active', agent: 'researcher', tool: 'read_file' })
    expect(await found('failed=1')).toEqual([['.a', null]])
    expect(await found('running=1')).toEqual([['.b', null]])
    expect(await found('agent=researcher')).toEqual([['.b', null]])
    expect(await found('tool=read_file')).toEqual([['.b', null]])
    expect(await found('costOver=499')).toEqual([['.a', null]])
    expect(await found('status=active&q=t')).toEqual([['.b', 'title']])
    await server.flag(tree)
    expect(await found('needsYou=1')).toEqual([['', null]])
    expect(await found(`changedSince=${seq}`)).toEqual([['', null]])
    expect((await server.ask('GET', '/api/trees/nowhere/search?q=a')).status).toBe(404)
  })

  test('lists goals by words, cost, what happens in them, and with how their tasks stand', async () => {
    await addTask('a', { title: 'One', status: 'failed', tool: 'read_file' })
    const other = await server.goal('Paint a fence.')
    const seq = await server.store.lastSeq()
    await server.flag(other)
    const ids = async (query: string) => (await get<{ items: { id: string }[] }>(`/api/trees?${query}`)).items.map((item) => item.id)
    expect(await ids('q=FENCE')).toEqual([other])
    expect(await ids('failed=1')).toEqual([tree])
    expect(await ids('tool=read_file')).toEqual([tree])
    expect(await ids('needsYou=1')).toEqual([other])
    expect(await ids(`changedSince=${seq}`)).toEqual([other])
    expect(await ids('agent=generalist')).toEqual([other, tree])
    expect(await ids('costOver=0')).toEqual([])
    expect(await ids(`q=${other}`)).toEqual([other])
    const become = (id: string, status: string) =>
      server.store.transact((tx) => tx.db.updateTable('tasks').set({ status }).where('id', '=', id).execute())
    const states = async () => Promise.all(['open', 'you', 'done', 'failed', 'stopped'].map((word) => ids(`is=${word}`)))
    expect(await states()).toEqual([[other, tree], [other], [], [], []])
    await become(tree, 'dead')
    await become(other, 'cancelled')
    expect(await states()).toEqual([[], [], [], [tree], [other]])
    await become(tree, 'done')
    await become(other, 'pending')
    expect(await states()).toEqual([[other], [other], [tree], [], []])
    await become(tree, 'pending')
    const { items } = await get<{ items: { counts: object; needsYou: number; reason: unknown; attempt: number }[] }>('/api/trees')
    expect(items[0]).toMatchObject({ counts: { pending: 1 }, needsYou: 1, reason: null, attempt: 0 })
    expect(items[1]).toMatchObject({ counts: { pending: 1, failed: 1 }, needsYou: 0 })
  })
})

test('what happened since a fact is counted and named', async () => {
  const seq = await server.store.lastSeq()
  expect(await get<Since>(`/api/trees/${tree}/since?seq=${seq}`)).toMatchObject({
    finished: 0,
    failed: 0,
    asked: 0,
    spentMicros: 0,
    complete: true,
    items: [],
  })
  await server.flag(tree)
  await server.store.transact(async (tx) => {
    tx.record(tree, { type: 'task.moved', taskId: tree, from: 'active', to: 'done', reason: null, note: null, attempt: 0, wakeAt: null })
    const spend = { turns: 1, tokens: 10, costMicros: 7, unpricedCalls: 1 }
    tx.record(tree, { type: 'model.called', taskId: tree, provider: 'p', model: 'm', spend, latencyMs: 1, outcome: 'ok' })
  })
  const since = await get<Since>(`/api/trees/${tree}/since?seq=${seq}`)
  expect(since).toMatchObject({ finished: 1, failed: 0, asked: 1, spentMicros: 7, unpricedCalls: 1, complete: true })
  expect(since.items.map(({ what, title }) => [what, title])).toEqual([
    ['finished', 'Bake a cake.'],
    ['asked', 'Look'],
  ])
  expect(await get<Since>(`/api/since?seq=${seq}`)).toMatchObject({ finished: 1, asked: 1, seq: since.seq })
  // More than can be counted: the newest are, and it says so.
  await server.store.transact(async (tx) => {
    for (let i = 0; i < 20_050; i++) tx.record(tree, { type: 'sweep.repaired', taskId: tree, what: `${i}` })
  })
  expect(await get<Since>(`/api/since?seq=${seq}`)).toMatchObject({ complete: false, finished: 0 })
})

describe('a call or a message', () => {
  test('is cut to what a screen shows, whole when asked for, and a file when it is too large for that', async () => {
    const answer = 'ä'.repeat(100_000)
    const id = await addTask('a', { title: 'Reads', tool: 'read_file', answer })
    const path = `/api/tasks/${id}/calls/2a`
    const cut = await get<CallDetail>(path)
    expect(cut).toMatchObject({
      id: `${id}/2a`,
      tool: 'read_file',
      ok: true,
      input: { json: '{"path":"a"}', cut: false },
      output: { cut: true, bytes: 200_000, n: 3 },
    })
    expect(Buffer.byteLength(cut.output!.text)).toBeLessThanOrEqual(64 * 1024)
    expect(answer.startsWith(cut.output!.text)).toBe(true)
    expect((await get<CallDetail>(`/api/tasks/${id}/calls/${encodeURIComponent(`${id}/2a`)}?full=1`)).output!.text).toBe(answer)
    expect(await get(`/api/tasks/${id}/messages/3`)).toMatchObject({ n: 3, role: 'tool', cut: true, bytes: 200_000 })
    const big = await addTask('b', { title: 'Reads more', tool: 'read_file', answer: '<script>'.repeat(300_000) })
    const refused = await server.ask('GET', `/api/tasks/${big}/calls/2a?full=1`)
    expect([refused.status, (refused.json as { detail: string }).detail]).toEqual([413, expect.stringContaining('raw=1')])
    const file = await server.ask('GET', `/api/tasks/${big}/messages/3?raw=1`)
    expect(file.headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
    expect(file.headers['content-disposition']).toMatch(/^attachment;/)
    expect(file.text).toHaveLength(2_400_000)
    expect((await server.ask('GET', `/api/tasks/${tree}/calls/2a`)).status).toBe(404)
    expect((await server.ask('GET', `/api/tasks/${id}/messages/99`)).status).toBe(404)
  })
})

test('what a turn was sent is told with the versions of then', async () => {
  await server.registry.save('document', { name: 'recipe', description: 'A recipe', content: 'Old recipe' }, 'me')
  await server.registry.save('tool', { name: 'read_file', description: 'Reads', core: true }, 'me')
  await server.store.transact(async (tx) => {
    await tx.db.insertInto('prompts').values({ hash: 'h', body: 'You bake.', at: 1 }).execute()
    const message: Message = {
      role: 'system',
      promptHash: 'h',
      agent: 'generalist',
      agentVersion: 1,
      documents: [{ name: 'recipe', version: 1 }],
      tools: ['read_file', 'gone'],
    }
    await tx.db
      .insertInto('messages')
      .values({ task_id: tree, n: 500, role: 'system', body: JSON.stringify(message), at: tx.now })
      .execute()
  })
  await server.registry.save('document', { name: 'recipe', description: 'A recipe', content: 'New recipe' }, 'me')
  expect(await get<SentContext>(`/api/tasks/${tree}/context`)).toMatchObject({
    n: 500,
    agent: 'generalist',
    agentVersion: 1,
    prompt: 'You bake.',
    instruction: 'Bake a cake.',
    documents: [{ name: 'recipe', version: 1, text: 'Old recipe' }],
    tools: [
      { name: 'read_file', version: 1, description: 'Reads' },
      { name: 'gone', version: null, description: '' },
    ],
  })
  expect((await server.ask('GET', `/api/tasks/${tree}/context?n=3`)).status).toBe(404)
})
