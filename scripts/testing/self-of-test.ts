/** A `self` of each test of a file, ended after it; what it left broken fails the test. Call it once, at the top of the file. */
import { afterEach, expect } from 'vitest'
import { type Self, self } from './self.ts'

export function selfOfTest(): (...given: Parameters<typeof self>) => Promise<Self> {
  let open: Self | undefined
  afterEach(async () => {
    const found = await open?.end()
    open = undefined
    expect(found ?? []).toEqual([])
  })
  return async (...given) => {
    open = await self(...given)
    return open
  }
}
