import { afterEach, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { pastGoals } from './past-goals.ts'

let h: Harness | undefined
afterEach(async () => {
  expect(await h?.end()).toEqual([])
  h = undefined
})

test('a time limit that cut off what would have gone well is found, judged on the goals that it cut off, kept, and then they go well', {
  timeout: 120_000,
}, async () => {
  h = await harness(() => ({ text: '' }), { learning: { goals: ['plain-commands'], tries: 2 } })
  const { lessons, registry } = h.runtime
  const { version: _v, author: _a, updatedAt: _u, ...tool } = (await registry.get('tool', 'use_terminal'))!
  await registry.save('tool', { ...tool, habits: { seconds: 1 } }, 'owner')
  const goal = async (text: string): Promise<string> => {
    const { treeId } = await h!.runtime.submitGoal({ goal: text, model: 'playbook' }, 'owner')
    return (await h!.over(treeId)).status
  }
  const slow = (n: number) => `Run \`sleep 1.3; echo ${n}\``
  expect(await Promise.all([goal(`Wait:\n\n1. ${slow(1)}\n2. ${slow(2)}`), goal(slow(3))])).toEqual(['failed', 'failed'])

  expect(await lessons.look()).toMatchObject({ found: 1 })
  const [lesson] = await lessons.list()
  expect(lesson).toMatchObject({ state: 'found', change: { kind: 'limit', limit: { program: 'sleep', seconds: 3 } } })
  const said = await lessons.judge(lesson!.id, 'owner')
  expect(said.before.map(({ done, tries }) => [done, tries])).toEqual([
    [2, 2],
    [0, 2],
    [0, 2],
  ])
  expect(said).toMatchObject({ better: true, after: [{ done: 2 }, { done: 2 }, { done: 2 }] })

  expect(await lessons.keep(lesson!.id, 'owner')).toMatchObject({ state: 'kept' })
  expect((await registry.get('tool', 'use_terminal'))!.habits).toEqual({
    seconds: 1,
    limits: [{ program: 'sleep', seconds: 3 }],
    repeats: [],
  })
  expect(await goal(slow(4))).toBe('done')
  await lessons.undo(lesson!.id, 'owner')
  expect(await goal(slow(5))).toBe('failed')
})

test('a goal with a command that may run only once is not tried again', async () => {
  h = await harness(() => ({ text: '' }))
  const ids = []
  for (const text of ['Run `echo one`', 'Run `echo two` (once)']) {
    const { treeId } = await h.runtime.submitGoal({ goal: text, model: 'playbook' }, 'owner')
    await h.over(treeId)
    ids.push(treeId)
  }
  const cases = ids.map((id) => ({ treeId: id, taskId: id, callId: null }))
  expect((await pastGoals(h.runtime.store, cases, 10)).map((one) => one.name)).toEqual([`past goal ${ids[0]}`])
})
