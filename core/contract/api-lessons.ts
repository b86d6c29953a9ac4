/** Routes of what was learnt from the history: the list, looking again, judging one, and a person's word on it. */
import * as z from 'zod'
import { Judgement, LESSON_STATES, Words } from './learning.ts'
import { count, listOf, one, text, time } from './route.ts'

/** `tool`: name of the tool, agent or document that it changes. `cases`: what shows it, the newest last. `version`: the version that it made. */
export const LessonItem = z
  .object({
    id: text,
    state: z.enum(LESSON_STATES),
    tool: text,
    title: text,
    why: text,
    change: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('limit'), limit: z.object({ program: text, seconds: count }) }),
      z.object({ kind: z.literal('repeat'), repeat: z.object({ error: text, times: count, waitMs: count }) }),
      z.object({ kind: z.literal('words'), words: Words }),
    ]),
    cases: z.array(z.object({ treeId: text, taskId: text, callId: text.nullable(), words: text.optional() })),
    judgement: Judgement.nullable(),
    version: count.nullable(),
    decidedBy: text.nullable(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Lesson' })
export type LessonItem = z.output<typeof LessonItem>

const act = (word: string, summary: string) =>
  one({ method: 'POST', path: `/api/lessons/{id}/${word}`, scope: 'review:decide', summary, status: 200, response: LessonItem })

export const LESSON_ROUTES = {
  lessons: one({
    method: 'GET',
    path: '/api/lessons',
    scope: 'read',
    summary: 'What was learnt from the history of calls, newest first',
    status: 200,
    response: listOf(LessonItem),
  }),
  lesson: one({ method: 'GET', path: '/api/lessons/{id}', scope: 'read', summary: 'One lesson', status: 200, response: LessonItem }),
  lookForLessons: one({
    method: 'POST',
    path: '/api/lessons/look',
    scope: 'goals:write',
    summary: 'Looks through the newest calls for lessons now; it is done every hour, too',
    status: 200,
    response: z.object({ found: count, runs: count }),
  }),
  judgeLesson: one({
    method: 'POST',
    path: '/api/lessons/{id}/judge',
    scope: 'review:decide',
    summary:
      'Begins to try goals without and with the lesson; words need a live model and what it may cost. Takes minutes, the lesson says how it went',
    status: 202,
    request: z
      .object({ dollars: z.number().min(0.01).max(100).optional() })
      .strict()
      .meta({ id: 'JudgeLessonRequest' }),
    optionalBody: true,
    response: LessonItem,
  }),
  keepLesson: act('keep', 'Lets a lesson that was judged better, or words that a person wants untested, take effect, as a new version'),
  declineLesson: act('decline', 'Puts a lesson away; only more cases bring it back'),
  undoLesson: act('undo', 'Takes a kept lesson back, and nothing else'),
} as const
