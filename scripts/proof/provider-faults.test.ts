import { expect, test } from 'vitest'
import { run } from './provider-faults.ts'

test('whatever a provider does to one call, every goal is done, nothing runs twice and no half-received call runs', {
  timeout: 240_000,
}, async () => {
  const { goals, met, broken } = await run(60)
  expect(broken).toEqual([])
  expect(Object.values(met).reduce((sum, n) => sum + n, 0)).toBe(goals)
  expect(Object.keys(met)).toHaveLength(18)
})
