import { expect, test } from 'vitest'
import { proveDisk } from './disk.ts'

test('whatever is left on the disk, a write is whole or refused; work pauses on a full one and goes on by itself', {
  timeout: 120_000,
}, async (context) => {
  const proved = await proveDisk(200, 2)
  if ('untried' in proved) return context.skip(proved.untried)
  expect(proved.broken).toEqual([])
  expect(proved.rounds).toHaveLength(2)
  for (const { done, refused } of proved.paths) expect(Math.min(done, refused)).toBeGreaterThan(0)
})
