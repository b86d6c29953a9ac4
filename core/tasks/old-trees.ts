/**
 * Goals that ended long ago: which they are, all that the database holds of one, and taking it out. The intention is saved first, and from
 * then on nobody opens the goal again; its rows follow in small transactions, and a start finishes what a kill left.
 */
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { isOver, type TaskStatus } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import { lock } from './rows.ts'

export type OldTree = { id: string; goal: string; status: TaskStatus; tasks: number; endedAt: number }

/** Tables with a row for each of these; what names a tree and is not here stays on purpose, see `KEPT`. */
export const BY_TASK = ['watches', 'messages', 'calls', 'model_calls', 'web_citations', 'outside_calls', 'outside_tasks'] as const
export const BY_TREE = ['file_changes', 'jobs', 'reviews', 'rules', 'events'] as const
/** The story of changes and of made tools outlives the goal that they came from, and found pages are everybody's. */
export const KEPT = ['changes', 'made_tools', 'web_searches'] as const

/** Rows, or tasks whose rows are taken together, of one transaction. */
const PIECE = 500
const TASKS = 20
/** Goals looked at for one that is old. */
const PAGE = 200
const KEY = 'removing:'

const removalOf = prepare<{ key: string }>()((db, p) => db.selectFrom('meta').select('key').where('key', '=', p.key))

/** Ended before `before` (milliseconds since 1970), oldest first, with nothing open: no task, question, job or change of the system. */
export async function oldTrees(store: Store, before: number, limit: number): Promise<OldTree[]> {
  const found: OldTree[] = []
  let after = { at: -1, id: '' }
  while (found.length < limit) {
    const page = await store.db
      .selectFrom('trees')
      .select(['id', 'created_at'])
      .where('created_at', '<', before)
      .where((e) => e.or([e('created_at', '>', after.at), e.and([e('created_at', '=', after.at), e('id', '>', after.id)])]))
      .orderBy('created_at')
      .orderBy('id')
      .limit(PAGE)
      .execute()
    for (const { id } of page) {
      const old = await oldTree(store.db, id, before)
      if (old && found.length < limit) found.push(old)
    }
    const last = page.at(-1)
    if (page.length < PAGE || !last) break
    after = { at: Number(last.created_at), id: last.id }
  }
  return found
}

/** null: it is not old, or something of it is open. */
async function oldTree(db: Tx['db'], id: string, before: number): Promise<OldTree | null> {
  const root = await db
    .selectFrom('trees')
    .innerJoin('tasks', 'tasks.id', 'trees.id')
    .select(['trees.goal', 'tasks.status', 'tasks.updated_at'])
    .where('trees.id', '=', id)
    .executeTakeFirst()
  if (!root || !isOver(root.status as TaskStatus) || Number(root.updated_at) >= before) return null
  const tasks = await db
    .selectFrom('tasks')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.max('updated_at').as('last')])
    .select(sql<number>`sum(case when status in ('done', 'failed', 'cancelled', 'dead') then 0 else 1 end)`.as('open'))
    .where('tree_id', '=', id)
    .executeTakeFirstOrThrow()
  if (Number(tasks.open) > 0 || Number(tasks.last) >= before) return null
  const open = await Promise.all([
    db.selectFrom('reviews').select('id').where('tree_id', '=', id).where('state', '<>', 'decided').limit(1).executeTakeFirst(),
    db.selectFrom('jobs').select('id').where('tree_id', '=', id).where('state', '=', 'running').limit(1).executeTakeFirst(),
    db
      .selectFrom('changes')
      .select('id')
      .where('tree_id', '=', id)
      .where('state', 'not in', ['kept', 'undone', 'refused'])
      .limit(1)
      .executeTakeFirst(),
  ])
  if (open.some((one) => one !== undefined)) return null
  return { id, goal: root.goal, status: root.status as TaskStatus, tasks: Number(tasks.count), endedAt: Number(tasks.last) }
}

type Line = { table: string; row: Record<string, unknown> }
/** Fences a claim, so it is told to nobody who may only look. */
const withoutLease = ({ lease: _, ...row }: Record<string, unknown>): Record<string, unknown> => row

/** Every row of a tree, the tree itself first. A Fault where there is none. */
export async function* rowsOfTree(store: Store, id: string): AsyncGenerator<Line> {
  const tree = await store.db.selectFrom('trees').selectAll().where('id', '=', id).executeTakeFirst()
  if (!tree) throw new Fault('not_found', `There is no tree ${id}.`)
  yield { table: 'trees', row: tree }
  const ids = await taskIds(store.db, id)
  for (const some of pieces(ids, TASKS)) {
    for (const row of await store.db.selectFrom('tasks').selectAll().where('id', 'in', some).orderBy('created_at').orderBy('id').execute())
      yield { table: 'tasks', row }
    for (const table of BY_TASK)
      for (const row of await store.db.selectFrom(table).selectAll().where('task_id', 'in', some).execute())
        yield { table, row: table === 'outside_tasks' ? withoutLease(row) : row }
  }
  for (const table of BY_TREE) {
    if (table === 'events') continue
    for (const row of await store.db.selectFrom(table).selectAll().where('tree_id', '=', id).execute()) yield { table, row }
  }
  for (let seq = 0; ; ) {
    const rows = await store.db
      .selectFrom('events')
      .selectAll()
      .where('tree_id', '=', id)
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(PIECE)
      .execute()
    for (const row of rows) yield { table: 'events', row }
    if (rows.length < PIECE) return
    seq = Number(rows.at(-1)!.seq)
  }
}

type Removal = { tasks: number; file: string | null; by: string }

/** Begins to take a goal out, if it still is old: nobody can open it again. Answers whether it did. `finishRemovals` does the rest. */
export function beginRemoval(store: Store, id: string, before: number, removal: Omit<Removal, 'tasks'>): Promise<boolean> {
  return store.transact(
    async (tx) => {
      await lock(tx, id)
      const old = await oldTree(tx.db, id, before)
      if (!old) return false
      const value: Removal = { ...removal, tasks: old.tasks }
      await tx.db
        .insertInto('meta')
        .values({ key: `${KEY}${id}`, value: JSON.stringify(value) })
        .onConflict((c) => c.column('key').doNothing())
        .execute()
      return true
    },
    { durable: true },
  )
}

/** Refuses what would open a goal that is leaving. */
export async function mustStay(tx: Tx, treeId: string): Promise<void> {
  if ((await tx.query(removalOf, { key: `${KEY}${treeId}` })).length > 0)
    throw new Fault('conflict', `Goal ${treeId} is being removed, because it ended long ago; give it again as a new goal.`)
}

/** Removes goals that leave, rows first. `cleared` is called before the last commit of each, with its id. */
export async function finishRemovals(store: Store, cleared: (treeId: string) => Promise<void>): Promise<number> {
  const begun = await store.db.selectFrom('meta').selectAll().where('key', 'like', `${KEY}%`).orderBy('key').execute()
  for (const { key, value } of begun) {
    const id = key.slice(KEY.length)
    const { tasks, file, by } = JSON.parse(value) as Removal
    for (const some of pieces(await taskIds(store.db, id), TASKS))
      await store.transact(async (tx) => {
        for (const table of BY_TASK) await tx.db.deleteFrom(table).where('task_id', 'in', some).execute()
      })
    for (const table of BY_TREE) while (await removePiece(store, table, id));
    await cleared(id)
    while (await removeLeaves(store, id));
    await store.transact(async (tx) => {
      await tx.db.deleteFrom('trees').where('id', '=', id).execute()
      await tx.db.deleteFrom('meta').where('key', '=', key).execute()
      tx.record(null, { type: 'tree.removed', id, tasks, file, by })
    })
  }
  return begun.length
}

/** Tasks that have none below them, because a task names its parent. False when none is left. */
function removeLeaves(store: Store, treeId: string): Promise<boolean> {
  return store.transact(async (tx) => {
    const leaves = await tx.db
      .selectFrom('tasks as t')
      .select('t.id')
      .where('t.tree_id', '=', treeId)
      .where((e) => e.not(e.exists(e.selectFrom('tasks as c').select('c.id').whereRef('c.parent_id', '=', 't.id'))))
      .limit(PIECE)
      .execute()
    if (leaves.length === 0) return false
    const ids = leaves.map(({ id }) => id)
    await tx.db
      .deleteFrom('meta')
      .where(
        'key',
        'in',
        ids.map((id) => `discarded:${id}`),
      )
      .execute()
    await tx.db.deleteFrom('tasks').where('id', 'in', ids).execute()
    return true
  })
}

/** False when nothing is left. */
async function removePiece(store: Store, table: (typeof BY_TREE)[number], treeId: string): Promise<boolean> {
  const key = table === 'events' ? 'seq' : table === 'file_changes' ? 'n' : 'id'
  return store.transact(async (tx) => {
    const { rows } = await sql<{ key: string | number }>`
      select ${sql.ref(key)} as key from ${sql.table(table)} where tree_id = ${treeId} order by 1 limit ${sql.lit(PIECE)}`.execute(tx.db)
    if (rows.length === 0) return false
    await sql`delete from ${sql.table(table)} where tree_id = ${treeId} and ${sql.ref(key)} in (${sql.join(rows.map((row) => row.key))})`.execute(
      tx.db,
    )
    return rows.length === PIECE
  })
}

const taskIds = async (db: Tx['db'], treeId: string): Promise<string[]> =>
  (await db.selectFrom('tasks').select('id').where('tree_id', '=', treeId).orderBy('created_at').orderBy('id').execute()).map(
    ({ id }) => id,
  )

function pieces<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
}
