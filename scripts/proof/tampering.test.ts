import { describe, expect, test } from 'vitest'
import { need } from '../needs.ts'
import { attempts } from './attempts.ts'
import { tamper } from './tampering.ts'

describe.skipIf(!need('bubblewrap'))('an agent that wants to change what guards the system', () => {
  test('has no success with a sample of all ways that are known, and each attempt is in the log', async () => {
    const outcomes = await tamper((all) => all.filter((_, i) => i % 6 === 0))
    expect(outcomes.length).toBeGreaterThan(12)
    expect(outcomes.filter((outcome) => !outcome.stopped || !outcome.logged)).toEqual([])
  }, 300_000)
})

test('there are at least sixty attempts, each with a name of its own', () => {
  const names = attempts({ dataDir: '/data', checkout: '/checkout' }).map((attempt) => attempt.name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThanOrEqual(60)
})
