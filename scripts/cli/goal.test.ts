import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

let bench: Bench
beforeAll(async () => {
  bench = openBench()
  await bench.engine()
})
afterAll(() => bench.remove())

test('files come along, and what was said with the goal is kept', async () => {
  const file = join(bench.folder, 'sums.txt')
  writeFileSync(file, 'forty two\n')
  const argv = [
    'goal',
    'Run `cat sums.txt`',
    '--attach',
    file,
    '--model',
    'playbook',
    '--approval',
    'run_free',
    '--priority',
    '3',
    '--criteria',
    'forty two is printed',
    '--criteria=nothing else is',
    '--wait',
  ]
  const { code, out, err } = await bench.run(argv)
  expect(code, err).toBe(0)
  expect(out).toContain('forty two')
  const [, id] = /banyan tree (\S+)/.exec(err)!
  const tree = JSON.parse((await bench.run(['tree', id!, '--json'])).out)
  expect(tree).toMatchObject({ model: 'playbook', approval: 'run_free', watching: { tokens: 0, share: null, cap: 0.4 } })
  expect(tree.tasks[0].criteria).toEqual(['forty two is printed', 'nothing else is'])
  expect((await bench.run(['show', id!])).out).toMatch(/What counts as done\n.*forty two is printed/)
})

test('a file that is not there is 2, and a model without its key is 1 with the setting', async () => {
  const odd = await bench.run(['goal', 'x', '--rule', 'forbid program cat'])
  expect([odd.code, odd.err]).toEqual([2, expect.stringContaining('ask or deny, then one of tool, permission, program, host')])
  const missing = await bench.run(['goal', 'x', '--attach', join(bench.folder, 'nothing')])
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('check the path given to --attach')])
  const model = await bench.run(['goal', 'x', '--model', 'openrouter/a/b'])
  expect([model.code, model.err]).toEqual([1, expect.stringContaining('needs OPENROUTER_API_KEY')])
})

test('with --plan nothing is done before the plan is approved, which one command does', async () => {
  const asked = await bench.run(['goal', '--plan', '--wait', '1. Run `echo planned`\n2. Run `echo parts`'])
  expect(asked.code, asked.err).toBe(6)
  const [, id] = /banyan tree (\S+)/.exec(asked.err)!
  const approved = await bench.run(['review', 'approve', id!])
  expect(approved.code, approved.err).toBe(0)
  expect((await bench.run(['tree', id!, '--watch'])).code).toBe(0)
  expect((await bench.run(['show', id!, '--full'])).out).toContain('2 of 2 parts are done.')
})

test('pause --all holds what comes after it, and resume --all lets it go', async () => {
  expect((await bench.run(['pause'])).code).toBe(2)
  const paused = await bench.run(['pause', '--all', '--comment', 'a look at the disk'])
  expect([paused.code, paused.err]).toEqual([0, expect.stringContaining('banyan resume --all')])
  const id = (await bench.run(['goal', 'Run `echo held`'])).out.trim()
  expect(JSON.parse((await bench.run(['tree', id, '--json'])).out).status).toBe('pending')
  expect((await bench.run(['resume', '--all'])).code).toBe(0)
  expect((await bench.run(['tree', id, '--watch'])).code).toBe(0)
})
