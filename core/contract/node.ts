/**
 * What a tree needs of each of its tasks, and how that travels: without instruction, result, evidence and messages, which are read when a
 * task is opened. Times are milliseconds since 1970.
 */
import type { Event, TreeHead } from './event.ts'
import type { Taint } from './policy.ts'
import type { Reason, Task, TaskKind, TaskStatus } from './task.ts'
import { headChange, taskChange } from './tree.ts'
import type { Watch } from './watch.ts'

export type TaskNode = Pick<
  Task,
  | 'id'
  | 'parentId'
  | 'kind'
  | 'agent'
  | 'title'
  | 'status'
  | 'reason'
  | 'note'
  | 'attempt'
  | 'after'
  | 'stoppedByPerson'
  | 'taint'
  | 'spend'
> & {
  createdAt: number
  updatedAt: number
  deadlineAt: number | null
  wakeAt: number | null
  /** What the watchdog sees in it, without its evidence. */
  watch: NodeWatch | null
}
export type NodeWatch = Pick<Watch, 'sign' | 'rung'>

/** A review item that waits for a person, as the tree marks it. */
export type OpenReview = { id: string; taskId: string }

/** Characters of a note in the tree; the whole note is the task's. */
export const NODE_NOTE = 300
const cut = (note: string | null): string | null => (note !== null && note.length > NODE_NOTE ? `${note.slice(0, NODE_NOTE)}…` : note)
const ms = (time: string | null): number | null => (time === null ? null : Date.parse(time))

const brief = (watch: Watch | null | undefined): NodeWatch | null => (watch ? { sign: watch.sign, rung: watch.rung } : null)

export function nodeOf(task: Task): TaskNode {
  const { id, parentId, kind, agent, title, status, reason, attempt, after, stoppedByPerson, taint, spend } = task
  return {
    id,
    parentId,
    kind,
    agent,
    title,
    status,
    reason,
    note: cut(task.note),
    attempt,
    after,
    stoppedByPerson,
    taint,
    spend,
    createdAt: Date.parse(task.createdAt),
    updatedAt: Date.parse(task.updatedAt),
    deadlineAt: ms(task.deadlineAt),
    wakeAt: ms(task.wakeAt),
    watch: brief(task.watch),
  }
}

/** The node after a fact about its task: the contract's one rule, as far as a tree shows it. The same object when nothing changed. */
export function nodeAfter(node: TaskNode, event: Event): TaskNode {
  const change = taskChange(node, event)
  if (!change) return node
  const { status, reason, note, attempt, wakeAt, updatedAt, stoppedByPerson, taint, spend, title, deadlineAt, agent, watch } = change
  const next = { ...node }
  if (status !== undefined) next.status = status
  if (reason !== undefined) next.reason = reason
  if (note !== undefined) next.note = cut(note)
  if (attempt !== undefined) next.attempt = attempt
  if (wakeAt !== undefined) next.wakeAt = ms(wakeAt)
  if (updatedAt !== undefined) next.updatedAt = Date.parse(updatedAt)
  if (stoppedByPerson !== undefined) next.stoppedByPerson = stoppedByPerson
  if (taint !== undefined) next.taint = taint
  if (spend !== undefined) next.spend = spend
  if (title !== undefined) next.title = title
  if (agent !== undefined) next.agent = agent
  if (watch !== undefined) next.watch = brief(watch)
  if (deadlineAt !== undefined) next.deadlineAt = ms(deadlineAt)
  return next
}

export function headAfter(head: TreeHead, event: Event): TreeHead {
  const change = headChange(head, event)
  return change ? { ...head, ...change } : head
}

/** The fact as far as a tree shows it, without what only an open task shows; null: it changes nothing there. */
export function factForTree(event: Event): Event | null {
  switch (event.type) {
    case 'tree.created':
    case 'tree.paused':
    case 'tree.resumed':
    case 'tree.watched':
    case 'task.tainted':
    case 'task.changed':
    case 'model.called':
      return event
    case 'task.created':
      return { ...event, task: { ...event.task, instruction: '', result: null, summary: null, evidence: [], verdict: null } }
    case 'task.moved':
      return event.outcome ? { ...event, outcome: { ...event.outcome, result: null, summary: null, evidence: [], verdict: null } } : event
    case 'task.watched':
      return { ...event, words: '', watch: event.watch && { ...event.watch, words: '', calls: [] } }
    case 'review.opened':
    case 'review.decided':
    case 'review.changed':
      return { ...event, review: { ...event.review, action: null, comment: null, edit: null, offers: [] } }
    default:
      return null
  }
}

/** One node as the database gives it; the order of the columns is this one everywhere. */
export type NodeTuple = [
  id: string,
  parentId: string | null,
  kind: string,
  agent: string,
  title: string,
  status: string,
  reason: string | null,
  note: string | null,
  attempt: number,
  turns: number,
  tokens: number,
  costMicros: number,
  unpricedCalls: number,
  createdAt: number,
  updatedAt: number,
  deadlineAt: number | null,
  wakeAt: number | null,
  after: string,
  stoppedByPerson: number,
  taint: string,
  watch: string | null,
]

/**
 * Nodes column by column. `words` holds what repeats, and kind, agent, status and reason are places in it (reason −1: none). A parent is 0
 * when it is the id up to its last dot. `created` counts from `since`, `updated` from `created`. What few nodes have is in `rare`, by place.
 */
export type NodeChunk = {
  words: string[]
  since: number
  id: string[]
  parent: (string | null | 0)[]
  title: string[]
  kind: number[]
  agent: number[]
  status: number[]
  reason: number[]
  attempt: number[]
  turns: number[]
  tokens: number[]
  cost: number[]
  created: number[]
  updated: number[]
  rare: Record<string, Rare>
}
type Rare = {
  note?: string
  unpricedCalls?: number
  deadlineAt?: number
  wakeAt?: number
  after?: string[]
  stoppedByPerson?: true
  taint?: Taint[]
  watch?: NodeWatch
}

const parentIn = (id: string): string | null => {
  const dot = id.lastIndexOf('.')
  return dot < 0 ? null : id.slice(0, dot)
}

export function packNodes(rows: readonly NodeTuple[]): NodeChunk {
  const places = new Map<string, number>()
  const place = (word: string): number => {
    const known = places.get(word)
    if (known !== undefined) return known
    places.set(word, places.size)
    return places.size - 1
  }
  const since = rows[0]?.[13] ?? 0
  const chunk: NodeChunk = {
    words: [],
    since,
    id: [],
    parent: [],
    title: [],
    kind: [],
    agent: [],
    status: [],
    reason: [],
    attempt: [],
    turns: [],
    tokens: [],
    cost: [],
    created: [],
    updated: [],
    rare: {},
  }
  for (const [i, row] of rows.entries()) {
    const [id, parentId, kind, agent, title, status, reason, note, attempt, turns, tokens, cost, unpriced, created, updated] = row
    const [deadlineAt, wakeAt, after, stopped, taint, watch] = row.slice(15) as [
      number | null,
      number | null,
      string,
      number,
      string,
      string | null,
    ]
    chunk.id.push(id)
    chunk.parent.push(parentId === parentIn(id) ? 0 : parentId)
    chunk.title.push(title)
    chunk.kind.push(place(kind))
    chunk.agent.push(place(agent))
    chunk.status.push(place(status))
    chunk.reason.push(reason === null ? -1 : place(reason))
    chunk.attempt.push(attempt)
    chunk.turns.push(turns)
    chunk.tokens.push(tokens)
    chunk.cost.push(cost)
    chunk.created.push(created - since)
    chunk.updated.push(updated - created)
    if (
      note === null &&
      unpriced === 0 &&
      deadlineAt === null &&
      wakeAt === null &&
      after === '[]' &&
      stopped === 0 &&
      taint === '[]' &&
      watch === null
    )
      continue
    const rare: Rare = {}
    if (note !== null) rare.note = cut(note) ?? ''
    if (unpriced !== 0) rare.unpricedCalls = unpriced
    if (deadlineAt !== null) rare.deadlineAt = deadlineAt
    if (wakeAt !== null) rare.wakeAt = wakeAt
    if (after !== '[]') rare.after = JSON.parse(after) as string[]
    if (stopped !== 0) rare.stoppedByPerson = true
    if (taint !== '[]') rare.taint = JSON.parse(taint) as Taint[]
    if (watch !== null) rare.watch = brief(JSON.parse(watch) as Watch)!
    chunk.rare[i] = rare
  }
  chunk.words = [...places.keys()]
  return chunk
}

/** Lists that most nodes share, so that a hundred thousand nodes do not hold as many empty ones. */
const NONE: never[] = []
const PLAIN: Rare = {}

export function unpackNodes(chunk: NodeChunk): TaskNode[] {
  const { words } = chunk
  // Neighbours mostly have one parent: its id is cut out once for them all, and is one string.
  let last: string | null = null
  const parentOf = (id: string): string | null => {
    if (last === null || id.lastIndexOf('.') !== last.length || !id.startsWith(last)) last = parentIn(id)
    return last
  }
  return chunk.id.map((id, i) => {
    const rare = chunk.rare[i] ?? PLAIN
    const parent = chunk.parent[i]!
    const createdAt = chunk.since + chunk.created[i]!
    return {
      id,
      parentId: parent === 0 ? parentOf(id) : parent,
      kind: words[chunk.kind[i]!] as TaskKind,
      agent: words[chunk.agent[i]!]!,
      title: chunk.title[i]!,
      status: words[chunk.status[i]!] as TaskStatus,
      reason: chunk.reason[i]! < 0 ? null : (words[chunk.reason[i]!] as Reason),
      note: rare.note ?? null,
      attempt: chunk.attempt[i]!,
      after: rare.after ?? NONE,
      stoppedByPerson: rare.stoppedByPerson ?? false,
      taint: rare.taint ?? NONE,
      spend: {
        turns: chunk.turns[i]!,
        tokens: chunk.tokens[i]!,
        costMicros: chunk.cost[i]!,
        unpricedCalls: rare.unpricedCalls ?? 0,
      },
      createdAt,
      updatedAt: createdAt + chunk.updated[i]!,
      deadlineAt: rare.deadlineAt ?? null,
      wakeAt: rare.wakeAt ?? null,
      watch: rare.watch ?? null,
    }
  })
}
