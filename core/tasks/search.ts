/**
 * Finding tasks of one goal: by words in what they are, were told, said and answered, and by how they stand. Plain LIKE in slices, so that
 * a search through a large tree holds up nobody else; an index of all texts would cost every message that is written.
 */
import { sql } from 'kysely'
import type { SearchHit } from '../contract/api-look.ts'
import { Fault } from '../contract/fault.ts'
import type { Message } from '../contract/message.ts'
import type { TaskStatus } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import { likes, type TreeFilter } from './trees.ts'

/** Tasks looked at in one read. */
const SLICE = 200
/** Messages that hold the words somewhere in their JSON, looked at before giving up. */
const CANDIDATES = 5_000
/** Characters before and after the words in a snippet. */
const AROUND = 60

export type Found = { items: SearchHit[]; complete: boolean }

export async function searchTree(store: Store, treeId: string, query: TreeFilter & { limit: number }): Promise<Found> {
  const there = await store.db.selectFrom('trees').select('id').where('id', '=', treeId).executeTakeFirst()
  if (!there) throw new Fault('not_found', `There is no tree ${treeId}.`)
  const { q, limit } = query
  const tasks = await standing(store, treeId, query)
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const hits = new Map<string, SearchHit>()
  const hit = (id: string, where: SearchHit['where'], snippet: string, n: number | null = null) => {
    const task = byId.get(id)
    if (task && !hits.has(id)) hits.set(id, { taskId: id, title: task.title, status: task.status as TaskStatus, where, snippet, n })
  }
  const done = (complete: boolean): Found => ({ items: [...hits.values()].slice(0, limit), complete: complete && hits.size <= limit })
  if (q === undefined) {
    for (const task of tasks.slice(0, limit + 1)) hit(task.id, null, '')
    return done(true)
  }
  const needle = q.toLowerCase()
  for (const task of tasks) {
    if (task.title.toLowerCase().includes(needle)) hit(task.id, 'title', around(task.title, needle))
    else if (task.id.toLowerCase().includes(needle)) hit(task.id, 'id', task.id)
    else if (task.agent.toLowerCase().includes(needle)) hit(task.id, 'agent', task.agent)
  }
  for (const column of ['instruction', 'result'] as const) {
    if (hits.size > limit) return done(true)
    const rows = await store.db
      .selectFrom('tasks')
      .select(['id', `${column} as text`])
      .where('tree_id', '=', treeId)
      .where(likes(store, column, q))
      .limit(limit + 1 + hits.size)
      .execute()
    for (const row of rows) hit(row.id, column, around(row.text ?? '', needle))
  }
  let candidates = 0
  for (let from = 0; from < tasks.length; from += SLICE) {
    if (hits.size > limit) return done(true)
    const ids = tasks.slice(from, from + SLICE).map((task) => task.id)
    const called = await store.db
      .selectFrom('calls')
      .select(['task_id', 'tool'])
      .distinct()
      .where('task_id', 'in', ids)
      .where(likes(store, 'tool', q))
      .execute()
    for (const call of called) hit(call.task_id, 'tool', call.tool)
    const rows = await store.db
      .selectFrom('messages')
      .select(['task_id', 'n', 'body'])
      .where('task_id', 'in', ids)
      .where(likes(store, 'body', JSON.stringify(q).slice(1, -1)))
      .limit(CANDIDATES - candidates)
      .execute()
    for (const row of rows) {
      const text = wordsOf(JSON.parse(row.body) as Message)
      if (text.toLowerCase().includes(needle)) hit(row.task_id, 'message', around(text, needle), row.n)
    }
    candidates += rows.length
    if (candidates >= CANDIDATES) return done(false)
    await new Promise(setImmediate)
  }
  return done(true)
}

/** Tasks of the tree that stand as asked for, in the order in which they were made. */
async function standing(store: Store, treeId: string, filter: TreeFilter) {
  const { status, failed, running, needsYou, agent, tool, costOver, changedSince } = filter
  let ask = store.db
    .selectFrom('tasks')
    .select(['tasks.id', 'tasks.title', 'tasks.status', 'tasks.agent'])
    .where('tasks.tree_id', '=', treeId)
    .orderBy('tasks.created_at')
    .orderBy('tasks.id')
  if (status !== undefined) ask = ask.where('tasks.status', '=', status)
  if (failed) ask = ask.where('tasks.status', 'in', ['failed', 'dead'])
  if (running) ask = ask.where('tasks.status', 'in', ['assigned', 'active'])
  if (agent !== undefined) ask = ask.where('tasks.agent', '=', agent)
  if (costOver !== undefined) ask = ask.where('tasks.cost_micros', '>', costOver)
  if (needsYou)
    ask = ask.where('tasks.id', 'in', (e) =>
      e.selectFrom('reviews').select('task_id').where('tree_id', '=', treeId).where('state', '=', sql.lit('open')),
    )
  if (tool !== undefined)
    ask = ask.where((e) =>
      e.exists(e.selectFrom('calls').select(sql`1`.as('one')).whereRef('calls.task_id', '=', 'tasks.id').where('calls.tool', '=', tool)),
    )
  if (changedSince === undefined) return ask.execute()
  const rows = await ask.execute()
  const changed = new Set<string>()
  for (let seq = changedSince; ; ) {
    const events = await store.eventsAfter(seq, { treeId, limit: 2_000 })
    for (const event of events) {
      if ('taskId' in event) changed.add(event.taskId)
      else if (event.type === 'task.created') changed.add(event.task.id)
      else if ('review' in event) changed.add(event.review.taskId)
    }
    if (events.length < 2_000) break
    seq = events.at(-1)!.seq
    await new Promise(setImmediate)
  }
  return rows.filter((row) => changed.has(row.id))
}

function wordsOf(message: Message): string {
  if (message.role === 'system') return ''
  const calls = message.role === 'assistant' ? message.calls.map((call) => `${call.tool} ${JSON.stringify(call.input)}`) : []
  return [message.text, ...calls].join('\n')
}
function around(text: string, needle: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(needle))
  const [from, to] = [Math.max(0, at - AROUND), Math.min(text.length, at + needle.length + AROUND)]
  return `${from > 0 ? '…' : ''}${text.slice(from, to).replace(/\s+/g, ' ').trim()}${to < text.length ? '…' : ''}`
}
