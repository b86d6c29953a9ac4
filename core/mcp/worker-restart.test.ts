/** kill -9 of the engine under outside agents: with a claim, with a call under way, and with one that waits. Nothing is lost and nothing is done twice. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEngineProcess } from './fixture/engine-process.ts'
import { agentToken, loop, openWorker, take, type Worked, type Worker } from './fixture/worker.ts'

let engine: Awaited<ReturnType<typeof openEngineProcess>>
beforeAll(async () => {
  engine = await openEngineProcess()
}, 60_000)
afterAll(() => engine.stop())

const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
  const headers = { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' }
  const response = await fetch(`${engine.url}${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
  return (await response.json()) as T
}
const submit = async (goal: string) =>
  (await ask<{ treeId: string }>('POST', '/api/goals', { goal, agent: 'generalist', model: 'external' })).treeId
/** The agent looks at its own result too, where that is asked for. */
const over = async (id: string, worker: Worker) => {
  type Tree = { status: string; result: string; tasks: { spend: { turns: number } }[] }
  const tree = () => ask<Tree>('GET', `/api/trees/${id}`)
  let isOver = false
  const looping = loop(worker, () => isOver)
  await expect.poll(async () => (await tree()).status, { timeout: 15_000 }).toBe('done')
  isOver = true
  await looping
  return tree()
}
const restart = async () => {
  await engine.kill()
  await engine.start()
}

test.each(['modern', 'old'] as const)(
  'a claimed task of a %s client goes on after kill -9, its call under way too',
  async (era) => {
    const worker = await openWorker(engine.url, await agentToken(engine.url, engine.token, `killed-${era}`), era)
    // The person wrote the command, so it runs at once, and again from its start when it was cut off.
    const id = await submit('Run `echo begun >> begun.txt; sleep 2; echo ended`')
    const claim = await take(worker, id)
    expect(claim.task_id).toBe(id)
    const input = { command: 'echo begun >> begun.txt; sleep 2; echo ended' }
    const act = () => worker.act(claim, 'use_terminal', input, { idempotency_key: 'run', wait_seconds: 45 })
    // A client may wait long before it sees that nobody will answer; nobody here waits for that.
    void act().catch(() => undefined)
    const file = join(engine.folder, 'workspaces', id, 'begun.txt')
    await expect.poll(() => existsSync(file), { timeout: 15_000 }).toBe(true)
    await restart()
    const answer = await act()
    expect(answer.data.state, answer.text).toBe('answered')
    expect(answer.text).toContain('run again from its start after a restart')
    expect(readFileSync(file, 'utf8')).toBe('begun\nbegun\n')
    await worker.act(claim, 'list_files')
    await restart()
    const ended = await worker.end(claim, 'It ran.')
    expect(ended.data.state, ended.text).toBe('answered')
    const tree = await over(id, worker)
    expect([tree.result, tree.tasks[0]!.spend.turns]).toEqual(['It ran.', 3])
    await worker.close()
  },
  90_000,
)

test('a call that waits for a person waits on over kill -9, and is answered once', async () => {
  const worker = await openWorker(engine.url, await agentToken(engine.url, engine.token, 'asking'))
  const id = await submit('Ask the person')
  const claim = await take(worker, id)
  const asked = await worker.act(
    claim,
    'flag_for_review',
    { issue: 'Tea or coffee?', question: true },
    { wait_seconds: 0, idempotency_key: 'ask' },
  )
  const open = () => ask<{ items: { id: string; actionHash: string }[] }>('GET', `/api/reviews?state=open&treeId=${id}`)
  await expect.poll(async () => (await open()).items.length, { timeout: 15_000 }).toBe(1)
  await restart()
  expect((await worker.heartbeat(claim, { call: 'ask', wait_seconds: 0 })).data.state).toBe('waiting_for_person')
  const { items } = await open()
  await ask('POST', `/api/reviews/${items[0]!.id}/decision`, { decision: 'answer', comment: 'Tea.', actionHash: items[0]!.actionHash })
  const answer = await worker.heartbeat(claim, { call: asked.data.call })
  expect(answer.text).toContain('Tea.')
  await worker.end(claim, 'Tea it is.')
  await over(id, worker)
  await worker.close()
}, 90_000)

test('an agent that is killed itself, and forgot all, gets its task again whole', async () => {
  const token = await agentToken(engine.url, engine.token, 'forgetful')
  const first = await openWorker(engine.url, token)
  const id = await submit('Remember me')
  const claim = await take(first, id)
  await first.act(claim, 'write_file', { path: 'a.txt', content: 'a' })
  await first.close()
  const second = await openWorker(engine.url, token, 'old')
  const none = await second.claim({ wait_seconds: 0 })
  expect([none.why_not, none.text]).toEqual(['full', expect.stringContaining(id)])
  const again = await second.claim({ task_id: id })
  expect(again.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'tool'])
  const late = await first
    .act({ task_id: id, lease: claim.lease }, 'list_files')
    .catch((error: unknown) => ({ text: String(error), data: {} as Worked }))
  expect(late.data?.state).not.toBe('answered')
  await second.end(again, 'I do.')
  await over(id, second)
  await second.close()
}, 90_000)
