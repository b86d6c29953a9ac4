import { expect, it } from 'vitest'
import { cutWrites } from '../proof/keeper-writes.ts'

/** All of them are tried by `npm run proof -- power`. */
const STRIDE = 9

it('a power cut after a write of the keeper leaves a system that starts, and the change that was asked for goes on', {
  timeout: 300_000,
}, async () => {
  const { cuts, wrong } = await cutWrites(STRIDE, false)
  expect(wrong).toEqual([])
  expect(cuts).toBeGreaterThan(2)
})

it('a power cut while a bad revision is undone leaves the good one running, and the bad one known', { timeout: 300_000 }, async () => {
  const { cuts, wrong } = await cutWrites(STRIDE, true)
  expect(wrong).toEqual([])
  expect(cuts).toBeGreaterThan(2)
})
