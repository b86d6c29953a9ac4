/** Routes of one task as a person takes it apart: its facts, what files held before and after, and what its model calls cost. */
import * as z from 'zod'
import { count, listOf, one, text, time, wholeQuery } from './route.ts'

/** What one file held. `text` null: it is not text, is too long to be shown, or is not kept any more; `why` says which. */
const FileText = z.object({ text: text.nullable(), bytes: count, why: text.nullable() })
/** `before` or `after` null: there was no file. */
const FileContents = z.object({ path: text, before: FileText.nullable(), after: FileText.nullable() }).meta({ id: 'FileContents' })
export type FileContents = z.output<typeof FileContents>

const buckets = { input: count, output: count, reasoning: count, cacheRead: count, cacheWrite: count }
const ModelSpend = z.object({
  provider: text,
  model: text,
  calls: count,
  /** Calls whose answer was lost in a crash: what was held for them counts as spent. */
  lostCalls: count,
  tokens: count,
  ...buckets,
  costMicros: count,
  unpricedCalls: count,
})
/** By model, the dearest first. `prices`: where prices come from. */
const TaskSpend = z
  .object({ own: z.array(ModelSpend), subtree: z.array(ModelSpend), prices: z.object({ source: text, version: text }) })
  .meta({ id: 'TaskSpend' })
export type TaskSpend = z.output<typeof TaskSpend>
export type ModelSpend = TaskSpend['own'][number]

/** A command that goes on after the call that began it. `output`: what is kept of what it wrote, without secrets; `ending`: what ended it. */
const Job = z
  .object({
    id: text,
    name: text,
    command: text,
    cwd: text,
    isolation: text,
    state: z.enum(['running', 'ended']),
    ending: text.nullable(),
    exitCode: z.number().int().nullable(),
    startedAt: time,
    endedAt: time.nullable(),
    output: text,
    outputBytes: count,
  })
  .meta({ id: 'Job' })
export type Job = z.output<typeof Job>

/** One work tree of a task against the commit that it began from, what is in no commit included. `complete` false: not all patches are here. */
const WorktreeDiff = z
  .object({
    repository: text,
    branch: text,
    base: text,
    head: text,
    commits: count,
    files: z.array(z.object({ path: text, patch: text, added: count, removed: count })),
    untracked: z.array(text),
    complete: z.boolean(),
  })
  .meta({ id: 'WorktreeDiff' })
export type WorktreeDiff = z.output<typeof WorktreeDiff>

export const DETAIL_ROUTES = {
  taskFacts: one({
    method: 'GET',
    path: '/api/tasks/{id}/facts',
    scope: 'read',
    summary: 'What happened to one task, oldest first, without its messages and what only counts; `nextCursor` is the next `after`',
    status: 200,
    query: z.object({ after: wholeQuery(0, Number.MAX_SAFE_INTEGER).default(0), limit: wholeQuery(1, 1_000).default(500) }),
    response: listOf(z.looseObject({ seq: count, at: time, treeId: text.nullable(), type: text })),
  }),
  fileContents: one({
    method: 'GET',
    path: '/api/tasks/{id}/files/{n}',
    scope: 'read',
    summary: 'What a file held before change `n` and after change `to` (the same, when left out), as text of at most 1 MB each',
    status: 200,
    query: z.object({ to: wholeQuery(1, 1_000_000_000).optional() }),
    response: FileContents,
  }),
  taskWorktrees: one({
    method: 'GET',
    path: '/api/tasks/{id}/worktrees',
    scope: 'read',
    summary:
      "What a task's git work trees hold beyond where they began: commits, changed files as patches, and files that git does not know",
    status: 200,
    response: listOf(WorktreeDiff),
  }),
  taskJobs: one({
    method: 'GET',
    path: '/api/tasks/{id}/jobs',
    scope: 'read',
    summary: 'Commands that a task left running in the background, the newest last, with the output that is kept',
    status: 200,
    response: listOf(Job),
  }),
  taskSpend: one({
    method: 'GET',
    path: '/api/tasks/{id}/spend',
    scope: 'read',
    summary: 'Model calls of a task, and of it with everything below, by model and by the five kinds of tokens that are billed',
    status: 200,
    response: TaskSpend,
  }),
} as const
