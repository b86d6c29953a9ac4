/** `banyan token create --agent` and `banyan agent outside`, against a running engine and a real client. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorker } from '../../core/mcp/fixture/worker.ts'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
let engine: Awaited<ReturnType<Bench['engine']>>
beforeAll(async () => {
  bench = openBench()
  engine = await bench.engine()
})
afterAll(() => bench.remove())

test('a person lets an outside agent in, sees what it has, and shows it the door', async () => {
  const made = await bench.run(['token', 'create', '--agent', 'codex'])
  expect(made.code, made.err).toBe(0)
  const token = made.out.trim()
  expect((await bench.run(['token', 'create', 'codex', '--agent', '--scope', 'read'])).code).toBe(2)

  const installed = await bench.run(['mcp', 'install', 'codex', '--print'], { BANYAN_TOKEN: token })
  expect(installed.code, installed.err).toBe(0)

  const given = await bench.run(['goal', '--model', 'external', '--agent', 'generalist', 'Say hello'])
  const id = given.out.trim()
  const worker = await openWorker(engine.url, token)
  await worker.register({ capabilities: ['python'], description: 'A program', max_tasks: 2 })
  expect((await worker.claim()).task_id).toBe(id)

  expect((await bench.run(['agent', 'outside'])).out).toMatch(/codex +python +1 task +seen 20/)
  expect(JSON.parse((await bench.run(['agent', 'outside', 'show', 'codex', '--json'])).out)).toMatchObject({
    name: 'codex',
    maxTasks: 2,
    tasks: [{ taskId: id, status: 'waiting', reason: 'external' }],
  })
  const shown = await bench.run(['show', id])
  expect(shown.out).toContain('with an outside agent')

  expect((await bench.run(['agent', 'outside', 'remove', 'codex', '--yes'])).code).toBe(0)
  await expect(worker.claim()).rejects.toThrow()
  expect((await bench.run(['agent', 'outside', 'show', 'codex'])).err).toContain('There is no outside agent "codex"')
}, 120_000)
