import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import type { ExpiryPolicy } from '../contract/review.ts'
import { openStore, type Store } from '../store/store.ts'
import { violations } from './invariants.ts'
import { openTasks, type Tasks } from './tasks.ts'

let folder = ''
let store: Store
let tasks: Tasks
let clock = 1_700_000_000_000
const open = async (policy: ExpiryPolicy): Promise<void> => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-review-'))
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`, { now: () => clock })
  tasks = openTasks(store, { expiry: { policy, seconds: 60 } })
}
afterEach(async () => {
  const found = await violations(store)
  await store.close()
  if (folder) await rm(folder, { recursive: true, force: true })
  expect(found).toEqual([])
})

/** A task of its own that waits for a permission; the id of the item. */
async function ask(): Promise<string> {
  await tasks.createGoal({
    goal: `goal ${Math.random()}`,
    agent: 'a',
    mode: 'auto',
    limits: DEFAULT_LIMITS,
    priority: 0,
    workspace: 'task',
    submittedBy: 'owner',
    origin: 'person',
  })
  const [lease] = await tasks.turns.lease('w', 1)
  const start = await tasks.turns.begin(lease!, { provider: 'p', model: 'm', tokens: 1, costMicros: 0, maxTurns: 9 })
  if (start.kind !== 'go') throw new Error('the first turn may begin')
  const { calls } = await tasks.turns.reply(lease!, start.call, {
    text: '',
    calls: [{ tool: 'use_terminal', input: { command: 'ls' } }],
    provider: 'p',
    model: 'm',
    usage: null,
    costMicros: 0,
    latencyMs: 1,
  })
  const item = { kind: 'permission', title: 'Run ls', action: { command: 'ls' }, risk: 'low' } as const
  const id = await tasks.turns.askPerson(lease!, calls[0]!.id, { ...item, policy: { reason: 'r', signature: 's', taint: [], offers: [] } })
  await tasks.turns.finish(lease!, [])
  return id
}

describe('an item that nobody decides in time', () => {
  test('park: goes on waiting, for ever', async () => {
    await open('park')
    const id = await ask()
    clock += 1_000_000_000
    await tasks.sweep('quick', clock)
    expect(await tasks.review(id)).toMatchObject({ state: 'open', decision: null })
  })

  test('deny: is rejected by the system, and its task goes on with that', async () => {
    await open('deny')
    const id = await ask()
    clock += 59_999
    await tasks.sweep('quick', clock)
    expect(await tasks.review(id)).toMatchObject({ state: 'open' })
    clock += 1
    await tasks.sweep('quick', clock)
    const decided = await tasks.review(id)
    expect(decided).toMatchObject({ state: 'decided', decision: 'reject', decidedBy: 'system' })
    expect(await tasks.task(decided.taskId)).toMatchObject({ status: 'pending' })
    expect((await tasks.messages(decided.taskId)).at(-1)).toMatchObject({
      role: 'tool',
      isError: true,
      text: expect.stringMatching(/in time/),
    })
  })

  test('escalate: comes back to the front though it was put off, once, and is still not decided', async () => {
    await open('escalate')
    const id = await ask()
    await tasks.snooze(id, clock + 1_000_000)
    clock += 60_000
    await tasks.sweep('quick', clock)
    await tasks.sweep('quick', clock)
    expect(await tasks.review(id)).toMatchObject({
      state: 'open',
      risk: 'high',
      decision: null,
      escalatedAt: new Date(clock).toISOString(),
    })
    expect((await store.eventsAfter(0, { limit: 100 })).filter((e) => e.type === 'review.changed')).toHaveLength(2)
  })
})

test('of 50 decisions at once exactly one counts, and it alone has an effect', async () => {
  await open('park')
  const id = await ask()
  const words = Array.from({ length: 50 }, (_, i) => (i % 2 ? 'approve' : 'reject') as 'approve' | 'reject')
  const ends = await Promise.allSettled(words.map((decision, i) => tasks.decide(id, { decision, comment: `${i}` }, `person ${i}`)))
  const won = ends.flatMap((end, i) => (end.status === 'fulfilled' ? [{ i, review: end.value }] : []))
  expect(won).toHaveLength(1)
  const { i, review } = won[0]!
  expect(review).toMatchObject({ decision: words[i], comment: `${i}`, decidedBy: `person ${i}` })
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'conflict' })
  expect((await store.eventsAfter(0, { limit: 100 })).filter((e) => e.type === 'review.decided')).toHaveLength(1)
  expect((await tasks.messages(review.taskId)).filter((m) => m.role === 'tool')).toHaveLength(words[i] === 'reject' ? 1 : 0)
})

test('what was decided is read back with the last decision first, page by page, and by what it was about', async () => {
  await open('park')
  const ids: string[] = []
  for (let i = 0; i < 5; i++) ids.push(await ask())
  const order = [2, 0, 4, 1].map((i) => ids[i]!)
  for (const id of order) {
    clock += 1_000
    await tasks.decide(id, { decision: 'reject' }, 'owner')
  }
  const found: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Tasks['reviews']>> = await tasks.reviews({
      state: 'all',
      order: 'decided',
      signature: 's',
      cursor: cursor ?? undefined,
      limit: 3,
    })
    found.push(...page.items.map((item) => item.id))
    cursor = page.nextCursor
  } while (cursor !== null)
  expect(found).toEqual([...order].reverse())
  expect((await tasks.reviews({ state: 'all', order: 'decided', signature: 'another', limit: 3 })).items).toEqual([])
})

test('100 mixed items triaged at once: each is decided once, and every task goes on', async () => {
  await open('park')
  const ids: string[] = []
  for (let i = 0; i < 100; i++) ids.push(await ask())
  const [some, rest] = [ids.slice(0, 60), ids.slice(40)]
  const answers = (
    await Promise.all([
      tasks.decideBatch({ ids: some, decision: 'approve' }, 'a'),
      tasks.decideBatch({ ids: rest, decision: 'reject', comment: 'no' }, 'b'),
    ])
  ).flat()
  expect(answers.filter((one) => one.ok)).toHaveLength(100)
  expect(answers.filter((one) => !one.ok)).toHaveLength(20)
  expect(await tasks.counts()).toEqual({ pending: 100 })
  expect((await store.eventsAfter(0, { limit: 10_000 })).filter((e) => e.type === 'review.decided')).toHaveLength(100)
})

describe.skipIf(!need('postgres'))('on a real PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  test('of 50 decisions at once in two processes exactly one counts, and rules are made, hit and taken back', async () => {
    folder = ''
    store = await openStore(server.url)
    tasks = openTasks(store)
    const other = await openStore(server.url)
    const others = openTasks(other)
    const id = await ask()
    const ends = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => (i % 2 ? tasks : others).decide(id, { decision: 'approve', comment: `${i}` }, `person ${i}`)),
    )
    await other.close()
    expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1)
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ code: 'conflict' })
    const [lease] = await tasks.turns.lease('w', 1)
    const rule = await tasks.rules.add({ verdict: 'deny', scope: 'tool', signature: 'x' }, 'owner')
    expect(await tasks.rules.narrowing()).toEqual([rule])
    const judgement = { verdict: 'deny', reason: 'r', rule: rule.id, risk: 'low' } as const
    const callId = (await tasks.turns.openCalls(lease!.taskId))[0]!.id
    expect(await tasks.turns.judged(lease!, callId, judgement)).toBe(true)
    await tasks.rules.revoke(rule.id, 'owner')
    expect(await tasks.turns.judged(lease!, callId, judgement)).toBe(false)
    expect((await tasks.rules.list({ state: 'all', limit: 5, now: Date.now() })).items).toMatchObject([{ id: rule.id, hits: 1 }])
    expect(await tasks.snooze(await ask(), Date.now() + 60_000)).toMatchObject({ state: 'snoozed' })
    await tasks.turns.release(lease!)
  })
})
