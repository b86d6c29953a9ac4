/** Outside agents against the whole engine: real clients of both eras claim tasks and work them with the very tools that our own agents have. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { agentToken, openWorker, type Worker } from './fixture/worker.ts'

let running: Running
let worker: Worker
let old: Worker
beforeAll(async () => {
  running = await engine()
  worker = await openWorker(running.url, await agentToken(running.url, TOKEN, 'modern-one'))
  old = await openWorker(running.url, await agentToken(running.url, TOKEN, 'old-one'), 'old')
})
afterAll(async () => {
  await worker.close()
  await old.close()
  await running.stop()
})
const submit = async (goal: string, more: object = {}): Promise<string> =>
  (await running.submit(goal, { agent: 'generalist', model: 'external', ...more })).json.treeId

describe.each(['modern', 'old'])('an agent of the %s era', (era) => {
  const one = () => (era === 'modern' ? worker : old)

  test('claims a task, works it and ends it', async () => {
    const id = await submit(`Say hello (${era})`)
    const claim = await one().claim()
    expect(claim).toMatchObject({ claimed: true, resumed: false, task_id: id, agent: 'generalist' })
    expect(claim.system).toContain('You are one agent in Banyan')
    expect(claim.messages).toEqual([{ role: 'user', text: `Say hello (${era})` }])
    expect(claim.tools.map((tool) => tool.name)).toContain('write_file')
    const written = await one().act(claim, 'write_file', { path: 'hello.txt', content: 'Hello' })
    expect(written.data.state, written.text).toBe('answered')
    const ended = await one().end(claim, 'Said hello in hello.txt.', 'success')
    expect(ended.data, ended.text).toMatchObject({ state: 'answered', task_status: 'done' })
    expect(await running.tree(id)).toMatchObject({ status: 'done', result: 'Said hello in hello.txt.' })
  })
})

test('a client sees twelve tools at most, in the same order each time', async () => {
  const names = async (of: Worker) => (await of.client.listTools()).tools.map((tool) => tool.name)
  expect(await names(worker)).toEqual(await names(old))
  expect(await names(worker)).toHaveLength(12)
})
