/** Ending a task: the claim is recorded, watchers look at it side by side, and `outcome.ts` closes it in one commit. */

import { isOver, isWatcher, type TaskStatus, type Verdict } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import { helperExists, type NewChild, spawn } from './create.ts'
import { endCall, move } from './move.ts'
import { answerIfOver, close, over } from './outcome.ts'
import { type Claim, callsOpen, type Grants, save, type TaskRow } from './rows.ts'

/** Who looks at a claim: nobody (verdict and summary by rule), or watcher tasks. */
export type ClosingPlan = { kind: 'computed'; verdict: Verdict; summary: string } | { kind: 'watched'; watchers: NewChild[] }

const childrenOf = prepare<{ id: string }>()((db, p) =>
  db.selectFrom('tasks').select(['id', 'title', 'status', 'kind']).where('parent_id', '=', p.id),
)

export async function end(
  tx: Tx,
  task: TaskRow,
  callId: string,
  claim: Claim,
  plan: ClosingPlan,
): Promise<{ ok: true } | { ok: false; problem: string }> {
  const running = (task.children === 0 ? [] : await tx.query(childrenOf, { id: task.id })).filter(
    (c) => !isOver(c.status as TaskStatus) && !isWatcher(c.kind as TaskRow['kind']),
  )
  if (running.length > 0 && task.wish !== 'wrapping')
    return {
      ok: false,
      problem: `${running.length} of your subtasks still run (${running
        .slice(0, 5)
        .map((c) => c.id)
        .join(', ')}). Call wait_for_subtasks first, then end_task with what they found.`,
    }
  const open = await callsOpen(tx, task.id)
  for (const call of open) {
    if (call.id === callId) continue
    if (call.waits === 'tasks' && (await answerIfOver(tx, task, call))) continue
    if (task.wish === 'wrapping') continue
    return {
      ok: false,
      problem: `Another of your calls (${call.tool}) has no answer yet. Call end_task alone, once every answer is there.`,
    }
  }
  const call = open.find((c) => c.id === callId)
  if (call) await endCall(tx, task, call, 'Recorded.', false)
  if (task.wish === 'wrapping') {
    Object.assign(task, { result: claim.result, evidence: JSON.stringify(claim.evidence) })
    await over(tx, task, 'cancelled', { reason: 'stopped', note: 'stopped by a person; it ended with what it had' })
    return { ok: true }
  }
  if (claim.documents?.length || claim.tools?.length)
    task.grants = JSON.stringify({ ...(JSON.parse(task.grants) as Grants), documents: claim.documents ?? [], tools: claim.tools ?? [] })
  if (claim.verdict && task.kind === 'evaluate') task.verdict = JSON.stringify({ ...claim.verdict, by: task.agent })
  task.rounds += 1
  if (plan.kind === 'computed') {
    await close(tx, task, claim, task.kind === 'evaluate' ? (claim.verdict ?? null) : plan.verdict, plan.summary)
    return { ok: true }
  }
  task.closing = JSON.stringify(claim)
  move(tx, task, 'waiting', { reason: 'closing' })
  await save(tx, task)
  const watchers: NewChild[] = []
  for (const watcher of plan.watchers)
    if (!(await helperExists(tx, task.id, watcher.kind!, task.rounds))) watchers.push({ ...watcher, round: task.rounds })
  const made = await spawn(tx, task, callId, watchers, { exempt: true })
  if (made.kind !== 'started') {
    const why = made.kind === 'refused' ? made.why : 'the cap of tasks is reached'
    await close(tx, task, claim, { passed: true, reasons: `Not evaluated: ${why}`, by: 'rule' }, null)
  }
  return { ok: true }
}
