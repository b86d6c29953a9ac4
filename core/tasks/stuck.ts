/**
 * What may be done for a task that does not get on: by the watchdog, which follows its rule, and by the supervisor agent, which judges. Each verb is
 * a part of a transaction of others. None of them carries anything out: they arrange tasks, and say things to agents.
 */
import { Fault } from '../contract/fault.ts'
import { callIdOf } from '../contract/message.ts'
import { PLAN_TOOL, type PlanItem, type TaskPlan } from '../contract/plan.ts'
import { isOver, isWatcher } from '../contract/task.ts'
import type { Tx } from '../store/store.ts'
import { goOn } from './control.ts'
import { cycleHash, spawn } from './create.ts'
import { move } from './move.ts'
import { over } from './outcome.ts'
import { endStuckReviews, openReview } from './review.ts'
import { append, type Grants, openTask, openTree, save, type TaskRow } from './rows.ts'
import { showWatch } from './watch-mark.ts'

/** Supervisor tasks that one task may have in its life, and one goal. */
const MOST_OF_TASK = 2
const MOST_OF_TREE = 10

/** Words of the system that its agent reads before its next turn. */
export async function tellAgent(tx: Tx, task: TaskRow, text: string): Promise<void> {
  await append(tx, task, { role: 'user', from: 'system', text })
  await save(tx, task)
}

/** From its next turn on another model answers for it; what it did stays. */
export async function changeModel(tx: Tx, task: TaskRow, model: string): Promise<void> {
  task.model = model
  await tx.db.updateTable('tasks').set({ model }).where('id', '=', task.id).execute()
  tx.record(task.tree_id, { type: 'task.changed', taskId: task.id, model })
}

/** No turn of it begins any more; one under way comes to its end. `note`: what people read. */
export async function hold(tx: Tx, task: TaskRow, note: string): Promise<void> {
  if (isOver(task.status) || task.status === 'paused') return
  if (task.status === 'assigned' || task.status === 'active') task.wish = 'hold'
  else move(tx, task, 'paused', { reason: 'stuck', note })
  await save(tx, task)
}

/** Starts the supervisor on a task. Null: it has had as many as it may, or the goal has, or a cap of the goal is reached. */
export async function supervise(
  tx: Tx,
  task: TaskRow,
  helper: { agent: string; instruction: string; deadlineAt: number },
): Promise<string | null> {
  const had = await tx.db
    .selectFrom('tasks')
    .select(['id', 'parent_id'])
    .where('tree_id', '=', task.tree_id)
    .where('kind', '=', 'supervise')
    .execute()
  const own = had.filter((one) => one.parent_id === task.id).length
  if (had.length >= MOST_OF_TREE || own >= MOST_OF_TASK) return null
  const callId = callIdOf(task.id, task.messages, 0).replace(/[^/]*$/, `supervise${own + 1}`)
  const child = { ...helper, kind: 'supervise' as const, title: 'See why it does not get on', priority: task.priority + 10 }
  const made = await spawn(tx, task, callId, [child], { exempt: true })
  return made.kind === 'started' ? made.ids[0]! : null
}

/** Puts it before people. Returns the id of the item. */
export async function askAboutStuck(tx: Tx, task: TaskRow, item: { title: string; action: Record<string, unknown> }): Promise<string> {
  const id = `${task.id}/stuck-${task.messages}-${tx.now}`
  await openReview(tx, { id, kind: 'stuck', treeId: task.tree_id, taskId: task.id, callId: null, risk: 'medium', ...item })
  return id
}

/** What the supervisor may do. */
export type Resolution =
  | { act: 'steer'; message: string }
  | { act: 'cancel'; reason: string }
  | { act: 'reassign'; agent: string; message: string }
  | { act: 'split'; parts: PlanItem[]; message: string }
  | { act: 'leave'; reason: string }

/**
 * Resolves a task in the supervisor's name. A Fault: it is not that supervisor's to resolve, has ended, or cannot be resolved so. Returns what to say
 * to the supervisor, and the ids of tasks whose work under way must be cut off.
 */
export async function resolveStuck(
  tx: Tx,
  supervisor: { id: string; agent: string; parentId: string | null },
  taskId: string,
  how: Resolution,
): Promise<{ said: string; cut: string[] }> {
  const charge = supervisor.parentId
  if (charge === null || (taskId !== charge && !taskId.startsWith(`${charge}.`)) || taskId === supervisor.id)
    throw new Fault('forbidden', `Task ${taskId} is not yours to resolve; yours is ${charge ?? 'none'} and what is below it.`)
  const task = await openTask(tx, taskId)
  if (isOver(task.status))
    throw new Fault('conflict', `Task ${taskId} has ended (${task.status}); there is nothing left to resolve. End your task.`)
  if (isWatcher(task.kind)) throw new Fault('forbidden', `Task ${taskId} judges another task; only tasks that work are resolved.`)
  const by = supervisor.agent
  if (how.act === 'cancel') {
    const cut = task.status === 'assigned' || task.status === 'active' ? [task.id] : []
    task.lease_token += 1
    await showWatch(tx, task, null, `${by} stopped it: ${how.reason}`, by)
    await over(tx, task, 'cancelled', { reason: 'stopped', note: `the supervisor stopped it: ${how.reason}` })
    return { said: `Stopped. Whoever asked for it is told: the supervisor stopped it: ${how.reason}`, cut }
  }
  if (how.act === 'reassign') await reassign(tx, task, how.agent)
  if (how.act === 'split') await split(tx, task, how.parts)
  if (how.act !== 'leave') await tellAgent(tx, task, WORDS[how.act](how.message))
  const words = {
    steer: 'told its agent',
    reassign: `gave it to ${how.act === 'reassign' ? how.agent : ''}`,
    split: 'had it split',
    leave: 'found it healthy',
  }[how.act]
  const more = how.act === 'leave' ? how.reason : how.message
  await letGoOn(tx, task, `${by} ${words}: ${more}`, by)
  return { said: `Done: task ${task.id} goes on. End your task now with end_task.`, cut: [] }
}
const WORDS: Record<'steer' | 'reassign' | 'split', (message: string) => string> = {
  steer: (message) => `The supervisor looked at your task because it did not get on, and says: ${message}`,
  reassign: (message) =>
    `This task was given to you because the agent before you did not get on. What it did is above. The supervisor says: ${message}`,
  split: (message) => `The supervisor looked at this task because it did not get on, and had it split into subtasks. It says: ${message}`,
}

/** Out of the hold; nothing is asked about it any more. */
async function letGoOn(tx: Tx, task: TaskRow, words: string, by: string): Promise<void> {
  if (task.wish === 'hold') task.wish = null
  await endStuckReviews(tx, task.id, words)
  await showWatch(tx, task, null, words.slice(0, 1_000), by)
  if (task.status === 'paused' && task.reason === 'stuck') await goOn(tx, task)
  else await save(tx, task)
}

async function reassign(tx: Tx, task: TaskRow, agent: string): Promise<void> {
  if (agent === task.agent) throw new Fault('invalid', `Task ${task.id} is the agent ${agent}'s already; name another, or steer it.`)
  task.agent = agent
  task.instruction_hash = cycleHash(agent, task.instruction)
  await tx.db.updateTable('tasks').set({ agent, instruction_hash: task.instruction_hash }).where('id', '=', task.id).execute()
  tx.record(task.tree_id, { type: 'task.changed', taskId: task.id, agent })
}

/** Its next turn starts these, as if they were its part of a plan; how they run (commands, permissions) is asked as ever. */
async function split(tx: Tx, task: TaskRow, items: PlanItem[]): Promise<void> {
  const tree = await openTree(tx, task.tree_id)
  if (task.plan !== null || (tree.plan !== null && task.id === tree.id))
    throw new Fault('conflict', `Task ${task.id} works by a plan already; steer it, or give it to another agent.`)
  const plan: TaskPlan = { items }
  task.plan = JSON.stringify(plan)
  const grants = JSON.parse(task.grants) as Grants
  task.grants = JSON.stringify({ ...grants, tools: [...new Set([...(grants.tools ?? []), PLAN_TOOL])] })
  await save(tx, task)
}
