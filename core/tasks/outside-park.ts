/**
 * A task whose turn is an outside agent's: how it is laid down for one, taken away from one that fell silent, and how the calls that one sent
 * become calls of the task. Every verb here is a part of a transaction of others.
 */
import type { Selectable } from 'kysely'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { holdIfWished, move, ready } from './move.ts'
import { over } from './outcome.ts'
import { openReview } from './review.ts'
import { append, openTree, save, type TaskRow } from './rows.ts'

export type OutsideTaskRow = Selectable<Database['outside_tasks']>
export type OutsideCallRow = Selectable<Database['outside_calls']>

/** How long a claim lasts without a call or a heartbeat while it is the agent's turn. */
export const OUTSIDE_LEASE_MS = 120_000
/** Claims in a row that ended in silence, after which a person is asked. */
export const MAX_LAPSES = 3

const claimOf = prepare<{ task_id: string }>()((db, p) => db.selectFrom('outside_tasks').selectAll().where('task_id', '=', p.task_id))
const insertClaim = prepare<{ task_id: string; capability: string }>()((db, p) =>
  db.insertInto('outside_tasks').values({
    task_id: p.task_id,
    capability: p.capability,
    agent: null,
    lease: null,
    lease_until: 0,
    told: 0,
    lapses: 0,
    claimed_at: null,
  }),
)
const updateClaim = prepare<OutsideTaskRow>()((db, p) =>
  db
    .updateTable('outside_tasks')
    .set({
      capability: p.capability,
      agent: p.agent,
      lease: p.lease,
      lease_until: p.lease_until,
      told: p.told,
      lapses: p.lapses,
      claimed_at: p.claimed_at,
    })
    .where('task_id', '=', p.task_id),
)
const unreadCalls = prepare<{ task_id: string }>()((db, p) =>
  db.selectFrom('outside_calls').selectAll().where('task_id', '=', p.task_id).where('call_id', 'is', null).orderBy('n'),
)
const takeCall = prepare<{ task_id: string; n: number; call_id: string }>()((db, p) =>
  db.updateTable('outside_calls').set({ call_id: p.call_id }).where('task_id', '=', p.task_id).where('n', '=', p.n),
)
const dropUnread = prepare<{ task_id: string }>()((db, p) =>
  db.deleteFrom('outside_calls').where('task_id', '=', p.task_id).where('call_id', 'is', null),
)

export const unreadOf = unreadCalls
export async function findClaim(tx: Tx, taskId: string): Promise<OutsideTaskRow | undefined> {
  return (await tx.query(claimOf, { task_id: taskId }))[0]
}
export async function saveClaim(tx: Tx, claim: OutsideTaskRow): Promise<void> {
  await tx.query(updateClaim, claim)
}
export async function takeOutsideCall(tx: Tx, taskId: string, n: number, callId: string): Promise<void> {
  await tx.query(takeCall, { task_id: taskId, n, call_id: callId })
}

/** What a person reads of a task that nobody has claimed. */
export const waitsFor = (capability: string): string =>
  capability === '' ? 'it waits for an outside agent' : `it waits for an outside agent that can do ${capability}`

/**
 * Lays a claimed task down for an outside agent, or for the one that has it, whose lease then begins anew. False: there are calls already, so
 * the turn may go on. The caller has opened the row with its lease.
 */
export async function parkOutside(tx: Tx, task: TaskRow, capability: string, leaseMs: number): Promise<boolean> {
  if ((await tx.query(unreadCalls, { task_id: task.id })).length > 0) return false
  task.attempts = Math.max(0, task.attempts - 1)
  const tree = await openTree(tx, task.tree_id)
  if (await holdIfWished(tx, task)) return true
  if (tree.paused_reason !== null) {
    await ready(tx, task, tree)
    return true
  }
  let claim = await findClaim(tx, task.id)
  if (claim === undefined) {
    await tx.query(insertClaim, { task_id: task.id, capability })
    claim = (await findClaim(tx, task.id))!
  }
  claim.capability = capability
  if (claim.agent !== null) claim.lease_until = tx.now + leaseMs
  await saveClaim(tx, claim)
  if (task.wish === 'wrap_up' || task.wish === 'wrapping') {
    if (claim.agent === null) {
      await over(tx, task, 'cancelled', { reason: 'stopped', note: 'stopped by a person; no outside agent had it' })
      return true
    }
    if (task.wish === 'wrap_up')
      await append(tx, task, {
        role: 'user',
        from: 'person',
        text: 'A person asked you to stop. Start nothing new. Call end_task now with what you have, and say what is missing.',
      })
    task.wish = 'wrapping'
  }
  move(tx, task, 'waiting', { reason: 'external', note: claim.agent === null ? waitsFor(capability) : `${claim.agent} works on it` })
  await save(tx, task)
  return true
}

/** Its agent was silent for too long. The task waits for the next one, goes to a person after several, or ends if it was to stop anyway. */
export async function lapse(tx: Tx, task: TaskRow, claim: OutsideTaskRow): Promise<void> {
  const agent = claim.agent!
  Object.assign(claim, { agent: null, lease: null, lapses: claim.lapses + 1 })
  tx.record(task.tree_id, { type: 'outside.lapsed', taskId: task.id, agent, lapses: claim.lapses })
  if (task.wish === 'wrap_up' || task.wish === 'wrapping') {
    await saveClaim(tx, claim)
    return over(tx, task, 'cancelled', { reason: 'stopped', note: `stopped by a person; ${agent} did not answer any more` })
  }
  const asks = claim.lapses >= MAX_LAPSES
  const lapses = claim.lapses
  if (asks) claim.lapses = 0
  await saveClaim(tx, claim)
  if (!asks) {
    move(tx, task, 'waiting', { reason: 'external', note: `${agent} fell silent; ${waitsFor(claim.capability)}` })
    return save(tx, task)
  }
  const note = `outside agents claimed it ${lapses} times and fell silent each time, ${agent} last`
  move(tx, task, 'paused', { reason: 'error', note })
  await save(tx, task)
  await openReview(tx, {
    id: `${task.id}/silent-${task.lease_token}-${tx.now}`,
    kind: 'dead_task',
    treeId: task.tree_id,
    taskId: task.id,
    callId: null,
    risk: 'low',
    title: `No outside agent goes on with "${task.title}"`,
    action: { decision: 'approve offers it to outside agents again; reject stops the task', note },
  })
}

/** Whoever had it has it no more, and what it sent and was not begun is forgotten: the task begins again from another point. */
export async function takeBack(tx: Tx, taskId: string): Promise<void> {
  const claim = await findClaim(tx, taskId)
  if (claim === undefined) return
  await tx.query(dropUnread, { task_id: taskId })
  await saveClaim(tx, { ...claim, agent: null, lease: null, lapses: 0, told: 0 })
}
