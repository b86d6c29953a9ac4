/** Routes of old goals: what would leave the database, letting it go, and a goal as a file. */
import * as z from 'zod'
import { count, one, text, time } from './route.ts'
import { TASK_STATUSES } from './task.ts'

/** The report of what was spent looks back seven days and asks whose it was; this is well beyond. */
const LEAST_DAYS = 14
const days = z.number().int().min(LEAST_DAYS).max(36_500)

const OldTree = z.object({ treeId: text, goal: text, status: z.enum(TASK_STATUSES), tasks: count, endedAt: time }).meta({ id: 'OldTree' })

const RetentionPreview = z
  .object({
    /** RETENTION_DAYS; null: goals are kept for good. */
    days: count.nullable(),
    /** Those that the answer is about. */
    askedDays: count.nullable(),
    /** The folder that goals are written to first; null: they are not. */
    exports: text.nullable(),
    trees: count,
    tasks: count,
    /** There are others after these. */
    more: z.boolean(),
    /** What lies in that folder. */
    exported: z.object({ files: count, bytes: count }),
    /** Goals that left lately, the newest first, at most ten. */
    removed: z.array(z.object({ treeId: text, at: time, tasks: count, file: text.nullable(), by: text })),
    /** Oldest first, at most a hundred. */
    items: z.array(OldTree),
  })
  .meta({ id: 'RetentionPreview' })
export type RetentionPreview = z.output<typeof RetentionPreview>

const RetentionRun = z.object({ items: z.array(OldTree.extend({ file: text.nullable() })), more: z.boolean() }).meta({ id: 'RetentionRun' })
export type RetentionRun = z.output<typeof RetentionRun>

export const RETENTION_ROUTES = {
  retention: one({
    method: 'GET',
    path: '/api/system/retention',
    scope: 'read',
    summary: 'Goals that a run would export and remove now; nothing is changed',
    status: 200,
    query: z.object({
      days: z
        .string()
        .regex(/^\d{1,5}$/, 'must be a whole number')
        .transform(Number)
        .pipe(days)
        .optional(),
    }),
    response: RetentionPreview,
  }),
  runRetention: one({
    method: 'POST',
    path: '/api/system/retention',
    scope: 'admin',
    summary: 'Exports goals that ended long ago to DATA_DIR/exports and removes them, at most some hundred',
    status: 200,
    request: z.object({ days: days.optional() }),
    optionalBody: true,
    response: RetentionRun,
  }),
  exportTree: one({
    method: 'GET',
    path: '/api/trees/{id}/export',
    scope: 'read',
    summary: 'All rows of a goal, one JSON object a line: what it is, then tables in their order',
    status: 200,
    download: true,
  }),
} as const
