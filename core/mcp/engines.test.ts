/** Several engines on one PostgreSQL: what one learns of tools and servers, the others know at once, and so do their clients. */

import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'
import { TALLY } from '../../scripts/testing/tally-words.ts'
import { AddServer } from '../contract/api-servers.ts'
import { Agent } from '../contract/registry.ts'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { fixture } from './fixture/servers.ts'
import { agentToken, openWorker, take } from './fixture/worker.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const SOON = { timeout: 30_000, interval: 10 }
const ECHO = 'mcp__files__echo'
const GIVEN = [TALLY.name, ECHO]
const signal = new AbortController().signal

describe.skipIf(!need('postgres') || !need('bubblewrap'))('two engines on one database', () => {
  let database: Awaited<ReturnType<typeof startPostgres>>
  /** Works no task, so that whatever runs, runs in the other. */
  let first: Harness
  let second: Harness
  beforeAll(async () => {
    database = await startPostgres()
    first = await harness(() => endWith('nothing'), { databaseUrl: database.url, paused: true })
    second = await harness(
      (request) => {
        const [, tool, input] = /^call (\S+) with (.*)$/.exec(request.task.instruction) ?? []
        const answer = answersIn(request)[0]
        return tool === undefined || answer !== undefined ? endWith(answer ?? 'fine') : { calls: [{ tool, input: JSON.parse(input!) }] }
      },
      { databaseUrl: database.url },
    )
  })
  afterAll(async () => {
    await second?.end()
    await first?.end()
    await database?.stop()
  })

  const make = async (source = TALLY.source) => {
    const { made, store } = first.runtime
    const ready = await made.prepare({ ...TALLY, source } as never, 'elsewhere', signal)
    await store.transact((tx) => made.save(tx, ready, { by: 'owner', treeId: 'elsewhere', taskId: 'elsewhere', approvedBy: 'owner' }))
  }
  const give = async (runtime: Harness['runtime'], tool: string) => {
    const agent = Agent.parse(await runtime.registry.get('agent', 'generalist'))
    await runtime.registry.save('agent', { ...agent, tools: [...agent.tools.filter((name) => !GIVEN.includes(name)), tool] }, 'owner')
  }
  const called = async (tool: string, input: object): Promise<string | null> =>
    (await second.over(await second.goal(`call ${tool} with ${JSON.stringify(input)}`))).result
  const known = (tool: string) => second.runtime.tools.get(tool)

  test('a tool made in one is in use in the other, and its next version too', async () => {
    await make()
    await expect.poll(() => known(TALLY.name)?.inputSchema, SOON).toEqual(TALLY.input_schema)
    await give(first.runtime, TALLY.name)
    expect(await called(TALLY.name, { text: 'a b c' })).toBe('{"words":3}')
    await make(TALLY.source.replace('return {', "if (input.text === 'which') return { words: 2000 }\n  return {"))
    expect(await called(TALLY.name, { text: 'which' })).toBe('{"words":2000}')
    await first.runtime.registry.remove('tool', TALLY.name, 'owner')
    await expect.poll(() => known(TALLY.name), SOON).toBeUndefined()
  })

  test('a server that a person adds, approves and removes in one is there, callable and gone in the other', async () => {
    const { hub } = first.runtime
    await hub.add(AddServer.parse({ name: 'files', ...fixture('honest') }), 'owner')
    await expect.poll(() => second.runtime.hub.list().map((one) => one.id), SOON).toEqual(['files'])
    expect(known(ECHO)).toBeUndefined()
    await hub.approve('files', {}, 'owner')
    await hub.rules('files', { policy: 'allow', tainted: true }, 'owner')
    await expect.poll(() => known(ECHO) !== undefined, SOON).toBe(true)
    await expect.poll(() => second.runtime.hub.list()[0]?.policy, SOON).toBe('allow')
    await give(first.runtime, ECHO)
    expect(await called(ECHO, { words: 'hello' })).toContain('hello')
    expect(second.runtime.hub.list()[0]).toMatchObject({ state: 'running' })
    await hub.enable('files', false, 'owner')
    await expect.poll(() => second.runtime.hub.list()[0]?.state, SOON).toBe('off')
    expect(await called(ECHO, { words: 'hello' })).toContain('switched off')
    await hub.remove('files', 'owner')
    await expect.poll(() => second.runtime.hub.list(), SOON).toEqual([])
    expect(known(ECHO)).toBeUndefined()
  })

  test('a client of one engine hears of a tool that a person gives to its agent in another', async () => {
    const third: Running = await engine({ DATABASE_URL: database.url, SYSTEM_SECRET_KEY: first.config.systemSecretKey! })
    try {
      const worker = await openWorker(third.url, await agentToken(third.url, TOKEN, 'listener'))
      const client = worker.client as Client
      let heard = 0
      client.setNotificationHandler('notifications/tools/list_changed', () => {
        heard += 1
      })
      await client.listen({ toolsListChanged: true })
      const { treeId } = (await third.submit('Listen', { agent: 'generalist', model: 'external' })).json as { treeId: string }
      const claim = await take(worker, treeId)
      await make(`${TALLY.source}// for the listener\n`)
      await give(first.runtime, TALLY.name)
      await expect.poll(() => heard, SOON).toBeGreaterThan(0)
      const { tools } = await client.listTools()
      expect(tools.find((tool) => tool.name === 'call_tool')!.description).toContain(TALLY.name)
      await third.ask('POST', `/api/tasks/${claim.task_id}/abort`, {})
      await worker.close()
    } finally {
      await third.stop()
    }
  })
})
