/** Routes of the watchdog: which tasks it sees something in, and whether it looks after a goal. */
import * as z from 'zod'
import { count, one, text, time } from './route.ts'
import { RUNGS, SIGNS } from './watch.ts'

const Watched = z
  .object({
    taskId: text,
    treeId: text,
    title: text,
    sign: z.enum(SIGNS),
    rung: z.enum(RUNGS),
    /** What was counted, in one sentence. */
    words: text,
    since: time,
    /** When the last step was taken. */
    at: time,
  })
  .meta({ id: 'WatchedTask' })

export const WATCH_ROUTES = {
  watched: one({
    method: 'GET',
    path: '/api/watchdog',
    scope: 'read',
    summary: 'Tasks that do not get on now, with what the watchdog saw and how far it went; at most 200',
    status: 200,
    response: z.object({ count, items: z.array(Watched) }),
  }),
  saveWatched: one({
    method: 'PUT',
    path: '/api/trees/{id}/watchdog',
    scope: 'goals:write',
    summary: 'Whether the watchdog looks after the tasks of a goal',
    status: 200,
    /** `patient`: it waits twice as long. */
    request: z
      .object({ on: z.boolean(), patient: z.boolean().default(false) })
      .strict()
      .meta({ id: 'WatchdogRequest' }),
    response: z.object({ treeId: text, on: z.boolean(), patient: z.boolean() }),
  }),
} as const
