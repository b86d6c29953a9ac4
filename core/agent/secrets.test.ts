/** Canaries: secrets go through every way out that a task has, and are looked for in everything that is kept or told. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import type { Scripted } from '../../scripts/testing/scripted.ts'
import type { Declared } from '../contract/policy.ts'
import type { ModelRequest } from '../models/provider.ts'
import { caseOf, offersOf } from '../policy/policy.ts'

let h: Harness | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await h?.end()
  h = undefined
})

/** Each prints every variable whose name begins with S_, in a form of its own. */
const PRINTS: Record<string, string> = {
  raw: 'env | grep ^S_',
  base64: 'for n in $(env | grep -o "^S_[0-9]*"); do eval "printf %s \\"\\$$n\\"" | base64; done',
  'base64 of more': 'for n in $(env | grep -o "^S_[0-9]*"); do eval "printf %s \\"user:\\$$n\\"" | base64 -w 20; done',
  hex: 'for n in $(env | grep -o "^S_[0-9]*"); do eval "printf %s \\"\\$$n\\"" | od -An -v -tx1 | tr -d " \\n"; echo; done',
  'URL-encoded':
    'for n in $(env | grep -o "^S_[0-9]*"); do eval "printf %s \\"\\$$n\\"" | od -An -v -tx1 | tr -d "\\n" | tr " " %; echo; done',
  wrapped: 'for n in $(env | grep -o "^S_[0-9]*"); do eval "printf %s \\"\\$$n\\"" | fold -w 8; echo; done',
  'as an error': 'env | grep ^S_ >&2; exit 3',
}
const forms = (value: string) => [
  value,
  Buffer.from(value).toString('base64').slice(0, -4),
  Buffer.from(value).toString('base64url').slice(0, -4),
  Buffer.from(value).toString('hex'),
  encodeURIComponent(value),
]

/** Approves what waits, as a person would. */
async function approveAll(runtime: Harness['runtime']): Promise<void> {
  for (const { id } of (await runtime.tasks.reviews({ state: 'open', limit: 50 })).items)
    await runtime.tasks.decide(id, { decision: 'approve' }, 'owner')
}

describe('secrets of a task', () => {
  test('100 values, printed in every form, are in no message, event, review, log or row', async () => {
    const values = new Map(
      Array.from({ length: 100 }, (_, i) => [
        `S_${i}`,
        i % 2 ? randomBytes(18).toString('base64') : `k-${randomBytes(16).toString('hex')}`,
      ]),
    )
    const names = [...values.keys()]
    const said: string[] = []
    vi.spyOn(console, 'error').mockImplementation((...words) => void said.push(words.join(' ')))
    const seen: string[] = []
    const todo = [
      // Secrets are given twenty at most to one command.
      ...Object.values(PRINTS).flatMap((command) =>
        Array.from({ length: 5 }, (_, i) => ({ tool: 'use_terminal', input: { command, secrets: names.slice(i * 20, i * 20 + 20) } })),
      ),
      ...Array.from({ length: 5 }, (_, i) => ({
        tool: 'use_terminal',
        input: { command: `env | grep ^S_ > kept-${i}; chmod a+r kept-${i}`, secrets: names.slice(i * 20, i * 20 + 20) },
      })),
      ...Array.from({ length: 5 }, (_, i) => ({ tool: 'read_file', input: { path: `kept-${i}` } })),
      { tool: 'search_files', input: { pattern: 'S_' } },
      { tool: 'query_database', input: { sql: 'SELECT body FROM messages' } },
    ]
    let step = 0
    const decide = (request: ModelRequest): Scripted => {
      seen.push(JSON.stringify(request))
      const next = todo[step++]
      return next ? { calls: [next] } : { calls: [{ tool: 'end_task', input: { status: 'success', result: 'Printed all.' } }] }
    }
    h = await harness(decide)
    const { runtime } = h
    for (const [name, value] of values) await runtime.secrets.save(name, { value, grants: ['agent:generalist'] }, 'owner')
    const stop = runtime.store.onCommit((events) => {
      if (events.some((event) => event.type === 'review.opened')) void approveAll(runtime)
    })
    const id = await h.goal('Print everything you have.')
    expect((await h.over(id)).status).toBe('done')
    stop()
    const messages = await runtime.tasks.messages(id, 0)
    const everything = {
      messages: JSON.stringify(messages),
      requests: seen.join('\n'),
      events: JSON.stringify(await runtime.store.eventsAfter(0, { limit: 10_000 })),
      reviews: JSON.stringify(await runtime.store.db.selectFrom('reviews').selectAll().execute()),
      calls: JSON.stringify(await runtime.store.db.selectFrom('calls').selectAll().execute()),
      tasks: JSON.stringify(await runtime.tasks.tree(id)),
      log: said.join('\n'),
    }
    // They really went through the commands: each was printed and hidden.
    for (const name of names) expect(everything.messages.split(`[secret ${name}]`).length, name).toBeGreaterThan(7)
    for (const [place, text] of Object.entries(everything))
      for (const [name, value] of values)
        for (const form of forms(value)) expect(text.includes(form), `${name} in ${place}: ${form}`).toBe(false)
    // The file of the task itself holds them, as it was told to.
    expect((await runtime.store.db.selectFrom('secrets').select('last_used_at').execute()).every((row) => row.last_used_at !== null)).toBe(
      true,
    )
    const file = h.config.databaseUrl.slice('sqlite:'.length)
    const copy = join(mkdtempSync(join(tmpdir(), 'banyan-copy-')), 'copy.db')
    await runtime.store.backup(copy)
    const bytes = readFileSync(copy)
    for (const value of values.values()) expect(bytes.includes(value), file).toBe(false)
    rmSync(join(copy, '..'), { recursive: true })
  }, 120_000)

  test('one that is not granted is a mistake that says who can grant it, and nobody is asked', async () => {
    const asks = [
      { command: 'echo $S_1', secrets: ['S_1'] },
      { command: 'echo $S_2', secrets: ['S_1', 'S_2'] },
    ]
    let step = 0
    h = await harness(() => {
      const input = asks[step++]
      return input
        ? { calls: [{ tool: 'use_terminal', input }] }
        : { calls: [{ tool: 'end_task', input: { status: 'failure', result: 'No key.' } }] }
    })
    await h.runtime.secrets.save('S_1', { value: 'the-value-of-one', grants: ['agent:researcher', 'tree:other'] }, 'owner')
    const id = await h.goal('Use the key.')
    await h.over(id)
    const told = JSON.stringify(await h.runtime.tasks.messages(id, 0))
    expect(told.match(/not granted to this task; a person grants it with `banyan secret grant S_1 agent:generalist`/g)).toHaveLength(2)
    expect((await h.runtime.tasks.reviews({ state: 'all', limit: 50 })).items.filter((review) => review.kind === 'permission')).toEqual([])
  })

  test('a command typed by a person asks all the same when the agent adds a secret, which the item names', async () => {
    let step = 0
    h = await harness(() =>
      step++ === 0
        ? { calls: [{ tool: 'use_terminal', input: { command: 'test "$S_1" = the-value-of-one && echo same', secrets: ['S_1'] } }] }
        : { calls: [{ tool: 'end_task', input: { status: 'success', result: 'Done.' } }] },
    )
    const { runtime } = h
    await runtime.secrets.save('S_1', { value: 'the-value-of-one', grants: ['*'] }, 'owner')
    const id = await h.goal('Run `test "$S_1" = the-value-of-one && echo same`')
    await h.until(id, (task) => task.status === 'waiting')
    const [item] = (await runtime.tasks.reviews({ state: 'open', limit: 50 })).items
    expect(item).toMatchObject({ kind: 'permission', action: { secrets: ['S_1'], command: 'test "$S_1" = [secret S_1] && echo same' } })
    expect(item?.title).not.toContain('the-value-of-one')
    await runtime.tasks.decide(item!.id, { decision: 'approve' }, 'owner')
    expect((await h.over(id)).status).toBe('done')
    expect(JSON.stringify(await runtime.tasks.messages(id, 0))).toMatch(/exit code: 0.*same/)
  })

  test('a line of the log is without them', async () => {
    const said: string[] = []
    vi.spyOn(console, 'error').mockImplementation((...words) => void said.push(words.join(' ')))
    h = await harness(() => {
      throw new Error('the sky fell on the-value-of-one')
    })
    await h.runtime.secrets.save('S_1', { value: 'the-value-of-one' }, 'owner')
    await h.goal('Fail.')
    await vi.waitFor(() => expect(said.join('\n')).toContain('the sky fell on [secret S_1]'))
    expect(said.join('\n')).not.toContain('the-value-of-one')
  })
})

test('a rule that allows a command does not allow it with a secret, nor is the tool offered for a whole goal', () => {
  const facts: Declared = { run: { argv: ['ls', '-l', 'src'] }, by: 'agent', cwd: '.', isolation: 'plain' }
  const common = { tool: 'use_terminal', permission: 'exec', effect: 'once', asks: true, risk: 'low', treeId: 't', agent: 'a' } as const
  const plain = caseOf({ ...common, ...facts, action: { command: 'x' } })
  const armed = caseOf({ ...common, ...facts, secrets: ['TOKEN'], external: true, action: { command: 'x', secrets: ['TOKEN'] } })
  expect(plain.pattern).not.toBeNull()
  expect(armed.pattern).not.toBe(plain.pattern)
  expect(armed.exact).not.toBe(plain.exact)
  expect(offersOf(armed).map((offer) => offer.scope)).not.toContain('tool-in-tree')
  expect(armed.reaches).toBe(true)
})

describe('query_database in the hands of an agent', () => {
  test('answers what tasks did, and refuses to write with the words that say what does', async () => {
    const asks = [
      'SELECT agent, status, count(*) AS n FROM tasks GROUP BY agent, status',
      "UPDATE tasks SET status = 'done'",
      'SELECT * FROM secrets',
      'SELECT instruction FROM tasks',
    ]
    let step = 0
    const taints: string[] = []
    h = await harness(async (request) => {
      taints.push((await h!.runtime.tasks.rules.taintOf(request.task.id)).join())
      if (step === 0)
        expect(request.tools.find((tool) => tool.name === 'query_database')?.description).toMatch(
          /- tasks \(id, tree_id, parent_id, .*- versions \(kind/s,
        )
      const sql = asks[step++]
      return sql
        ? { calls: [{ tool: 'query_database', input: { sql } }] }
        : { calls: [{ tool: 'end_task', input: { status: 'success', result: 'Looked.' } }] }
    })
    await h.runtime.secrets.save('S_1', { value: 'the-value-of-one' }, 'owner')
    const id = await h.goal('Look around here.', { agent: 'supervisor' })
    await h.over(id)
    const answers = (await h.runtime.tasks.messages(id, 0))
      .filter((message) => message.role === 'tool')
      .map((message) => JSON.stringify(message))
    expect(answers[0]).toMatch(/Rows: 1 .*supervisor.*active.*1/)
    expect(answers[1]).toMatch(/This tool only reads.*not UPDATE.*add_document/)
    expect(answers[2]).toMatch(/There is no table .*secrets.*Tables: trees/)
    // Counts and statuses leave a task clean; words that others may have written mark it.
    expect(taints).toEqual(['', '', '', '', 'agents'])
  })
})
