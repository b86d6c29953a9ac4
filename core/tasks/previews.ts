/** A task as it is opened: all of it, its newest messages cut to what a screen shows, and the calls that run. */
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { MessagePreview, RunningCall } from '../contract/live.ts'
import type { Message, StoredMessage } from '../contract/message.ts'
import type { Task } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store } from '../store/store.ts'
import { type TaskRow, toTask } from './rows.ts'

const taskById = prepare<{ id: string }>()((db, p) => db.selectFrom('tasks').selectAll().where('id', '=', p.id))
const newestMessages = prepare<{ task_id: string; after: number; limit: number }>()((db, p) =>
  db.selectFrom('messages').selectAll().where('task_id', '=', p.task_id).where('n', '>', p.after).orderBy('n', 'desc').limit(p.limit),
)
const openCalls = prepare<{ task_id: string }>()((db, p) =>
  db
    .selectFrom('calls')
    .select(['id', 'tool', 'state', 'attempts', 'begun_at', 'waits'])
    .where('task_id', '=', p.task_id)
    .where('state', '<>', sql.lit('ended'))
    .orderBy('n')
    .orderBy('id'),
)

/** Messages that an opened task begins with; older ones are read page by page. */
const NEWEST = 200
/** Characters of each text in them. */
const SHOWN = 8_000

export type OpenTask = { seq: number; task: Task; messages: MessagePreview[]; earlier: number; calls: RunningCall[] }

/** With its messages after `after`, at most the newest 200. All of one moment. */
export function readOpenTask(store: Store, id: string, after = 0): Promise<OpenTask> {
  return store.snapshot(async (reader) => {
    const seq = await reader.lastSeq()
    const [row] = await reader.read(taskById, { id })
    if (!row) throw new Fault('not_found', `There is no task ${id}.`)
    const rows = await reader.read(newestMessages, { task_id: id, after, limit: NEWEST })
    const calls = await reader.read(openCalls, { task_id: id })
    rows.reverse()
    return {
      seq,
      task: toTask(row as TaskRow),
      messages: rows.map((message) => previewOf(storedOf(message), SHOWN)),
      earlier: rows[0] ? rows[0].n - 1 - after : 0,
      calls: calls.map(({ begun_at, ...call }) => ({ ...call, begunAt: begun_at === null ? null : new Date(begun_at).toISOString() })),
    }
  })
}

export const storedOf = (row: { body: string; n: number; at: number }): StoredMessage => ({
  ...(JSON.parse(row.body) as Message),
  n: row.n,
  at: new Date(row.at).toISOString(),
})

/** The message with texts and arguments of at most `limit` characters each, without what only a provider reads; `bytes`: length of what was cut. */
export function previewOf(message: StoredMessage, limit: number): MessagePreview {
  switch (message.role) {
    case 'system':
      return message
    case 'assistant': {
      const { thinking: _, ...rest } = message
      let bytes = Buffer.byteLength(message.text)
      let isCut = message.text.length > limit
      const calls = message.calls.map((call) => {
        const text = JSON.stringify(call.input) ?? ''
        bytes += Buffer.byteLength(text)
        if (text.length <= limit) return call
        isCut = true
        return { ...call, input: cutTo(text, limit) }
      })
      return { ...rest, text: cutTo(message.text, limit), calls, ...(isCut ? { bytes } : {}) }
    }
    default:
      return message.text.length <= limit
        ? message
        : { ...message, text: cutTo(message.text, limit), bytes: Buffer.byteLength(message.text) }
  }
}

/** Never half of a character. */
export function cutTo(text: string, limit: number): string {
  if (text.length <= limit) return text
  const high = text.charCodeAt(limit - 1)
  return text.slice(0, high >= 0xd800 && high <= 0xdbff ? limit - 1 : limit)
}
