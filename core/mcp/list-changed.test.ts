/**
 * Clients of both eras hear at once when their list of tools is another, and only then. Tools of a task come and go while Banyan runs: made by
 * agents, approved, taken back, given to an agent by a person.
 */
import type { Client } from '@modelcontextprotocol/client'
import type { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { TALLY } from '../../scripts/testing/tally-words.ts'
import { Agent, type Versioned } from '../contract/registry.ts'
import { engine, type Running, TOKEN } from '../http/fixture/engine.ts'
import { modernClient } from './fixture/clients.ts'
import { agentToken, type Claim, openWorker, take, type Worker } from './fixture/worker.ts'

vi.setConfig({ testTimeout: 60_000 })
const SOON = { timeout: 15_000, interval: 10 }

let running: Running
/** Of the older era and of the newer one, and another agent that holds nothing. */
let old: Worker
let modern: Worker
let other: Worker
const heard = { old: 0, modern: 0, other: 0 }
let operator: Awaited<ReturnType<typeof modernClient>>
let operatorHeard = 0

describe.skipIf(!need('bubblewrap'))('tools that come and go', () => {
  beforeAll(async () => {
    running = await engine()
    const token = (name: string) => agentToken(running.url, TOKEN, name)
    old = await openWorker(running.url, await token('old-one'), 'old')
    modern = await openWorker(running.url, await token('modern-one'))
    other = await openWorker(running.url, await token('other-one'))
    operator = await modernClient(running.url, TOKEN)
    ;(old.client as OldClient).setNotificationHandler(ToolListChangedNotificationSchema, () => {
      heard.old += 1
    })
    for (const [name, client] of [
      ['modern', modern.client as Client],
      ['other', other.client as Client],
    ] as const) {
      client.setNotificationHandler('notifications/tools/list_changed', () => {
        heard[name] += 1
      })
      await client.listen({ toolsListChanged: true })
    }
    operator.setNotificationHandler('notifications/tools/list_changed', () => {
      operatorHeard += 1
    })
    await operator.listen({ toolsListChanged: true })
    await change((tools) => [...tools, 'create_tool'])
  })
  afterAll(async () => {
    await Promise.all([old?.close(), modern?.close(), other?.close(), operator?.close()])
    await running?.stop()
  })

  /** A person changes the tools of the agent that all tasks here are for. */
  const change = async (edit: (tools: string[]) => string[]) => {
    const entry = (await running.ask<Versioned<Agent>>('GET', '/api/agents/generalist')).json
    const body = Agent.parse(entry)
    const saved = await running.ask('PUT', '/api/agents/generalist', { ...body, tools: edit(body.tools) })
    expect(saved.status, saved.text).toBe(200)
  }
  const submit = async (goal: string): Promise<string> =>
    (await running.submit(goal, { agent: 'generalist', model: 'external' })).json.treeId
  const words = async (of: Worker): Promise<string> => {
    const { tools } = await of.client.listTools()
    expect(tools).toHaveLength(12)
    return tools.find((tool) => tool.name === 'call_tool')!.description!
  }
  const make = async (of: Worker, claim: Claim, name: string, source = TALLY.source) => {
    const made = await of.act(claim, 'create_tool', { ...TALLY, name, source }, { wait_seconds: 40 })
    expect(made.text).toMatch(new RegExp(`Made the tool ${name}`))
  }

  test.each(['old', 'modern'] as const)(
    'a client of the %s era hears of a tool made for its task, of its next version, and of the end',
    async (era) => {
      const of = era === 'old' ? old : modern
      const id = await submit(`Count (${era})`)
      const claim = await take(of, id)
      const name = `tally_${era}`
      expect(await words(of)).not.toContain('tally_')
      const before = heard[era]
      await make(of, claim, name)
      await expect.poll(() => heard[era], SOON).toBe(before + 1)
      expect(await words(of)).toContain(`${name} (version 1)`)
      await make(of, claim, name, `${TALLY.source}// the second\n`)
      await expect.poll(() => heard[era], SOON).toBe(before + 2)
      expect(await words(of)).toContain(`${name} (version 2)`)
      const ran = await of.act(claim, name, { text: 'one two' }, { wait_seconds: 40 })
      expect(ran.text).toContain('{"words":2}')
      await running.ask('POST', `/api/tasks/${id}/abort`, {})
      await expect.poll(() => heard[era], SOON).toBe(before + 3)
      expect(await words(of)).not.toContain(name)
    },
  )

  test('nobody else hears of it', () => {
    expect([heard.other, operatorHeard]).toEqual([0, 0])
  })

  test('a tool that a person gives to an agent, or takes back, is told to whoever works as it', async () => {
    const approved = await running.ask('POST', '/api/tools/tally_old/approve', {})
    expect(approved.status, approved.text).toBe(200)
    const claim = await take(other, await submit('Count what a person allowed'))
    expect(await words(other)).not.toContain('tally_old')
    await change((tools) => [...tools, 'tally_old'])
    await expect.poll(() => heard.other, SOON).toBe(1)
    expect(await words(other)).toContain('tally_old (version 2)')
    await change((tools) => tools.filter((tool) => tool !== 'tally_old'))
    await expect.poll(() => heard.other, SOON).toBe(2)
    expect(await words(other)).not.toContain('tally_old')
    await other.end(claim, 'Done.')
  })

  test('a task taken over brings its tools with it', async () => {
    const id = await submit('Count and hand on')
    const claim = await take(modern, id)
    await make(modern, claim, 'tally_handed')
    await modern.heartbeat(claim, { give_back: true })
    const before = heard.other
    const taken = await take(other, id)
    await expect.poll(() => heard.other, SOON).toBe(before + 1)
    expect(await words(other)).toContain('tally_handed (version 1)')
    expect(await words(modern)).not.toContain('tally_handed')
    await other.end(taken, 'Done.')
  })
})
