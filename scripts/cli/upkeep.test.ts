import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBench } from './fixture/banyan.ts'

const bench = openBench()
let url = ''
beforeAll(async () => {
  url = (await bench.engine()).url
})
afterAll(() => bench.remove())
/** Each start of the command line takes a second or two on a busy machine. */
const SLOW = 90_000
const all = (...lines: string[][]) => Promise.all(lines.map((argv) => bench.run(argv)))
const linesOf = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
async function api<T>(path: string, body?: object): Promise<T> {
  const token = readFileSync(join(bench.dataDir, 'admin-token'), 'utf8').trim()
  const answer = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
  })
  return (await answer.json()) as T
}
/** A goal that is over. */
async function over(goal: string): Promise<string> {
  const { treeId } = await api<{ treeId: string }>('/api/goals', { goal })
  await expect
    .poll(async () => (await api<{ status: string }>(`/api/trees/${treeId}`)).status, { timeout: 15_000 })
    .toMatch(/^(done|failed)$/)
  return treeId
}

test('what failed is listed with its reason, runs again, and is put away', { timeout: SLOW }, async () => {
  const id = await over('Run `exit 3`')
  expect((await bench.run(['dead'])).out).toMatch(new RegExp(`${id} +failed +Run \`exit 3\``))
  expect((await bench.run(['dead', 'retry', id])).err).toContain('runs again')
  const stuck = async () => (await api<{ items: { taskId: string }[] }>('/api/system/dead')).items.map((one) => one.taskId)
  await expect.poll(stuck, { timeout: 15_000 }).toEqual([id])
  expect((await bench.run(['dead', 'discard', id])).code).toBe(2)
  expect((await bench.run(['dead', 'discard', id, '--yes', '--json'])).code).toBe(0)
  expect(await stuck()).toEqual([])
  const [none, again] = await all(['dead'], ['dead', 'retry', id])
  expect(none!.err).toContain('Nothing is stuck')
  expect(again!.err).toContain('is not stuck')
})

test('providers are listed with what waits for them, and one is called again', { timeout: SLOW }, async () => {
  const [listed, shown, reset, nobody] = await all(
    ['breakers', '--json'],
    ['breakers'],
    ['breakers', 'reset', 'playbook'],
    ['breakers', 'reset', 'nobody'],
  )
  const { items } = JSON.parse(listed!.out)
  expect(items).toContainEqual(expect.objectContaining({ id: 'playbook', state: 'closed', waiting: 0, resumesAt: null }))
  expect(shown!.out).toMatch(/playbook +closed +0 tasks waiting/)
  expect(reset!.err).toContain('playbook is called again')
  expect(nobody!.err).toContain('There is no provider "nobody"')
})

test('a goal is written to a file as lines of JSON', { timeout: SLOW }, async () => {
  const id = await over('Run `echo kept`')
  const done = await bench.run(['export', id, '-o', 'goal.jsonl'])
  expect(done.code, done.err).toBe(0)
  const lines = linesOf(readFileSync(join(bench.folder, 'goal.jsonl'), 'utf8'))
  expect(lines.slice(0, 2)).toMatchObject([
    { format: 'banyan-tree', treeId: id },
    { table: 'trees', row: { id } },
  ])
  expect(lines.some((one) => one.table === 'messages' && JSON.stringify(one.row).includes('kept'))).toBe(true)
  expect((await bench.run(['export', id, '-o', 'goal.jsonl'])).err).toContain('--force')
})

test('what retention would take is told, and nothing young goes', { timeout: SLOW }, async () => {
  const [told, asked, run, unset, young] = await all(
    ['retention'],
    ['retention', '--days', '14', '--json'],
    ['retention', '--days', '14', '--run', '--yes'],
    ['retention', '--run'],
    ['retention', '--days', '3'],
  )
  expect(told!.err).toContain('Goals are kept for good')
  expect(JSON.parse(asked!.out)).toMatchObject({ days: null, askedDays: 14, trees: 0 })
  expect(run!.err).toContain('0 goals removed')
  expect(unset!.err).toContain('RETENTION_DAYS')
  expect(young!.code).toBe(2)
})

test('the log of the runtime is filtered by level and by task, and facts by task', { timeout: SLOW }, async () => {
  const id = await over('Run `exit 4`')
  const [warnings, info, facts] = await all(
    ['logs', '--level', 'warn', '--task', id],
    ['logs', '--level', 'info', '--tree', id, '--json'],
    ['logs', '--task', id, '--json'],
  )
  expect(warnings!.out).toMatch(new RegExp(`warn ${id} Task failed`))
  const lines = linesOf(info!.out)
  expect(lines.length).toBeGreaterThan(1)
  expect(lines.every((line) => line.treeId === id)).toBe(true)
  expect(linesOf(facts!.out).at(-1)).toMatchObject({ type: 'task.moved', taskId: id, to: 'failed' })
})
