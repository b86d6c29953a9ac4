/**
 * Outside agents: programs of others whose model works tasks. They claim a task that waits for one, send calls, and read what came of them. A
 * call that they send becomes a reply of the task's model and goes the road of every other; here it is only kept until the turn takes it up.
 */
import { createHash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { Limits } from '../contract/limits.ts'
import type { Message, StoredMessage } from '../contract/message.ts'
import { isOver, type ReportedUsage, type Task } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import { isHalted } from './halt.ts'
import { move, ready } from './move.ts'
import {
  findClaim,
  lapse,
  OUTSIDE_LEASE_MS,
  type OutsideCallRow,
  type OutsideTaskRow,
  saveClaim,
  unreadOf,
  waitsFor,
} from './outside-park.ts'
import { type Grants, limitsOf, lock, openTask, openTree, save, saveTree, type TaskRow, toTask } from './rows.ts'

/** Who may claim, as it registered. */
export type OutsideAgent = {
  name: string
  capabilities: string[]
  description: string
  repository: string | null
  webhook: string | null
  maxTasks: number
  createdAt: string
  lastSeenAt: string
  /** Tasks that it holds and that are not over. */
  tasks: { taskId: string; treeId: string; title: string; status: string; reason: string | null; claimedAt: string; leaseUntil: string }[]
}
export type Registration = {
  capabilities: string[]
  description: string
  repository: string | null
  webhook: string | null
  maxTasks: number
}

/** A claimed task with all that was said in it so far. `resumed`: it is the agent's already, and something happened in it. */
export type Claimed = {
  task: Task
  grants: Grants
  lease: string
  leaseUntil: string
  resumed: boolean
  /** Number of the newest message that the agent knew of before. */
  since: number
  /** The caps of its goal, and what of them is used. */
  caps: { limits: Limits; used: { turns: number; tokens: number; costMicros: number; tasks: number; wallSeconds: number } }
}
export type Nothing = { why: 'none' | 'full' | 'held'; holds: string[] }

/** How a call stands. `waits`: for subtasks or a person, by its row. */
export type CallState =
  | { kind: 'queued'; status: Task['status']; note: string | null }
  | { kind: 'running' }
  | { kind: 'waits'; for: 'tasks' | 'review'; ids: string[] }
  | { kind: 'answered'; text: string; isError: boolean }
  | { kind: 'dropped'; status: Task['status']; note: string | null }
export type SentCall = { taskId: string; n: number; key: string; tool: string }
export type Outside = ReturnType<typeof openOutside>

/** Calls of one task that wait for their turn. */
const MOST_QUEUED = 32
export const MOST_TASKS = 20
/** Uses are noted at most this often, so that looking is not writing. */
const NOTED_MS = 15_000
const LOOKED_AT = 200

const agentRow = prepare<{ name: string }>()((db, p) => db.selectFrom('outside_agents').selectAll().where('name', '=', p.name))
const offered = prepare<{ limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .innerJoin('outside_tasks as o', 'o.task_id', 'tasks.id')
    .select(['tasks.id', 'tasks.tree_id', 'o.capability'])
    .where('tasks.status', '=', sql.lit('waiting'))
    .where('tasks.reason', '=', sql.lit('external'))
    .where('o.agent', 'is', null)
    .orderBy('tasks.priority', 'desc')
    .orderBy('tasks.created_at')
    .orderBy('tasks.id')
    .limit(p.limit),
)
const heldBy = prepare<{ agent: string }>()((db, p) =>
  db
    .selectFrom('outside_tasks as o')
    .innerJoin('tasks', 'tasks.id', 'o.task_id')
    .select([
      'o.task_id',
      'o.told',
      'o.claimed_at',
      'o.lease_until',
      'tasks.tree_id',
      'tasks.title',
      'tasks.status',
      'tasks.reason',
      'tasks.messages',
    ])
    .where('o.agent', '=', p.agent)
    .where('tasks.status', 'not in', [sql.lit('done'), sql.lit('failed'), sql.lit('cancelled'), sql.lit('dead')])
    .orderBy('o.claimed_at'),
)
const workedBy = prepare<{ agent: string }>()((db, p) =>
  db
    .selectFrom('outside_tasks as o')
    .innerJoin('tasks', 'tasks.id', 'o.task_id')
    .select(['tasks.agent', 'tasks.grants'])
    .where('o.agent', '=', p.agent)
    .where('tasks.status', 'not in', [sql.lit('done'), sql.lit('failed'), sql.lit('cancelled'), sql.lit('dead')]),
)
const lapsed = prepare<{ now: number; limit: number }>()((db, p) =>
  db
    .selectFrom('outside_tasks as o')
    .innerJoin('tasks', 'tasks.id', 'o.task_id')
    .select(['o.task_id', 'tasks.tree_id'])
    .where('o.agent', 'is not', null)
    .where('o.lease_until', '<', p.now)
    .where('tasks.status', '=', sql.lit('waiting'))
    .where('tasks.reason', '=', sql.lit('external'))
    .limit(p.limit),
)
const callByKey = prepare<{ task_id: string; key: string }>()((db, p) =>
  db.selectFrom('outside_calls').selectAll().where('task_id', '=', p.task_id).where('key', '=', p.key),
)
const callByNumber = prepare<{ task_id: string; n: number }>()((db, p) =>
  db.selectFrom('outside_calls').selectAll().where('task_id', '=', p.task_id).where('n', '=', p.n),
)
const untoldAlike = prepare<{ task_id: string; hash: string; agent: string }>()((db, p) =>
  db
    .selectFrom('outside_calls')
    .selectAll()
    .where('task_id', '=', p.task_id)
    .where('hash', '=', p.hash)
    .where('agent', '=', p.agent)
    .where('told', '=', sql.lit(0))
    .orderBy('n', 'desc')
    .limit(1),
)
const newestCall = prepare<{ task_id: string }>()((db, p) =>
  db
    .selectFrom('outside_calls')
    .select((e) => e.fn.max('n').as('n'))
    .where('task_id', '=', p.task_id),
)
const insertCall = prepare<OutsideCallRow>()((db, p) =>
  db.insertInto('outside_calls').values({
    task_id: p.task_id,
    n: p.n,
    agent: p.agent,
    key: p.key,
    hash: p.hash,
    tool: p.tool,
    input: p.input,
    call_id: null,
    told: 0,
    at: p.at,
    usage: p.usage,
  }),
)
const callRow = prepare<{ id: string }>()((db, p) => db.selectFrom('calls').selectAll().where('id', '=', p.id))
const taskRow = prepare<{ id: string }>()((db, p) => db.selectFrom('tasks').selectAll().where('id', '=', p.id))
const answersFrom = prepare<{ task_id: string; after: number }>()((db, p) =>
  db
    .selectFrom('messages')
    .select('body')
    .where('task_id', '=', p.task_id)
    .where('n', '>', p.after)
    .where('role', '=', sql.lit('tool'))
    .orderBy('n'),
)

/** What keeps the same key from standing for another call. */
const hashOf = (tool: string, input: unknown): string =>
  createHash('sha256')
    .update(`${tool}\n${JSON.stringify(input)}`)
    .digest('base64url')

/** Reads the calls that an outside agent sent and that no turn took up yet; what the provider of outside agents answers with. */
export const unread = async (
  store: Pick<Store, 'read'>,
  taskId: string,
): Promise<{ n: number; agent: string; tool: string; input: unknown; used: ReportedUsage | null }[]> =>
  (await store.read(unreadOf, { task_id: taskId })).map(({ n, agent, tool, input, usage }) => ({
    n,
    agent,
    tool,
    input: JSON.parse(input),
    used: usage === null ? null : (JSON.parse(usage) as ReportedUsage),
  }))

export function openOutside(store: Store, options: { leaseMs?: number } = {}) {
  const leaseMs = options.leaseMs ?? OUTSIDE_LEASE_MS

  /** Its claim on the task; refuses one that is over, and says what to do. */
  async function mustHold(tx: Tx, agent: string, taskId: string, lease: string): Promise<{ claim: OutsideTaskRow; task: TaskRow }> {
    const task = await openTask(tx, taskId)
    const claim = await findClaim(tx, taskId)
    if (isOver(task.status))
      throw new Fault(
        'conflict',
        `Task ${taskId} is over (${task.status}${task.note ? `: ${task.note}` : ''}), so nothing was done. Go on with claim_task.`,
      )
    if (claim === undefined || claim.agent === null)
      throw new Fault(
        'conflict',
        `This lease of task ${taskId} is over: there was no call and no heartbeat for ${leaseMs / 1_000} seconds, or a person took the task back. Nothing was done. Call claim_task with this task_id to take it up again, or without for other work.`,
      )
    if (claim.agent !== agent || claim.lease !== lease)
      throw new Fault(
        'conflict',
        claim.agent === agent
          ? `This lease of task ${taskId} was replaced by a newer claim of yours, so nothing was done. Use the newest lease, or leave the task to whoever has it.`
          : `Task ${taskId} was claimed by another agent, so nothing was done. Go on with claim_task.`,
      )
    return { claim, task }
  }

  /** The agent as it registered; one that never did can do what everybody can. */
  async function seen(tx: Tx, name: string) {
    const [known] = await tx.query(agentRow, { name })
    if (known) {
      if (tx.now - Number(known.last_seen_at) > NOTED_MS)
        await tx.db.updateTable('outside_agents').set({ last_seen_at: tx.now }).where('name', '=', name).execute()
      return known
    }
    const row = {
      name,
      capabilities: '[]',
      description: '',
      repository: null,
      webhook: null,
      max_tasks: 1,
      created_at: tx.now,
      last_seen_at: tx.now,
    }
    const [made] = await tx.db
      .insertInto('outside_agents')
      .values(row)
      .onConflict((c) => c.column('name').doNothing())
      .returning('name')
      .execute()
    if (made) tx.record(null, { type: 'outside.registered', agent: name, capabilities: [], by: name })
    return row
  }

  async function toAgent(row: {
    name: string
    capabilities: string
    description: string
    repository: string | null
    webhook: string | null
    max_tasks: number
    created_at: number
    last_seen_at: number
  }): Promise<OutsideAgent> {
    const held = await store.read(heldBy, { agent: row.name })
    return {
      name: row.name,
      capabilities: JSON.parse(row.capabilities) as string[],
      description: row.description,
      repository: row.repository,
      webhook: row.webhook,
      maxTasks: row.max_tasks,
      createdAt: iso(row.created_at),
      lastSeenAt: iso(row.last_seen_at),
      tasks: held.map((one) => ({
        taskId: one.task_id,
        treeId: one.tree_id,
        title: one.title,
        status: one.status,
        reason: one.reason,
        claimedAt: iso(one.claimed_at ?? 0),
        leaseUntil: iso(one.lease_until),
      })),
    }
  }

  async function take(tx: Tx, agent: string, taskId: string, treeId: string, resumed: boolean): Promise<Claimed | null> {
    await lock(tx, treeId)
    const task = await openTask(tx, taskId, treeId)
    const claim = await findClaim(tx, taskId)
    if (claim === undefined || (claim.agent !== null && claim.agent !== agent)) return null
    const isFree = task.status === 'waiting' && task.reason === 'external'
    // What it has it may take up anew at any moment, also while the task waits for others.
    if (!isFree && (claim.agent === null || resumed)) return null
    const since = resumed ? claim.told : 0
    const isNew = claim.agent === null
    Object.assign(claim, {
      agent,
      lease: `${Number(task.lease_token)}-${randomBytes(9).toString('base64url')}`,
      lease_until: tx.now + leaseMs,
      told: task.messages,
      claimed_at: isNew ? tx.now : claim.claimed_at,
    })
    await saveClaim(tx, claim)
    const tree = await openTree(tx, treeId)
    if (isNew) {
      if (tree.started_at === null) {
        tree.started_at = tx.now
        await saveTree(tx, tree)
      }
      tx.record(treeId, { type: 'outside.claimed', taskId, agent })
      move(tx, task, 'waiting', { reason: 'external', note: `${agent} works on it` })
      await save(tx, task)
    }
    return {
      task: toTask(task),
      grants: JSON.parse(task.grants) as Grants,
      lease: claim.lease!,
      leaseUntil: iso(claim.lease_until),
      resumed,
      since,
      caps: {
        limits: limitsOf(tree),
        used: {
          turns: tree.turns,
          tokens: tree.tokens,
          costMicros: tree.cost_micros,
          tasks: tree.tasks,
          wallSeconds: tree.started_at === null ? 0 : Math.floor((tx.now - Number(tree.started_at)) / 1_000),
        },
      },
    }
  }

  return {
    leaseMs,
    /** Says who an agent is and what it can do; again and again, the last word counts. */
    register: (name: string, given: Registration, by: string): Promise<void> =>
      store.transact(async (tx) => {
        const [known] = await tx.query(agentRow, { name })
        const row = {
          capabilities: JSON.stringify([...new Set(given.capabilities)]),
          description: given.description,
          repository: given.repository,
          webhook: given.webhook,
          max_tasks: given.maxTasks,
          last_seen_at: tx.now,
        }
        if (known) await tx.db.updateTable('outside_agents').set(row).where('name', '=', name).execute()
        else
          await tx.db
            .insertInto('outside_agents')
            .values({ name, created_at: tx.now, ...row })
            .execute()
        if (!known || known.capabilities !== row.capabilities)
          tx.record(null, { type: 'outside.registered', agent: name, capabilities: given.capabilities, by })
      }),
    async agents(): Promise<OutsideAgent[]> {
      const rows = await store.db.selectFrom('outside_agents').selectAll().orderBy('name').execute()
      return Promise.all(rows.map(toAgent))
    },
    async agent(name: string): Promise<OutsideAgent> {
      const [row] = await store.read(agentRow, { name })
      if (!row) throw new Fault('not_found', `There is no outside agent ${JSON.stringify(name.slice(0, 100))}.`)
      return toAgent(row)
    },
    /** Whose parts it has now, with what was granted to each task. */
    async parts(name: string): Promise<{ agent: string; grants: Grants }[]> {
      return (await store.read(workedBy, { agent: name })).map(({ agent, grants }) => ({ agent, grants: JSON.parse(grants) as Grants }))
    },
    /** Forgets it; tasks that it holds wait for another one. Its token is not touched. */
    remove: (name: string, by: string): Promise<void> =>
      store.transact(
        async (tx) => {
          const [row] = await tx.query(agentRow, { name })
          if (!row) throw new Fault('not_found', `There is no outside agent ${JSON.stringify(name.slice(0, 100))}.`)
          for (const { task_id, tree_id } of await tx.query(heldBy, { agent: name })) {
            const task = await openTask(tx, task_id, tree_id)
            const claim = (await findClaim(tx, task_id))!
            await saveClaim(tx, { ...claim, agent: null, lease: null })
            if (task.status !== 'waiting' || task.reason !== 'external') continue
            move(tx, task, 'waiting', { reason: 'external', note: waitsFor(claim.capability) })
            await save(tx, task)
          }
          await tx.db.deleteFrom('outside_agents').where('name', '=', name).execute()
          tx.record(null, { type: 'outside.removed', agent: name, by })
        },
        { durable: true },
      ),

    /** Whether a claim would find something now; reads only. */
    async hasWork(name: string, wanted: string | undefined): Promise<boolean> {
      const held = await store.read(heldBy, { agent: name })
      if (held.some((one) => one.status === 'waiting' && one.reason === 'external' && one.messages > one.told)) return true
      const [row] = await store.read(agentRow, { name })
      const can = new Set(row ? (JSON.parse(row.capabilities) as string[]) : [])
      return (await store.read(offered, { limit: LOOKED_AT })).some((one) => fits(one.capability, can, wanted))
    },

    /**
     * Claims a task: one of the agent's own in which something happened, or else the oldest that it can do and that nobody has. `taskId`: that
     * one, also if the agent has it already, with a new lease; the one before is over.
     */
    claim: (name: string, ask: { capability?: string | undefined; taskId?: string | undefined }): Promise<Claimed | Nothing> =>
      store.transact(
        async (tx) => {
          const agent = await seen(tx, name)
          const held = await tx.query(heldBy, { agent: name })
          const turns = held.filter((one) => isItsTurn(one))
          const holds = turns.map((one) => one.task_id)
          if (await isHalted(tx)) return { why: 'held', holds }
          if (ask.taskId !== undefined) {
            const task = await openTask(tx, ask.taskId)
            if (isOver(task.status)) throw new Fault('conflict', `Task ${task.id} is over (${task.status}); claim another one.`)
            const claim = await findClaim(tx, ask.taskId)
            const own = claim?.agent === name
            if (!own && turns.length >= agent.max_tasks) return { why: 'full', holds }
            if (!own && claim !== undefined && !fits(claim.capability, new Set(JSON.parse(agent.capabilities) as string[]), undefined))
              throw new Fault('forbidden', `Task ${task.id} asks for the capability ${claim.capability}, which you did not register.`)
            const taken = await take(tx, name, task.id, task.tree_id, false)
            if (taken === null)
              throw new Fault(
                'conflict',
                claim?.agent && !own
                  ? `Task ${task.id} was claimed by another agent.`
                  : `Task ${task.id} does not wait for an outside agent now (${task.status}${task.reason ? `, ${task.reason}` : ''}).`,
              )
            return taken
          }
          for (const one of held)
            if (one.status === 'waiting' && one.reason === 'external' && one.messages > one.told) {
              const taken = await take(tx, name, one.task_id, one.tree_id, true)
              if (taken) return taken
            }
          if (turns.length >= agent.max_tasks) return { why: 'full', holds }
          const can = new Set(JSON.parse(agent.capabilities) as string[])
          for (const one of await tx.query(offered, { limit: LOOKED_AT }))
            if (fits(one.capability, can, ask.capability)) {
              const taken = await take(tx, name, one.id, one.tree_id, false)
              if (taken) return taken
            }
          return { why: 'none', holds }
        },
        { durable: true },
      ),

    /** A sign of life: the lease begins anew. */
    beat: (name: string, taskId: string, lease: string): Promise<{ task: Task; grants: Grants; leaseUntil: string }> =>
      store.transact(async (tx) => {
        const { claim, task } = await mustHold(tx, name, taskId, lease)
        await seen(tx, name)
        claim.lease_until = tx.now + leaseMs
        await saveClaim(tx, claim)
        return { task: toTask(task), grants: JSON.parse(task.grants) as Grants, leaseUntil: iso(claim.lease_until) }
      }),

    /** Gives the task back; it waits for another agent. */
    release: (name: string, taskId: string, lease: string): Promise<void> =>
      store.transact(async (tx) => {
        const { claim, task } = await mustHold(tx, name, taskId, lease)
        await saveClaim(tx, { ...claim, agent: null, lease: null })
        if (task.status !== 'waiting' || task.reason !== 'external') return
        move(tx, task, 'waiting', { reason: 'external', note: `${name} gave it back; ${waitsFor(claim.capability)}` })
        await save(tx, task)
      }),

    /**
     * Keeps a call and lets the task's next turn take it up. The same key again is the same call, also after the task is over; without a key,
     * an equal call whose answer never went out is the same one.
     */
    send: (
      name: string,
      call: { taskId: string; lease: string; key: string | undefined; tool: string; input: unknown; used?: ReportedUsage | undefined },
    ): Promise<SentCall> =>
      store.transact(
        async (tx) => {
          const { taskId, tool, input } = call
          const hash = hashOf(tool, input)
          await openTask(tx, taskId) // where several processes write, the same key waits here for the first one
          const [known] =
            call.key === undefined
              ? await tx.query(untoldAlike, { task_id: taskId, hash, agent: name })
              : await tx.query(callByKey, { task_id: taskId, key: call.key })
          if (known && known.agent === name) {
            if (known.hash !== hash)
              throw new Fault('unprocessable', 'This idempotency_key was used with another call; use a new key for a new call.')
            return { taskId, n: known.n, key: known.key, tool }
          }
          const { claim, task } = await mustHold(tx, name, taskId, call.lease)
          await seen(tx, name)
          if ((await tx.query(unreadOf, { task_id: taskId })).length >= MOST_QUEUED)
            throw new Fault('limited', `${MOST_QUEUED} calls of this task wait already; wait for their answers with heartbeat.`)
          const [newest] = await tx.query(newestCall, { task_id: taskId })
          const n = Number(newest?.n ?? 0) + 1
          const key = call.key ?? `call-${n}`
          await tx.query(insertCall, {
            task_id: taskId,
            n,
            agent: name,
            key,
            hash,
            tool,
            input: JSON.stringify(input),
            call_id: null,
            told: 0,
            at: tx.now,
            usage: call.used === undefined ? null : JSON.stringify(call.used),
          })
          claim.lease_until = tx.now + leaseMs
          claim.lapses = 0
          await saveClaim(tx, claim)
          if (task.status === 'waiting' && task.reason === 'external') await ready(tx, task)
          return { taskId, n, key, tool }
        },
        { durable: true },
      ),

    /** A call that this agent sent for a task, by its key. */
    async sent(name: string, taskId: string, key: string): Promise<SentCall> {
      const [row] = await store.read(callByKey, { task_id: taskId, key })
      if (row?.agent !== name)
        throw new Fault('not_found', `You sent no call ${JSON.stringify(key.slice(0, 100))} for task ${taskId.slice(0, 300)}.`)
      return { taskId, n: row.n, key, tool: row.tool }
    },

    /** How a call stands now, and its task. */
    async look({ taskId, n }: Pick<SentCall, 'taskId' | 'n'>): Promise<{ state: CallState; task: Task }> {
      const [[sent], [row]] = await Promise.all([store.read(callByNumber, { task_id: taskId, n }), store.read(taskRow, { id: taskId })])
      const task = toTask(row as TaskRow)
      const { status, note } = task
      if (sent === undefined) return { state: { kind: 'dropped', status, note }, task }
      if (sent.call_id === null) return { state: { kind: isOver(status) ? 'dropped' : 'queued', status, note }, task }
      const [call] = await store.read(callRow, { id: sent.call_id })
      if (call?.state === 'ended') {
        const found = (await store.read(answersFrom, { task_id: taskId, after: call.n }))
          .map(({ body }) => JSON.parse(body) as Extract<Message, { role: 'tool' }>)
          .find((message) => message.callId === call.id)
        return { state: { kind: 'answered', text: found?.text ?? '', isError: found?.isError ?? false }, task }
      }
      if (isOver(status)) return { state: { kind: 'dropped', status, note }, task }
      if (call?.waits === 'tasks' || call?.waits === 'review')
        return { state: { kind: 'waits', for: call.waits, ids: JSON.parse(call.wait_ids ?? '[]') as string[] }, task }
      return { state: { kind: 'running' }, task }
    },

    /** Notes that the answer of a call goes out, and up to which message the agent knows its task; null: it holds the task no more. */
    async tell(name: string, { taskId, n }: { taskId: string; n?: number }): Promise<{ since: number; upTo: number } | null> {
      return store.transact(async (tx) => {
        if (n !== undefined)
          await tx.db.updateTable('outside_calls').set({ told: 1 }).where('task_id', '=', taskId).where('n', '=', n).execute()
        const claim = await findClaim(tx, taskId)
        if (claim?.agent !== name) return null
        const task = await openTask(tx, taskId)
        const since = claim.told
        if (task.messages > since) await saveClaim(tx, { ...claim, told: task.messages })
        return { since, upTo: task.messages }
      })
    },

    /** At boot: while nobody was there to be called, silence was none of theirs. */
    recover: (): Promise<void> =>
      store.transact(async (tx) => {
        const until = tx.now + leaseMs
        await tx.db
          .updateTable('outside_tasks')
          .set({ lease_until: until })
          .where('agent', 'is not', null)
          .where('lease_until', '<', until)
          .execute()
      }),

    /** Takes tasks away from agents that were silent for too long. Returns how many. */
    async sweep(now: number): Promise<number> {
      let moved = 0
      for (const { task_id, tree_id } of await store.read(lapsed, { now, limit: 500 }))
        moved += await store.transact(async (tx) => {
          const task = await openTask(tx, task_id, tree_id)
          const claim = await findClaim(tx, task_id)
          if (task.status !== 'waiting' || task.reason !== 'external' || claim === undefined) return 0
          if (claim.agent === null || Number(claim.lease_until) >= tx.now) return 0
          await lapse(tx, task, claim)
          return 1
        })
      return moved
    },
  }
}

/** What people and the system said to a task in these messages; its own calls and their answers it knows. */
export const wordsIn = (messages: readonly StoredMessage[]): string[] =>
  messages.flatMap((message) => (message.role === 'user' ? [message.text] : []))

/** A capability that is asked for must be there; `wanted` narrows to tasks that ask for exactly that. */
const fits = (capability: string, can: ReadonlySet<string>, wanted: string | undefined): boolean =>
  (capability === '' || can.has(capability)) && (wanted === undefined || capability === wanted)

/** Tasks that wait for others hold no slot: whoever waits for a subtask must be free to work on it. */
const isItsTurn = ({ status, reason }: { status: string; reason: string | null }): boolean =>
  status === 'pending' || status === 'assigned' || status === 'active' || (status === 'waiting' && reason === 'external')

const iso = (ms: number): string => new Date(Number(ms)).toISOString()
