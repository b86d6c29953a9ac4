/** Outside agents at the door of tasks: the whole runtime with a clock of its own, and agents that are functions of this file. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { Fault } from '../contract/fault.ts'
import type { Claimed } from './outside.ts'
import { MAX_LAPSES } from './outside-park.ts'

let h: Harness
let clock = Date.now()
/** Whatever a test did, the rows must be in order afterwards. */
afterEach(async () => {
  expect(await h.end()).toEqual([])
})
const open = async (options: Parameters<typeof harness>[1] = {}) => {
  clock = Date.now()
  h = await harness(() => ({ text: 'Nobody asks this model.' }), { now: () => clock, ...options })
  return { ...h, outside: h.runtime.tasks.outside }
}
const given = (goal: string, more: object = {}) => h.goal(goal, { model: 'external', ...more })
const waits = (id: string) => h.until(id, (task) => task.status === 'waiting' && task.reason === 'external')
const claim = async (agent: string, ask: { capability?: string; taskId?: string } = {}): Promise<Claimed> => {
  const got = await h.runtime.tasks.outside.claim(agent, ask)
  if (!('task' in got)) throw new Error(`nothing was claimed: ${got.why}`)
  return got
}
const nothing = async (agent: string, ask: { capability?: string } = {}) => {
  const got = await h.runtime.tasks.outside.claim(agent, ask)
  return 'task' in got ? got.task.id : got.why
}
const send = (agent: string, { task, lease }: Pick<Claimed, 'task' | 'lease'>, tool: string, input: object = {}, key?: string) =>
  h.runtime.tasks.outside.send(agent, { taskId: task.id, lease, key, tool, input })
const answer = async (sent: { taskId: string; n: number }): Promise<{ text: string; isError: boolean }> => {
  const look = () => h.runtime.tasks.outside.look(sent)
  return expect
    .poll(async () => (await look()).state, { timeout: 15_000 })
    .toMatchObject({ kind: 'answered' })
    .then(async () => (await look()).state as never)
}
const end = (agent: string, claimed: Pick<Claimed, 'task' | 'lease'>, result = 'Done.') =>
  send(agent, claimed, 'end_task', { status: 'success', result })
const silence = async () => {
  clock += h.runtime.tasks.outside.leaseMs + 1
  await h.runtime.tasks.sweep('quick', clock)
}
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (error instanceof Fault ? `${error.code}: ${error.message}` : Promise.reject(error)),
  )

describe('a task that waits for an outside agent', () => {
  test('costs no turn, no attempt and no place while it waits, and says what it waits for', async () => {
    const { runtime } = await open({ slots: 1 })
    const ids = [await given('first'), await given('second')]
    for (const id of ids) expect(await waits(id)).toMatchObject({ attempt: 0, note: 'it waits for an outside agent' })
    expect((await runtime.tasks.task(ids[0]!)).spend.turns).toBe(0)
  })

  test('goes to the agent that asks first, the oldest task first, and no task to two', async () => {
    await open()
    const ids = [await given('first'), await given('second'), await given('third')]
    for (const id of ids) await waits(id)
    const claims = await Promise.all(['a', 'b', 'c', 'd'].map((name) => h.runtime.tasks.outside.claim(name, {})))
    expect(claims.flatMap((one) => ('task' in one ? [one.task.id] : [])).sort()).toEqual([...ids].sort())
    expect(claims.filter((one) => !('task' in one))).toEqual([{ why: 'none', holds: [] }])
  })

  test('goes only to an agent that can do what it asks for', async () => {
    const { outside } = await open()
    const id = await given('count', { model: 'external:python' })
    expect(await waits(id)).toMatchObject({ note: 'it waits for an outside agent that can do python' })
    expect(await nothing('plain')).toBe('none')
    expect(await refusal(outside.claim('plain', { taskId: id }))).toContain('asks for the capability python')
    const able = { capabilities: ['python'], description: '', repository: null, webhook: null, maxTasks: 1 }
    await outside.register('able', able, 'able')
    expect(await nothing('able', { capability: 'rust' })).toBe('none')
    expect((await claim('able', { capability: 'python' })).task.id).toBe(id)
  })

  test('is one of as many as the agent registered for, and one that waits for others takes no place', async () => {
    await open()
    await Promise.all([waits(await given('one')), waits(await given('two'))])
    const first = await claim('a')
    expect(await nothing('a')).toBe('full')
    const started = await send('a', first, 'start_subtask', { task_instruction: 'a part', agent_type: 'generalist' })
    await expect.poll(async () => (await h.runtime.tasks.outside.look(started)).state.kind, { timeout: 15_000 }).toBe('waits')
    expect((await claim('a')).task.id).not.toBe(first.task.id)
  })
})

describe('a call of an outside agent', () => {
  test('is one call however often it is sent, with a key for ever, without until its answer went out', async () => {
    const { outside, runtime } = await open()
    await waits(await given('write'))
    const claimed = await claim('a')
    const input = { path: 'a.txt', content: 'a' }
    const keyed = await Promise.all([1, 2, 3].map(() => send('a', claimed, 'write_file', input, 'k1')))
    expect(new Set(keyed.map((one) => one.n)).size).toBe(1)
    await answer(keyed[0]!)
    expect((await send('a', claimed, 'write_file', input, 'k1')).n).toBe(keyed[0]!.n)
    expect(await refusal(send('a', claimed, 'write_file', { ...input, content: 'b' }, 'k1'))).toMatch(/^unprocessable: .*another call/)

    const plain = await send('a', claimed, 'list_files', {})
    await answer(plain)
    expect((await send('a', claimed, 'list_files', {})).n).toBe(plain.n)
    await outside.tell('a', plain)
    const again = await send('a', claimed, 'list_files', {})
    expect(again.n).toBeGreaterThan(plain.n)
    await answer(again)
    const calls = (await runtime.tasks.messages(claimed.task.id)).flatMap((m) => (m.role === 'assistant' ? m.calls.map((c) => c.tool) : []))
    expect(calls).toEqual(['write_file', 'list_files', 'list_files'])
  })

  test('of a tool that the agent of the task lacks, or with wrong arguments, is answered like that of any model', async () => {
    await open()
    await waits(await given('try'))
    const claimed = await claim('a')
    expect(await answer(await send('a', claimed, 'launch_rocket'))).toMatchObject({
      isError: true,
      text: expect.stringContaining('There is no tool "launch_rocket"'),
    })
    expect(await answer(await send('a', claimed, 'write_file', { path: 7 }))).toMatchObject({
      isError: true,
      text: expect.stringContaining('arguments of write_file are not right'),
    })
    expect(
      await answer(await send('a', claimed, 'end_task', { status: 'success', result: 'x', evidence: [{ kind: 'file', path: 'no.txt' }] })),
    ).toMatchObject({ isError: true, text: expect.stringContaining('Not ended') })
  })

  test('counts as a turn, is bound by the caps of the goal, and says that the goal is held', async () => {
    const { outside, runtime } = await open()
    const id = await given('long', { budget: { turns: 2 } })
    await waits(id)
    const claimed = await claim('a')
    for (const path of ['a', 'b']) await answer(await send('a', claimed, 'write_file', { path, content: path }))
    const held = await send('a', claimed, 'list_files')
    await h.until(id, (task) => task.status === 'paused')
    expect(await outside.look(held)).toMatchObject({ state: { kind: 'queued', status: 'paused' } })
    const { items } = await runtime.tasks.reviews({ state: 'open', treeId: id, limit: 5 })
    await runtime.tasks.decide(items[0]!.id, { decision: 'approve', edit: { turns: 50 } }, 'owner')
    expect((await answer(held)).isError).toBe(false)
  })

  test('of a claim that was given back is refused, and nothing is done', async () => {
    const { outside } = await open()
    const id = await given('mine')
    await waits(id)
    const claimed = await claim('a')
    await outside.release('a', id, claimed.lease)
    expect(await refusal(end('a', claimed))).toMatch(/^conflict: This lease of task .* is over/)
    const second = await claim('b')
    expect(await refusal(end('a', claimed))).toContain('was claimed by another agent')
    expect(await refusal(send('b', { ...second, lease: 'made-up' }, 'list_files'))).toContain('was replaced by a newer claim')
    await end('b', second)
    expect(await h.over(id)).toMatchObject({ status: 'done', result: 'Done.' })
    expect(await refusal(send('b', second, 'list_files'))).toContain('is over (done)')
  })
})

describe('an agent that falls silent', () => {
  test('loses its task to the next one, is refused when it comes late, and what it did is not lost', async () => {
    await open()
    const id = await given('write')
    await waits(id)
    const first = await claim('a')
    await answer(await send('a', first, 'write_file', { path: 'a.txt', content: 'a' }))
    await waits(id)
    await silence()
    expect(await refusal(end('a', first))).toMatch(/no call and no heartbeat for 120 seconds/)
    const second = await claim('b')
    expect(second.task.id).toBe(id)
    expect(await h.runtime.briefs.of(second.task, second.grants)).toMatchObject({
      messages: [{ role: 'user', text: 'write' }, { role: 'assistant' }, { role: 'tool', tool: 'write_file' }],
    })
    await end('b', second)
    expect((await h.over(id)).status).toBe('done')
  })

  test('keeps its task while it sends heartbeats, and while the task waits for somebody else', async () => {
    const { outside } = await open()
    const id = await given('slow')
    await waits(id)
    const claimed = await claim('a')
    for (let i = 0; i < 3; i++) {
      clock += outside.leaseMs - 1_000
      await outside.beat('a', id, claimed.lease)
      await h.runtime.tasks.sweep('quick', clock)
    }
    const asked = await send('a', claimed, 'flag_for_review', { issue: 'Which colour?', question: true })
    await h.until(id, (task) => task.status === 'waiting' && task.reason === 'review')
    await silence()
    await silence()
    const { items } = await h.runtime.tasks.reviews({ state: 'open', treeId: id, limit: 5 })
    await h.runtime.tasks.decide(items[0]!.id, { decision: 'answer', comment: 'Green.' }, 'owner')
    expect((await answer(asked)).text).toContain('Green.')
    await end('a', claimed)
    expect((await h.over(id)).status).toBe('done')
  })

  test(`is followed by others ${MAX_LAPSES} times, then a person is asked, who can offer the task again`, async () => {
    const { runtime } = await open()
    const id = await given('nobody')
    for (let i = 0; i < MAX_LAPSES; i++) {
      await waits(id)
      await claim(`agent-${i}`)
      await silence()
    }
    expect(await h.until(id, (task) => task.status === 'paused')).toMatchObject({ note: expect.stringContaining('fell silent each time') })
    const { items } = await runtime.tasks.reviews({ state: 'open', treeId: id, limit: 5 })
    expect(items).toMatchObject([{ kind: 'dead_task' }])
    await runtime.tasks.decide(items[0]!.id, { decision: 'approve' }, 'owner')
    await waits(id)
    await end('late', await claim('late'))
    expect((await h.over(id)).status).toBe('done')
  })
})

describe('a person', () => {
  test('steers, pauses and resumes a task that an outside agent has', async () => {
    const { outside, runtime } = await open()
    const id = await given('walk')
    await waits(id)
    const claimed = await claim('a')
    await runtime.tasks.control(id, { verb: 'steer', message: 'Faster.', by: 'owner' })
    const news = await outside.tell('a', { taskId: id })
    expect((await runtime.briefs.since(id, news!.since)).map((m) => ('text' in m ? m.text : ''))).toEqual(['Faster.'])
    await runtime.tasks.control(id, { verb: 'pause', by: 'owner' })
    const sent = await send('a', claimed, 'list_files')
    expect((await outside.look(sent)).state).toMatchObject({ kind: 'queued', status: 'paused' })
    await runtime.tasks.control(id, { verb: 'resume', by: 'owner' })
    await answer(sent)
    await end('a', claimed)
    await h.over(id)
  })

  test('stops a task: one that nobody has ends at once, one that somebody has when it was ended or its lease is', async () => {
    const { outside, runtime } = await open()
    const free = await given('free')
    await waits(free)
    await runtime.tasks.control(free, { verb: 'cancel', by: 'owner' })
    expect((await h.over(free)).status).toBe('cancelled')

    for (const how of ['ends', 'is silent']) {
      const id = await given(`held, ${how}`)
      await waits(id)
      const claimed = await claim('a')
      await answer(await send('a', claimed, 'list_files'))
      await outside.tell('a', { taskId: id })
      await waits(id)
      await runtime.tasks.control(id, { verb: 'cancel', by: 'owner' })
      await expect
        .poll(async () => (await runtime.tasks.messages(id)).at(-1), { timeout: 15_000 })
        .toMatchObject({ role: 'user', text: expect.stringContaining('asked you to stop') })
      await waits(id)
      if (how === 'ends') await end('a', claimed, 'Half of it.')
      else await silence()
      expect(await h.over(id)).toMatchObject({ status: 'cancelled', result: how === 'ends' ? 'Half of it.' : null })
    }
  })

  test('has a task done anew, and the claim on how it was before is over', async () => {
    const { runtime } = await open()
    const id = await given('draw')
    await waits(id)
    const claimed = await claim('a')
    await answer(await send('a', claimed, 'list_files'))
    await waits(id)
    await runtime.tasks.control(id, { verb: 'rerun', from: 1, message: 'paint', by: 'owner' })
    await waits(id)
    expect(await refusal(end('a', claimed))).toContain('or a person took the task back')
    const anew = await claim('b')
    expect((await runtime.briefs.of(anew.task, anew.grants))!.messages.map((m) => m.text)).toEqual(['paint'])
    await end('b', anew)
    expect((await h.over(id)).status).toBe('done')
  })

  test('removes an agent, whose tasks then wait for another one', async () => {
    const { outside } = await open()
    const id = await given('orphan')
    await waits(id)
    const claimed = await claim('a')
    expect(await outside.agents()).toMatchObject([{ name: 'a', tasks: [{ taskId: id }] }])
    await outside.remove('a', 'owner')
    expect(await outside.agents()).toEqual([])
    expect(await refusal(end('a', claimed))).toContain('This lease')
    expect((await claim('b')).task.id).toBe(id)
  })
})

describe.skipIf(!need('postgres'))('on a real PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  test('agents that claim at once get a task each, and a call that comes several times at once is one', async () => {
    const { outside } = await open({ databaseUrl: server.url })
    const ids = [await given('first'), await given('second')]
    for (const id of ids) await waits(id)
    const claims = await Promise.all(['a', 'b', 'c'].map((name) => outside.claim(name, {})))
    const got = claims.flatMap((one, i) => ('task' in one ? [{ agent: 'abc'[i]!, claimed: one }] : []))
    expect(got.map((one) => one.claimed.task.id).sort()).toEqual([...ids].sort())
    for (const { agent, claimed } of got) {
      const sent = await Promise.all([1, 2, 3].map(() => send(agent, claimed, 'write_file', { path: 'a.txt', content: 'a' }, 'k')))
      expect(new Set(sent.map((one) => one.n)).size).toBe(1)
      expect((await answer(sent[0]!)).isError).toBe(false)
      await end(agent, claimed)
      expect((await h.over(claimed.task.id)).status).toBe('done')
    }
  })
})
