/** `banyan review ls --kind`, against a running engine. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(async () => {
  bench = openBench()
  await bench.engine()
})
afterAll(() => bench.remove())

test('items of one kind are listed without the others, and an unknown kind is refused with those that there are', async () => {
  expect((await bench.run(['goal', '--wait', 'Which colour suits the door?'])).code).toBe(6)
  const listed = async (kind: string) => (await bench.run(['review', 'ls', '--kind', kind])).out
  expect(await listed('question')).toContain('question')
  expect(await listed('self_change')).toBe('')
  const { code, err } = await bench.run(['review', 'ls', '--kind', 'colour'])
  expect(code).toBe(2)
  expect(err).toContain('self_change')
}, 120_000)
