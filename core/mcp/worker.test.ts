/** Outside agents against the whole engine: real clients of both eras claim tasks and work them with the very tools that our own agents have. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { agentToken, clear, loop, openWorker, take, type Worker } from './fixture/worker.ts'

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
    const claim = await take(one(), id)
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

test('two agents of both eras share a tree of three levels, its evaluation and its documentation', async () => {
  const id = await submit('Do the whole of it, level 2')
  let over = false
  const [a, b]: [string[], string[]] = [[], []]
  const loops = Promise.all([loop(worker, () => over, a), loop(old, () => over, b)])
  const tree = await running.over(id)
  over = true
  await loops
  expect(tree.status, tree.result ?? '').toBe('done')
  expect(tree.result).toContain('leaf part')
  const work = tree.tasks.filter((task) => task.kind === 'work')
  expect(work.map((task) => [task.depth, task.status]).sort()).toEqual([
    [0, 'done'],
    ...Array(2).fill([1, 'done']),
    ...Array(4).fill([2, 'done']),
  ])
  expect(tree.tasks.filter((task) => task.kind === 'evaluate').every((task) => task.verdict?.passed)).toBe(true)
  expect(new Set([...a, ...b]).size).toBeGreaterThanOrEqual(tree.tasks.filter((task) => task.kind !== 'document').length)
}, 60_000)

test('what needs a person waits for one: the agent is told so, cannot decide, and gets the answer when it asks', async () => {
  const id = await submit('Look at the clock')
  const claim = await take(worker, id)
  const asked = await worker.act(claim, 'use_terminal', { command: 'date -u +%Y' }, { wait_seconds: 0, idempotency_key: 'look' })
  const review = await running.asked(id)
  const told = await worker.heartbeat(claim, { call: 'look', wait_seconds: 1 })
  expect([asked.data.call, told.data.state, told.text]).toEqual(['look', 'waiting_for_person', expect.stringContaining(review.id)])

  for (const tool of ['decide_review', 'list_reviews', 'get_task'])
    await expect(worker.call(tool, { review_id: review.id, decision: 'approve', action_hash: review.actionHash })).rejects.toThrow(
      'There is no tool',
    )
  const through = await worker.act(claim, 'decide_review', { review_id: review.id }, { wait_seconds: 0 })
  expect(through.data.state).not.toBe('answered') // it stands behind the call that waits

  const waiting = worker.heartbeat(claim, { call: 'look' })
  await running.decide(review, 'approve')
  const answer = await waiting
  expect(answer.data.state, answer.text).toBe('answered')
  expect(answer.text).toMatch(/exit code: 0[\s\S]*20\d\d/)
  const refused = await worker.heartbeat(claim, { call: through.data.call })
  expect(refused).toMatchObject({ isError: true, text: expect.stringContaining('There is no tool "decide_review"') })
  await worker.end(claim, 'It is that year.')
  await loopOver(id)
})

test('a secret is neither in the brief nor in what a tool answers', async () => {
  await running.ask('PUT', '/api/secrets/TEST_KEY', {
    value: 'the-value-nobody-sees',
    description: 'For a test',
    grants: ['agent:generalist'],
  })
  const id = await submit('Run `echo the-value-nobody-sees`')
  const claim = await take(worker, id)
  const ran = await worker.act(claim, 'use_terminal', { command: 'echo the-value-nobody-sees' })
  expect(ran.data.state, ran.text).toBe('answered')
  expect(JSON.stringify([ran.text, ran.data])).not.toContain('the-value-nobody-sees')
  await worker.end(claim, 'Said it.')
  await loopOver(id)
})

test('an answer that a client lost is given again to the same key, and to claim_task', async () => {
  const id = await submit('Write twice')
  const claim = await take(worker, id)
  const write = () => worker.act(claim, 'write_file', { path: 'once.txt', content: 'once' }, { idempotency_key: 'w' })
  const [first, again] = [await write(), await write()]
  expect([again.text, again.data.call]).toEqual([first.text, 'w'])
  const whole = await worker.claim({ task_id: id })
  expect(whole.lease).not.toBe(claim.lease)
  expect(whole.messages.map((message) => message.role)).toEqual(['user', 'assistant', 'tool'])
  const late = await worker.act(claim, 'list_files')
  expect(late).toMatchObject({ isError: true, text: expect.stringContaining('replaced by a newer claim') })
  await worker.end(whole, 'Written once.')
  const tree = await loopOver(id)
  expect(tree.tasks.find((task) => task.id === id)?.spend.turns).toBe(2)
})

test('people see who works on what, and may choose outside agents as the model of a goal', async () => {
  const id = await submit('Be seen')
  const claim = await take(worker, id)
  const { items } = (await running.ask<{ items: object[] }>('GET', '/api/outside-agents')).json
  expect(items).toContainEqual(expect.objectContaining({ name: 'modern-one', tasks: [expect.objectContaining({ taskId: id })] }))
  const workers = (await running.ask<{ items: object[] }>('GET', '/api/system/workers')).json
  expect(workers.items).toContainEqual(expect.objectContaining({ taskId: id, worker: 'modern-one', outside: true, call: null }))
  const models = (await running.ask<{ items: object[] }>('GET', '/api/models?ready=1')).json
  expect(models.items).toContainEqual(expect.objectContaining({ id: 'external', keyPresent: true }))
  await worker.end(claim, 'Seen.')
  await loopOver(id)
})

test('a claim waits for a task that comes later', async () => {
  await clear(worker)
  const waiting = worker.claim({ wait_seconds: 20 })
  const id = await submit('Come later')
  const claim = await waiting
  expect(claim.task_id).toBe(id)
  const back = await worker.heartbeat(claim, { give_back: true })
  expect(back.data.state).toBe('given_back')
  const other = await old.claim({ wait_seconds: 20 })
  expect(other.task_id).toBe(id)
  await old.end(other, 'Here.')
  await loopOver(id)
})

test('a goal that wants a plan first is planned by an outside agent, approved by a person, and carried out', async () => {
  const id = await submit('Make tea for two', { plan: true })
  const planning = await take(worker, id)
  expect(planning.agent).toBe('task_breakdown')
  await worker.end(planning, '1. Boil the water\n2. Pour it')
  const review = await running.asked(id)
  expect(review).toMatchObject({ kind: 'plan', action: { items: [{ title: 'Boil the water' }, { title: 'Pour it' }] } })
  await running.decide(review, 'approve')
  for (const words of ['Boil the water', 'Pour it']) {
    const part = await take(worker, id)
    expect(part.messages[0]!.text).toContain(words)
    await worker.end(part, `${words}: done.`)
  }
  const root = await take(worker, id)
  expect(root.task_id).toBe(id)
  await worker.end(root, 'Tea is made.')
  expect(await loopOver(id)).toMatchObject({ status: 'done', result: 'Tea is made.' })
}, 60_000)

test('what an agent tells of its model counts for the goal, and its caps bind on it', async () => {
  const id = await submit('Count what it costs', { budget: { dollars: 1, tokens: 900_000 } })
  const claim = await take(worker, id)
  expect(claim.text).toMatch(/Caps of the goal: 0 of \d+ model calls.*0 of 900,000 tokens and \$0\.00 of \$1\.00/)
  const usage = { input_tokens: 1_000, output_tokens: 200, cache_read_tokens: 30, cost_dollars: 0.6 }
  const first = await worker.act(claim, 'list_files', {}, { usage, idempotency_key: 'one' })
  expect(first.data.state, first.text).toBe('answered')
  const again = await worker.act(claim, 'list_files', {}, { usage, idempotency_key: 'one' })
  expect(again.data.call).toBe('one')
  expect(await running.tree(id)).toMatchObject({ spend: { tokens: 1_230, costMicros: 600_000, turns: 1 } })
  await worker.act(claim, 'list_files', {}, { usage, idempotency_key: 'two' })
  const whole = await worker.claim({ task_id: id })
  expect(whole.caps).toMatchObject({ model_calls: { used: 2 }, tokens: { used: 2_460, cap: 900_000 }, dollars: { used: 1.2, cap: 1 } })
  const third = await worker.act(whole, 'list_files', {}, { idempotency_key: 'three', wait_seconds: 0 })
  expect(third.data.state).not.toBe('answered')
  const review = await running.asked(id)
  expect([review.kind, review.title]).toEqual(['budget', expect.stringContaining('$1.00')])
  await running.decide(review, 'approve')
  const went = await worker.heartbeat(whole, { call: 'three' })
  expect(went.data.state, went.text).toBe('answered')
  await worker.end(whole, 'Counted.')
  await loopOver(id)
})

test('a usage that is none is refused, and nothing is done', async () => {
  const claim = await take(worker, await submit('Tell nonsense'))
  const told = await worker.act(claim, 'write_file', { path: 'x.txt', content: 'x' }, { usage: { input_tokens: -5 } })
  expect([told.isError, told.text]).toEqual([true, expect.stringContaining('usage.input_tokens')])
  await worker.end(claim, 'Done.')
  await loopOver(claim.task_id)
})

test('the prompt work_next_task makes a worker of any host', async () => {
  const { messages } = await worker.client.getPrompt({ name: 'work_next_task', arguments: { capability: 'python' } })
  const { text } = messages[0]!.content as { text: string }
  for (const words of ['claim_task', 'end_task', 'heartbeat', '"python"']) expect(text).toContain(words)
})

/** Both agents work whatever is left of the goal. */
async function loopOver(id: string) {
  let over = false
  const loops = Promise.all([worker, old].map((of) => loop(of, () => over, [])))
  const tree = await running.over(id)
  over = true
  await loops
  return tree
}
