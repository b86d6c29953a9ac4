/** What must be true of a database at any moment between two commits. Tests and crash runs check it after everything they do. */
import { sql } from 'kysely'
import { isOver, type Task, type TaskStatus } from '../contract/task.ts'
import { applyEvent, emptyView, type View } from '../contract/tree.ts'
import type { Store } from '../store/store.ts'
import { INSTRUCTION_PREVIEW, limitsOf, type TaskRow, toReview, toTask, toTree } from './rows.ts'
import { MAX_ATTEMPTS } from './turns.ts'

/** Sentences about what is broken; empty when all is well. `settled`: nothing runs, so every task must be over or parked with a reason. */
export async function violations(store: Store, options: { settled?: boolean } = {}): Promise<string[]> {
  const found: string[] = []
  const rows = (await store.db.selectFrom('tasks').selectAll().execute()) as TaskRow[]
  const tasks = new Map(rows.map((row) => [row.id, row]))
  const calls = await store.db.selectFrom('calls').selectAll().where('state', '<>', 'ended').execute()

  for (const task of rows) {
    const open = calls.filter((call) => call.task_id === task.id)
    const held = open.filter((call) => call.waits !== null)
    if (options.settled && ['pending', 'assigned', 'active'].includes(task.status))
      found.push(`task ${task.id} is ${task.status} though nothing runs`)
    if (task.status === 'waiting' && (task.reason === 'children' || task.reason === 'review') && held.length === 0)
      found.push(`task ${task.id} waits for ${task.reason} and no call of its waits: a lost wake`)
    if (task.status === 'waiting' && task.reason === 'quota' && task.wake_at === null)
      found.push(`task ${task.id} waits for a time that is not set`)
    if (task.held_by !== null && !(task.status === 'waiting' && task.reason === 'quota'))
      found.push(`task ${task.id} is ${task.status} and is held by the limits of ${task.held_by}`)
    if (task.status === 'waiting' && task.reason === 'closing' && task.closing === null)
      found.push(`task ${task.id} is closing and claims nothing`)
    for (const call of held) {
      const ids = JSON.parse(call.wait_ids ?? '[]') as string[]
      if (
        call.waits === 'tasks' &&
        !isOver(task.status) &&
        task.status !== 'paused' &&
        ids.every((id) => isOver((tasks.get(id)?.status ?? 'done') as TaskStatus))
      )
        found.push(`call ${call.id} waits for tasks that are all over`)
    }
    if (
      task.status === 'backlog' &&
      (JSON.parse(task.after) as string[]).every((id) => isOver((tasks.get(id)?.status ?? 'pending') as TaskStatus))
    )
      found.push(`task ${task.id} waits for tasks that are all over`)
    if (task.parent_id !== null && !tasks.has(task.parent_id)) found.push(`task ${task.id} lost its parent ${task.parent_id}`)
    const parent = task.parent_id === null ? undefined : tasks.get(task.parent_id)
    if (
      parent &&
      isOver(parent.status) &&
      !isOver(task.status) &&
      task.kind !== 'document' &&
      task.stopped_by_person === 0 &&
      task.turns === 0
    )
      found.push(`task ${task.id} goes on though its parent is ${parent.status}`)
    if (isOver(task.status) && task.status === 'done' && task.result === null) found.push(`task ${task.id} is done without a result`)
  }

  const counted = await store.db
    .selectFrom('messages')
    .select(['task_id', (e) => e.fn.countAll<number>().as('count'), (e) => e.fn.max('n').as('last')])
    .groupBy('task_id')
    .execute()
  for (const { task_id, count, last } of counted) {
    const task = tasks.get(task_id)
    if (task && (Number(count) !== task.messages || Number(last) !== task.messages))
      found.push(`task ${task_id} counts ${task.messages} messages and has ${count}, the last numbered ${last}`)
  }

  for (const by of ['tree_id', 'task_id'] as const) {
    const sums = await store.db
      .selectFrom('model_calls')
      .where('state', '=', 'settled')
      .select([
        by,
        (e) => e.fn.countAll<number>().as('turns'),
        (e) => e.fn.sum<number>('tokens').as('tokens'),
        (e) => e.fn.sum<number | null>('cost_micros').as('cost'),
      ])
      .groupBy(by)
      .execute()
    const ledger = new Map(sums.map((row) => [row[by], row]))
    const owners = by === 'tree_id' ? await store.db.selectFrom('trees').select(['id', 'turns', 'tokens', 'cost_micros']).execute() : rows
    for (const owner of owners) {
      const sum = ledger.get(owner.id)
      if (
        owner.turns !== Number(sum?.turns ?? 0) ||
        owner.tokens !== Number(sum?.tokens ?? 0) ||
        owner.cost_micros !== Number(sum?.cost ?? 0)
      )
        found.push(
          `${by} ${owner.id} says ${owner.turns} calls, ${owner.tokens} tokens, ${owner.cost_micros} µ$; its calls sum to ${sum?.turns ?? 0}, ${sum?.tokens ?? 0}, ${sum?.cost ?? 0}`,
        )
    }
  }
  const held = await store.db
    .selectFrom('model_calls')
    .where('state', '=', 'reserved')
    .select(['tree_id', (e) => e.fn.countAll<number>().as('turns'), (e) => e.fn.sum<number>('reserved_tokens').as('tokens')])
    .groupBy('tree_id')
    .execute()
  for (const tree of await store.db.selectFrom('trees').selectAll().execute()) {
    const sum = held.find((row) => row.tree_id === tree.id)
    if (tree.reserved_turns !== Number(sum?.turns ?? 0) || tree.reserved_tokens !== Number(sum?.tokens ?? 0))
      found.push(`tree ${tree.id} holds reservations that no call has`)
    if (options.settled && tree.reserved_turns !== 0) found.push(`tree ${tree.id} holds a reservation though nothing runs`)
    const count = rows.filter((row) => row.tree_id === tree.id).length
    if (tree.tasks !== count) found.push(`tree ${tree.id} counts ${tree.tasks} tasks and has ${count}`)
  }

  found.push(...(await askedAndAnswered(store, tasks)))
  found.push(...(await foldDiffers(store, rows)))
  if (store.kind === 'sqlite') found.push(...(await integrity(store)))
  return found
}

/** Calls have one answer each, what waits for a person is before one, claims and caps are kept. */
async function askedAndAnswered(store: Store, tasks: ReadonlyMap<string, TaskRow>): Promise<string[]> {
  const found: string[] = []
  const { db } = store
  const reviews = new Map((await db.selectFrom('reviews').selectAll().execute()).map((row) => [row.id, row]))
  const answers = new Map<string, number>()
  for (const { body } of await db.selectFrom('messages').select('body').where('role', '=', 'tool').execute()) {
    const { callId } = JSON.parse(body) as { callId: string }
    answers.set(callId, (answers.get(callId) ?? 0) + 1)
  }
  for (const call of await db.selectFrom('calls').selectAll().execute()) {
    const [count, due] = [answers.get(call.id) ?? 0, call.state === 'ended' ? 1 : 0]
    if (count !== due) found.push(`call ${call.id} is ${call.state} and has ${count} answers`)
    if (call.waits !== 'review' || isOver(tasks.get(call.task_id)!.status)) continue
    for (const id of JSON.parse(call.wait_ids ?? '[]') as string[])
      if (!reviews.has(id) || reviews.get(id)!.state === 'decided')
        found.push(`call ${call.id} waits for the item ${id}, which ${reviews.has(id) ? 'is decided' : 'is not there'}`)
  }
  const made = await db
    .selectFrom('model_calls')
    .select(['task_id', (e) => e.fn.countAll<number>().as('count')])
    .groupBy('task_id')
    .execute()
  const modelCalls = new Map(made.map((row) => [row.task_id, Number(row.count)]))
  for (const task of tasks.values()) {
    const claimed = task.status === 'assigned' || task.status === 'active'
    if (claimed !== (task.lease_worker !== null)) found.push(`task ${task.id} is ${task.status} and its worker is ${task.lease_worker}`)
    if (!['pending', 'assigned', 'active'].includes(task.status) && task.reason === null)
      found.push(`task ${task.id} is ${task.status} without a reason`)
    if (task.attempts > MAX_ATTEMPTS) found.push(`task ${task.id} was claimed ${task.attempts} times in a row without a turn`)
    if (task.model_calls !== (modelCalls.get(task.id) ?? 0))
      found.push(`task ${task.id} counts ${task.model_calls} model calls and has ${modelCalls.get(task.id) ?? 0}`)
    if (task.status === 'dead' && ![...reviews.values()].some((item) => item.kind === 'dead_task' && item.task_id === task.id))
      found.push(`task ${task.id} was set aside and nobody was told`)
  }
  for (const tree of await db.selectFrom('trees').selectAll().execute()) {
    const limits = limitsOf(tree)
    const own = [...tasks.values()].filter((task) => task.tree_id === tree.id)
    const depth = Math.max(...own.map((task) => task.depth))
    if (tree.turns > limits.turns || tree.tasks > limits.tasks || depth > limits.depth)
      found.push(`tree ${tree.id} is beyond its caps: ${tree.turns} calls, ${tree.tasks} tasks, ${depth} levels`)
    const asks = [...reviews.values()].some((item) => item.kind === 'budget' && item.tree_id === tree.id && item.state !== 'decided')
    if (tree.paused_reason !== null && !asks && !isOver(tasks.get(tree.id)!.status))
      found.push(`tree ${tree.id} is held at a cap and asks nobody`)
  }
  return found
}

/** The log, folded, must tell what the tables say. */
async function foldDiffers(store: Store, rows: readonly TaskRow[]): Promise<string[]> {
  const found: string[] = []
  let view: View = emptyView
  for (let seq = 0; ; seq = view.seq) {
    const events = await store.eventsAfter(seq, { limit: 5_000 })
    if (events.length === 0) break
    view = events.reduce(applyEvent, view)
  }
  const shape = (task: Task) =>
    JSON.stringify({ ...task, instruction: task.instruction.slice(0, INSTRUCTION_PREVIEW), updatedAt: '', attempt: 0 })
  for (const row of rows) {
    const folded = view.tasks[row.id]
    const [log, table] = [folded ? shape(folded) : 'nothing', shape(toTask(row))]
    if (log !== table) found.push(`the log tells of task ${row.id} ${log}, the table ${table}`)
  }
  if (Object.keys(view.tasks).length !== rows.length)
    found.push(`the log knows ${Object.keys(view.tasks).length} tasks, the table ${rows.length}`)
  for (const tree of await store.db.selectFrom('trees').selectAll().execute()) {
    const [log, table] = [JSON.stringify(view.trees[tree.id]), JSON.stringify(toTree(tree))]
    if (log !== table) found.push(`the log tells of tree ${tree.id} ${log}, the table ${table}`)
  }
  for (const row of await store.db.selectFrom('reviews').selectAll().execute()) {
    const [log, table] = [JSON.stringify(view.reviews[row.id]), JSON.stringify(toReview(row))]
    if (log !== table) found.push(`the log tells of review ${row.id} ${log}, the table ${table}`)
  }
  return found
}

async function integrity(store: Store): Promise<string[]> {
  const check = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(store.db)
  const keys = await sql<object>`pragma foreign_key_check`.execute(store.db)
  return [
    ...check.rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
    ...keys.rows.map((row) => `foreign key: ${JSON.stringify(row)}`),
  ]
}
