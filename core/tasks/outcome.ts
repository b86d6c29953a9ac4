/**
 * Outcomes, and all that follows from one in the same transaction: the parent's call is answered and the parent woken on every outcome of
 * every child, dependents are released or skipped, subtasks of a task that is over are stopped, a judged task is closed. The sweep calls
 * the same functions, so an event that nobody heard cannot leave a task waiting for ever.
 */
import { sql } from 'kysely'
import { writeChildren } from '../contract/answers.ts'
import type { Taint } from '../contract/policy.ts'
import { isOver, isWatcher, type TaskStatus, type Verdict } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import { settleLostCalls } from './ledger.ts'
import { type Change, endCall, move, ready, wakeIfFree } from './move.ts'
import { endReviewsOf, openReview } from './review.ts'
import { append, type CallRow, type Claim, callsOpen, findTask, type Grants, save, type TaskRow, taint } from './rows.ts'

const childrenOf = prepare<{ id: string }>()((db, p) =>
  db.selectFrom('tasks').select(['id', 'status', 'kind', 'after']).where('parent_id', '=', p.id),
)
const blockedIn = prepare<{ tree_id: string }>()((db, p) =>
  db.selectFrom('tasks').select(['id', 'after']).where('tree_id', '=', p.tree_id).where('status', '=', sql.lit('backlog')),
)
/** Gives a task its outcome, and everything that follows from one. Saves the row. */
export async function over(tx: Tx, task: TaskRow, to: 'done' | 'failed' | 'cancelled' | 'dead', change: Change = {}): Promise<void> {
  if (to !== 'done' && (task.status === 'assigned' || task.status === 'active')) await settleLostCalls(tx, task)
  task.summary ??= task.result ?? change.note ?? null
  task.wish = null
  task.closing = null
  move(tx, task, to, change)
  await save(tx, task)
  if (task.watch !== null) {
    task.watch = null
    await tx.db.updateTable('tasks').set({ watch: null }).where('id', '=', task.id).execute()
  }
  await endReviewsOf(tx, task.id, `the task ended (${to})`)
  await stopChildren(tx, task)
  await releaseDependents(tx, task)
  await tellParent(tx, task)
}

/** Subtasks of a task that is over have nobody to report to. */
async function stopChildren(tx: Tx, task: TaskRow): Promise<void> {
  if (task.children === 0) return
  for (const { id, status, kind } of await tx.query(childrenOf, { id: task.id })) {
    // Documentation never blocks and outlives its task; a supervisor may be the one who ends it, and has its own end.
    if (isOver(status as TaskStatus) || kind === 'supervise' || (kind === 'document' && task.status === 'done')) continue
    const child = (await findTask(tx, id))!
    if (isOver(child.status)) continue
    child.stopped_by_person = task.stopped_by_person
    await over(tx, child, 'cancelled', { reason: 'parent_stopped', note: `its parent task ended (${task.status})` })
  }
}

/** Tasks that waited for this one start, or are skipped when it did not succeed. */
export async function releaseDependents(tx: Tx, task: TaskRow): Promise<void> {
  for (const blocked of await tx.query(blockedIn, { tree_id: task.tree_id }))
    if ((JSON.parse(blocked.after) as string[]).includes(task.id)) await releaseIfFree(tx, blocked.id)
}

/** A task in the backlog starts when all it waits for is done, and is skipped when one of them ended otherwise. */
export async function releaseIfFree(tx: Tx, id: string): Promise<boolean> {
  const task = await findTask(tx, id)
  if (task?.status !== 'backlog') return false
  let open = false
  for (const other of JSON.parse(task.after) as string[]) {
    const on = await findTask(tx, other)
    if (on === undefined || !isOver(on.status)) open = true
    else if (on.status !== 'done') {
      await over(tx, task, 'cancelled', { reason: 'dependency_failed', note: `not run: "${on.title}" before it ended as ${on.status}` })
      return true
    }
  }
  if (open) return false
  for (const other of JSON.parse(task.after) as string[]) taint(tx, task, JSON.parse((await findTask(tx, other))?.taint ?? '[]') as Taint[])
  await ready(tx, task)
  return true
}

/** Answers the call that waits for this task once all that it waits for is over, and lets the parent go on. */
async function tellParent(tx: Tx, task: TaskRow): Promise<void> {
  if (task.parent_id === null) return
  const parent = (await findTask(tx, task.parent_id))!
  // What a subtask read may be in every word of its summary, and in every file it left.
  if (taint(tx, parent, JSON.parse(task.taint) as Taint[])) await save(tx, parent)
  if (isWatcher(task.kind)) return closeIfJudged(tx, parent)
  if (isOver(parent.status)) return
  if (parent.handover === 1) return inherit(tx, parent, task)
  if (task.kind !== 'work' && task.status === 'done') grant(tx, parent, task)
  for (const call of await callsOpen(tx, parent.id)) if (call.waits === 'tasks') await answerIfOver(tx, parent, call)
  await save(tx, parent)
  await wakeIfFree(tx, parent)
}

/** The parent handed its task over: it ends as its child did. */
async function inherit(tx: Tx, parent: TaskRow, child: TaskRow): Promise<void> {
  Object.assign(parent, { result: child.result, summary: child.summary, evidence: child.evidence, verdict: child.verdict })
  for (const call of await callsOpen(tx, parent.id))
    await endCall(tx, parent, call, `The subtask ${child.id} ended (${child.status}); your task ended with it.`, false)
  const to = child.status === 'done' || child.status === 'cancelled' ? child.status : 'failed'
  await over(tx, parent, to, {
    reason: to === 'done' ? 'ended' : to === 'cancelled' ? 'stopped' : (child.reason ?? 'ended'),
    note: child.note,
  })
}

/** What a helper found becomes part of its asker's prompt from now on. */
function grant(tx: Tx, parent: TaskRow, helper: TaskRow): void {
  const given = JSON.parse(helper.grants) as Grants
  const { documents = [], tools = [] } = given
  if (documents.length + tools.length === 0) return
  const had = JSON.parse(parent.grants) as Grants
  parent.grants = JSON.stringify({
    ...had,
    documents: [...new Set([...(had.documents ?? []), ...documents])],
    tools: [...new Set([...(had.tools ?? []), ...tools])],
  })
  tx.record(parent.tree_id, { type: 'task.granted', taskId: parent.id, documents, tools })
}

/** True when the call has its answer now. The caller saves the task row. */
export async function answerIfOver(tx: Tx, task: TaskRow, call: CallRow): Promise<boolean> {
  const ids = JSON.parse(call.wait_ids ?? '[]') as string[]
  const children: TaskRow[] = []
  for (const id of ids) {
    const child = await findTask(tx, id)
    if (child === undefined) continue // never made: nothing to wait for
    if (!isOver(child.status)) return false
    children.push(child)
  }
  await endCall(tx, task, call, answerText(children), children.length > 0 && children.every((child) => child.status !== 'done'))
  return true
}

function answerText(children: readonly TaskRow[]): string {
  const text = writeChildren(children.map((c) => ({ id: c.id, title: c.title, status: c.status, summary: summaryOf(c) })))
  // What a subtask was granted itself is its own.
  const granted = children.filter((c) => c.kind !== 'work').map((c) => JSON.parse(c.grants) as Grants)
  const documents = granted.flatMap((g) => g.documents ?? [])
  const tools = granted.flatMap((g) => g.tools ?? [])
  return [
    text || 'No subtask was left to wait for.',
    documents.length ? `Now among your context documents: ${documents.join(', ')}.` : '',
    tools.length ? `Now among your tools: ${tools.join(', ')}.` : '',
  ]
    .filter(Boolean)
    .join('\n\n')
}

/** What a parent is told of a child, whatever became of it. */
export function summaryOf(task: TaskRow): string {
  const words = task.summary ?? task.result ?? ''
  if (task.status === 'done') return words
  const stopped = task.stopped_by_person === 1 ? ' A person stopped it; do not start it again unless a person asks for it.' : ''
  return `${[task.note, words === task.note ? '' : words].filter(Boolean).join('\n') || 'It left no result.'}${stopped}`
}

/** Rounds of closing: a failed verdict sends a task back once. */
const ROUNDS = 2

/**
 * Gives a closing task its outcome as soon as its evaluator and summary are over, whatever became of them; documentation never blocks.
 * A failed verdict sends the task back to its agent once, with the reasons.
 */
export async function closeIfJudged(tx: Tx, task: TaskRow): Promise<void> {
  if (task.status !== 'waiting' || task.reason !== 'closing' || task.closing === null) return
  const claim = JSON.parse(task.closing) as Claim
  let verdict: Verdict | null = null
  let summary: string | null = null
  for (const { id } of await tx.query(childrenOf, { id: task.id })) {
    const watcher = (await findTask(tx, id))!
    if (watcher.round !== task.rounds || watcher.kind === 'document') continue
    if (watcher.kind !== 'evaluate' && watcher.kind !== 'summarize') continue
    if (!isOver(watcher.status)) return
    if (watcher.status !== 'done') continue
    if (watcher.kind === 'summarize') summary = watcher.result
    else verdict = { ...(JSON.parse(watcher.verdict ?? 'null') as Verdict), by: watcher.agent }
  }
  await close(tx, task, claim, verdict, summary)
}

/** The one commit that ends a task: verdict, summary, parent's answer and wake. */
export async function close(tx: Tx, task: TaskRow, claim: Claim, verdict: Verdict | null, summary: string | null): Promise<void> {
  task.verdict = verdict === null ? null : JSON.stringify(verdict)
  // What an evaluator found is about another task; it says nothing of how the evaluator itself did.
  const accepted = task.kind === 'evaluate' || verdict?.passed !== false
  if (claim.status === 'success' && !accepted && task.rounds < ROUNDS) {
    task.closing = null
    if (task.wish === 'step') task.wish = null
    await append(tx, task, {
      role: 'user',
      from: 'system',
      text: `The evaluator did not accept the result:\n${verdict?.reasons}${unmet(verdict)}\n\nMend what it names, then call end_task again. This is the only second chance.`,
    })
    return ready(tx, task)
  }
  const passed = claim.status === 'success' && accepted
  task.result = claim.result
  task.evidence = JSON.stringify(claim.evidence)
  task.summary = summary ?? claim.result
  const note = passed
    ? null
    : claim.status === 'failure'
      ? null
      : `the evaluator did not accept the result twice: ${verdict?.reasons ?? ''}`
  await over(tx, task, passed ? 'done' : 'failed', { reason: 'ended', note })
  // Nobody below is left to mend it. Without a model no evaluator was there, and what failed says so itself.
  if (claim.status === 'success' && !accepted && verdict?.by !== 'rule')
    await openReview(tx, {
      id: `${task.id}-refused-${task.messages}`,
      kind: 'flag',
      treeId: task.tree_id,
      taskId: task.id,
      callId: null,
      title: `Twice not accepted: ${task.title}`,
      action: { issue: `${verdict?.reasons ?? ''}${unmet(verdict)}\n\nIts agent said: ${claim.result.slice(0, 2_000)}` },
      risk: 'medium',
    })
}

/** The criteria that were found not met, a line each. */
const unmet = (verdict: Verdict | null): string =>
  (verdict?.criteria ?? [])
    .filter(({ met }) => !met)
    .map(({ number, criterion, evidence }) => `\n- Not met: ${number}. ${criterion ?? ''} (${evidence})`)
    .join('')
