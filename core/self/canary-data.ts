/**
 * What the code that runs says of a database before and after a candidate had it. Run within the walls, because the file was in a
 * candidate's hands: `prepare FOLDER NOTES` takes out what nobody may learn and holds every goal; `plant FOLDER` makes an empty one with a change
 * that waits for a person; `check FOLDER NOTES TREE` compares; `schema-before`, `schema-up` and `schema-down` compare schemas. It prints one sentence a fault and ends with 1 if there is one.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { openStore, type Store } from '../store/store.ts'
import { violations } from '../tasks/invariants.ts'
import { openReview } from '../tasks/review.ts'
import { openTasks } from '../tasks/tasks.ts'
import { lookAtSchema, notBack, type SchemaLook, takenAway } from './schema-look.ts'

/** The items that `plant` leaves: a change of the system, and something that anybody who may decide could. */
export const PLANTED = 'planted-self-change'
export const PLANTED_QUESTION = 'planted-question'
/** Values that a candidate must not have, even without a network. */
const SECRET = ['secrets', 'sessions', 'api_tokens', 'login_attempts', 'act_keys'] as const

type Notes = {
  violations: string[]
  columns: string[]
  /** Parents and trees of all tasks, by id, as one hash each of many. */
  links: Record<string, string>
  messages: number
  events: number
  lastSeq: number
}
const databaseOf = (folder: string): string => join(folder, 'agent_system.db')
const open = (folder: string): Promise<Store> => openStore(`sqlite:${databaseOf(folder)}`)

export async function prepare(folder: string): Promise<Notes> {
  const store = await open(folder)
  try {
    await store.transact(async ({ db }) => {
      await sql`pragma secure_delete = on`.execute(db)
      for (const table of SECRET) await sql`delete from ${sql.table(table)}`.execute(db)
    })
    const tasks = openTasks(store)
    await tasks.recover()
    // Nothing of the present goes on in a copy: commands would run a second time.
    const roots = await store.db
      .selectFrom('tasks')
      .select('id')
      .where('parent_id', 'is', null)
      .where('status', 'not in', ['done', 'failed', 'cancelled', 'dead'])
      .execute()
    for (const { id } of roots) await tasks.control(id, { verb: 'pause', by: 'canary' }).catch(passOver)
    const rest = await store.db.selectFrom('tasks').select('id').where('status', 'in', ['pending', 'assigned', 'active']).execute()
    for (const { id } of rest) await tasks.control(id, { verb: 'abort', scope: 'node', by: 'canary' }).catch(passOver)
    return await notesOf(store)
  } finally {
    await store.close()
  }
}
/** It ended between two looks, or is held already. */
const passOver = (error: unknown): void => {
  if (!(error instanceof Fault)) throw error
}

export async function plant(folder: string): Promise<void> {
  const store = await open(folder)
  try {
    const { treeId } = await openTasks(store).createGoal({
      goal: 'Change the system',
      agent: 'generalist',
      mode: 'step',
      limits: DEFAULT_LIMITS,
      priority: 0,
      workspace: 'task',
      submittedBy: 'owner',
      origin: 'person',
      idempotencyKey: PLANTED,
      approval: 'ask_risky',
    })
    await openTasks(store).control(treeId, { verb: 'pause', by: 'canary' })
    const item = { treeId, taskId: treeId, callId: null }
    await store.transact(async (tx) => {
      await openReview(tx, {
        ...item,
        id: PLANTED,
        kind: 'self_change',
        title: 'Change Banyan itself',
        action: { change: 'ch_1' },
        risk: 'high',
      })
      await openReview(tx, { ...item, id: PLANTED_QUESTION, kind: 'flag', title: 'Look at this', action: { issue: 'x' }, risk: 'low' })
    })
  } finally {
    await store.close()
  }
}

/** `treeId`: what the canary itself added. */
export async function check(folder: string, before: Notes, treeId: string): Promise<string[]> {
  const store = await open(folder)
  try {
    const now = await notesOf(store)
    const faults = now.violations.filter((one) => !before.violations.includes(one))
    const gone = before.columns.filter((one) => !now.columns.includes(one))
    if (gone.length > 0) faults.push(`the schema lost ${gone.slice(0, 5).join(', ')}`)
    const lost = Object.keys(before.links).filter((id) => now.links[id] !== before.links[id])
    if (lost.length > 0) faults.push(`${lost.length} tasks of before lost their place, the first ${lost[0]}`)
    if (now.messages < before.messages) faults.push(`${before.messages - now.messages} messages of before are gone`)
    if (now.events < before.events || now.lastSeq < before.lastSeq) faults.push('facts of before are gone')
    const own = await store.db.selectFrom('tasks').select(['id', 'parent_id', 'status', 'result']).where('tree_id', '=', treeId).execute()
    if (own.length < 3) faults.push(`its goal has ${own.length} tasks and should have one and two below it`)
    const open = own.filter((task) => task.status !== 'done')
    if (open.length > 0) faults.push(`tasks of its goal are ${open.map((task) => task.status).join(', ')}`)
    if (own.some((task) => task.id !== treeId && task.parent_id !== treeId)) faults.push('a task of its goal hangs at another one')
    return faults
  } finally {
    await store.close()
  }
}

async function notesOf(store: Store): Promise<Notes> {
  const { db } = store
  const found = await violations(store)
  const columns = await sql<{ name: string }>`
    select m.name || '.' || c.name as name from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' order by 1`.execute(db)
  const links: Record<string, string> = {}
  for (const { id, parent_id, tree_id } of await db.selectFrom('tasks').select(['id', 'parent_id', 'tree_id']).execute())
    links[id] = `${tree_id} ${parent_id ?? ''}`
  const count = async (table: 'messages' | 'events'): Promise<number> =>
    Number(
      (
        await db
          .selectFrom(table)
          .select((e) => e.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )
  return {
    violations: found,
    columns: columns.rows.map((row) => row.name),
    links,
    messages: await count('messages'),
    events: await count('events'),
    lastSeq: Number(
      (
        await db
          .selectFrom('events')
          .select((e) => e.fn.max('seq').as('seq'))
          .executeTakeFirst()
      )?.seq ?? 0,
    ),
  }
}

/** The schema before, after up and after down; the last two compared with the first. */
async function schemas(act: string, folder: string, notes: string): Promise<string[]> {
  if (act === 'schema-before') {
    await (await open(folder)).close() // an empty folder gets the schema of this code
    writeFileSync(notes, JSON.stringify(lookAtSchema(databaseOf(folder)).look))
    return []
  }
  const before = JSON.parse(readFileSync(notes, 'utf8')) as SchemaLook
  const { look, faults } = lookAtSchema(databaseOf(folder), before)
  faults.push(...(act === 'schema-up' ? takenAway(before, look) : notBack(before, look)))
  // Code of before must still run on it: a change is taken back, its migration is not.
  if (faults.length === 0) await (await open(folder)).close()
  return faults
}

if (import.meta.main) {
  const [act = '', folder = '', notes = '', treeId = ''] = process.argv.slice(2)
  if (act === 'prepare') writeFileSync(notes, JSON.stringify(await prepare(folder)))
  else if (act === 'plant') await plant(folder)
  else {
    const faults = act.startsWith('schema-')
      ? await schemas(act, folder, notes)
      : await check(folder, JSON.parse(readFileSync(notes, 'utf8')) as Notes, treeId)
    for (const fault of faults) console.log(fault)
    process.exitCode = faults.length > 0 ? 1 : 0
  }
}
