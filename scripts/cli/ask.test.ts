/** `banyan change ask`, against a running engine without a model. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(async () => {
  bench = openBench()
  await bench.engine()
})
afterAll(() => bench.remove())
const asked = async (...words: string[]) => {
  const { code, out, err } = await bench.run(['change', 'ask', ...words])
  expect(code, err).toBe(0)
  return JSON.parse((await bench.run(['tree', out.trim(), '--json'])).out) as { goal: string; tasks: { agent: string }[] }
}

test('a wish goes to the agent that improves Banyan, as it was typed', async () => {
  const tree = await asked('banyan', 'ls', 'should show ages')
  expect(tree.goal).toBe('banyan ls should show ages')
  expect(tree.tasks[0]!.agent).toBe('review_agent')
}, 60_000)

test('a task that went wrong is named by its id, and none of its words are in the goal, where they would count as typed', async () => {
  const failed = (await bench.run(['goal', '--wait', 'Run `echo secret-word; exit 3`'])).out
  const [{ id }] = (JSON.parse((await bench.run(['ls', '--json'])).out) as { items: [{ id: string }] }).items
  expect(failed).not.toBe('')
  const { goal } = await asked('--task', id, 'It should have stopped')
  expect(goal).toMatch(new RegExp(`^It should have stopped\n\nIt is about task ${id}, which is failed\\.`))
  expect(goal).not.toContain('secret-word')
}, 60_000)

test('an item of the queue is named too; one that is not there, and nothing at all, are refused', async () => {
  await bench.run(['goal', '--wait', 'Which colour suits the door?'])
  const { items } = JSON.parse((await bench.run(['review', 'ls', '--json'])).out) as { items: { id: string; kind: string }[] }
  const item = items.find((one) => one.kind === 'question')!
  expect((await asked('--review', item.id)).goal).toContain(`the item ${item.id} of the review queue`)
  expect((await bench.run(['change', 'ask', '--review', 'none'])).code).toBe(1)
  expect((await bench.run(['change', 'ask'])).code).toBe(2)
}, 60_000)
