/** `banyan ask`, against a running engine without a model. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(async () => {
  bench = openBench()
  await bench.engine()
})
afterAll(() => bench.remove())

test('says how things stand, does what is asked of a goal, and goes on from what was asked last', async () => {
  expect(await bench.run(['ask', '--continue', 'and now?'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('you asked nothing yet') as string,
  })
  const ids = []
  for (const where of ['trees', 'rivers']) ids.push((await bench.run(['goal', `Write a report about ${where}`])).out.trim())
  const [trees, rivers] = ids as [string, string]
  expect((await bench.run(['ask', 'what is going on?'])).out).toContain('Write a report about trees')
  const unclear = await bench.run(['ask', 'cancel', 'the', 'report'])
  expect([unclear.code, unclear.out]).toEqual([5, expect.stringContaining(rivers)])
  const done = await bench.run(['ask', '--continue', 'cancel', rivers, '--json'])
  expect(done.code).toBe(0)
  const { treeId } = JSON.parse(done.out) as { treeId: string }
  const { conversation } = JSON.parse((await bench.run(['tree', treeId, '--json'])).out) as { conversation: string }
  expect(conversation).not.toBe(treeId)
  const { items } = JSON.parse((await bench.run(['ls', '--json'])).out) as { items: { id: string; status: string }[] }
  expect(items.map((item) => item.id).sort()).toEqual([trees, rivers].sort())
  expect(items.find((item) => item.id === rivers)!.status).toBe('cancelled')
}, 60_000)
