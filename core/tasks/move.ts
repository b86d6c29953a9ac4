/** Every change of a task's status. What may go on is derived from rows here, in the transaction that changed them. */
import { Fault } from '../contract/fault.ts'
import { isOver, mayBecome, type Reason, type TaskStatus } from '../contract/task.ts'
import type { Watch } from '../contract/watch.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import { append, type CallRow, callsOpen, openTask, openTree, save, type TaskRow, type TreeRow } from './rows.ts'

const endCallRow = prepare<{ id: string; ok: number; at: number }>()((db, p) =>
  db.updateTable('calls').set({ state: 'ended', ok: p.ok, ended_at: p.at, waits: null }).where('id', '=', p.id),
)
const callById = prepare<{ id: string }>()((db, p) => db.selectFrom('calls').selectAll().where('id', '=', p.id))
export type Change = { reason?: Reason | null; note?: string | null; wakeAt?: number | null; heldBy?: string | null }

/** Changes the status of an opened row and tells it; the caller saves the row. Outcomes go through `over`. */
export function move(tx: Tx, task: TaskRow, to: TaskStatus, change: Change = {}): void {
  const from = task.status
  if (!mayBecome(from, to)) throw new Fault('conflict', `Task ${task.id} cannot go from ${from} to ${to}.`)
  task.status = to
  task.reason = change.reason ?? null
  task.note = change.note ?? null
  task.wake_at = change.wakeAt ?? null
  task.held_by = change.heldBy ?? null
  if (to !== 'assigned' && to !== 'active') {
    task.lease_worker = null
    task.lease_until = 0
  }
  tx.record(task.tree_id, {
    type: 'task.moved',
    taskId: task.id,
    from,
    to,
    reason: task.reason,
    note: task.note,
    attempt: task.attempts,
    wakeAt: task.wake_at === null ? null : new Date(task.wake_at).toISOString(),
    ...(isOver(to)
      ? {
          outcome: {
            result: task.result,
            summary: task.summary,
            evidence: task.evidence === null ? [] : JSON.parse(task.evidence),
            verdict: task.verdict === null ? null : JSON.parse(task.verdict),
            stoppedByPerson: task.stopped_by_person === 1,
          },
        }
      : {}),
  })
}

/** To pending, or to where a paused tree, a pause or step mode holds it. Saves the row. */
export async function ready(tx: Tx, task: TaskRow, tree?: TreeRow): Promise<void> {
  const { paused_reason } = tree ?? (await openTree(tx, task.tree_id))
  if (paused_reason !== null) move(tx, task, 'paused', { reason: 'budget', note: paused_reason })
  else if (task.step === 1 && task.wish !== 'step')
    move(tx, task, 'paused', { reason: 'step', note: 'step by step: it waits for the next step' })
  else move(tx, task, 'pending')
  await save(tx, task)
}

/** A wish that ends in a pause: a person's, or the watchdog's. */
export const isHoldWish = (wish: string | null): boolean => wish === 'pause' || wish === 'hold'
/** Carries out a wish to pause at the boundary of a turn. Saves the row where there was one. */
export async function holdIfWished(tx: Tx, task: TaskRow): Promise<boolean> {
  if (!isHoldWish(task.wish)) return false
  const seen = task.watch === null ? null : (JSON.parse(task.watch) as Watch)
  const why: Change =
    task.wish === 'pause' ? { reason: 'person', note: 'a person paused it' } : { reason: 'stuck', note: seen?.words ?? null }
  task.wish = null
  move(tx, task, 'paused', why)
  await save(tx, task)
  return true
}

/** A waiting or paused task goes on if, by its rows, nothing holds it any more. Saves when it moved. */
export async function wakeIfFree(tx: Tx, task: TaskRow): Promise<boolean> {
  if (
    task.status !== 'waiting' ||
    task.reason === 'closing' ||
    task.reason === 'quota' ||
    task.reason === 'timer' ||
    task.reason === 'external'
  )
    return false
  const open = await callsOpen(tx, task.id)
  const held = open.filter((call) => call.waits !== null)
  if (held.length > 0) {
    const reason = await reasonOf(tx, held)
    if (task.reason !== reason) {
      move(tx, task, 'waiting', { reason, note: task.note })
      await save(tx, task)
    }
    return false
  }
  if (open.length === 0 && task.wish === 'step') task.wish = null // all answers are there: the turn that the step was for is over
  await ready(tx, task)
  return true
}

/** What a task that is parked on these calls waits for, as people read it. */
export async function reasonOf(tx: Tx, held: readonly CallRow[]): Promise<Reason> {
  if (held.some((call) => call.waits === 'tasks')) return 'children'
  const changes = held.filter((call) => call.waits === 'change')
  if (changes.length < held.length) return 'review'
  const ids = changes.flatMap((call) => JSON.parse(call.wait_ids ?? '[]') as string[])
  const asked = await tx.db
    .selectFrom('changes')
    .select('id')
    .where('id', 'in', ids)
    .where('state', '=', 'review')
    .where('decided_by', 'is', null)
    .executeTakeFirst()
  return asked === undefined ? 'change' : 'review'
}

/** Ends a call with its answer. The caller saves the task row. */
export async function endCall(
  tx: Tx,
  task: TaskRow,
  call: Pick<CallRow, 'id' | 'tool' | 'begun_at'>,
  text: string,
  isError: boolean,
): Promise<void> {
  await tx.query(endCallRow, { id: call.id, ok: isError ? 0 : 1, at: tx.now })
  await append(tx, task, { role: 'tool', callId: call.id, tool: call.tool, text, isError })
  tx.record(task.tree_id, {
    type: 'call.ended',
    taskId: task.id,
    callId: call.id,
    tool: call.tool,
    ok: !isError,
    ms: call.begun_at === null ? 0 : tx.now - call.begun_at,
  })
}

/** Loads the call to change it, with its task. */
export async function openCall(tx: Tx, callId: string): Promise<{ call: CallRow; task: TaskRow }> {
  const [call] = await tx.query(callById, { id: callId })
  if (!call) throw new Fault('not_found', `There is no call ${callId}.`)
  const task = await openTask(tx, call.task_id)
  return { call: (await tx.query(callById, { id: callId }))[0]!, task }
}
