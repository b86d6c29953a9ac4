/** Agents of a real runtime call tools of real servers, in processes of their own. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import { AddServer } from '../contract/api-servers.ts'
import type { ModelRequest } from '../models/provider.ts'
import { fixture } from './fixture/servers.ts'

const PATIENCE = { timeout: 15_000 }
let h: Harness
afterEach(async () => {
  expect(await h.end()).toEqual([])
})

/** An agent that calls one tool, as often as the answers are fewer than the calls, and ends with the last answer. */
const caller =
  (calls: readonly { tool: string; input: unknown }[]) =>
  (request: ModelRequest): Scripted => {
    const answers = answersIn(request)
    const next = calls[answers.length]
    return next ? { calls: [next] } : endWith(answers.join('\n'))
  }
const echo = { tool: 'mcp__files__echo', input: { words: 'hello' } }
const open = async (decide: (request: ModelRequest) => Scripted, options: Parameters<typeof harness>[1] = {}) => {
  h = await harness(decide, options)
  return h.runtime.hub
}
const add = (more: object = {}) => h.runtime.hub.add(AddServer.parse({ name: 'files', ...fixture('honest'), ...more }), 'owner')
/** Gives the generalist the tools, as a person does in its settings. */
async function grant(...tools: string[]): Promise<void> {
  const { version: _v, author: _a, updatedAt: _u, ...agent } = (await h.runtime.registry.get('agent', 'generalist'))!
  await h.runtime.registry.save('agent', { ...agent, tools: [...agent.tools, ...tools] }, 'owner')
}
const items = async (treeId: string) => (await h.runtime.tasks.reviews({ state: 'open', treeId, limit: 50 })).items

/** Adds, approves and grants all its tools. */
async function ready(mode: string, more: object = {}, limits: object = {}, calls: readonly { tool: string; input: unknown }[] = [echo]) {
  const hub = await open(caller(calls), { hubLimits: limits })
  const added = await add({ ...fixture(mode), ...more })
  if (added.tools.pending > 0) await hub.approve('files', {}, 'owner')
  await grant(...added.toolList.filter((tool) => tool.state === 'pending').map((tool) => tool.id))
  return hub
}
/** The same, with calls that run without a person. */
async function free(...args: Parameters<typeof ready>) {
  const hub = await ready(...args)
  await hub.rules('files', { policy: 'allow', tainted: true }, 'owner')
  return hub
}
const result = async (text = 'do it') => (await h.over(await h.goal(text))).result ?? ''

describe('a server that a person added', () => {
  test('is called by an agent after a person allowed the call, and what it says marks the task', async () => {
    const hub = await open(caller([echo]))
    const added = await add()
    expect(added).toMatchObject({
      state: 'running',
      problem: null,
      policy: 'ask',
      about: { name: 'fixture honest', protocol: '2025-06-18' },
      tools: { offered: 2, pending: 2, approved: 0 },
    })
    expect(await h.runtime.registry.get('tool', 'mcp__files__echo')).toBeUndefined()
    await hub.approve('files', {}, 'owner')
    expect(await h.runtime.registry.get('tool', 'mcp__files__echo')).toMatchObject({
      enabled: true,
      core: false,
      origin: 'server',
      author: 'owner',
      description: 'Of the MCP server files: "Says the words again."',
    })
    await grant('mcp__files__echo')
    const id = await h.goal('say hello')
    await h.until(id, (task) => task.status === 'waiting')
    const [item] = await items(id)
    expect(item).toMatchObject({
      kind: 'permission',
      risk: 'medium',
      title: 'Call echo of the MCP server files',
      action: { tool: 'mcp__files__echo', server: 'files', input: { words: 'hello' } },
    })
    await h.runtime.tasks.decide(item!.id, { decision: 'approve' }, 'owner')
    const task = await h.over(id)
    expect(task).toMatchObject({ status: 'done', taint: ['web'] })
    expect(task.result).toContain('echo: hello')
  })

  test('is not started by a restart, and starts at the first call', async () => {
    const hub = await free('honest')
    await hub.enable('files', false, 'owner')
    expect(hub.detail('files').state).toBe('off')
    await hub.enable('files', true, 'owner')
    expect(hub.detail('files')).toMatchObject({ state: 'stopped', running: 0, tools: { approved: 2 } })
    expect(await result()).toContain('echo: hello')
    expect(hub.detail('files')).toMatchObject({ state: 'running', running: 1 })
  })

  test('runs once for callers that come at the same moment, and ends when nobody calls', async () => {
    const hub = await free('self', {}, { idleMs: 300 })
    await hub.enable('files', false, 'owner')
    await hub.enable('files', true, 'owner')
    const answers = await Promise.all(['one', 'two', 'three'].map((text) => result(text)))
    expect(new Set(answers).size).toBe(1)
    await vi.waitFor(() => expect(hub.detail('files')).toMatchObject({ state: 'stopped', running: 0 }), PATIENCE)
  })

  test('with the scope task, each task has its own, which ends with it', async () => {
    const hub = await free('self', { scope: 'task' })
    const answers = await Promise.all(['one', 'two'].map((text) => result(text)))
    expect(new Set(answers).size).toBe(2)
    await hub.restart('files')
    await vi.waitFor(() => expect(hub.detail('files').running).toBe(1), PATIENCE)
  })

  test('sees an environment that was built for it, with secrets that nobody is shown', async () => {
    const hub = await open(caller([echo]))
    await h.runtime.secrets.save('FILES_TOKEN', { value: 'the-value-itself' }, 'owner')
    await expect(add({ ...fixture('environment'), env: { TOKEN: 'secret:MISSING' } })).rejects.toThrow(/there is no secret MISSING/)
    const added = await add({ ...fixture('environment'), env: { TOKEN: 'x secret:FILES_TOKEN', LEVEL: 'quiet' } })
    expect(added.env).toEqual([
      { name: 'TOKEN', secrets: ['SERVER_FILES_ENV_TOKEN', 'FILES_TOKEN'], value: null },
      { name: 'LEVEL', secrets: ['SERVER_FILES_ENV_LEVEL'], value: null },
    ])
    expect(JSON.stringify(hub.list())).not.toContain('quiet')
    await hub.approve('files', {}, 'owner')
    await hub.rules('files', { policy: 'allow' }, 'owner')
    await grant('mcp__files__echo')
    const said = await result()
    expect(said).not.toContain('the-value-itself')
    expect(said).toContain('"LEVEL":"quiet"')
    const { env } = JSON.parse(said) as { env: Record<string, string> }
    expect(env.TOKEN).toMatch(/FILES_TOKEN/)
    expect(Object.keys(env).sort()).toEqual(['HOME', 'LANG', 'LEVEL', 'PATH', 'PWD', 'TMPDIR', 'TOKEN'].filter((name) => name in env))
    expect(env.HOME).toBe(join(h.dataDir, 'servers', 'files', 'shared'))
  })

  test('a word of a person against it wins over one for it; a tool has its own word', async () => {
    const hub = await free('honest')
    await hub.rules('files', { tool: 'mcp__files__echo', policy: 'deny' }, 'owner')
    expect(await result('one')).toMatch(/Not called: a person denied calls of mcp__files__echo/)
    await hub.rules('files', { tool: 'mcp__files__echo', policy: null }, 'owner')
    expect(await result('two')).toContain('echo: hello')
    await h.runtime.tasks.rules.add({ verdict: 'deny', scope: 'tool', signature: 'mcp__files__echo' }, 'owner')
    expect(await result('three')).toMatch(/Not done: a rule for the system denies the tool/)
  })

  test('a tool that says it only reads is believed where a person trusts the server, and asked about all the same', async () => {
    const hub = await ready('honest', {}, {}, [{ tool: 'mcp__files__look', input: {} }])
    const risk = async (text: string) => {
      const id = await h.goal(text)
      await h.until(id, (task) => task.status === 'waiting')
      return (await items(id))[0]?.risk
    }
    expect(await risk('look')).toBe('medium')
    await hub.rules('files', { trusted: true }, 'owner')
    expect(await risk('look again')).toBe('low')
  })

  test('is gone with its tools when it is removed', async () => {
    const hub = await free('honest')
    await hub.remove('files', 'owner')
    expect(hub.list()).toEqual([])
    expect(await h.runtime.registry.get('tool', 'mcp__files__echo')).toBeUndefined()
    expect(existsSync(join(h.dataDir, 'servers', 'files'))).toBe(false)
    expect(await result()).toMatch(/There is no tool "mcp__files__echo" for you/)
  })

  test('a task that is stopped under a call leaves the server as it is', async () => {
    const hub = await free('hang')
    const id = await h.goal('wait for ever')
    await vi.waitFor(() => expect(hub.detail('files').calls).toBe(1), PATIENCE)
    await h.runtime.tasks.control(id, { verb: 'abort', by: 'owner' })
    await h.over(id)
    await vi.waitFor(() => expect(hub.detail('files')).toMatchObject({ calls: 0, running: 1, problem: null }), PATIENCE)
  })
})

test('an agent without the tool asks for it, is granted it, and nobody else has it then', async () => {
  const hub = await open((request) => {
    const answers = answersIn(request)
    if (request.task.agent === 'tool_addition') {
      if (answers.length === 0) return { calls: [{ tool: 'list_optional_tools', input: { query: 'say words again' } }] }
      const found = /- (mcp__\S+__echo):/.exec(answers[0]!)?.[1]
      return { calls: [{ tool: 'end_task', input: { status: 'success', result: 'use it', tools: [found] } }] }
    }
    if (request.task.instruction === 'another') return endWith(request.tools.map((tool) => tool.name).join(' '))
    if (answers.length === 0) return { calls: [{ tool: 'request_tools', input: { tools_needed: 'say words again' } }] }
    return answers.length === 1 ? { calls: [echo] } : endWith(answers[1]!)
  })
  await add({ ...fixture('honest'), isolation: 'plain', folders: [] })
  await hub.approve('files', {}, 'owner')
  await hub.rules('files', { policy: 'allow', tainted: true }, 'owner')
  expect(await result()).toBe('echo: hello')
  expect(await result('another')).not.toContain('mcp__')
})
