/** Route of how versions of agents, documents and tools did, and models. */
import * as z from 'zod'
import { Cause } from './registry.ts'
import { count, one, text, time, wholeQuery } from './route.ts'

export const SCORE_KINDS = ['agent', 'document', 'tool', 'model'] as const
/**
 * How one version did in the window. `n`: for agents, and for documents that were in a prompt, tasks that ended (what was cancelled says
 * nothing of them); for tools and models, calls that ended. `low`, `high`: where the rate would lie in 95 of 100 such samples; `few`: too few to say
 * anything. `score`: mean of what evaluators gave, over `scored` tasks. Times are at work, in milliseconds; waits for people and subtasks are left out.
 */
export const Score = z
  .object({
    kind: z.enum(SCORE_KINDS),
    name: text,
    /** null: a model has none. */
    version: count.nullable(),
    current: z.boolean(),
    n: count,
    succeeded: count,
    rate: z.number().nullable(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    few: z.boolean(),
    score: z.number().nullable(),
    scored: count,
    /** Own spend, without that of subtasks. */
    costMicros: count,
    unpricedCalls: count,
    tokens: count,
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
    /** Of a model: tasks that it worked on, alone or beside others, and that ended. */
    tasks: z.object({ ended: count, done: count }).nullable(),
    /** What went wrong, the most frequent first; told only where one thing is asked for by its name. */
    errors: z.array(z.object({ pattern: text, times: count, taskId: text })),
  })
  .meta({ id: 'Score' })
export type Score = z.output<typeof Score>

const Scores = z
  .object({
    days: count,
    since: time,
    /** Tasks or calls of one name that are read at most, the newest first. */
    most: count,
    items: z.array(Score),
    /** Every version of the one that was asked for, newest first, with who and what made it; none where all were asked for. */
    versions: z.array(z.object({ version: count, author: text, at: time, cause: Cause.nullable() })),
  })
  .meta({ id: 'Scores' })
export type Scores = z.output<typeof Scores>

const name = text.min(1).max(200).optional()

export const SCORE_ROUTES = {
  scores: one({
    method: 'GET',
    path: '/api/scores',
    scope: 'read',
    summary: 'Success, score, cost and time by version of agents and tools, and by model; of one by its name, with its errors',
    status: 200,
    query: z.object({ days: wholeQuery(1, 365).default(30), agent: name, document: name, tool: name, model: name }),
    response: Scores,
  }),
} as const
