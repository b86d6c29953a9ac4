/** Plans that wait for a person: reading, editing, and carrying out exactly what was approved. The plan is the action of its review item. */
import type { Selectable } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { listOf } from '../contract/goal-text.ts'
import { flatten, PLAN_CHANGES, PLAN_REJECTED, type PlanItem, PlanItems, plainPlan, planChildren, problemOf } from '../contract/plan.ts'
import type { Decision, Review } from '../contract/review.ts'
import { isOver } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { spawn } from './create.ts'
import { endCall, move, wakeIfFree } from './move.ts'
import { actionHash, changeReview } from './review.ts'
import { type CallRow, limitsOf, openTask, openTree, save, saveTree, type TaskRow, toReview } from './rows.ts'

export type StoredPlan = { id: string; review: Review; items: PlanItem[] }

const awaitParts = prepare<{ id: string; ids: string }>()((db, p) =>
  db.updateTable('calls').set({ waits: 'tasks', wait_ids: p.ids }).where('id', '=', p.id),
)

/** A plan is named after the call that proposed it, without a slash. */
const idOf = (callId: string): string => callId.replace('/', '-')
const itemsOf = (review: Review): PlanItem[] => (review.action as { items: PlanItem[] }).items

export function openPlans(store: Store) {
  const find = async (db: Tx['db'], id: string): Promise<Selectable<Database['reviews']> | undefined> => {
    const ask = db.selectFrom('reviews').selectAll().where('kind', '=', 'plan')
    const dash = id.lastIndexOf('-')
    if (dash > 0)
      return ask
        .where('call_id', '=', `${id.slice(0, dash)}/${id.slice(dash + 1)}`)
        .orderBy('created_at', 'desc')
        .executeTakeFirst()
    return ask.where('tree_id', '=', id).orderBy('created_at', 'desc').orderBy('id', 'desc').executeTakeFirst()
  }
  const missing = (id: string) =>
    new Fault('not_found', `There is no plan ${id}; a goal has one when it was submitted with \`plan\` and its planner has answered.`)

  return {
    /** By its own id, or the newest of a goal by the goal's. */
    async get(id: string): Promise<StoredPlan> {
      const row = await find(store.db, id)
      if (!row) throw missing(id)
      const review = toReview(row)
      return { id: idOf(row.call_id!), review, items: itemsOf(review) }
    },
    /**
     * Puts other items in the place of those of an undecided plan. `hash`: what the editor saw; another one since is a conflict. What a person
     * writes here is their own word, as in a goal.
     */
    edit: (id: string, items: readonly PlanItem[], hash: string, person: boolean): Promise<StoredPlan> =>
      store.transact(
        async (tx) => {
          const row = await find(tx.db, id)
          if (!row) throw missing(id)
          const shown = toReview(row)
          await openTask(tx, shown.taskId, shown.treeId)
          if (shown.state === 'decided')
            throw new Fault('conflict', `This plan was decided already (${shown.decision} by ${shown.decidedBy}).`)
          if (hash !== shown.actionHash) throw changed()
          const task = await openTask(tx, shown.taskId, shown.treeId)
          const tree = await openTree(tx, shown.treeId)
          const limits = limitsOf(tree)
          const problem = problemOf(items, { ...limits, depth: limits.depth - task.depth, tasks: limits.tasks - tree.tasks })
          if (problem !== null) throw new Fault('invalid', problem)
          const known = new Map(flatten(itemsOf(shown)).map((one) => [one.instruction, one.typed === true]))
          const mark = (list: readonly PlanItem[]): PlanItem[] =>
            list.map((one) => ({
              ...plainPlan([{ ...one, children: [] }])[0]!,
              children: mark(one.children),
              ...((known.get(one.instruction) ?? person) ? { typed: true } : {}),
            }))
          const action = { items: mark(items) }
          const review = await changeReview(tx, shown.id, { action: JSON.stringify(action), action_hash: actionHash(action) })
          if (review === null) throw new Fault('conflict', 'Somebody decided this plan at the same moment.')
          return { id: idOf(row.call_id!), review, items: action.items }
        },
        { durable: true },
      ),
  }
}

export const changed = () => new Fault('conflict', 'The plan changed since it was shown; look at it again.')

/** Before it is marked decided: an approval must say which plan it means. */
export function checkPlanDecision(decision: Decision): void {
  if (decision.edit)
    throw new Fault('invalid', 'A plan is edited with PUT /api/plans/{id}; leave `edit` out and send the hash of what you approve.')
  if (decision.decision === 'approve' && decision.actionHash === undefined)
    throw new Fault('invalid', 'Approving a plan needs `actionHash`: the hash of the plan as you read it.')
}

/**
 * Carries out the decision on a plan in its transaction: what was approved, and nothing else, becomes tasks, and the call that proposed it
 * waits for them.
 */
export async function decidePlan(tx: Tx, shown: Review, decision: Decision, task: TaskRow, call: CallRow): Promise<void> {
  const said = decision.comment ? ` They said: ${decision.comment}` : ''
  if (isOver(task.status) || call.state === 'ended') return
  if (decision.decision !== 'approve') {
    const words = decision.decision === 'reject' ? PLAN_REJECTED : PLAN_CHANGES
    await endCall(tx, task, call, `${words}${said}`, true)
    await save(tx, task)
    await wakeIfFree(tx, task)
    return
  }
  const items = PlanItems.parse(itemsOf(shown))
  const tree = await openTree(tx, task.tree_id)
  const lines = new Set([tree.goal, ...(listOf(tree.goal)?.lines.map((line) => line.text) ?? [])])
  const made = await spawn(
    tx,
    task,
    call.id,
    planChildren(items, (text) => lines.has(text)),
  )
  if (made.kind === 'refused') throw new Fault('conflict', `The plan cannot be carried out. ${made.why}`)
  if (made.kind === 'cap')
    throw new Fault('conflict', `The plan needs more tasks than the goal's budget allows (${made.reached.cap}); make it smaller first.`)
  if (tree.plan !== null) {
    tree.plan = 'frozen'
    await saveTree(tx, tree)
  }
  task.plan = JSON.stringify({ ...(JSON.parse(task.plan ?? '{}') as object), items: undefined, ran: items })
  await tx.query(awaitParts, { id: call.id, ids: JSON.stringify(made.ids) })
  if (task.status === 'waiting') move(tx, task, 'waiting', { reason: 'children' })
  await save(tx, task)
}
