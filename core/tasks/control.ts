/** What a person may do to a task or a subtree. A stop leaves a mark that no parent undoes. */
import { TRY_AGAIN } from '../contract/answers.ts'
import { Fault } from '../contract/fault.ts'
import type { Message } from '../contract/message.ts'
import { isOver } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import { type AskedBy, recordAct } from './ask-acts.ts'
import { cycleHash } from './create.ts'
import { settleLostCalls } from './ledger.ts'
import { endCall, isHoldWish, move, ready } from './move.ts'
import { mustStay } from './old-trees.ts'
import { over, releaseIfFree } from './outcome.ts'
import { takeBack } from './outside-park.ts'
import { endStuckReviews } from './review.ts'
import { append, callsOpen, INSTRUCTION_PREVIEW, keep, openTask, openTree, save, type TaskRow } from './rows.ts'
import { showWatch } from './watch-mark.ts'

export const VERBS = ['cancel', 'abort', 'pause', 'resume', 'step', 'retry', 'steer', 'rerun'] as const
export type Verb = (typeof VERBS)[number]
export type Control = {
  verb: Verb
  by: string
  /** `subtree` (default) reaches every task below; `node` only this one. */
  scope?: 'node' | 'subtree' | undefined
  message?: string | undefined
  comment?: string | undefined
  /**
   * rerun: the message from which to go on; what came after it is no longer seen by the model. `message` then stands in the place of that
   * message where it is the task itself or a person's words.
   */
  from?: number | undefined
  /** rerun: what answers for it from now on, and for tasks that it starts; null: what its goal says. */
  model?: string | null | undefined
  /** rerun: the task is paused until whoever asked has put its files back and resumes it. */
  hold?: boolean | undefined
  /** The ask by which it is done. */
  asked?: AskedBy | undefined
}

const childrenOf = prepare<{ id: string }>()((db, p) =>
  db.selectFrom('tasks').selectAll().where('parent_id', '=', p.id).orderBy('created_at').orderBy('id'),
)

/** Returns ids of tasks whose work under way must be cut off at once. */
export async function control(tx: Tx, id: string, ask: Control): Promise<string[]> {
  const task = await openTask(tx, id)
  await mustStay(tx, task.tree_id)
  const below = ask.scope === 'node' ? [] : await descendants(tx, task)
  const comment = ask.comment ?? null
  const verb = VERBS_DO[ask.verb]
  const cut = await verb(tx, task, below, ask)
  tx.record(task.tree_id, { type: 'task.controlled', taskId: id, verb: ask.verb, by: ask.by, comment: comment ?? ask.message ?? null })
  if (ask.asked) recordAct(tx, ask.asked, ask.verb, [task.tree_id])
  return cut
}

type Do = (tx: Tx, task: TaskRow, below: TaskRow[], ask: Control) => Promise<string[]>

const VERBS_DO: Record<Verb, Do> = {
  /** Lets it wrap up: one last turn to end with what it has; its subtasks stop now. */
  async cancel(tx, task, below, ask) {
    refuseOver(task, 'cancelled')
    const cut: string[] = []
    task.stopped_by_person = 1
    await save(tx, task)
    for (const child of below) await stop(tx, child, ask, cut)
    const begun = task.turns > 0 && task.status !== 'backlog'
    if (!begun || task.reason === 'closing') await stop(tx, task, ask, cut)
    else {
      task.wish = 'wrap_up'
      if (ask.comment) await append(tx, task, { role: 'user', from: 'person', text: ask.comment })
      if (task.status === 'waiting' || task.status === 'paused') {
        for (const call of await callsOpen(tx, task.id)) await endCall(tx, task, call, 'Stopped by a person.', true)
        move(tx, task, 'pending')
      }
      await save(tx, task)
    }
    return cut
  },
  /** Ends it now, whatever it is doing. */
  async abort(tx, task, below, ask) {
    refuseOver(task, 'aborted')
    const cut: string[] = []
    task.stopped_by_person = 1
    for (const child of below) child.stopped_by_person = 1
    for (const child of below) await stop(tx, child, ask, cut)
    await stop(tx, task, ask, cut)
    return cut
  },
  async pause(tx, task, below) {
    refuseOver(task, 'paused')
    for (const t of [task, ...below]) await pauseOne(tx, t)
    return []
  },
  async resume(tx, task, below, ask) {
    const tree = await openTree(tx, task.tree_id)
    if (tree.paused_reason !== null)
      throw new Fault(
        'conflict',
        `The goal is held because ${tree.paused_reason}; decide its item in the review queue, or raise its budget there.`,
      )
    const held = [task, ...below].filter((t) => t.status === 'paused' || isHoldWish(t.wish) || t.step === 1)
    if (held.length === 0) throw new Fault('conflict', `Task ${task.id} is not paused (it is ${task.status}).`)
    for (const t of held) {
      t.step = 0
      if (isHoldWish(t.wish)) t.wish = null
      if (t.watch !== null) {
        await endStuckReviews(tx, t.id, 'a person let it go on')
        await showWatch(tx, t, null, 'a person let it go on', ask.by)
      }
      if (t.status === 'paused') await goOn(tx, t)
      else await save(tx, t)
    }
    return []
  },
  async step(tx, task) {
    refuseOver(task, 'stepped')
    if (task.status === 'waiting')
      throw new Fault('conflict', `Task ${task.id} waits (${task.reason}); there is no turn to run until that is over.`)
    task.step = 1
    if (task.status === 'paused' && task.reason !== 'budget') {
      task.wish = 'step'
      await goOn(tx, task)
    } else await save(tx, task)
    return []
  },
  async retry(tx, task, _below, ask) {
    if (!isOver(task.status) || task.status === 'done')
      throw new Fault('conflict', `Only a task that did not succeed can be retried; task ${task.id} is ${task.status}.`)
    await append(tx, task, {
      role: 'user',
      from: 'person',
      text: `${TRY_AGAIN}${ask.comment ? ` They said: ${ask.comment}` : ''} What you did so far is above.`,
    })
    await reopen(tx, task)
    return []
  },
  async steer(tx, task, _below, ask) {
    if (!ask.message?.trim()) throw new Fault('invalid', 'Steering needs `message`: what the agent should know or do.')
    refuseOver(task, 'steered')
    await append(tx, task, { role: 'user', from: 'person', text: ask.message })
    await save(tx, task)
    return []
  },
  async rerun(tx, task, below, ask) {
    const from = ask.from ?? 1
    if (from < 1 || from > task.messages)
      throw new Fault('invalid', `\`from\` must be between 1 and ${task.messages}, the number of task ${task.id}'s newest message.`)
    if (task.status === 'assigned' || task.status === 'active')
      throw new Fault('conflict', `Task ${task.id} is running; pause or abort it first.`)
    const cut: string[] = []
    const stopped = below.filter((child) => !isOver(child.status)).map((child) => child.id)
    for (const child of below) await stop(tx, child, ask, cut, 0) // the rerun may start the same again
    for (const call of await callsOpen(tx, task.id))
      await endCall(tx, task, call, 'Set aside: a person reruns the task from an earlier point.', true)
    const there = ask.from === undefined ? undefined : await messageAt(tx, task.id, from)
    const replaced = ask.message === undefined || there === undefined ? null : replaces(there, from)
    if (replaced === 'instruction') {
      if (!ask.message?.trim()) throw new Fault('invalid', 'A task needs words: say in `message` what it has to do.')
      task.instruction = ask.message
      task.instruction_hash = cycleHash(task.agent, ask.message)
    }
    if (ask.model !== undefined) task.model = ask.model
    await tx.db
      .updateTable('tasks')
      .set({ instruction: task.instruction, instruction_hash: task.instruction_hash, model: task.model })
      .where('id', '=', task.id)
      .execute()
    const { instruction } = task
    tx.record(task.tree_id, {
      type: 'task.rerun',
      taskId: task.id,
      from,
      replaced,
      ...(replaced === 'instruction'
        ? { instruction: instruction.length > INSTRUCTION_PREVIEW ? `${instruction.slice(0, INSTRUCTION_PREVIEW)}…` : instruction }
        : {}),
      ...(ask.model === undefined ? {} : { model: ask.model }),
      stopped,
      by: ask.by,
    })
    await append(tx, task, {
      role: 'user',
      from: 'person',
      rewindTo: from,
      ...(replaced === 'instruction' ? { instruction: true as const } : {}),
      ...(replaced === 'instruction' && task.criteria !== null ? { criteria: JSON.parse(task.criteria) as string[] } : {}),
      text: ask.message ?? ask.comment ?? 'A person reruns this task from here. Do it anew.',
    })
    await reopen(tx, task)
    if (ask.hold && task.status === 'pending') await pauseOne(tx, task)
    return cut
  },
}

async function messageAt(tx: Tx, taskId: string, n: number): Promise<Message | undefined> {
  const row = await tx.db.selectFrom('messages').select('body').where('task_id', '=', taskId).where('n', '=', n).executeTakeFirst()
  return row && (JSON.parse(row.body) as Message)
}
/** What words in the place of a message would be; null: they would stand beside it. */
export function replaces(message: Message, n: number): 'instruction' | 'words' | null {
  if (message.role !== 'user') return null
  if (n === 1 || message.instruction) return 'instruction'
  return message.from === 'person' ? 'words' : null
}

function refuseOver(task: TaskRow, word: string): void {
  if (isOver(task.status)) throw new Fault('conflict', `Task ${task.id} has ended (${task.status}) and cannot be ${word}.`)
}

/** Parents before children. */
async function descendants(tx: Tx, task: TaskRow): Promise<TaskRow[]> {
  const found: TaskRow[] = []
  for (const row of await tx.query(childrenOf, { id: task.id })) {
    const child = keep(tx, row)
    found.push(child, ...(await descendants(tx, child)))
  }
  return found
}

/** `mark` 1: no parent may start the same again. */
async function stop(tx: Tx, task: TaskRow, ask: Control, cut: string[], mark: 0 | 1 = 1): Promise<void> {
  if (isOver(task.status)) return
  if (task.status === 'assigned' || task.status === 'active') cut.push(task.id)
  task.stopped_by_person = mark
  task.lease_token += 1
  await over(tx, task, 'cancelled', { reason: 'stopped', note: `stopped by a person${ask.comment ? `: ${ask.comment}` : ''}` })
}

async function pauseOne(tx: Tx, task: TaskRow): Promise<void> {
  if (isOver(task.status) || task.status === 'paused') return
  if (task.status === 'assigned' || task.status === 'active') task.wish = 'pause'
  else move(tx, task, 'paused', { reason: 'person', note: 'a person paused it' })
  await save(tx, task)
}

/** Out of a pause, to where its rows say it belongs. */
export async function goOn(tx: Tx, task: TaskRow): Promise<void> {
  if (task.closing !== null) {
    move(tx, task, 'waiting', { reason: 'closing' })
    return save(tx, task)
  }
  if ((JSON.parse(task.after) as string[]).length > 0 && task.turns === 0) {
    move(tx, task, 'backlog', { reason: 'dependencies' })
    await save(tx, task)
    await releaseIfFree(tx, task.id)
    return
  }
  const held = (await callsOpen(tx, task.id)).filter((call) => call.waits !== null)
  if (held.length === 0) return ready(tx, task)
  move(tx, task, 'waiting', { reason: held.some((call) => call.waits === 'tasks') ? 'children' : 'review' })
  await save(tx, task)
}

/** Back to work after an outcome, with a clean slate but for its history. */
async function reopen(tx: Tx, task: TaskRow): Promise<void> {
  Object.assign(task, {
    attempts: 0,
    faults: 0,
    nudges: 0,
    wish: null,
    closing: null,
    rounds: 0,
    handover: 0,
    result: null,
    summary: null,
    evidence: null,
    verdict: null,
    stopped_by_person: 0,
  })
  await settleLostCalls(tx, task)
  await takeBack(tx, task.id)
  const tree = await openTree(tx, task.tree_id)
  if (isOver(task.status) || task.status === 'waiting' || task.status === 'backlog') move(tx, task, 'pending')
  if (tree.paused_reason !== null) move(tx, task, 'paused', { reason: 'budget', note: tree.paused_reason })
  else if (task.status === 'paused') return ready(tx, task, tree)
  await save(tx, task)
}
