/** Faults that crash runs found (`npm run crash`), each as small as it can be told. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, startAll } from '../../scripts/testing/scripted.ts'

let h: Harness | undefined
const open = async (...args: Parameters<typeof harness>): Promise<Harness> => {
  h = await harness(...args)
  return h
}
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})

test('a step is one turn, also when its subtasks end later', async () => {
  let turns = 0
  const { goal, until, runtime } = await open((request) => {
    if (request.task.instruction === 'child') return endWith('child')
    turns += 1
    return answersIn(request).length === 0 ? startAll(['child']) : endWith('parent')
  })
  const root = await goal('parent', { mode: 'step' })
  await until(root, (task) => task.status === 'paused')
  await runtime.tasks.control(root, { verb: 'step', by: 'owner' })
  const child = `${root}.3a`
  await until(root, (task) => task.status === 'waiting')
  await runtime.tasks.control(child, { verb: 'step', by: 'owner' })
  expect(await until(root, (task) => task.status !== 'waiting')).toMatchObject({ status: 'paused', reason: 'step' })
  expect(turns).toBe(1)
})

test('what an agent reported stays in the queue when its task ends', async () => {
  const { goal, over, runtime } = await open((request) =>
    answersIn(request).length === 0 ? { calls: [{ tool: 'flag_for_review', input: { issue: 'The sums are wrong.' } }] } : endWith('done'),
  )
  await over(await goal('look'))
  const { items } = await runtime.tasks.reviews({ state: 'open', limit: 5 })
  expect(items).toMatchObject([{ kind: 'flag', title: 'The sums are wrong.' }])
  expect(await runtime.tasks.decide(items[0]!.id, { decision: 'approve' }, 'owner')).toMatchObject({ state: 'decided' })
})

test('a command that is approved while another call of the same reply still runs is run, and answered before the next turn', async () => {
  const { goal, over, runtime } = await open((request) => {
    const answers = answersIn(request)
    if (answers.length > 0) return endWith(answers.join('\n---\n'))
    return {
      calls: [
        { tool: 'use_terminal', input: { command: 'echo thought' } },
        { tool: 'use_terminal', input: { command: 'while [ ! -e decided ]; do sleep 0.02; done; echo typed' } },
      ],
    }
  })
  const stop = runtime.store.onCommit((events) => {
    for (const event of events)
      if (event.type === 'review.opened')
        runtime.tasks
          .decide(event.review.id, { decision: 'approve' }, 'owner')
          .then(() => runtime.workspaces.of({ treeId: event.review.treeId, workspace: '' }))
          .then((folder) => writeFile(join(folder, 'decided'), ''))
  })
  const root = await over(await goal('Run `while [ ! -e decided ]; do sleep 0.02; done; echo typed`'))
  stop()
  expect(root.result).toMatch(/exit code: 0[\s\S]*\nthought\n/)
  expect(root.result).toMatch(/exit code: 0[\s\S]*\ntyped\n/)
})

test('a goal at its cap goes on asking when the task that reached the cap is stopped', async () => {
  const { goal, quiet, over, runtime } = await open((request) => {
    if (request.task.instruction !== 'parent') return { calls: [{ tool: 'list_agents', input: {} }] }
    return answersIn(request).length === 0 ? startAll(['child']) : endWith('went on')
  })
  const root = await goal('parent', { budget: { turns: 3 } })
  await quiet(root)
  await runtime.tasks.control(`${root}.3a`, { verb: 'abort', by: 'owner' })
  const { items } = await runtime.tasks.reviews({ state: 'open', limit: 5 })
  expect(items).toMatchObject([{ kind: 'budget', treeId: root }])
  await runtime.tasks.decide(items[0]!.id, { decision: 'approve' }, 'owner')
  expect((await over(root)).result).toBe('went on')
})

test('a goal that reaches the same cap a second time asks a second time', async () => {
  const { goal, until, over, runtime } = await open((request) =>
    answersIn(request).length < 3 ? { calls: [{ tool: 'list_agents', input: {} }] } : endWith('went on'),
  )
  const root = await goal('parent', { budget: { turns: 2 } })
  const ask = async () => (await runtime.tasks.reviews({ state: 'open', limit: 5 })).items
  await until(root, (task) => task.status === 'paused')
  await runtime.tasks.decide((await ask())[0]!.id, { decision: 'reject' }, 'owner')
  expect(await over(root)).toMatchObject({ status: 'cancelled' })
  await runtime.tasks.control(root, { verb: 'retry', by: 'owner' })
  await until(root, (task) => task.status === 'paused')
  const again = await ask()
  expect(again).toMatchObject([{ kind: 'budget', treeId: root }])
  await runtime.tasks.decide(again[0]!.id, { decision: 'approve' }, 'owner')
  expect((await over(root)).result).toBe('went on')
})

test('subtasks that were started without waiting are found, not refused at the cap, when their call is done again', async () => {
  const { goal, runtime } = await open(() => endWith('never asked'), { paused: true })
  await goal('parent', { budget: { fanOut: 2 } })
  const { turns } = runtime.tasks
  const [lease] = await turns.lease('w', 1)
  const start = await turns.begin(lease!, { provider: 'p', model: 'm', tokens: 1, costMicros: 0, maxTurns: 9 })
  if (start.kind !== 'go') throw new Error('the first turn may begin')
  const { calls } = await turns.reply(lease!, start.call, {
    text: '',
    calls: [{ tool: 'start_subtask', input: {} }],
    provider: 'p',
    model: 'm',
    usage: null,
    costMicros: 0,
    latencyMs: 1,
  })
  const spawn = () =>
    turns.spawn(
      lease!,
      calls[0]!.id,
      [1, 2].map((i) => ({ instruction: `part ${i}`, agent: 'generalist' })),
      { wait: false },
    )
  const made = await spawn()
  expect(made.kind).toBe('started')
  expect(await spawn()).toEqual(made)
  await turns.release(lease!)
})

test('a task that was lost twice has its last attempt alone, so that it takes no neighbour down', async () => {
  const { goal, runtime } = await open(() => endWith('never asked'), { paused: true })
  const { turns } = runtime.tasks
  const [first, second] = [await goal('first'), await goal('second')]
  for (let lost = 0; lost < 2; lost++) {
    expect(await turns.lease('w', 4)).toHaveLength(2)
    expect(await runtime.tasks.recover()).toBe(2)
  }
  const alone = await turns.lease('w', 4)
  expect(alone).toMatchObject([{ taskId: first, alone: true }])
  expect(await turns.lease('w', 3, false)).toEqual([]) // something of this worker runs
  await runtime.tasks.recover()
  expect(await turns.lease('w', 4)).toMatchObject([{ taskId: second, alone: true }]) // the first is set aside
  expect(await runtime.tasks.task(first)).toMatchObject({ status: 'dead' })
  await runtime.tasks.recover()
})

test('a turn that ends by asking a person was not lost: only losses in a row set a task aside', async () => {
  const { goal, runtime } = await open(() => endWith('never asked'), { paused: true })
  const root = await goal('look')
  const { turns } = runtime.tasks
  const lose = async () => {
    expect(await turns.lease('w', 1)).toHaveLength(1)
    await runtime.tasks.recover()
  }
  const [first] = await turns.lease('w', 1)
  const start = await turns.begin(first!, { provider: 'p', model: 'm', tokens: 1, costMicros: 0, maxTurns: 9 })
  if (start.kind !== 'go') throw new Error('the first turn may begin')
  const reply = {
    text: '',
    calls: [{ tool: 'terminal_job', input: {} }],
    provider: 'p',
    model: 'm',
    usage: null,
    costMicros: 0,
    latencyMs: 1,
  }
  const { calls } = await turns.reply(first!, start.call, reply)
  await turns.beginCall(first!, calls[0]!.id, 'terminal_job', 'once')
  await runtime.tasks.recover()
  const [second] = await turns.lease('w', 1)
  const review = await turns.askPerson(second!, calls[0]!.id, { kind: 'in_doubt', title: 'Cut off', action: {}, risk: 'low' })
  expect(await turns.finish(second!, [])).toBe('gone')
  await runtime.tasks.decide(review, { decision: 'approve' }, 'owner')
  await lose()
  await lose()
  expect(await runtime.tasks.task(root)).toMatchObject({ status: 'pending', attempt: 2 })
})

test('something that nobody foresaw costs an attempt and a little time, and sets the task aside the third time', async () => {
  let clock = Date.now()
  const { goal, until, over, runtime } = await open(
    () => {
      throw new Error('the sky fell')
    },
    { now: () => clock },
  )
  const root = await goal('unlucky')
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await until(root, (t) => t.status === 'waiting' && t.attempt === attempt)).toMatchObject({
      reason: 'timer',
      note: 'the sky fell',
    })
    clock += 60_000
  }
  expect(await over(root)).toMatchObject({ status: 'dead', reason: 'lost' })
  expect((await runtime.tasks.reviews({ state: 'open', limit: 5 })).items).toMatchObject([{ kind: 'dead_task' }])
})
