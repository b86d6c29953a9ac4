/** Routes of what people ask of the system itself: "what is going on?", "cancel the report". */
import * as z from 'zod'
import { Submitted } from './api-goals.ts'
import { ASK_ACTS, ASK_LIMIT } from './ask.ts'
import { listOf, one, page, text, time } from './route.ts'
import { REASONS, TASK_STATUSES } from './task.ts'

const goal = {
  id: text,
  title: text,
  status: z.enum(TASK_STATUSES),
  reason: z.enum(REASONS).nullable(),
  attempt: z.number().int().min(0),
}
const AskedGoal = z.object(goal).meta({ id: 'AskedGoal' })
export const AskItem = z
  .object({
    ...goal,
    /** The first ask of its conversation. */
    conversation: text,
    words: text,
    /** Null until there is one. */
    answer: text.nullable(),
    /** What was done for it. `goals` as they are now. `done` false: any of them could be meant, and nothing was done. */
    acts: z.array(z.object({ act: z.enum(ASK_ACTS), done: z.boolean(), goals: z.array(AskedGoal) })),
    createdAt: time,
  })
  .meta({ id: 'Ask' })
export type AskItem = z.output<typeof AskItem>

const AskRequest = z
  .object({
    words: z
      .string()
      .max(ASK_LIMIT)
      .refine((words) => words.trim() !== '', { error: 'must say what you want to know, or done' }),
    /** An earlier ask, from which this one goes on. */
    conversation: text.max(100).optional(),
  })
  .strict()
  .meta({ id: 'AskRequest' })

export const ASK_ROUTES = {
  ask: one({
    method: 'POST',
    path: '/api/asks',
    scope: 'goals:write',
    summary: 'Asks the agent that people speak to how things stand, or to act on a goal; the answer comes with GET /api/asks/{id}',
    status: 201,
    request: AskRequest,
    keyed: true,
    response: Submitted,
  }),
  asks: one({
    method: 'GET',
    path: '/api/asks',
    scope: 'read',
    summary: 'What you asked, newest first; or all of one conversation',
    status: 200,
    query: z.object({ ...page, conversation: text.max(100).optional() }),
    response: listOf(AskItem),
  }),
  askItem: one({
    method: 'GET',
    path: '/api/asks/{id}',
    scope: 'read',
    summary: 'One ask with its answer, and what was done for it',
    status: 200,
    response: AskItem,
  }),
} as const
