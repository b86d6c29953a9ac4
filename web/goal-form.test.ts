import { expect, test } from 'vitest'
import { GOAL_LIMIT, GoalRequest } from '../core/contract/api.ts'
import { GOAL_CAP, submission } from './goal-form.ts'

const form = { goal: 'Say hello', mode: 'auto' as const, budget: '' }

test('what the goal box sends is what the server takes', () => {
  for (const filled of [form, { ...form, budget: '2.50', mode: 'step' as const }, { ...form, example: 'inventory' }]) {
    const built = submission(filled)
    if (!built.ok) throw new Error(built.why)
    expect(GoalRequest.safeParse(built.request).error).toBeUndefined()
  }
  expect(GOAL_CAP).toBe(GOAL_LIMIT)
})

test('a budget is read as people write it; left empty it is the default', () => {
  const budget = (text: string) => {
    const built = submission({ ...form, budget: text })
    return built.ok ? built.request.budget : built.why
  }
  expect(budget('')).toBeUndefined()
  expect(budget('$3')).toEqual({ dollars: 3 })
  expect(budget(' 0,50 ')).toEqual({ dollars: 0.5 })
  expect(budget('0')).toEqual({ dollars: 0 })
  expect(budget('much')).toMatch(/an amount in dollars/)
  expect(budget('-1')).toMatch(/an amount in dollars/)
  expect(budget('Infinity')).toMatch(/an amount in dollars/)
})

test('an empty goal is not sent and not scolded; one that is too long is told before it is sent', () => {
  expect(submission({ ...form, goal: ' \n ' })).toEqual({ ok: false, field: 'goal', why: '' })
  expect(submission({ ...form, goal: 'x'.repeat(GOAL_CAP + 1) })).toMatchObject({ ok: false, field: 'goal' })
})
