import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'
import type { ModelRequest } from '../models/provider.ts'

let h: Harness | undefined
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})
const draft = { name: 'generalist', description: 'A draft.', instruction: 'Speak only of bananas.', model: 'scripted' }
const parsed = (more: object = {}) => ({
  documents: [],
  tools: [],
  web_search_allowed: false,
  capabilities: [],
  max_turns: 60,
  max_output_tokens: 16_000,
  watcher: false,
  enabled: true,
  ...draft,
  ...more,
})

describe('a test run of an agent', () => {
  test('is worked with the draft, has small caps and a label, and leaves the registry as it was', async () => {
    const systems: string[] = []
    h = await harness((request: ModelRequest) => {
      systems.push(request.system)
      return endWith('bananas')
    })
    const { runtime } = h
    const before = await runtime.registry.stamp()
    const id = await runtime.trials.agent('generalist', { goal: 'Say something.', agent: parsed() }, 'owner')
    expect((await h.over(id)).status).toBe('done')
    expect(systems[0]).toContain('Speak only of bananas.')
    const tree = await runtime.tasks.tree(id)
    expect(tree).toMatchObject({ submittedBy: 'owner', limits: { costMicros: 250_000, tasks: 10 } })
    expect(tree.tasks[0]).toMatchObject({ agent: 'generalist', title: 'Test run of generalist: Say something.' })
    expect(await runtime.registry.stamp()).toBe(before)
    expect((await runtime.registry.get('agent', 'generalist'))!.instruction).not.toContain('bananas')
    const other = await h.goal('The saved one.')
    await h.over(other)
    expect(systems.at(-1)).not.toContain('bananas')
  })

  test('keeps its draft over a restart of the task', async () => {
    const systems: string[] = []
    h = await harness((request) => {
      systems.push(request.system)
      return systems.length === 1 ? endWith('not yet', 'failure') : endWith('done')
    })
    const id = await h.runtime.trials.agent('fresh_one', { goal: 'Go.', agent: parsed({ name: 'fresh_one' }) }, 'owner')
    await h.over(id)
    await h.runtime.tasks.control(id, { verb: 'retry', by: 'owner' })
    expect((await h.until(id, (task) => task.status === 'done')).status).toBe('done')
    expect(systems.every((system) => system.includes('bananas'))).toBe(true)
  })

  test('with a draft that is not right does not begin', async () => {
    h = await harness(() => endWith('never'))
    const run = (more: object) => h!.runtime.trials.agent('generalist', { goal: 'x', agent: parsed(more) }, 'owner')
    await expect(run({ tools: ['nothing'] })).rejects.toThrow('tools.0: There is no tool "nothing".')
    await expect(run({ model: 'nobody/x' })).rejects.toThrow(/model: /)
    await expect(run({ name: 'other' })).rejects.toThrow('make them the same')
    await expect(h.runtime.trials.agent('nobody', { goal: 'x' }, 'owner')).rejects.toThrow('There is no agent "nobody"')
    expect((await h.runtime.tasks.trees({ limit: 5 })).items).toEqual([])
  })

  test('gets no more than a goal may cost, however much is asked for', async () => {
    h = await harness(() => endWith('ok'), { paused: true })
    const id = await h.runtime.trials.agent('generalist', { goal: 'x', agent: parsed(), budget: { dollars: 1_000, turns: 30 } }, 'owner')
    expect((await h.runtime.tasks.tree(id)).limits).toMatchObject({ costMicros: 5_000_000, turns: 30 })
  })
})

describe('a test run of a tool', () => {
  const tool = (name: string, input: Record<string, unknown>, waitSeconds = 30) =>
    h!.runtime.trials.tool(name, { input, waitSeconds }, 'owner')

  test('runs the very call in a folder of its own and shows the answer that an agent would get', async () => {
    h = await harness(() => endWith('never asked'))
    const wrote = await tool('write_file', { path: 'a.txt', content: 'hello' })
    expect(wrote).toMatchObject({ state: 'ended', ok: true })
    expect(existsSync(join(h.dataDir, 'workspaces', wrote.treeId, 'a.txt'))).toBe(true)
    const read = await tool('read_file', { path: 'a.txt' })
    expect(read, 'another run, another folder').toMatchObject({ state: 'ended', ok: false })
    expect((await h.over(wrote.treeId)).title).toBe('Test run of the tool write_file')
  })

  test('counts a command as typed by a person, and keeps secrets out of what it shows', async () => {
    h = await harness(() => endWith('never asked'))
    await h.runtime.secrets.save('API_KEY', { value: 'very-secret-value-123' }, 'owner')
    const ran = await tool('use_terminal', { command: 'echo out; echo very-secret-value-123' })
    expect(ran).toMatchObject({ state: 'ended', ok: true })
    expect(ran.text).toContain('out')
    expect(ran.text).not.toContain('very-secret-value-123')
    expect((await h.runtime.tasks.reviews({ state: 'all', limit: 5 })).items).toEqual([])
  })

  test('obeys the rules of the owner: denied is denied, and asked is asked', async () => {
    h = await harness(() => endWith('never asked'))
    await h.runtime.tasks.rules.add({ verdict: 'deny', scope: 'program', signature: 'touch' }, 'owner')
    const denied = await tool('use_terminal', { command: 'touch x' })
    expect(denied).toMatchObject({ state: 'ended', ok: false, text: expect.stringContaining('Not done') })
    await h.runtime.tasks.rules.add({ verdict: 'ask', scope: 'tool', signature: 'write_file' }, 'owner')
    const asks = await tool('write_file', { path: 'b.txt', content: 'x' })
    expect(asks).toMatchObject({ state: 'asks', ok: null, reviewId: expect.any(String) })
    await h.runtime.tasks.decide(asks.reviewId!, { decision: 'approve' }, 'owner')
    expect((await h.over(asks.treeId)).status).toBe('done')
  })

  test('says what is wrong before anything runs', async () => {
    h = await harness(() => endWith('never asked'))
    await expect(tool('read_file', { path: 7 })).rejects.toThrow(/arguments of read_file are not right.*path/)
    await expect(tool('nothing', {})).rejects.toThrow('There is no tool "nothing"')
    const entry = (await h.runtime.registry.get('tool', 'read_file'))!
    await h.runtime.registry.save('tool', { ...entry, enabled: false }, 'owner')
    await expect(tool('read_file', { path: 'a' })).rejects.toThrow('switched off')
    expect((await h.runtime.tasks.trees({ limit: 5 })).items).toEqual([])
  })

  test('that is not waited for goes on by itself', async () => {
    h = await harness((request) => endWith(answersIn(request).join()))
    const later = await tool('write_file', { path: 'c.txt', content: 'x' }, 0)
    expect(later.state).toBe('running')
    expect((await h.over(later.treeId)).status).toBe('done')
  })
})
