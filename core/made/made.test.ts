import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import { TALLY } from '../../scripts/testing/tally-words.ts'
import type { ModelRequest } from '../models/provider.ts'

// Every call is two processes behind walls, and CI has two cores.
vi.setConfig({ testTimeout: 90_000 })

let h: Harness | undefined
afterEach(async () => {
  const found = await h?.end()
  h = undefined
  expect(found ?? []).toEqual([])
})

const make = (change: object = {}): Scripted => ({ calls: [{ tool: 'create_tool', input: { ...TALLY, ...change } }] })
const inOrder =
  (...steps: Scripted[]) =>
  (request: ModelRequest): Scripted =>
    steps[answersIn(request).length] ?? endWith(answersIn(request).join('\n---\n'))

const detailed = (name: string) => h!.runtime.made.states(name)
const entry = async () => (await h!.runtime.registry.get('tool', 'tally_words'))!
const use = (text: unknown): Scripted => ({ calls: [{ tool: 'tally_words', input: { text } }] })
const asked = async () => (await h!.runtime.tasks.reviews({ state: 'open', limit: 50 })).items
const BROKEN = TALLY.source.replace('const words', `if (input.text === 'bad') process.exit(3)\n  const words`)
/** An agent that makes tools itself. */
const withMaker = async (decide: (request: ModelRequest) => Scripted, options: Parameters<typeof harness>[1] = {}) => {
  h = await harness((request) => (request.task.kind === 'work' ? decide(request) : endWith('fine')), options)
  const agent = (await h.runtime.registry.get('agent', 'generalist'))!
  const { version: _v, author: _a, updatedAt: _u, ...body } = agent
  await h.runtime.registry.save('agent', { ...body, tools: [...body.tools, 'create_tool'] }, 'owner')
  return h
}

describe.skipIf(!need('bubblewrap'))('tools that agents make', () => {
  test('a tool that an agent lacks is made by the helper and used by name in the same goal', async () => {
    h = await harness((request) => {
      if (request.task.kind === 'tools') return inOrder(make(), endWith('made it', 'success', { tools: ['tally_words'] }))(request)
      if (request.task.kind !== 'work') return endWith('fine')
      return inOrder(
        { calls: [{ tool: 'request_tools', input: { tools_needed: 'count words' } }] },
        { calls: [{ tool: 'tally_words', input: { text: 'one two three four' } }] },
      )(request)
    })
    const tree = await h.goal('How many words?')
    const { result } = await h.over(tree)
    expect(result).toMatch(/\{"words":4\}$/)
    expect(await h.runtime.registry.get('tool', 'tally_words')).toMatchObject({
      origin: 'made',
      version: 1,
      author: 'tool_addition',
      made: { treeId: tree },
    })
  })

  describe('an agent that may make tools', () => {
    test('has its own from the next turn on, is told what is wrong with a draft, and what is wrong with arguments', async () => {
      const { goal, over } = await withMaker(
        inOrder(
          make({ name: 'write_file' }),
          make({ tests: TALLY.tests.replace('words: 3', 'words: 4') }),
          make(),
          use('a b'),
          use(7),
          use('   '),
          make(),
        ),
      )
      const answers = (await over(await goal('count'))).result!.split('\n---\n')
      expect(answers[0]).toMatch(/reads the same/)
      expect(answers[1]).toMatch(/tests did not pass[\s\S]*FAILED: counts/)
      expect(answers[2]).toMatch(/Made the tool tally_words \(version 1\): all 2 tests passed/)
      expect(answers[3]).toBe('{"words":2}')
      expect(answers[4]).toMatch(/\/text must be string/)
      expect(answers[5]).toBe('tally_words: The text is empty; give some words.')
      expect(answers[6]).toMatch(/version 1/)
      expect(await detailed('tally_words')).toMatchObject([{ version: 1, runs: 2, failures: 0, approvedBy: null }])
    })

    test('a tool that fails three times in a row is taken out of use: the version before is back and a person is told', async () => {
      const { goal, over } = await withMaker(inOrder(make(), make({ source: BROKEN }), use('bad'), use('bad'), use('bad'), use('bad')))
      const answers = (await over(await goal('count'))).result!.split('\n---\n')
      expect(answers[1]).toMatch(/version 2/)
      expect(answers[2]).toMatch(/its own fault[\s\S]*exit code 3/)
      expect(answers[5]).toBe('{"words":1}')
      expect(await entry()).toMatchObject({ version: 3, author: 'system', enabled: true, made: { source: TALLY.source } })
      expect((await detailed('tally_words')).find((one) => one.version === 2)!.broken).toMatch(/exit code 3/)
      expect(await asked()).toMatchObject([{ kind: 'flag', title: expect.stringMatching(/went back to an earlier version/) }])
      const ran = (await h!.runtime.store.eventsAfter(0, { limit: 5_000 })).filter((event) => event.type === 'tool.ran')
      expect(ran.map((event) => [event.version, event.fault === null])).toEqual([
        [2, false],
        [2, false],
        [2, false],
        [3, true],
      ])
    })

    test('one without an earlier version is switched off instead', async () => {
      const { goal, over } = await withMaker(inOrder(make({ source: BROKEN }), use('bad'), use('bad'), use('bad'), use('fine')))
      const answers = (await over(await goal('count'))).result!.split('\n---\n')
      expect(answers[4]).toMatch(/switched off/)
      expect(await entry()).toMatchObject({ enabled: false, author: 'system' })
    })

    test('that writes files waits for a person, who sees source and tests that passed; what is approved runs without asking', async () => {
      const writes = {
        permission: 'write_workspace',
        source: `import { writeFile } from 'node:fs/promises'
  import { join } from 'node:path'
  export default async (input: { text: string }, ctx: { workspace: string }) => {
    if (!input.text) throw new Error('Give a text.')
    await writeFile(join(ctx.workspace, 'kept.txt'), input.text)
    return { words: input.text.split(' ').length }
  }
  `,
        tests: `import test from 'node:test'
  import assert from 'node:assert/strict'
  import { readFileSync } from 'node:fs'
  import tool from './tool.ts'
  test('keeps', async () => { assert.deepEqual(await tool({ text: 'a b' }, { workspace: process.cwd() }), { words: 2 }); assert.equal(readFileSync('kept.txt', 'utf8'), 'a b') })
  test('refuses', async () => { await assert.rejects(tool({ text: '' }, { workspace: process.cwd() }), /Give/) })
  `,
      }
      const { goal, over, until, runtime, dataDir } = await withMaker(inOrder(make(writes), use('some words')))
      const id = await goal('keep it')
      await until(id, (task) => task.status === 'waiting' && task.reason === 'review')
      const [item] = await asked()
      expect(item).toMatchObject({
        kind: 'permission',
        risk: 'high',
        offers: [],
        action: { tool: 'create_tool', ...writes, report: expect.stringMatching(/ok: keeps/) },
      })
      expect(runtime.made.has('tally_words')).toBe(false)
      await runtime.tasks.decide(item!.id, { decision: 'approve' }, 'owner')
      expect((await over(id)).result).toMatch(/\{"words":2\}$/)
      expect(await readFile(join(dataDir, 'workspaces', id, 'kept.txt'), 'utf8')).toBe('some words')
      expect(await detailed('tally_words')).toMatchObject([{ approvedBy: 'owner' }])
    })

    test('its tool is for its own goal until a person approves it; another version then waits for a person', async () => {
      const { goal, over, until, runtime } = await withMaker((request) =>
        request.task.instruction === 'make'
          ? inOrder(make())(request)
          : request.task.instruction === 'use'
            ? inOrder({ calls: [{ tool: 'list_optional_tools', input: {} }] }, use('a b c'))(request)
            : inOrder(make({ source: `${TALLY.source}// better\n` }))(request),
      )
      await over(await goal('make'))
      const { version: _v, author: _a, updatedAt: _u, ...body } = (await runtime.registry.get('agent', 'generalist'))!
      await runtime.registry.save('agent', { ...body, tools: [...body.tools, 'list_optional_tools', 'tally_words'] }, 'owner')
      const refused = (await over(await goal('use'))).result!
      expect(refused).not.toMatch(/^- tally_words/m)
      expect(refused).toMatch(/made in another goal and no person has approved it/)
      await expect(runtime.made.approve('tally_words', 9, 'owner')).rejects.toThrow(/Version 1 of tally_words is the newest/)
      await runtime.made.approve('tally_words', 1, 'owner')
      const allowed = (await over(await goal('use'))).result!
      expect(allowed).toMatch(/^- tally_words/m)
      expect(allowed).toMatch(/\{"words":3\}$/)
      const third = await goal('change')
      await until(third, (task) => task.status === 'waiting' && task.reason === 'review')
      expect(await asked()).toMatchObject([{ action: { before: { version: 1 } } }])
    })
  })

  test('is known again after a restart; a rollback is in use at the next call', async () => {
    const first = await withMaker(inOrder(make(), make({ source: `${TALLY.source}// second\n` })))
    await first.over(await first.goal('make'))
    const { dataDir, runtime } = first
    expect(await runtime.made.rollback('tally_words', undefined, 'owner')).toMatchObject({ version: 3, made: { source: TALLY.source } })
    await expect(runtime.made.rollback('tally_words', 7, 'owner')).rejects.toThrow(/no version 7/)
    await runtime.made.approve('tally_words', undefined, 'owner')
    await rm(join(dataDir, 'made-tools'), { recursive: true })
    const kept = await mkdtemp(join(tmpdir(), 'banyan-'))
    await first.runtime.store.backup(join(kept, 'agent_system.db'))
    expect(await first.end()).toEqual([])
    const second = await withMaker(inOrder(use('a b c d e')), { dataDir: kept })
    const { version: _v, author: _a, updatedAt: _u, ...body } = (await second.runtime.registry.get('agent', 'generalist'))!
    await second.runtime.registry.save('agent', { ...body, tools: [...body.tools, 'tally_words'] }, 'owner')
    expect((await second.over(await second.goal('use'))).result).toBe('{"words":5}')
  })
})
