import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'
import { DEFAULT_POLICY } from '../contract/api-settings.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import type { ModelRequest } from '../models/provider.ts'
import { answer, defineTool } from '../tool.ts'

let h: Harness | undefined
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})
const write = (request: ModelRequest) =>
  answersIn(request).length === 0
    ? { calls: [{ tool: 'write_file', input: { path: 'a.txt', content: 'x' } }] }
    : endWith(answersIn(request).join())

test('the policy holds from the next call on: asked by permission, denied by tool', async () => {
  h = await harness(write)
  const { settings, tasks, registry } = h.runtime
  const entry = (await registry.get('tool', 'write_file'))!
  await registry.save('tool', { ...entry, core: true }, 'owner')
  await settings.savePolicy({ ...DEFAULT_POLICY, permissions: { write: 'ask' } }, 'owner')
  const asked = await h.goal('Write.')
  await h.until(asked, (task) => task.status === 'waiting')
  const [item] = (await tasks.reviews({ state: 'open', limit: 5 })).items
  expect(item).toMatchObject({ reason: 'a rule for the system asks a person about the permission write', offers: [] })
  await tasks.decide(item!.id, { decision: 'approve' }, 'owner')
  expect((await h.over(asked)).status).toBe('done')
  await settings.savePolicy({ ...DEFAULT_POLICY, tools: { write_file: 'deny' } }, 'owner')
  const denied = await h.goal('Write again.')
  expect((await h.over(denied)).result).toMatch(/Not done: a rule for the system denies the tool write_file/)
  expect((await h.runtime.store.eventsAfter(0, { limit: 1_000 })).filter((event) => event.type === 'policy.decided')).toMatchObject([
    { verdict: 'ask', rule: 'policy' },
    { verdict: 'deny', rule: 'policy' },
  ])
})

test('a tainted task that reaches out is denied where the policy says so', async () => {
  const posted: string[] = []
  const tools = [
    defineTool({
      name: 'read_web',
      description: 'x',
      permission: 'network',
      effect: 'read',
      input: z.object({}),
      run: async () => ({ kind: 'answer', text: 'foreign', taint: ['web'] }),
    }),
    defineTool({
      name: 'post',
      description: 'x',
      permission: 'network',
      effect: 'once',
      input: z.object({}),
      run: async () => {
        posted.push('x')
        return answer('posted')
      },
    }),
  ]
  h = await harness(
    (request) => {
      const done = answersIn(request)
      return done.length < 2 ? { calls: [{ tool: done.length === 0 ? 'read_web' : 'post', input: {} }] } : endWith(done.join(' | '))
    },
    { tools },
  )
  for (const name of ['read_web', 'post']) await h.runtime.registry.save('tool', { name, description: 'x', core: true }, 'owner')
  await h.runtime.settings.savePolicy({ ...DEFAULT_POLICY, tainted: 'deny' }, 'owner')
  const id = await h.goal('Read and post.')
  expect((await h.over(id)).result).toMatch(/the web.*which the owner's policy denies/)
  expect(posted).toEqual([])
})

test('caps of the policy are those of a goal that says nothing of its budget', async () => {
  h = await harness(() => endWith('ok'), { paused: true })
  await h.runtime.settings.savePolicy({ ...DEFAULT_POLICY, limits: { ...DEFAULT_LIMITS, turns: 7 } }, 'owner')
  const id = await h.goal('x')
  expect((await h.runtime.tasks.tree(id)).limits.turns).toBe(7)
})

test('a model that no provider has is refused and changes nothing; one that is there drives the agents at once', async () => {
  h = await harness(() => endWith('ok'), { paused: true })
  const { settingsList, models } = h.runtime
  const save = (value: string | null) => settingsList.save('MODEL', value, 'owner', () => void models.pick('default'))
  await expect(save('nobody/x')).rejects.toThrow(/names no known provider/)
  expect(models.pick('default').provider.name).toBe('scripted')
  await save('playbook')
  expect(models.pick('default').provider.name).toBe('playbook')
  expect(await h.runtime.settings.value('MODEL')).toBe('playbook')
  await save(null)
  expect(models.pick('default').provider.name).toBe('scripted')
})
