import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts'
import { type Meter, raised, reachedText, spawnReaches, turnReaches } from './limits.ts'

const limits: fc.Arbitrary<Limits> = fc.record({
  depth: fc.nat(10),
  fanOut: fc.nat(30),
  tasks: fc.integer({ min: 1, max: 300 }),
  turns: fc.integer({ min: 1, max: 500 }),
  tokens: fc.integer({ min: 1, max: 100_000 }),
  costMicros: fc.nat(10_000_000),
  wallSeconds: fc.integer({ min: 1, max: 10_000 }),
})
const empty: Meter = { turns: 0, tokens: 0, costMicros: 0, reserved: { turns: 0, tokens: 0, costMicros: 0 }, tasks: 1, startedAt: 0 }

test('however many callers reserve and settle in whatever order, no cap of turns, tokens or money is ever passed', () => {
  const call = fc.record({ tokens: fc.nat(5_000), costMicros: fc.nat(500_000), share: fc.double({ min: 0, max: 1, noNaN: true }) })
  fc.assert(
    fc.property(limits, fc.array(call, { maxLength: 60 }), fc.array(fc.boolean(), { maxLength: 200 }), (caps, calls, order) => {
      const meter: Meter = structuredClone(empty)
      const open: typeof calls = []
      const settle = () => {
        const one = open.shift()
        if (!one) return
        meter.reserved.turns -= 1
        meter.reserved.tokens -= one.tokens
        meter.reserved.costMicros -= one.costMicros
        meter.turns += 1
        meter.tokens += Math.floor(one.tokens * one.share)
        meter.costMicros += Math.floor(one.costMicros * one.share)
      }
      const waiting = [...calls]
      for (const begin of order) {
        if (!begin) settle()
        else {
          const one = waiting.shift()
          if (!one || turnReaches(caps, meter, one, 0)) continue
          open.push(one)
          meter.reserved.turns += 1
          meter.reserved.tokens += one.tokens
          meter.reserved.costMicros += one.costMicros
        }
      }
      while (open.length > 0) settle()
      expect(meter.turns).toBeLessThanOrEqual(caps.turns)
      expect(meter.tokens).toBeLessThanOrEqual(caps.tokens)
      if (calls.every((c) => c.costMicros > 0)) expect(meter.costMicros).toBeLessThanOrEqual(caps.costMicros)
    }),
  )
})

test('a free model is not stopped by a money cap of nothing', () => {
  expect(turnReaches({ ...DEFAULT_LIMITS, costMicros: 0 }, empty, { tokens: 10, costMicros: 0 }, 0)).toBeNull()
  expect(turnReaches({ ...DEFAULT_LIMITS, costMicros: 0 }, empty, { tokens: 10, costMicros: 1 }, 0)).toMatchObject({ limit: 'costMicros' })
})

test('wall time counts from the first claim', () => {
  const caps = { ...DEFAULT_LIMITS, wallSeconds: 60 }
  expect(turnReaches(caps, { ...empty, startedAt: 1_000 }, { tokens: 1, costMicros: 0 }, 60_999)).toBeNull()
  expect(turnReaches(caps, { ...empty, startedAt: 1_000 }, { tokens: 1, costMicros: 0 }, 61_000)).toMatchObject({ limit: 'wallSeconds' })
  expect(turnReaches(caps, { ...empty, startedAt: null }, { tokens: 1, costMicros: 0 }, 10 ** 9)).toBeNull()
})

test('a spawn is let through only if depth, fan-out and number of tasks stay within the caps', () => {
  fc.assert(
    fc.property(
      limits,
      fc.nat(300),
      fc.record({ count: fc.integer({ min: 1, max: 40 }), depth: fc.nat(12), children: fc.nat(40) }),
      (caps, tasks, wanted) => {
        const fits = wanted.depth <= caps.depth && wanted.children + wanted.count <= caps.fanOut && tasks + wanted.count <= caps.tasks
        expect(spawnReaches(caps, tasks, wanted) === null).toBe(fits)
      },
    ),
  )
})

test('a plain approval raises just the cap that was reached, far enough for the next call', () => {
  fc.assert(
    fc.property(limits, fc.constantFrom('turns', 'tokens', 'tasks', 'costMicros') as fc.Arbitrary<keyof Limits>, (caps, limit) => {
      const next = raised(caps, { limit, used: caps[limit], cap: caps[limit] })
      expect(next[limit]).toBeGreaterThan(caps[limit])
      expect({ ...next, [limit]: 0 }).toEqual({ ...caps, [limit]: 0 })
    }),
  )
})

test('what was reached is said in words with both numbers', () => {
  expect(reachedText({ limit: 'costMicros', used: 4_960_000, cap: 5_000_000 })).toBe('the cap of $5.00 is reached ($4.96 used)')
})
