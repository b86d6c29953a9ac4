/** Rows of tasks and trees: loading, saving whole, and turning them into the shapes that cross boundaries. */
import { type Selectable, sql } from 'kysely'
import type { TreeHead, TreeMode } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { Approval } from '../contract/goal.ts'
import type { Limits } from '../contract/limits.ts'
import type { Message } from '../contract/message.ts'
import { joinTaint, type Offer, type Taint } from '../contract/policy.ts'
import type { Review } from '../contract/review.ts'
import type { CheckedEvidence, Reason, Task, TaskKind, TaskStatus, Verdict } from '../contract/task.ts'
import type { Watch } from '../contract/watch.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import type { Meter } from './limits.ts'

export type TaskRow = Omit<Selectable<Database['tasks']>, 'status' | 'reason' | 'kind'> & {
  status: TaskStatus
  reason: Reason | null
  kind: TaskKind
}
export type TreeRow = Selectable<Database['trees']>
export type CallRow = Selectable<Database['calls']>
/** Names that helpers handed over. `trial`: the test run whose draft the task is worked with. `judging`: it has only tools that carry nothing out; `finished`: what it judges has ended its work. */
export type Grants = { documents?: string[]; tools?: string[]; trial?: string; judging?: boolean | 'finished' }
/** What end_task claimed. */
export type Claim = {
  status: 'success' | 'failure'
  result: string
  evidence: CheckedEvidence[]
  verdict?: Verdict
  documents?: string[]
  tools?: string[]
}

const taskById = prepare<{ id: string }>()((db, p) => db.selectFrom('tasks').selectAll().where('id', '=', p.id))
const treeById = prepare<{ id: string }>()((db, p) => db.selectFrom('trees').selectAll().where('id', '=', p.id))
const lockTree = prepare<{ id: string }>()((db, p) => db.selectFrom('trees').select('id').where('id', '=', p.id).forUpdate())
/** Without an order: SQLite made a table for it at each call, which cost four times the search itself (16 against 4 µs). */
const openCalls = prepare<{ task_id: string }>()((db, p) =>
  db.selectFrom('calls').selectAll().where('task_id', '=', p.task_id).where('state', '<>', sql.lit('ended')),
)
const insertMessage = prepare<Database['messages']>()((db, p) =>
  db.insertInto('messages').values({ task_id: p.task_id, n: p.n, role: p.role, body: p.body, at: p.at }),
)
type Mutable = Pick<TaskRow, (typeof MUTABLE)[number]> & { id: string }
const MUTABLE = [
  'status',
  'reason',
  'note',
  'wake_at',
  'stopped_by_person',
  'grants',
  'result',
  'summary',
  'evidence',
  'verdict',
  'closing',
  'rounds',
  'handover',
  'turns',
  'tokens',
  'cost_micros',
  'unpriced_calls',
  'messages',
  'model_calls',
  'children',
  'nudges',
  'faults',
  'wish',
  'step',
  'attempts',
  'lease_worker',
  'lease_token',
  'lease_until',
  'taint',
  'plan',
  'held_by',
  'updated_at',
] as const
const saving = (columns: readonly (typeof MUTABLE)[number][]) =>
  prepare<Mutable>()((db, p) =>
    db
      .updateTable('tasks')
      .set(Object.fromEntries(columns.map((column) => [column, p[column]])))
      .where('id', '=', p.id),
  )
const saveTask = saving(MUTABLE)
/** A column that is named is written into each index that has it, the same value or not; most writes of a task leave its status as it is. */
const saveUnmoved = saving(MUTABLE.filter((column) => column !== 'status'))
const statusOf = (id: string): string => `status:${id}`
const saveTreeRow = prepare<TreeRow>()((db, p) =>
  db
    .updateTable('trees')
    .set({
      mode: p.mode,
      limits: p.limits,
      turns: p.turns,
      tokens: p.tokens,
      cost_micros: p.cost_micros,
      unpriced_calls: p.unpriced_calls,
      reserved_turns: p.reserved_turns,
      reserved_tokens: p.reserved_tokens,
      reserved_cost_micros: p.reserved_cost_micros,
      tasks: p.tasks,
      paused_reason: p.paused_reason,
      paused_at: p.paused_at,
      started_at: p.started_at,
      plan: p.plan,
    })
    .where('id', '=', p.id),
)

/** On PostgreSQL one tree is changed by one transaction at a time; SQLite has one writer anyway. */
export async function lock(tx: Tx, treeId: string): Promise<void> {
  if (tx.kind === 'postgres') await tx.query(lockTree, { id: treeId })
}

export async function findTask(tx: Tx, id: string): Promise<TaskRow | undefined> {
  const loaded = tx.loaded.get(id)
  if (loaded) return loaded as TaskRow
  const [row] = await tx.query(taskById, { id })
  return row && keep(tx, row)
}

/** Rows that a query of the caller's own loaded join those this work already has. */
export function keep(tx: Tx, row: Selectable<Database['tasks']>): TaskRow {
  const loaded = tx.loaded.get(row.id)
  if (loaded) return loaded as TaskRow
  tx.loaded.set(row.id, row)
  tx.loaded.set(statusOf(row.id), row.status)
  return row as TaskRow
}

/** Loads a task to change it. `treeId`, where the caller knows it, saves a read. */
export async function openTask(tx: Tx, id: string, treeId?: string): Promise<TaskRow> {
  if (tx.kind === 'postgres') await lock(tx, treeId ?? (await openAny(tx, id)).tree_id)
  return openAny(tx, id)
}
async function openAny(tx: Tx, id: string): Promise<TaskRow> {
  const row = await findTask(tx, id)
  if (!row) throw new Fault('not_found', `There is no task ${id}.`)
  return row
}
export async function openTree(tx: Tx, id: string): Promise<TreeRow> {
  const loaded = tx.loaded.get(`tree:${id}`)
  if (loaded) return loaded as TreeRow
  const [row] = await tx.query(treeById, { id })
  if (!row) throw new Fault('not_found', `There is no tree ${id}.`)
  tx.loaded.set(`tree:${id}`, row)
  return row
}
export async function save(tx: Tx, task: TaskRow): Promise<void> {
  task.updated_at = tx.now
  const moved = tx.loaded.get(statusOf(task.id)) !== task.status
  await tx.query(moved ? saveTask : saveUnmoved, task)
  if (moved) tx.loaded.set(statusOf(task.id), task.status)
}
export async function saveTree(tx: Tx, tree: TreeRow): Promise<void> {
  await tx.query(saveTreeRow, tree)
}
/** Calls of a task that have not ended, in their order. */
export const callsOpen = async (tx: Tx, taskId: string): Promise<CallRow[]> => inOrder(await tx.query(openCalls, { task_id: taskId }))
/** The same as committed. */
export const callsOpenNow = async (store: Store, taskId: string): Promise<CallRow[]> =>
  inOrder(await store.read(openCalls, { task_id: taskId }))
const inOrder = (calls: CallRow[]): CallRow[] => calls.sort((a, b) => a.n - b.n || (a.id < b.id ? -1 : 1))

/** Marks what the task has read. True when that was new; the caller then saves the row. */
export function taint(tx: Tx, task: TaskRow, more: readonly Taint[]): boolean {
  const had = JSON.parse(task.taint) as Taint[]
  const now = joinTaint(had, more)
  if (now.length === had.length) return false
  task.taint = JSON.stringify(now)
  tx.record(task.tree_id, { type: 'task.tainted', taskId: task.id, taint: now })
  return true
}

/** Appends to the history; the caller saves the task row, whose counter it moves. */
export async function append(tx: Tx, task: TaskRow, message: Message): Promise<number> {
  const n = ++task.messages
  await tx.query(insertMessage, { task_id: task.id, n, role: message.role, body: JSON.stringify(message), at: tx.now })
  const text = 'text' in message ? message.text : ''
  tx.record(task.tree_id, {
    type: 'message.added',
    taskId: task.id,
    n,
    role: message.role,
    text: text.length > PREVIEW ? `${text.slice(0, PREVIEW)}…` : text,
    ...(message.role === 'assistant' && message.calls.length > 0 ? { calls: message.calls.map((c) => c.tool) } : {}),
  })
  return n
}
/** Characters of a message that its fact carries; the rest is read on demand. */
const PREVIEW = 160
/** Characters of an instruction that `task.created` carries. */
export const INSTRUCTION_PREVIEW = 2_000

const iso = (ms: number): string => new Date(ms).toISOString()
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    treeId: row.tree_id,
    parentId: row.parent_id,
    callId: row.call_id,
    kind: row.kind,
    agent: row.agent,
    title: row.title,
    instruction: row.instruction,
    ...(row.criteria === null ? {} : { criteria: JSON.parse(row.criteria) as string[] }),
    origin: row.origin as Task['origin'],
    status: row.status,
    reason: row.reason,
    note: row.note,
    priority: row.priority,
    depth: row.depth,
    attempt: row.attempts,
    after: JSON.parse(row.after) as string[],
    deadlineAt: isoOrNull(row.deadline_at),
    wakeAt: isoOrNull(row.wake_at),
    stoppedByPerson: row.stopped_by_person === 1,
    taint: JSON.parse(row.taint) as Taint[],
    model: row.model,
    workspace: row.workspace,
    result: row.result,
    summary: row.summary,
    evidence: row.evidence === null ? [] : (JSON.parse(row.evidence) as CheckedEvidence[]),
    verdict: row.verdict === null ? null : (JSON.parse(row.verdict) as Verdict),
    watch: row.watch === null ? null : (JSON.parse(row.watch) as Watch),
    spend: { turns: row.turns, tokens: row.tokens, costMicros: row.cost_micros, unpricedCalls: row.unpriced_calls },
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  }
}

export function toTree(row: TreeRow): TreeHead {
  return {
    id: row.id,
    goal: row.goal,
    mode: row.mode as TreeMode,
    limits: limitsOf(row),
    spend: { turns: row.turns, tokens: row.tokens, costMicros: row.cost_micros, unpricedCalls: row.unpriced_calls },
    taskCount: row.tasks,
    pausedReason: row.paused_reason,
    submittedBy: row.submitted_by,
    createdAt: iso(row.created_at),
    approval: row.approval as Approval,
    ...(row.model === null ? {} : { model: row.model }),
    ...(row.plan === null ? {} : { planned: true as const }),
    ...(row.forked_from === null ? {} : { forkedFrom: row.forked_from }),
    watched: row.watched !== 0,
    patient: row.watched === 2,
    ...(row.conversation === null ? {} : { conversation: row.conversation }),
  }
}
export const limitsOf = (row: Pick<TreeRow, 'limits'>): Limits => JSON.parse(row.limits) as Limits
export const meterOf = (row: TreeRow): Meter => ({
  turns: row.turns,
  tokens: row.tokens,
  costMicros: row.cost_micros,
  reserved: { turns: row.reserved_turns, tokens: row.reserved_tokens, costMicros: row.reserved_cost_micros },
  tasks: row.tasks,
  startedAt: row.started_at,
})

export function toReview(row: Selectable<Database['reviews']>): Review {
  return {
    id: row.id,
    kind: row.kind as Review['kind'],
    state: row.state as Review['state'],
    treeId: row.tree_id,
    taskId: row.task_id,
    callId: row.call_id,
    title: row.title,
    action: JSON.parse(row.action),
    actionHash: row.action_hash,
    risk: row.risk as Review['risk'],
    createdAt: iso(row.created_at),
    decidedAt: isoOrNull(row.decided_at),
    decision: row.decision as Review['decision'],
    comment: row.comment,
    decidedBy: row.decided_by,
    signature: row.signature,
    reason: row.reason,
    taint: row.taint === null ? [] : (JSON.parse(row.taint) as Taint[]),
    offers: row.offers === null ? [] : (JSON.parse(row.offers) as Offer[]),
    edit: row.edit === null ? null : (JSON.parse(row.edit) as Record<string, unknown>),
    snoozedUntil: isoOrNull(row.snoozed_until),
    expiresAt: isoOrNull(row.expires_at),
    escalatedAt: isoOrNull(row.escalated_at),
  }
}
