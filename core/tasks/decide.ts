/** A person's decision on a review item, and what it does to the task that waits. Decided exactly once. */
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { Limits } from '../contract/limits.ts'
import type { Offer } from '../contract/policy.ts'
import { DECISIONS_OF, type Decision, type Review } from '../contract/review.ts'
import { isOver } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import { control } from './control.ts'
import { type Reached, raised, raisedDay } from './limits.ts'
import { endCall, openCall, wakeIfFree } from './move.ts'
import { resumeHeldByDay, resumeTree } from './pause.ts'
import { checkPlanDecision, decidePlan } from './plans.ts'
import { settleReview } from './review.ts'
import { limitsOf, openTask, openTree, save, type TaskRow, toReview } from './rows.ts'
import { addRule, ruleOf } from './rules.ts'
import { raiseDay } from './spend.ts'

const releaseCall = prepare<{ id: string; input: string; approved: number }>()((db, p) =>
  db.updateTable('calls').set({ waits: null, wait_ids: null, input: p.input, approved: p.approved }).where('id', '=', p.id),
)

/** What an edited call must satisfy besides being an object; the reason in one sentence when it does not. */
export type Checks = {
  edit(tool: string, input: unknown): string | null
  /** Whoever decides is a person who is logged in, no token for programs. Left out: it is not known to be one. */
  person?: boolean
}

/** Returns the decided item and ids of tasks whose work under way must be cut off. */
export async function decide(
  tx: Tx,
  id: string,
  decision: Decision,
  by: string,
  checks: Checks = { edit: () => null },
): Promise<{ review: Review; cut: string[] }> {
  const row = await tx.db.selectFrom('reviews').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new Fault('not_found', `There is no review item ${id}.`)
  const shown = toReview(row)
  if (shown.state === 'decided') throw new Fault('conflict', `This item was decided already (${shown.decision} by ${shown.decidedBy}).`)
  if (!DECISIONS_OF[shown.kind].includes(decision.decision))
    throw new Fault(
      'invalid',
      `A ${shown.kind} item is decided with ${DECISIONS_OF[shown.kind].join(', ')}; not with ${decision.decision}.`,
    )
  if (decision.actionHash !== undefined && decision.actionHash !== shown.actionHash)
    throw new Fault('conflict', 'The action changed since it was shown; look at it again.')
  if (shown.kind === 'self_change') mustBePerson(decision, checks)
  if (decision.decision === 'answer' && !decision.comment?.trim())
    throw new Fault('invalid', 'An answer needs `comment`: the words of the answer.')
  if (shown.kind === 'plan') checkPlanDecision(decision)
  const task = await openTask(tx, shown.taskId, shown.treeId)
  const offer = decision.remember ? offerFor(shown, decision) : null
  const asking = shown.callId === null ? null : (await openCall(tx, shown.callId)).call
  if (decision.edit && shown.kind !== 'budget') {
    if (asking === null || decision.decision !== 'approve')
      throw new Fault('invalid', '`edit` replaces the arguments of a call that waits, with approve; leave it out here.')
    const problem = checks.edit(asking.tool, decision.edit)
    if (problem !== null) throw new Fault('invalid', `The edited action is not right: ${problem}`)
  }
  const { decision: word, comment = null, edit } = decision
  const review = await settleReview(tx, id, { decision: word, comment, by, edit })
  if (review === null) throw new Fault('conflict', 'Somebody else decided this item at the same moment.')
  if (offer) await addRule(tx, ruleOf(shown, offer, decision.remember!), by)
  const said = decision.comment ? ` They said: ${decision.comment}` : ''

  if (shown.kind === 'budget') return { review, cut: await decideBudget(tx, shown, decision, by) }
  if (shown.kind === 'dead_task') {
    if (decision.decision === 'approve')
      await control(tx, task.id, { verb: isOver(task.status) ? 'retry' : 'resume', by, scope: 'node', comment: decision.comment })
    else if (!isOver(task.status)) return { review, cut: await control(tx, task.id, { verb: 'abort', by, comment: decision.comment }) }
    return { review, cut: [] }
  }
  if (shown.kind === 'stuck') return { review, cut: isOver(task.status) ? [] : await decideStuck(tx, task, decision, by) }
  if (shown.callId === null || isOver(task.status)) return { review, cut: [] }
  const call = asking!
  if (shown.kind === 'plan') {
    await decidePlan(tx, shown, decision, task, call)
    return { review, cut: [] }
  }
  if (call.state === 'ended') return { review, cut: [] }
  if (decision.decision === 'approve' && shown.kind !== 'flag')
    await tx.query(releaseCall, { id: call.id, input: decision.edit ? JSON.stringify(decision.edit) : call.input, approved: 1 })
  else {
    const [text, isError] = wordsFor(shown.kind, decision, said)
    await endCall(tx, task, call, text, isError)
    await save(tx, task)
  }
  await wakeIfFree(tx, task)
  return { review, cut: [] }
}

/** What Banyan is made of is decided by people, and by what they have seen. */
function mustBePerson(decision: Decision, { person = false }: Checks): void {
  if (!person)
    throw new Fault(
      'forbidden',
      'A change of Banyan itself is decided by a person who is logged in, in the page or with the admin token; a token for programs may not.',
    )
  if (decision.decision === 'approve' && decision.actionHash === undefined)
    throw new Fault('invalid', 'Approving a change of Banyan itself needs `actionHash`: the hash of what was shown.')
}

/** An always-allow is of exactly what was shown. */
function offerFor(shown: Review, decision: Decision): Offer {
  if (decision.decision !== 'approve' || shown.kind !== 'permission')
    throw new Fault('invalid', '`remember` goes with approving a permission; leave it out here.')
  if (decision.edit) throw new Fault('invalid', 'Remember what was shown, or edit it and approve once; not both.')
  const offer = shown.offers.find((one) => one.scope === decision.remember?.scope)
  if (offer) return offer
  const scopes = shown.offers.map((one) => one.scope).join(', ')
  throw new Fault(
    'unprocessable',
    `This action can be remembered ${scopes ? `only as ${scopes}` : 'not at all: its text does not say all that it does'}.`,
  )
}

function wordsFor(kind: Review['kind'], decision: Decision, said: string): [string, boolean] {
  switch (decision.decision) {
    case 'answer':
      return [decision.comment!, false]
    case 'approve':
      return [`A person has seen it and agrees.${said}`, false]
    case 'changes':
      return [`Not done: a person asks for changes.${said} Follow what they said, then ask again if it is still needed.`, true]
    case 'reject':
      if (kind === 'question') return [`The person will not answer this.${said}`, true]
      if (kind === 'in_doubt') return [`It was cut off and may or may not have happened; a person decided not to repeat it.${said}`, true]
      return [
        said === ''
          ? 'Not done: a person rejected it. Do not ask for the same again; go on without it or end the task.'
          : `Not done: a person rejected it.${said} Do as they say, and do not ask for the same again.`,
        true,
      ]
  }
}

/** It goes on, with the person's words where there are some, or ends with what it has. */
async function decideStuck(tx: Tx, task: TaskRow, { decision, comment }: Decision, by: string): Promise<string[]> {
  if (decision === 'reject') return control(tx, task.id, { verb: 'cancel', by, comment: comment ?? 'it did not get on' })
  if (comment?.trim()) await control(tx, task.id, { verb: 'steer', by, scope: 'node', message: comment })
  if (task.status === 'paused' || task.wish === 'hold') return control(tx, task.id, { verb: 'resume', by, scope: 'node' })
  return []
}

async function decideBudget(tx: Tx, shown: Review, decision: Decision, by: string): Promise<string[]> {
  const tree = await openTree(tx, shown.treeId)
  if (decision.decision === 'reject') {
    await resumeTree(tx, tree, limitsOf(tree))
    return control(tx, tree.id, { verb: 'abort', by, comment: decision.comment ?? 'the budget was not raised' })
  }
  const { reached } = shown.action as { reached: Reached }
  if (reached.limit === 'dailyMicros') {
    const asked = z
      .object({ dailyDollars: z.number().min(0).max(1_000_000) })
      .strict()
      .safeParse(decision.edit)
    if (decision.edit && !asked.success)
      throw new Fault('invalid', '`edit` of the limit of a day holds `dailyDollars`: what all goals together may spend today.')
    await raiseDay(tx, asked.success ? Math.round(asked.data.dailyDollars * 1_000_000) : raisedDay(reached))
    await resumeTree(tx, tree, limitsOf(tree))
    await resumeHeldByDay(tx, tx.now + 1, by, 'the limit of today was raised')
    return []
  }
  const edited = decision.edit === undefined ? undefined : Limits.partial().strict().safeParse(decision.edit)
  if (edited && !edited.success)
    throw new Fault(
      'invalid',
      `\`edit\` of a budget item holds new caps (${Object.keys(Limits.shape).join(', ')}); it is not right: ${edited.error.issues[0]!.message}.`,
    )
  const given = edited ? Object.fromEntries(Object.entries(edited.data).filter(([, value]) => value !== undefined)) : undefined
  await resumeTree(tx, tree, given ? { ...limitsOf(tree), ...given } : raised(limitsOf(tree), reached))
  return []
}
