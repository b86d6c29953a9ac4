/**
 * What a worker does with a task: claim it, ask before each model call, save the reply before any of its calls runs, end calls, park.
 * Every verb checks the fencing token of the lease: a writer whose lease was lost is refused and changes nothing.
 */
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { Approval } from '../contract/goal.ts'
import { callIdOf, childIdOf, type Message } from '../contract/message.ts'
import type { TaskPlan } from '../contract/plan.ts'
import type { Judgement, Taint } from '../contract/policy.ts'
import { isOver, type Task, type Usage } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import { helperExists, type NewChild, spawn } from './create.ts'
import { isHalted } from './halt.ts'
import { type Hold, heldWords, hold, type Limit } from './holds.ts'
import { reserveCall, settleCall, settleLostCalls } from './ledger.ts'
import { turnReaches } from './limits.ts'
import { type Change, endCall, holdIfWished, isHoldWish, move, ready, reasonOf } from './move.ts'
import { answerIfOver, over } from './outcome.ts'
import { OUTSIDE_LEASE_MS, parkOutside, takeOutsideCall } from './outside-park.ts'
import { pauseTree } from './pause.ts'
import { type NewReview, openReview } from './review.ts'
import {
  append,
  type CallRow,
  callsOpen,
  callsOpenNow,
  findTask,
  type Grants,
  keep,
  limitsOf,
  lock,
  meterOf,
  openTask,
  openTree,
  save,
  saveTree,
  type TaskRow,
  taint,
  toTask,
} from './rows.ts'
import { hitRule } from './rules.ts'
import { dayReaches } from './spend.ts'

export type Lease = {
  taskId: string
  treeId: string
  token: number
  task: Task
  grants: Grants
  faults: number
  /** What was said with the goal. */
  goal: { model: string | null; approval: Approval; plan: 'open' | 'frozen' | null; ask: boolean }
  /** Its part of a plan; null where there is none. */
  plan: TaskPlan | null
  /** Its worker was lost with it before, and once more sets it aside: nothing else may run beside it until a turn of it is complete. */
  alone: boolean
  /** Its next call tries a provider that takes no others yet; see `holds.ts`. */
  tries: boolean
}
/** What a turn may do next. `gone`: the task is no longer this worker's, or is held back; drop it. */
export type TurnStart = { kind: 'go'; call: number; stopping: boolean; messages: number } | { kind: 'gone' }
export type SavedCall = {
  id: string
  tool: string
  input: unknown
  state: 'asked' | 'begun'
  attempts: number
  approved: boolean
  waits: string | null
}
/** `taint`: where the text came from, when nobody in the tree wrote it. */
/** A model call that brought no answer, with what it cost all the same. */
type FailedCall = {
  provider: string
  model: string
  kind: string
  message: string
  usage: Usage | null
  costMicros: number | null
  latencyMs: number
}
export type EndedCall = { id: string; text: string; isError: boolean; taint?: readonly Taint[] }

/** Claims without a completed turn after which a task is quarantined. */
export const MAX_ATTEMPTS = 3
/** Replies without a tool call, in a row, that fail a task. */
export const MAX_NUDGES = 3
/** Wait before the next attempt after something broke; grows with each. */
const STUMBLE_MS = 5_000
/** The same where the machine was at fault. */
const BLAMELESS_MS = 1_000
/** How long a claim lasts without a sign of life. Renewed by every write and by `renew`. */
export const LEASE_MS = 60_000

const nextReady = prepare<{ limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('status', '=', sql.lit('pending'))
    .orderBy('priority', 'desc')
    .orderBy('created_at')
    .orderBy('id')
    .limit(p.limit),
)
const anyReady = prepare<object>()((db) => db.selectFrom('tasks').select('id').where('status', '=', sql.lit('pending')).limit(1))
const nextReadyLocked = prepare<{ limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .selectAll()
    .where('status', '=', sql.lit('pending'))
    .orderBy('priority', 'desc')
    .orderBy('created_at')
    .orderBy('id')
    .limit(p.limit)
    .forUpdate()
    .skipLocked(),
)
const insertCall = prepare<{ id: string; task_id: string; n: number; tool: string; input: string; effect: string }>()((db, p) =>
  db
    .insertInto('calls')
    .values({ id: p.id, task_id: p.task_id, n: p.n, tool: p.tool, input: p.input, state: 'asked', effect: p.effect } as never),
)
const beginCallRow = prepare<{ id: string; effect: string; at: number }>()((db, p) =>
  db
    .updateTable('calls')
    .set((e) => ({ state: 'begun', effect: p.effect, attempts: e('attempts', '+', 1), begun_at: p.at, approved: 0 })) // an approval is for one attempt
    .where('id', '=', p.id)
    .where('state', '<>', sql.lit('ended'))
    .returning('attempts'),
)
const waitCall = prepare<{ id: string; waits: string; wait_ids: string; at: number }>()((db, p) =>
  db.updateTable('calls').set({ state: 'begun', waits: p.waits, wait_ids: p.wait_ids, begun_at: p.at }).where('id', '=', p.id),
)
const callRow = prepare<{ id: string }>()((db, p) => db.selectFrom('calls').selectAll().where('id', '=', p.id))
const renewLease = prepare<{ id: string; token: number; until: number }>()((db, p) =>
  db
    .updateTable('tasks')
    .set({ lease_until: p.until })
    .where('id', '=', p.id)
    .where('lease_token', '=', p.token)
    .where('status', 'in', [sql.lit('assigned'), sql.lit('active')])
    .returning('id'),
)
const savePrompt = prepare<{ hash: string; body: string; at: number }>()((db, p) =>
  db
    .insertInto('prompts')
    .values({ hash: p.hash, body: p.body, at: p.at })
    .onConflict((c) => c.column('hash').doNothing()),
)

/** The writer's claim is not the newest: what it wants to write must not be written. */
export class ClaimLost extends Fault {
  constructor(taskId: string) {
    super('conflict', `The claim on task ${taskId} is over; its work was taken up elsewhere or stopped.`)
  }
}

export type Turns = ReturnType<typeof openTurns>

/** `dailyMicros`: what all goals may spend in a day together. `reviewSeconds`: how long a call waits for a person before the setting says what becomes of it; absent: for ever. */
export function openTurns(
  store: Store,
  options: { leaseMs?: number; reviewSeconds?: number; dailyMicros?: () => number | null; outsideLeaseMs?: number } = {},
) {
  const leaseMs = options.leaseMs ?? LEASE_MS

  /** Opens the task of a lease; refuses a lease that is not the newest. */
  async function openLeased(tx: Tx, lease: Lease): Promise<TaskRow> {
    const task = await openTask(tx, lease.taskId, lease.treeId)
    if (task.lease_token !== lease.token || (task.status !== 'active' && task.status !== 'assigned')) throw new ClaimLost(lease.taskId)
    task.lease_until = tx.now + leaseMs
    return task
  }

  return {
    /** Whether there is anything to claim; reads only. */
    ready: async (): Promise<boolean> => (await store.read(anyReady, {})).length > 0,
    /**
     * Claims up to `count` ready tasks. A claim counts an attempt at once; a task with too many lost ones is quarantined and a person told.
     * The last attempt is for a worker that is `idle` and takes nothing else with it: a task that kills its worker three times must not have
     * its neighbours quarantined too. Tasks behind it wait for that, or a busy worker would never be idle.
     */
    lease: (worker: string, count: number, idle = true): Promise<Lease[]> =>
      store.transact(async (tx) => {
        const leases: Lease[] = []
        if (await isHalted(tx)) return leases
        const rows = await tx.query(tx.kind === 'postgres' ? nextReadyLocked : nextReady, { limit: count })
        for (const found of rows) {
          await lock(tx, found.tree_id)
          const task = keep(tx, found)
          if (task.attempts >= MAX_ATTEMPTS) {
            await quarantine(tx, task)
            continue
          }
          const alone = task.attempts === MAX_ATTEMPTS - 1
          if (alone && (!idle || leases.length > 0)) break
          task.attempts += 1
          task.lease_token += 1
          task.lease_worker = worker
          task.lease_until = tx.now + leaseMs
          move(tx, task, 'assigned')
          await save(tx, task)
          const tree = await openTree(tx, task.tree_id)
          if (tree.started_at === null) {
            tree.started_at = tx.now
            await saveTree(tx, tree)
          }
          leases.push({
            taskId: task.id,
            treeId: task.tree_id,
            token: task.lease_token,
            task: toTask(task),
            grants: JSON.parse(task.grants) as Grants,
            faults: task.faults,
            goal: {
              model: task.model ?? tree.model,
              approval: tree.approval as Approval,
              plan: tree.plan as Lease['goal']['plan'],
              ask: tree.conversation !== null,
            },
            plan: task.plan === null ? null : (JSON.parse(task.plan) as TaskPlan),
            alone,
            tries: false,
          })
          if (alone) break
        }
        return leases
      }),

    /** A sign of life during long work. False: the lease is lost, stop. */
    renew: (lease: Lease): Promise<boolean> =>
      store.transact(
        async (tx) => (await tx.query(renewLease, { id: lease.taskId, token: lease.token, until: tx.now + leaseMs })).length > 0,
      ),

    /**
     * Asks for one model call: caps of the tree, turns of the agent, a person's wishes. Reserves what the call may cost; the reservation is
     * settled by `reply` or `fault`, or counted as spent if this process dies.
     */
    begin: (
      lease: Lease,
      ask: {
        provider: string
        model: string
        tokens: number
        costMicros: number
        /** Its cost is known only from what an outside agent tells. */
        told?: boolean
        maxTurns: number
        prompt?: { hash: string; body: string; message: Message }
      },
    ): Promise<TurnStart> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        const tree = await openTree(tx, task.tree_id)
        if (await holdIfWished(tx, task)) return { kind: 'gone' }
        // Who answers for it was changed meanwhile: whoever claims it next asks them.
        if (task.model !== lease.task.model || task.agent !== lease.task.agent || (task.plan === null) !== (lease.plan === null)) {
          task.attempts = Math.max(0, task.attempts - 1)
          await ready(tx, task, tree)
          return { kind: 'gone' }
        }
        if (tree.paused_reason !== null) {
          await ready(tx, task, tree)
          return { kind: 'gone' }
        }
        if (await isHalted(tx)) {
          task.attempts = Math.max(0, task.attempts - 1)
          await ready(tx, task, tree)
          return { kind: 'gone' }
        }
        const reached =
          turnReaches(limitsOf(tree), meterOf(tree), ask, tx.now) ?? (await dayReaches(tx, options.dailyMicros?.() ?? null, ask.costMicros))
        if (reached) {
          await pauseTree(tx, tree, task.id, reached)
          await ready(tx, task, tree)
          return { kind: 'gone' }
        }
        if (task.turns >= ask.maxTurns) {
          await over(tx, task, 'failed', { reason: 'limit', note: `the agent's limit of ${ask.maxTurns} turns is reached` })
          return { kind: 'gone' }
        }
        if (task.wish === 'wrap_up') {
          task.wish = 'wrapping'
          await append(tx, task, {
            role: 'user',
            from: 'person',
            text: 'A person asked you to stop. Start nothing new. Call end_task now with what you have, and say what is missing.',
          })
        }
        if (ask.prompt) {
          await tx.query(savePrompt, { hash: ask.prompt.hash, body: ask.prompt.body, at: tx.now })
          await append(tx, task, ask.prompt.message)
        }
        const n = await reserveCall(tx, task, tree, ask)
        if (task.status === 'assigned') move(tx, task, 'active')
        await save(tx, task)
        return { kind: 'go', call: n, stopping: task.wish === 'wrapping', messages: task.messages }
      }),

    /**
     * Saves a finished reply whole, with its calls, before any of them runs. A reply without a call is answered with a reminder. `outside`:
     * numbers of the calls of an outside agent that the reply is made of.
     */
    reply: (
      lease: Lease,
      call: number,
      {
        outside = [],
        ...reply
      }: Omit<Extract<Message, { role: 'assistant' }>, 'role' | 'calls'> & {
        calls: { tool: string; input: unknown }[]
        outside?: readonly number[]
      },
    ): Promise<{ calls: SavedCall[]; end: 'calls' | 'again' | 'gone' }> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        await settleCall(tx, task, call, {
          provider: reply.provider,
          model: reply.model,
          usage: reply.usage,
          costMicros: reply.costMicros,
          latencyMs: reply.latencyMs,
          outcome: 'ok',
        })
        task.attempts = 0
        task.faults = 0
        const n = task.messages + 1
        const calls = reply.calls.map((c, i) => ({ id: callIdOf(task.id, n, i), tool: c.tool, input: c.input }))
        await append(tx, task, { role: 'assistant', ...reply, calls })
        for (const c of calls)
          await tx.query(insertCall, { id: c.id, task_id: task.id, n, tool: c.tool, input: JSON.stringify(c.input ?? {}), effect: 'read' })
        for (const [i, sent] of outside.entries()) await takeOutsideCall(tx, task.id, sent, calls[i]!.id)
        if (calls.length > 0) {
          task.nudges = 0
          await save(tx, task)
          return { calls: calls.map((c) => ({ ...c, state: 'asked', attempts: 0, approved: false, waits: null })), end: 'calls' }
        }
        task.nudges += 1
        if (task.wish === 'wrapping') {
          task.result = reply.text || null
          await over(tx, task, 'cancelled', { reason: 'stopped', note: 'stopped by a person' })
          return { calls: [], end: 'gone' }
        }
        if (task.nudges >= MAX_NUDGES) {
          task.result = reply.text || null
          await over(tx, task, 'failed', { reason: 'no_tool_call', note: `the agent answered ${MAX_NUDGES} times without calling a tool` })
          return { calls: [], end: 'gone' }
        }
        await append(tx, task, {
          role: 'user',
          from: 'system',
          text: `Your reply called no tool, so nothing happened and nobody read it. Go on with a tool call; if the work is finished, call end_task with the result. (Reminder ${task.nudges} of ${MAX_NUDGES - 1}.)`,
        })
        await save(tx, task)
        return { calls: [], end: 'again' }
      }),

    /** A model call that failed. With a time to try again the task waits for it, holding nothing, across restarts; without, a person is asked. */
    fault: (lease: Lease, call: number, fault: FailedCall, retryAt: number | null): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        await settleCall(tx, task, call, { ...fault, outcome: 'fault' })
        task.attempts = 0
        task.faults += 1
        tellFault(tx, task, fault, retryAt)
        if (retryAt !== null) {
          move(tx, task, 'waiting', { reason: 'quota', note: fault.message.slice(0, 500), wakeAt: retryAt })
          return save(tx, task)
        }
        move(tx, task, 'paused', { reason: 'error', note: fault.message.slice(0, 500) })
        await save(tx, task)
        await openReview(tx, {
          id: `${task.id}/model-${call}`,
          kind: 'dead_task',
          treeId: task.tree_id,
          taskId: task.id,
          callId: null,
          risk: 'low',
          title: `The model cannot go on with "${task.title}": ${fault.message}`,
          action: {
            decision: 'approve tries again once the cause is mended; reject stops the task',
            provider: fault.provider,
            model: fault.model,
            message: fault.message,
          },
        })
      }),

    /**
     * A model call that met a limit of the whole provider, which is held with it. The task waits like all others, and this is no fault of its;
     * `elsewhere`: another model answers for it at once.
     */
    limited: (lease: Lease, call: number, fault: FailedCall, limit: Limit, elsewhere: boolean): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        await settleCall(tx, task, call, { ...fault, outcome: 'fault' })
        task.attempts = 0
        const held = await hold(tx, task.id, limit)
        tellFault(tx, task, fault, elsewhere ? tx.now : held.until)
        if (elsewhere) return ready(tx, task)
        move(tx, task, 'waiting', { reason: 'quota', note: heldWords(held), wakeAt: held.until, heldBy: held.provider })
        await save(tx, task)
      }),

    /** No call was made: the provider takes none because of its limits. The attempt is not counted. */
    park: (lease: Lease, held: Hold): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        task.attempts = Math.max(0, task.attempts - 1)
        const { provider, until } = held
        move(tx, task, 'waiting', { reason: 'quota', note: heldWords(held), wakeAt: until, heldBy: provider })
        await save(tx, task)
      }),

    /** Records that the call's effect is about to happen; on stable storage for `once`. Returns which attempt this is. */
    beginCall: (lease: Lease, callId: string, tool: string, effect: string): Promise<number> =>
      store.transact(
        async (tx) => {
          const task = await openLeased(tx, lease)
          const [row] = await tx.query(beginCallRow, { id: callId, effect, at: tx.now })
          if (!row) throw new Fault('conflict', `Call ${callId} has ended already.`)
          tx.record(task.tree_id, { type: 'call.began', taskId: task.id, callId, tool, attempt: row.attempts })
          return row.attempts
        },
        { durable: effect === 'once' },
      ),

    /** Makes the call wait for a person. */
    askPerson: (
      lease: Lease,
      callId: string,
      item: Pick<NewReview, 'kind' | 'title' | 'action' | 'risk' | 'policy'> & { rule?: string | null },
    ): Promise<string> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        const [call] = await tx.query(callRow, { id: callId })
        const id = `${callId}-${item.kind}${call && call.attempts > 0 ? `-${call.attempts}` : ''}`
        const expiresAt = options.reviewSeconds === undefined ? null : tx.now + options.reviewSeconds * 1_000
        const { rule = null, ...asked } = item
        const made = await openReview(tx, { ...asked, id, treeId: task.tree_id, taskId: task.id, callId, expiresAt })
        if (made && rule !== null) await hitRule(tx, rule)
        if (made && item.policy && call)
          recordJudgement(tx, task, call, { verdict: 'ask', reason: item.policy.reason, rule, risk: item.risk })
        await tx.query(waitCall, { id: callId, waits: 'review', wait_ids: JSON.stringify([id]), at: tx.now })
        return id
      }),

    /** Records what the policy said of a call. False: the rule that allowed it is not in force any more; ask again. */
    judged: (lease: Lease, callId: string, judgement: Judgement): Promise<boolean> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        if (judgement.rule !== null && !(await hitRule(tx, judgement.rule))) return false
        const [call] = await tx.query(callRow, { id: callId })
        if (call) recordJudgement(tx, task, call, judgement)
        return true
      }),

    /** Puts something before people without waiting for them. */
    tellPerson: (lease: Lease, callId: string, item: Pick<NewReview, 'kind' | 'title' | 'action' | 'risk'>): Promise<string> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        const id = `${callId}-${item.kind}`
        await openReview(tx, { ...item, id, treeId: task.tree_id, taskId: task.id, callId: null })
        return id
      }),

    /** Starts children of this call; the call waits for them if asked to. `paused`: a cap was reached and the tree waits for a person. */
    spawn: (
      lease: Lease,
      callId: string,
      children: readonly NewChild[],
      how: { wait: boolean; handover?: boolean; helper?: boolean },
    ): Promise<{ kind: 'started'; ids: string[] } | { kind: 'refused'; why: string } | { kind: 'paused' }> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        const [call] = await tx.query(callRow, { id: callId })
        // Nothing else of a call that does not wait tells that it ran before a crash, and its children would count against the caps twice.
        if (!how.wait && (await findTask(tx, childIdOf(callId, 0))))
          return { kind: 'started', ids: children.map((_, k) => childIdOf(callId, k)) }
        if (how.helper && call?.waits === null && (await helperExists(tx, task.id, children[0]!.kind!)))
          return {
            kind: 'refused',
            why: 'Refused: this task has had that help already. Work with what it gave, or split the task with start_subtask.',
          }
        if (how.handover && (await callsOpen(tx, task.id)).some((c) => c.id !== callId))
          return { kind: 'refused', why: 'Refused: handover must be the only call of its reply and no other call may be open.' }
        const made = await spawn(tx, task, callId, children, { exempt: how.helper ?? false })
        if (made.kind === 'refused') return made
        if (made.kind === 'cap') {
          const tree = await openTree(tx, task.tree_id)
          await pauseTree(tx, tree, task.id, made.reached)
          await ready(tx, task, tree)
          return { kind: 'paused' }
        }
        // Its part of the plan is carried out with this; it is not carried out again.
        const { items, ...rest } = JSON.parse(task.plan ?? '{}') as TaskPlan
        if (items && children.every((child) => child.approved)) {
          task.plan = JSON.stringify({ ...rest, ran: items })
          await save(tx, task)
        }
        if (how.handover) {
          task.handover = 1
          await save(tx, task)
        }
        if (how.wait) await tx.query(waitCall, { id: callId, waits: 'tasks', wait_ids: JSON.stringify(made.ids), at: tx.now })
        return { kind: 'started', ids: made.ids }
      }),

    /** The call waits for a change of the system itself; `made` writes that change down in the same commit. */
    awaitChange:
      (lease: Lease, callId: string): ((tx: Tx, id: string) => Promise<void>) =>
      async (tx, id) => {
        await openLeased(tx, lease)
        await tx.query(waitCall, { id: callId, waits: 'change', wait_ids: JSON.stringify([id]), at: tx.now })
      },

    /** The call waits until all these tasks are over. */
    awaitTasks: (lease: Lease, callId: string, ids: readonly string[]): Promise<void> =>
      store.transact(async (tx) => {
        await openLeased(tx, lease)
        await tx.query(waitCall, { id: callId, waits: 'tasks', wait_ids: JSON.stringify(ids), at: tx.now })
      }),

    /**
     * Ends the calls that have answers, and decides in the same commit whether the task goes on: `again`: another turn now; `gone`: it is
     * parked on calls that wait, or held by a pause, a step or a stop; `calls`: a person allowed a call meanwhile, run it before anything else.
     */
    finish: (lease: Lease, ended: readonly EndedCall[]): Promise<'again' | 'calls' | 'gone'> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        task.attempts = 0 // this turn came to its end; only losses in a row set a task aside
        await endAll(tx, task, ended)
        const open = await callsOpen(tx, task.id)
        let waiting: CallRow[] = []
        let due = false
        for (const call of open) {
          if (call.waits === 'tasks' && (await answerIfOver(tx, task, call))) continue
          if (call.waits !== null) waiting = [...waiting, call]
          else if (call.approved === 1) due = true
        }
        if (task.wish === 'wrapping' && !isOver(task.status)) {
          task.result = lastText(ended)
          await over(tx, task, 'cancelled', { reason: 'stopped', note: 'stopped by a person before it could end by itself' })
          return 'gone'
        }
        if (due && !isHoldWish(task.wish)) {
          await save(tx, task)
          return 'calls'
        }
        if (waiting.length > 0) {
          move(tx, task, 'waiting', { reason: await reasonOf(tx, waiting) })
          await save(tx, task)
          await holdIfWished(tx, task)
          return 'gone'
        }
        if (await holdIfWished(tx, task)) return 'gone'
        if (task.step === 1) {
          task.wish = null
          move(tx, task, 'paused', { reason: 'step', note: 'step by step: it waits for the next step' })
          await save(tx, task)
          return 'gone'
        }
        await save(tx, task)
        return 'again'
      }),

    /** Writes down answers at once, before the next effect of the same reply begins. */
    answer: (lease: Lease, ended: readonly EndedCall[]): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        await endAll(tx, task, ended)
        await save(tx, task)
      }),

    /** Does a change and writes down the call's answer in one commit, so that a crash leaves both or neither. */
    act: (lease: Lease, callId: string, work: (tx: Tx, grant: (tools: readonly string[]) => void) => Promise<string>): Promise<void> =>
      store.transact(
        async (tx) => {
          const task = await openLeased(tx, lease)
          const [call] = await tx.query(callRow, { id: callId })
          if (!call || call.state === 'ended') throw new Fault('conflict', `Call ${callId} has ended already.`)
          const grant = (tools: readonly string[]) => {
            const had = JSON.parse(task.grants) as Grants
            task.grants = JSON.stringify({ ...had, tools: [...new Set([...(had.tools ?? []), ...tools])] })
            tx.record(task.tree_id, { type: 'task.granted', taskId: task.id, documents: [], tools: [...tools] })
          }
          await endCall(tx, task, call, await work(tx, grant), false)
          await save(tx, task)
        },
        { durable: true },
      ),

    /** Saves a summary that takes the place of older messages; the model call that made it is settled like any other. */
    compacted: (
      lease: Lease,
      call: number,
      made: { provider: string; model: string; usage: Usage | null; costMicros: number | null; latencyMs: number },
      message: Extract<Message, { role: 'compaction' }>,
    ): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        await settleCall(tx, task, call, { ...made, outcome: 'ok' })
        await append(tx, task, message)
        await save(tx, task)
      }),

    /** No call was made: the provider is known not to answer before this time. The attempt is not counted. */
    postpone: (lease: Lease, until: number, note: string): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        task.attempts = Math.max(0, task.attempts - 1)
        move(tx, task, 'waiting', { reason: 'quota', note, wakeAt: until })
        await save(tx, task)
      }),

    /** The turn is an outside agent's: the task waits for its calls. False: there are some already. The attempt is not counted. */
    parkOutside: (lease: Lease, capability: string): Promise<boolean> =>
      store.transact(async (tx) => parkOutside(tx, await openLeased(tx, lease), capability, options.outsideLeaseMs ?? OUTSIDE_LEASE_MS)),

    /** Gives the task back untouched: a restart is not a failure, so the claim's attempt is not counted. */
    release: (lease: Lease): Promise<void> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        task.attempts = Math.max(0, task.attempts - 1)
        move(tx, task, 'pending')
        await save(tx, task)
      }),

    /**
     * Something broke that nobody foresaw. The attempt stays counted, and the next one waits a little; after the last one it is set aside.
     * `blameless`: it was the machine's fault and not the task's, so the attempt is not counted.
     */
    stumble: (lease: Lease, words: string, { blameless = false }: { blameless?: boolean } = {}): Promise<void> =>
      store.transact(async (tx) => {
        const task = await findTask(tx, lease.taskId)
        if (!task || task.lease_token !== lease.token || (task.status !== 'active' && task.status !== 'assigned')) return
        await settleLostCalls(tx, task)
        task.attempts = blameless ? Math.max(0, task.attempts - 1) : Math.max(1, task.attempts)
        const wait = blameless ? BLAMELESS_MS : STUMBLE_MS * task.attempts
        move(tx, task, 'waiting', { reason: 'timer', note: words.slice(0, 500), wakeAt: tx.now + wait })
        await save(tx, task)
      }),

    /** Ends a task that cannot go on for a reason of the runtime's. */
    fail: (lease: Lease, change: Change): Promise<void> =>
      store.transact(async (tx) => {
        await over(tx, await openLeased(tx, lease), 'failed', change)
      }),

    /** Appends to the history of a leased task: compaction and the like. Returns its number. */
    note: (lease: Lease, message: Message): Promise<number> =>
      store.transact(async (tx) => {
        const task = await openLeased(tx, lease)
        const n = await append(tx, task, message)
        await save(tx, task)
        return n
      }),

    /** Calls of a task that have no answer yet, with what is known of each. */
    openCalls: async (taskId: string): Promise<SavedCall[]> =>
      (await callsOpenNow(store, taskId)).map((row) => ({
        id: row.id,
        tool: row.tool,
        input: JSON.parse(row.input),
        state: row.state as 'asked' | 'begun',
        attempts: row.attempts,
        approved: row.approved === 1,
        waits: row.waits,
      })),
    openLeased,
  }
}

/** `retryAt`: milliseconds since 1970; null: not before a person says so. */
function tellFault(tx: Tx, task: TaskRow, { provider, model, kind, message }: FailedCall, retryAt: number | null): void {
  const at = retryAt === null ? null : new Date(retryAt).toISOString()
  tx.record(task.tree_id, { type: 'model.fault', taskId: task.id, provider, model, kind, message: message.slice(0, 1_000), retryAt: at })
}

function recordJudgement(tx: Tx, task: TaskRow, call: Pick<CallRow, 'id' | 'tool'>, judgement: Judgement): void {
  tx.record(task.tree_id, { type: 'policy.decided', taskId: task.id, callId: call.id, tool: call.tool, ...judgement })
}

async function endAll(tx: Tx, task: TaskRow, ended: readonly EndedCall[]): Promise<void> {
  for (const end of ended) {
    const [call] = await tx.query(callRow, { id: end.id })
    if (!call || call.state === 'ended') continue
    if (end.taint) taint(tx, task, end.taint) // with the words, in the same commit; the caller saves the row
    await endCall(tx, task, call, end.text, end.isError)
  }
}

async function quarantine(tx: Tx, task: TaskRow): Promise<void> {
  const note = `its worker was lost ${MAX_ATTEMPTS} times in a row while it ran; it is set aside so that it cannot take the system down`
  await over(tx, task, 'dead', { reason: 'lost', note })
  await openReview(tx, {
    id: `${task.id}/dead-${task.lease_token}`,
    kind: 'dead_task',
    treeId: task.tree_id,
    taskId: task.id,
    callId: null,
    risk: 'medium',
    title: `Set aside after ${MAX_ATTEMPTS} lost attempts: ${task.title}`,
    action: { decision: 'approve runs it again; reject leaves it set aside', note },
  })
}

const lastText = (ended: readonly EndedCall[]): string | null => ended.at(-1)?.text ?? null
