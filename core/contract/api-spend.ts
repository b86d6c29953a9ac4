/** Routes of what all goals spend together, and of holding everything. */
import * as z from 'zod'
import { count, one, text, time } from './route.ts'

const sum = { dollars: z.number(), calls: count, tokens: count, unpricedCalls: count }
const Sum = z.object(sum).meta({ id: 'SpendSum' })
/** Dollars are what is known; calls whose price is unknown are counted beside them. Days are of UTC; `byModel` and `byAgent` of all seven. */
export const SpendReport = z
  .object({
    today: Sum,
    week: Sum,
    days: z.array(z.object({ day: text, ...sum })),
    byModel: z.array(z.object({ provider: text, model: text, ...sum })),
    byAgent: z.array(z.object({ agent: text, ...sum })),
    /** Of one day, for all goals; null: there is none. */
    limit: z.object({ dollars: z.number(), usedPercent: z.number() }).nullable(),
  })
  .meta({ id: 'SpendReport' })

/** Who paused everything; null: work goes on. */
export const Halt = z.object({ by: text, at: time, comment: text.nullable() }).meta({ id: 'Halt' })

export const SPEND_ROUTES = {
  spend: one({
    method: 'GET',
    path: '/api/spend',
    scope: 'read',
    summary: 'What was spent today and in seven days, by model and by agent, against the limit of a day',
    status: 200,
    response: SpendReport,
  }),
  pauseAll: one({
    method: 'POST',
    path: '/api/system/pause',
    scope: 'admin',
    summary: 'Holds everything: turns under way end, nothing else begins, also after a restart',
    status: 200,
    request: z
      .object({ comment: text.max(1_000).optional() })
      .strict()
      .meta({ id: 'PauseAllRequest' }),
    optionalBody: true,
    response: z.object({ paused: Halt }),
  }),
  resumeAll: one({
    method: 'POST',
    path: '/api/system/resume',
    scope: 'admin',
    summary: 'Lets work go on that was held as a whole',
    status: 200,
    response: z.object({ paused: z.null() }),
  }),
} as const
