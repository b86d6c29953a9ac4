import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(async () => {
  bench = openBench()
  await bench.engine()
})
afterAll(() => bench.remove())

test('`banyan watchdog` says what does not get on, and whether a goal is looked after', async () => {
  const id = (await bench.run(['goal', 'Write a report'])).out.trim()
  expect((await bench.run(['watchdog'])).err).toContain('Every task gets on.')
  expect(JSON.parse((await bench.run(['watchdog', '--json'])).out)).toEqual({ count: 0, items: [] })
  expect((await bench.run(['watchdog', id, 'off'])).err).toContain(`The watchdog leaves ${id} alone.`)
  expect(JSON.parse((await bench.run(['watchdog', id, 'patient', '--json'])).out)).toEqual({ treeId: id, on: true, patient: true })
  expect((await bench.run(['watchdog', id, 'on'])).err).toContain(`The watchdog looks after ${id}.`)
  expect(await bench.run(['watchdog', id])).toMatchObject({ code: 2, err: expect.stringContaining('Say on, patient or off') as string })
  expect((await bench.run(['watchdog', 'nobody', 'off'])).code).toBe(1)
}, 60_000)
