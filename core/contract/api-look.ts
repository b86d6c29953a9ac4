/** Routes that look into a tree: searching it, what happened since somebody looked, one call or message in full, and what a turn was sent. */
import * as z from 'zod'
import { count, one, text, time, wholeQuery } from './route.ts'
import { TASK_STATUSES } from './task.ts'

/** A word of a query that is 1 or 0. */
export const flag = z.enum(['0', '1']).transform((word) => word === '1')
/** Words that narrow a list of goals (those that have such a task), or the tasks of one goal. */
export const narrowing = {
  /** Status of the goal's root task, or of the task. */
  status: z.enum(TASK_STATUSES).optional(),
  failed: flag.optional(),
  running: flag.optional(),
  needsYou: flag.optional(),
  agent: text.max(100).optional(),
  /** It was called there. */
  tool: text.max(100).optional(),
  /** More than so many millionths of a dollar; of a goal all of it, of a task its own. */
  costOver: wholeQuery(0, 1_000_000_000_000).optional(),
  /** Something happened there after that fact. */
  changedSince: wholeQuery(0, Number.MAX_SAFE_INTEGER).optional(),
}
export const words = text.trim().min(1).max(200)

/** `where`: what the words were found in; null: no words were asked for. `snippet`: the words with what stands around them. */
const SearchHit = z
  .object({
    taskId: text,
    title: text,
    status: z.enum(TASK_STATUSES),
    where: z.enum(['title', 'id', 'agent', 'tool', 'instruction', 'result', 'message']).nullable(),
    snippet: text,
    /** Number of the message it was found in. */
    n: count.nullable(),
  })
  .meta({ id: 'SearchHit' })
export type SearchHit = z.output<typeof SearchHit>

const happened = {
  /** Facts were counted after this number; above the one asked for when there were too many. */
  from: count,
  /** Number of the newest fact. */
  seq: count,
  /** False when not everything since then was counted. */
  complete: z.boolean(),
  finished: count,
  failed: count,
  /** What was asked of a person. */
  asked: count,
  spentMicros: count,
  unpricedCalls: count,
}
const Happening = z.object({
  seq: count,
  at: time,
  treeId: text,
  taskId: text,
  what: z.enum(['finished', 'failed', 'asked']),
  title: text,
})
/** `items`: the newest of what finished, failed or was asked; at home of goals as a whole and of questions. */
const Since = z.object({ ...happened, items: z.array(Happening) }).meta({ id: 'Since' })
export type Since = z.output<typeof Since>

/** `output` and `input` are cut to 64 kB unless the whole was asked for; `bytes` is how long they are. */
const CallDetail = z
  .object({
    id: text,
    taskId: text,
    tool: text,
    /** asked, begun or ended. */
    state: text,
    effect: text,
    attempts: count,
    waits: text.nullable(),
    approved: z.boolean(),
    ok: z.boolean().nullable(),
    begunAt: time.nullable(),
    endedAt: time.nullable(),
    input: z.object({ json: text, bytes: count, cut: z.boolean() }),
    /** Null while it has none. */
    output: z.object({ text, bytes: count, cut: z.boolean(), isError: z.boolean(), n: count }).nullable(),
  })
  .meta({ id: 'CallDetail' })
export type CallDetail = z.output<typeof CallDetail>
const MessageBody = z.object({ n: count, role: text, text, bytes: count, cut: z.boolean() }).meta({ id: 'MessageBody' })

/** What the turns after message `n` were sent as their system prompt, up to the next such message. `version` null: not known any more. */
const SentContext = z
  .object({
    n: count,
    at: time,
    agent: text,
    agentVersion: count,
    /** The system prompt, word for word. */
    prompt: text,
    /** The task's own instruction, in full. */
    instruction: text,
    documents: z.array(z.object({ name: text, version: count, text: text.nullable() })),
    tools: z.array(z.object({ name: text, version: count.nullable(), description: text })),
  })
  .meta({ id: 'SentContext' })
export type SentContext = z.output<typeof SentContext>

/** `full=1`: whole, up to 2 MB. `raw=1`: as a text file of any size. */
const amount = z.object({ full: flag.optional(), raw: flag.optional() })

export const LOOK_ROUTES = {
  searchTree: one({
    method: 'GET',
    path: '/api/trees/{id}/search',
    scope: 'read',
    summary: 'Tasks of a goal that have these words, or are such; at most 200, best first',
    status: 200,
    query: z.object({ q: words.optional(), limit: wholeQuery(1, 200).default(100), ...narrowing }),
    response: z.object({ items: z.array(SearchHit), nextCursor: z.null(), /** False when there are more. */ complete: z.boolean() }),
  }),
  treeSince: one({
    method: 'GET',
    path: '/api/trees/{id}/since',
    scope: 'read',
    summary: 'What happened in a goal after a fact',
    status: 200,
    query: z.object({ seq: wholeQuery(0, Number.MAX_SAFE_INTEGER) }),
    response: Since,
  }),
  since: one({
    method: 'GET',
    path: '/api/since',
    scope: 'read',
    summary: 'What happened to all goals after a fact',
    status: 200,
    query: z.object({ seq: wholeQuery(0, Number.MAX_SAFE_INTEGER) }),
    response: Since,
  }),
  call: one({
    method: 'GET',
    path: '/api/tasks/{id}/calls/{callId}',
    scope: 'read',
    summary: 'One tool call with what it was given and what it answered; `callId` is its id or the part after the slash',
    status: 200,
    query: amount,
    response: CallDetail,
    download: true,
  }),
  message: one({
    method: 'GET',
    path: '/api/tasks/{id}/messages/{n}',
    scope: 'read',
    summary: 'The text of one message',
    status: 200,
    query: amount,
    response: MessageBody,
    download: true,
  }),
  sentContext: one({
    method: 'GET',
    path: '/api/tasks/{id}/context',
    scope: 'read',
    summary:
      'Exactly what a turn was sent beside its history: prompt, documents and tools with their versions; the newest, or that of message `n`',
    status: 200,
    query: z.object({ n: wholeQuery(1, 1_000_000_000).optional() }),
    response: SentContext,
  }),
} as const
