import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openStore } from '../store/store.ts'

/** The planner takes a partial index only for a condition that it can read in the text; a bound value hides it, and each claim would read every task. */
test.each([
  ['tasks_ready', `select * from tasks where status = 'pending' order by priority desc, created_at, id limit ?`],
  ['tasks_leased', `select id from tasks where status in ('assigned', 'active') and lease_until < ? limit ?`],
  ['tasks_waking', 'select id from tasks where wake_at is not null and wake_at <= ? limit ?'],
  ['tasks_by_status', `select id from tasks where tree_id = ? and status = 'backlog'`],
  ['tasks_children', 'select id from tasks where parent_id = ?'],
  ['calls_open', `select * from calls where task_id = ? and state <> 'ended'`],
  ['model_calls_open', `select * from model_calls where task_id = ? and state = 'reserved'`],
])('%s serves the query that it was made for', async (index, sql) => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-plans-'))
  const file = join(folder, 'agent_system.db')
  const store = await openStore(`sqlite:${file}`)
  const db = new BetterSqlite(file)
  const bound = Array.from({ length: sql.split('?').length - 1 }, () => 1)
  const plan = (db.prepare(`explain query plan ${sql}`).all(...bound) as { detail: string }[]).map((row) => row.detail).join('; ')
  expect(plan).toContain(index)
  db.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})
