import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import type { Scripted } from '../../scripts/testing/scripted.ts'

let h: Harness
beforeEach(async () => {
  h = await harness(() => ({ text: '' }))
})
afterEach(async () => {
  expect(await h.end()).toEqual([])
})

/** Without a model: what a person types is understood by its form. */
const ask = async (words: string, agent?: string) => {
  const { treeId } = await h.runtime.submitGoal({ goal: words, model: 'playbook', ...(agent ? { agent } : {}) }, 'owner')
  const { status, result } = await h.over(treeId)
  return { status, result: result ?? '' }
}
const given = async (goal: string) => (await h.runtime.submitGoal({ goal, model: 'playbook' }, 'owner')).treeId
const asked = (id: string) => h.until(id, (task) => task.reason === 'review')

test('says what is under way and what waits for the person, and leaves questions like this one out', { timeout: 30_000 }, async () => {
  expect((await ask('What is going on?', 'interface')).result).toContain('No goal is under way.\nNothing waits for you.')
  const report = await given('Write a report about trees')
  await asked(report)
  const { status, result } = await ask("what's going on", 'interface')
  expect(status).toBe('done')
  expect(result).toContain(`1 goal is under way:\n- Write a report about trees (${report}): waiting for you`)
  expect(result).toContain('1 item waits for you in the review queue')
  expect(result).toContain('In the last day 0 goals ended well')
})

test('does what is asked of the goal that is meant by words of it, and of no other', { timeout: 30_000 }, async () => {
  const [report, letter] = [await given('Write a report about trees'), await given('Write a letter to the mayor')]
  await Promise.all([asked(report), asked(letter)])
  expect(await ask('Cancel the report goal', 'interface')).toMatchObject({
    status: 'done',
    result: expect.stringContaining(report) as string,
  })
  expect((await h.over(report)).status).toBe('cancelled')
  expect((await h.runtime.tasks.task(letter)).status).toBe('waiting')
  expect((await ask('status of the letter', 'interface')).result).toContain('Asked by owner')
  // Over is over: it is not meant any more.
  expect((await ask('pause the report', 'interface')).result).toContain('No goal is meant by "report"')
})

test('does nothing where several goals could be meant, and says which', { timeout: 30_000 }, async () => {
  const goals = [await given('Write a report about trees'), await given('Write a report about rivers')]
  await Promise.all(goals.map(asked))
  const { status, result } = await ask('cancel the report', 'interface')
  expect(status).toBe('failed')
  for (const id of goals) expect(result).toContain(id)
  for (const id of goals) expect((await h.runtime.tasks.task(id)).status).toBe('waiting')
})

test('is handed what a person types as a goal', { timeout: 30_000 }, async () => {
  expect(await ask('what is going on?')).toMatchObject({
    status: 'done',
    result: expect.stringContaining('No goal is under way') as string,
  })
})

test('what a model says without a call is its answer to an ask, and nobody else is asked to judge it', { timeout: 30_000 }, async () => {
  await h.end()
  h = await harness(() => ({ text: 'Nothing runs, and nothing waits for you.' }))
  const { treeId } = await h.runtime.ask({ words: 'Anything new?' }, 'owner')
  expect(await h.over(treeId)).toMatchObject({ status: 'done', result: 'Nothing runs, and nothing waits for you.' })
  expect((await h.runtime.tasks.tree(treeId)).tasks).toHaveLength(1)
})

test('a task that an agent wrote may neither stop a goal nor begin one', { timeout: 30_000 }, async () => {
  await h.end()
  const told: string[] = []
  const steps = new Map<string, number>()
  h = await harness(({ task, messages }): Scripted => {
    const step = (steps.get(task.id) ?? 0) + 1
    steps.set(task.id, step)
    const last = messages.at(-1)
    if (last?.role === 'tool') told.push(JSON.stringify(last))
    const calls = task.id.includes('.')
      ? [
          { tool: 'control_goal', input: { goal: task.treeId, act: 'cancel' } },
          { tool: 'start_goal', input: { goal: 'More work' } },
        ]
      : [{ tool: 'start_subtask', input: { task_instruction: 'Stop everything.', agent_type: 'interface' } }]
    return step === 1 ? { calls } : { calls: [{ tool: 'end_task', input: { status: 'success', result: 'ended' } }] }
  })
  const { treeId } = await h.runtime.submitGoal({ goal: 'Have a look', agent: 'generalist' }, 'owner')
  expect((await h.over(treeId)).status).toBe('done')
  expect(told.join('\n')).toContain('Only a task in the words of a person may do this')
  expect((await h.runtime.tasks.trees({ limit: 10 })).items).toHaveLength(1)
})
