import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { type Server, serve } from '../http/fixture/serve.ts'
import { openStore, type Store } from '../store/store.ts'
import { BY_TASK, BY_TREE, beginRemoval, finishRemovals, KEPT } from '../tasks/old-trees.ts'
import { openReview } from '../tasks/review.ts'
import { openTasks, type Tasks } from '../tasks/tasks.ts'
import { openMetrics } from './metrics.ts'
import { DAY_MS, openRetention } from './retention.ts'
import { countDead, deadOf } from './work.ts'

let folder: string
let store: Store
let tasks: Tasks
let counted = 0
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-retention-'))
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
  tasks = openTasks(store)
  counted = 0
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const workspace = (id: string) => join(folder, 'workspaces', id)
const open = (more: { days?: number | null; keep?: boolean; aheadDays?: number } = {}) =>
  openRetention({
    store,
    dataDir: folder,
    days: 30,
    keep: true,
    foldersOf: (id) => [workspace(id), join(folder, 'history', id)],
    counted: async () => {
      counted += 1
    },
    now: () => Date.now() + (more.aheadDays ?? 31) * DAY_MS,
    log: () => undefined,
    ...more,
  })
const submit = async (goal: string) =>
  (
    await tasks.createGoal({
      goal,
      agent: 'generalist',
      mode: 'auto',
      limits: DEFAULT_LIMITS,
      priority: 0,
      workspace: 'task',
      submittedBy: 'owner',
      origin: 'person',
    })
  ).treeId
/** A goal with a model call in it that a person stopped. */
async function ended(goal: string): Promise<string> {
  const id = await submit(goal)
  const lease = (await tasks.turns.lease('w', 1))[0]!
  await tasks.turns.begin(lease, { provider: 'p', model: 'm', tokens: 1, costMicros: 1, maxTurns: 5 })
  await tasks.control(id, { verb: 'abort', by: 'owner' })
  mkdirSync(join(workspace(id), 'notes'), { recursive: true })
  writeFileSync(join(workspace(id), 'notes', 'a.txt'), `file of ${goal}`)
  return id
}
/** Rows of a goal, in every table that names trees or tasks. */
async function rowsLeft(id: string): Promise<Record<string, number>> {
  const count = async (table: string, column: string) =>
    (await sql<{ n: number }>`select count(*) as n from ${sql.table(table)} where ${sql.ref(column)} = ${id}`.execute(store.db)).rows[0]!.n
  const all = [['trees', 'id'], ['tasks', 'tree_id'], ...BY_TASK.map((t) => [t, 'task_id']), ...BY_TREE.map((t) => [t, 'tree_id'])]
  const found = await Promise.all(all.map(async ([table, column]) => [table, await count(table!, column!)] as const))
  return Object.fromEntries(found.filter(([, n]) => Number(n) > 0))
}

test('what old goals took of the disk is given back, while others are written', async () => {
  const file = join(folder, 'agent_system.db')
  for (let n = 0; n < 12; n++) await ended(`Goal ${n} ${'word '.repeat(100_000)}`)
  await store.compact()
  const before = statSync(file).size
  expect(before).toBeGreaterThan(6_000_000)
  const young = submit('A young one.')
  await open({ keep: false }).run('ann')
  expect(statSync(file).size).toBeLessThan(before / 4)
  expect((await tasks.task(await young)).status).toBe('pending')
  expect((await sql<{ integrity_check: string }>`pragma integrity_check`.execute(store.db)).rows).toEqual([{ integrity_check: 'ok' }])
})

test('an old goal is written to a file, with its messages, facts and files, and then is gone', async () => {
  const id = await ended('Count the files.')
  const root = await store.db.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  for (const [child, parent] of [
    [`${id}.1`, id],
    [`${id}.1.1`, `${id}.1`],
  ] as const)
    await store.transact(async (tx) => {
      await tx.db
        .insertInto('tasks')
        .values({ ...root, id: child, parent_id: parent })
        .execute()
    })
  expect(Object.keys(await rowsLeft(id))).toEqual(expect.arrayContaining(['trees', 'tasks', 'model_calls', 'events']))
  const retention = open()
  const { items } = await retention.run('ann')
  expect(items).toMatchObject([{ treeId: id, status: 'cancelled', tasks: 3, file: `exports/${id}.jsonl.gz` }])
  expect(await rowsLeft(id)).toEqual({})
  expect(counted).toBe(1)
  const lines = gunzipSync(readFileSync(join(folder, 'exports', `${id}.jsonl.gz`)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines[0]).toMatchObject({ format: 'banyan-tree', version: 1, treeId: id })
  expect(lines[1]).toMatchObject({ table: 'trees', row: { id, goal: 'Count the files.' } })
  expect(lines.filter((one) => one.table === 'events').length).toBeGreaterThan(2)
  const file = lines.find((one) => one.table === 'files').row
  expect([file.path, Buffer.from(file.base64, 'base64').toString()]).toEqual(['notes/a.txt', 'file of Count the files.'])
  expect(spawnSync('ls', [workspace(id)]).status).not.toBe(0)
  expect((await store.eventsAfter((await store.lastSeq()) - 1))[0]).toMatchObject({ type: 'tree.removed', id, by: 'ann', treeId: null })
  await expect(tasks.tree(id)).rejects.toThrow('no tree')
  await expect(tasks.control(id, { verb: 'retry', by: 'ann' })).rejects.toThrow()
  await retention.close()
})

test('a goal that is young, runs, or has an open question stays whole; the preview says the same as the run', async () => {
  const running = await submit('Go on.')
  const lease = (await tasks.turns.lease('w', 1))[0]!
  expect(lease.treeId).toBe(running)
  const asked = await ended('Asks.')
  await store.transact((tx) =>
    openReview(tx, { id: `${asked}/f`, kind: 'flag', treeId: asked, taskId: asked, callId: null, title: 'Look', action: {}, risk: 'low' }),
  )
  const old = await ended('Old.')
  const young = open({ aheadDays: 29 })
  expect((await young.preview()).trees).toBe(0)
  expect(await young.preview(20)).toMatchObject({ days: 30, askedDays: 20, trees: 1, tasks: 1, items: [{ treeId: old }] })
  expect((await young.run('ann')).items).toEqual([])
  await young.close()
  const retention = open()
  expect((await retention.preview()).items.map((one) => one.treeId)).toEqual([old])
  expect((await retention.run('ann')).items.map((one) => one.treeId)).toEqual([old])
  for (const id of [running, asked]) expect((await tasks.tree(id)).id).toBe(id)
  await retention.close()
})

test('without a number of days nothing ever goes', async () => {
  await ended('Old.')
  const retention = open({ days: null, aheadDays: 10_000 })
  await retention.sweep()
  expect((await store.db.selectFrom('trees').select('id').execute()).length).toBe(1)
  expect(await retention.preview()).toMatchObject({ days: null, trees: 0 })
  await expect(retention.run('ann')).rejects.toThrow('RETENTION_DAYS')
  await retention.close()
})

test('a goal that was opened again between the look and the removal stays', async () => {
  const id = await ended('Old.')
  await tasks.control(id, { verb: 'retry', by: 'ann' })
  expect(await beginRemoval(store, id, Date.now() + 31 * DAY_MS, { file: null, by: 'ann' })).toBe(false)
  expect((await tasks.tree(id)).status).toBe('pending')
})

test('a removal that was cut off after its first commit is finished at the next start', async () => {
  const id = await ended('Old.')
  expect(await beginRemoval(store, id, Date.now() + 31 * DAY_MS, { file: null, by: 'system' })).toBe(true)
  await expect(tasks.control(id, { verb: 'retry', by: 'ann' })).rejects.toThrow('is being removed')
  await store.close()
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
  const retention = open({ days: null })
  await retention.sweep()
  expect(await rowsLeft(id)).toEqual({})
  expect(await finishRemovals(store, async () => undefined)).toBe(0)
  await retention.close()
})

test('a file that the export could not hold stays where it is', async () => {
  const id = await ended('Large.')
  writeFileSync(join(workspace(id), 'large.bin'), '')
  truncateSync(join(workspace(id), 'large.bin'), 40 * 1024 * 1024)
  const retention = open()
  await retention.run('ann')
  expect(spawnSync('ls', [workspace(id)]).stdout.toString()).toContain('large.bin')
  expect(gunzipSync(readFileSync(join(folder, 'exports', `${id}.jsonl.gz`))).toString()).toContain('stays in the workspace')
  await retention.close()
})

test('every table that names a tree or a task is removed with it, or kept on purpose', async () => {
  const tables = await store.db.introspection.getTables()
  const naming = tables.filter((table) => table.columns.some((column) => ['tree_id', 'task_id'].includes(column.name)))
  expect(naming.map((table) => table.name).sort()).toEqual([...BY_TASK, ...BY_TREE, ...KEPT, 'tasks'].sort())
})

describe('over HTTP', () => {
  let server: Server
  beforeEach(async () => {
    server = await serve()
  })
  afterEach(() => server.stop())

  test('a goal is exported as lines, and one that is not there is refused', async () => {
    const id = await server.goal('Say hello.')
    const answer = await server.ask('GET', `/api/trees/${id}/export`)
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/octet-stream'])
    const lines = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.slice(0, 3)).toMatchObject([{ format: 'banyan-tree' }, { table: 'trees' }, { table: 'tasks', row: { id } }])
    expect((await server.ask('GET', '/api/trees/nothing/export')).status).toBe(404)
  })
  test('a preview is for whoever may look, a run for the owner, and two weeks are the least', async () => {
    expect((await server.ask('GET', '/api/system/retention?days=14')).json).toMatchObject({ askedDays: 14, trees: 0, items: [] })
    expect((await server.ask('GET', '/api/system/retention?days=13')).status).toBe(400)
    expect((await server.ask('POST', '/api/system/retention', { body: { days: 14 } })).json).toEqual({ items: [], more: false })
    expect((await server.ask('POST', '/api/system/retention')).status).toBe(400)
  })
})

describe.skipIf(!need('postgres'))('on a real PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  test('an old goal with tasks below it goes, what failed is put away, and facts are counted from where the last one stopped', async () => {
    await store.close()
    store = await openStore(server.url)
    tasks = openTasks(store)
    const id = await ended('Count the files.')
    const root = await store.db.selectFrom('tasks').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    await store.transact(async (tx) => {
      await tx.db
        .insertInto('tasks')
        .values({ ...root, id: `${id}.1`, parent_id: id })
        .execute()
    })
    const failed = await submit('Fail.')
    const lease = (await tasks.turns.lease('w', 1))[0]!
    await tasks.turns.fail(lease, { reason: 'error', note: 'no' })
    const dead = async () => (await deadOf(store, { limit: 10 })).items.map((one) => one.taskId)
    expect(await dead()).toEqual([failed])
    expect(await countDead(store)).toBe((await dead()).length)
    await tasks.discard(failed, 'ann')
    expect(await dead()).toEqual([])

    const metrics = () => openMetrics({ store, version: '1', now: Date.now, gauges: async () => [] })
    expect(await metrics().text()).toMatch(/banyan_goals_submitted_total(\{[^}]*\})? 2\b/)
    const retention = open()
    expect((await retention.run('ann')).items.map((one) => one.tasks)).toEqual([2, 1])
    expect(await rowsLeft(id)).toEqual({})
    await retention.close()
    expect(await metrics().text()).toMatch(/banyan_goals_submitted_total(\{[^}]*\})? 2\b/)
    await tasks.wakeQuota('anthropic')
  })
})
