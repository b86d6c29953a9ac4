import { mkdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FileContents, TaskSpend } from '../contract/api-detail.ts'
import { workspaceFiles } from '../exec/files.ts'
import { beginJob } from '../exec/job-rows.ts'
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
type Facts = { items: { seq: number; type: string; taskId?: string }[]; nextCursor: string | null }

test('the facts of a task are its own, without messages and counting, in pages that follow one another', async () => {
  await server.store.transact(async (tx) => {
    for (const taskId of [tree, `${tree}.other`, tree]) {
      tx.record(tree, { type: 'call.began', taskId, callId: `${taskId}/1a`, tool: 'x', attempt: 1 })
      tx.record(tree, { type: 'task.tainted', taskId, taint: ['web'] })
      // Names the task, and is not about it.
      tx.record(tree, { type: 'rule.revoked', ruleId: tree, by: 'owner' })
    }
  })
  const all = await get<Facts>(`/api/tasks/${tree}/facts`)
  expect(all.items.filter((fact) => fact.type === 'task.tainted').map((fact) => fact.taskId)).toEqual([tree, tree])
  expect(all.items.map((fact) => fact.type).filter((type) => /^(call|message|rule|model)\./.test(type))).toEqual([])
  const paged: number[] = []
  for (let after: string | null = '0'; after !== null; ) {
    const page: Facts = await get<Facts>(`/api/tasks/${tree}/facts?limit=1&after=${after}`)
    paged.push(...page.items.map((fact) => fact.seq))
    after = page.nextCursor
  }
  expect(paged).toEqual(all.items.map((fact) => fact.seq))
  expect((await server.ask('GET', '/api/tasks/nowhere/facts')).status).toBe(404)
})

test('a file is told as it was before one change and after a later one; what is not text says why', async () => {
  const folder = server.folderOf(tree)
  await mkdir(folder, { recursive: true })
  const files = workspaceFiles(folder)
  const write = (callId: string, path: string, data: string | Uint8Array) =>
    server.history.writing({ treeId: tree, taskId: tree, callId }, folder, path, { data, append: false }, () => files.write(path, data))
  await write('c1', 'a.txt', 'one')
  await write('c2', 'a.txt', 'two')
  await write('c3', 'b.bin', Uint8Array.of(0xff, 0xfe, 0))
  expect(await get<FileContents>(`/api/tasks/${tree}/files/1?to=2`)).toEqual({
    path: 'a.txt',
    before: null,
    after: { text: 'two', bytes: 3, why: null },
  })
  expect((await get<FileContents>(`/api/tasks/${tree}/files/2`)).before).toEqual({ text: 'one', bytes: 3, why: null })
  expect((await get<FileContents>(`/api/tasks/${tree}/files/3`)).after).toEqual({ text: null, bytes: 3, why: 'it is not text' })
  expect((await server.ask('GET', `/api/tasks/${tree}/files/1?to=3`)).status).toBe(404)
})

test('what model calls cost is told by model, its own and with everything below, and no price is no price', async () => {
  const call = (task_id: string, n: number, model: string, cost_micros: number | null) => ({
    task_id,
    n,
    tree_id: tree,
    provider: 'p',
    model,
    state: 'settled',
    lease_token: 1,
    reserved_tokens: 0,
    reserved_cost_micros: 0,
    input: 1,
    output: 2,
    reasoning: 1,
    cache_read: 3,
    cache_write: 4,
    tokens: 10,
    cost_micros,
    latency_ms: 5,
    outcome: 'ok',
    at: 1,
  })
  await server.store.transact((tx) =>
    tx.db
      .insertInto('model_calls')
      .values([call(tree, 1, 'dear', 7), call(tree, 2, 'free', null), call(`${tree}.2a`, 1, 'dear', 5), call(`${tree}0`, 1, 'dear', 100)])
      .execute(),
  )
  const spend = await get<TaskSpend>(`/api/tasks/${tree}/spend`)
  expect(spend.own).toMatchObject([
    { model: 'dear', calls: 1, costMicros: 7, unpricedCalls: 0, input: 1, output: 2, reasoning: 1, cacheRead: 3, cacheWrite: 4 },
    { model: 'free', costMicros: 0, unpricedCalls: 1 },
  ])
  expect(spend.subtree[0]).toMatchObject({ model: 'dear', calls: 2, costMicros: 12, tokens: 20 })
})

test('messages can be had with long texts cut, and say how long they are', async () => {
  const text = 'x'.repeat(5_000)
  await server.store.transact((tx) =>
    tx.db
      .insertInto('messages')
      .values({ task_id: tree, n: 99, role: 'user', body: JSON.stringify({ role: 'user', from: 'person', text }), at: tx.now })
      .execute(),
  )
  const read = async (query: string) =>
    (await get<{ items: { text: string; bytes?: number }[] }>(`/api/tasks/${tree}/messages?after=98${query}`)).items
  expect((await read('&preview=1'))[0]).toMatchObject({ text: text.slice(0, 2_000), bytes: 5_000 })
  expect((await read(''))[0]!.text).toBe(text)
})

test('the commands that a task left running are told with what they wrote and how they ended', async () => {
  const at = { treeId: tree, taskId: tree, callId: `${tree}/1a` }
  await server.store.transact((tx) => tx.db.updateTable('tasks').set({ status: 'active' }).where('id', '=', tree).execute())
  await beginJob(server.store, at, { line: 'make watch', place: 'site', isolation: 'sandbox' }, { perTask: 1, perSystem: 1 })
  const jobs = `/api/tasks/${tree}/jobs`
  expect(await get(jobs)).toMatchObject({
    items: [
      { name: 'job-1', command: 'make watch', cwd: 'site', state: 'running', ending: null, exitCode: null, endedAt: null, output: '' },
    ],
    nextCursor: null,
  })
  await server.store.transact((tx) =>
    tx.db
      .updateTable('jobs')
      .set({ state: 'ended', ending: 'exit code 2', exit_code: 2, output: 'no rule', output_bytes: 7, ended_at: tx.now })
      .where('id', '=', at.callId)
      .execute(),
  )
  expect(await get(jobs)).toMatchObject({
    items: [{ state: 'ended', ending: 'exit code 2', exitCode: 2, output: 'no rule', outputBytes: 7 }],
  })
  expect((await server.ask('GET', '/api/tasks/nowhere/jobs')).status).toBe(404)
})
