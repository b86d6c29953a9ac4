import { CompiledQuery } from 'kysely'
import { expect, test } from 'vitest'
import { violations } from '../core/tasks/invariants.ts'
import { exhaustive, oneAtRandom, type Recorded, randomFrom, spread } from './crash/plan.ts'
import { crash } from './crash.ts'
import { harness } from './testing/harness.ts'
import { endWith } from './testing/scripted.ts'

const recorded: Recorded = { scenario: 'x', lives: [{ a: 3, b: 1 }, { a: 2 }], ms: 100, picture: '' }

test('an exhaustive plan dies at each hit of each point, in each life that the scenario had', () => {
  const killedAt = exhaustive(recorded, Number.POSITIVE_INFINITY).map(
    ({ kills }) => `${kills.length}: ${kills.at(-1)!.point} ${kills.at(-1)!.hit}`,
  )
  expect(killedAt).toEqual(['1: a 1', '1: a 2', '1: a 3', '1: b 1', '2: a 1', '2: a 2'])
})

test('a bounded plan has the first and the last hit among its own', () => {
  expect(spread(100, 3)).toEqual([1, 51, 100])
  expect(spread(2, 3)).toEqual([1, 2])
})

test('the same seed kills at the same moments, never more often than asked', () => {
  const plan = (seed: number) => {
    const random = randomFrom(seed)
    return Array.from({ length: 50 }, () => oneAtRandom([recorded], 3, random))
  }
  expect(plan(7)).toEqual(plan(7))
  expect(plan(7)).not.toEqual(plan(8))
  expect(new Set(plan(7).map(({ random }) => random.length))).toEqual(new Set([1, 2, 3]))
})

test('a command that may run once is killed around its effect and in recovery, and nothing of what must be true breaks', async () => {
  const options = { seed: 3, kills: 2, hitsPerPoint: 1, recovery: 1, engineKills: 0, scenario: 'once' }
  const { rows, kept } = await crash(options)
  expect(kept).toEqual([])
  expect(rows).toMatchObject([{ scenario: 'once', violations: [] }])
  expect([...rows[0]!.points]).toEqual(
    expect.arrayContaining(['call.before-effect', 'call.after-effect', 'exec.after-go', 'store.before-commit']),
  )
}, 300_000)

test('a hold of a provider outlives kills around it, its trying call and the going on of the others', async () => {
  const options = { seed: 5, kills: 2, hitsPerPoint: 1, recovery: 1, engineKills: 0, scenario: 'limits' }
  const { rows, kept } = await crash(options)
  expect(kept).toEqual([])
  expect(rows).toMatchObject([{ scenario: 'limits', violations: [] }])
}, 300_000)

test.for([
  ['a spend that its calls do not sum to', 'update trees set turns = turns + 1', /says 2 calls/],
  ['a call without its answer', "update calls set state = 'begun'", /is begun and has 1 answers/],
  ['a task that nobody will ever take up', "update tasks set status = 'waiting', reason = 'children'", /a lost wake/],
  ['a state that the log does not tell of', "update tasks set title = 'another'", /the log tells of task/],
] as const)('the checker finds %s', async ([, change, words]) => {
  const h = await harness(() => endWith('done'))
  await h.over(await h.goal('anything'))
  expect(await violations(h.runtime.store)).toEqual([])
  await h.runtime.store.transact((tx) => tx.db.executeQuery(CompiledQuery.raw(change)))
  expect((await violations(h.runtime.store)).join('\n')).toMatch(words)
  await h.end()
})
