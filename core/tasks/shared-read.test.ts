import { expect, test } from 'vitest'
import { sharedRead } from './shared-read.ts'

/** A read whose answers the test gives. */
function asked() {
  const reads: PromiseWithResolvers<number>[] = []
  const read = sharedRead(() => {
    const one = Promise.withResolvers<number>()
    reads.push(one)
    return one.promise
  })
  return { read, reads }
}

test('those who ask while a read waits for its turn share it, and it begins after they asked', async () => {
  const { read, reads } = asked()
  const first = read()
  await expect.poll(() => reads.length).toBe(1)
  // The one under way may have seen the database before these asked.
  const [second, third] = [read(), read()]
  reads[0]!.resolve(1)
  expect(await first).toBe(1)
  await expect.poll(() => reads.length).toBe(2)
  reads[1]!.resolve(2)
  expect(await Promise.all([second, third])).toEqual([2, 2])
  expect(reads).toHaveLength(2)
})

test('of a hundred who ask at once each is answered by one read', async () => {
  const { read, reads } = asked()
  const all = Array.from({ length: 100 }, () => read())
  await expect.poll(() => reads.length).toBe(1)
  reads[0]!.resolve(7)
  expect(new Set(await Promise.all(all))).toEqual(new Set([7]))
  expect(reads).toHaveLength(1)
})

test('a read that fails fails for those who waited, and the next one reads anew', async () => {
  const { read, reads } = asked()
  const first = read()
  await expect.poll(() => reads.length).toBe(1)
  reads[0]!.reject(new Error('the disk is gone'))
  await expect(first).rejects.toThrow('the disk is gone')
  const second = read()
  await expect.poll(() => reads.length).toBe(2)
  reads[1]!.resolve(2)
  expect(await second).toBe(2)
})
