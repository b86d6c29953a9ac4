/** What the watchdog sees over HTTP, and whose goals it leaves alone. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ResponseOf } from '../contract/api.ts'
import type { Watch } from '../contract/watch.ts'
import { openStore } from '../store/store.ts'
import { openTask, save } from '../tasks/rows.ts'
import { showWatch } from '../tasks/watch-mark.ts'
import { engine, type Running } from './fixture/engine.ts'

let running: Running
beforeAll(async () => {
  running = await engine({ WATCHDOG: 'off' })
})
afterAll(() => running.stop())

const seen = async () => (await running.ask<ResponseOf<'watched'>>('GET', '/api/watchdog')).json
const set = (id: string, body: object) => running.ask<ResponseOf<'saveWatched'>>('PUT', `/api/trees/${id}/watchdog`, body)

test('tasks that do not get on are listed with what was seen and how far it went', { timeout: 30_000 }, async () => {
  expect(await seen()).toEqual({ count: 0, items: [] })
  const id = (await running.submit('Write a report')).json.treeId
  await running.asked(id)
  const at = new Date().toISOString()
  const watch: Watch = { sign: 'repeated_error', words: 'The same error 4 times.', since: at, calls: [], rung: 'nudged', at }
  const store = await openStore(`sqlite:${running.folder}/agent_system.db`)
  await store.transact(async (tx) => {
    const task = await openTask(tx, id)
    await showWatch(tx, task, watch, 'It was told.', 'watchdog')
    await save(tx, task)
  })
  await store.close()
  const { calls: _, ...shown } = watch
  expect(await seen()).toEqual({ count: 1, items: [{ ...shown, taskId: id, treeId: id, title: 'Write a report' }] })
  expect((await running.tree(id)).tasks[0]).toMatchObject({ watch: { sign: 'repeated_error', rung: 'nudged' } })
})

test('a goal is watched, watched with patience, or left alone; each change is a fact, and saying it again is none', {
  timeout: 30_000,
}, async () => {
  const id = (await running.submit('Write a letter')).json.treeId
  expect(await running.tree(id)).toMatchObject({ watched: true })
  expect((await set(id, { on: true, patient: true })).json).toEqual({ treeId: id, on: true, patient: true })
  expect(await running.tree(id)).toMatchObject({ watched: true, patient: true })
  expect((await set(id, { on: false })).json).toEqual({ treeId: id, on: false, patient: false })
  expect((await set(id, { on: false })).status).toBe(200)
  expect(await running.tree(id)).toMatchObject({ watched: false })
  const { items } = (await running.ask<{ items: { type: string; treeId: string; on?: boolean }[] }>('GET', '/api/events?limit=1000')).json
  expect(items.filter((fact) => fact.type === 'tree.watched' && fact.treeId === id)).toMatchObject([
    { on: true, patient: true, by: 'owner' },
    { on: false },
  ])
  expect(await set('nobody', { on: true })).toMatchObject({ status: 404, json: { detail: 'There is no tree nobody.' } })
  expect((await set(id, { on: 'maybe' })).status).toBe(400)
})
