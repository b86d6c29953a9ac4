/**
 * The HTTP interface as data: every route with the shapes that go in and come out. The router, `/openapi.json`, the web page and the command
 * line all read this table, so what is not here is not served. Lists are `{items, nextCursor}`; errors are `Problem`; frames of the live
 * line are in `live.ts`.
 */
import * as z from 'zod'
import { ACCESS_ROUTES } from './api-access.ts'
import { ASK_ROUTES } from './api-asks.ts'
import { BACKUP_ROUTES, BackupItem } from './api-backups.ts'
import { CHANGE_ROUTES, SelfState } from './api-changes.ts'
import { DETAIL_ROUTES } from './api-detail.ts'
import { GOAL_ROUTES } from './api-goals.ts'
import { LESSON_ROUTES } from './api-lessons.ts'
import { flag, LOOK_ROUTES, narrowing, words } from './api-look.ts'
import { MODEL_ROUTES } from './api-models.ts'
import { OUTSIDE_ROUTES } from './api-outside.ts'
import { PLAN_ROUTES } from './api-plans.ts'
import { REGISTRY_ROUTES } from './api-registry.ts'
import { RETENTION_ROUTES } from './api-retention.ts'
import { SCORE_ROUTES } from './api-scores.ts'
import { SERVER_ROUTES } from './api-servers.ts'
import { SETTINGS_ROUTES } from './api-settings.ts'
import { Halt, SPEND_ROUTES } from './api-spend.ts'
import { ResourceAlert, SYSTEM_ROUTES } from './api-system.ts'
import { TEMPLATE_ROUTES } from './api-templates.ts'
import { TRIAL_ROUTES } from './api-trials.ts'
import { WATCH_ROUTES } from './api-watch.ts'
import { CHANGE_STATES } from './change.ts'
import type { TreeHead } from './event.ts'
import type { FaultCode } from './fault.ts'
import { APPROVALS, GOAL_STATES } from './goal.ts'
import { ISOLATION_CHOICES } from './isolation.ts'
import { Limits } from './limits.ts'
import type { StoredMessage } from './message.ts'
import { NARROW_SCOPES, NewRule, RULE_SCOPES, type Rule, TAINTS } from './policy.ts'
import { BatchDecision, DECISIONS, Decision, EXPIRY_POLICIES, REVIEW_KINDS, type Review, type Waiting } from './review.ts'
import { count, listOf, one, page, text, time, wholeQuery } from './route.ts'
import { Evidence, REASONS, TASK_KINDS, TASK_STATUSES, type Task, Verdict } from './task.ts'
import { Watch } from './watch.ts'

export { GOAL_LIMIT, GoalRequest, type Submitted } from './api-goals.ts'
export type { AgentItem, DocumentItem, ToolItem } from './api-registry.ts'
export type { Method, Route } from './route.ts'

/** Bytes of a request's body. */
export const BODY_LIMIT = 1_000_000
/** Bytes of a file that is sent, and of one that is fetched. */
export const UPLOAD_LIMIT = 100_000_000
export const DOWNLOAD_LIMIT = 500_000_000

// ── What is told ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** RFC 9457. `code` is for programs and never changes its meaning; `requestId` is in the log beside the cause. */
export const Problem = z
  .object({
    type: text,
    title: text,
    status: z.number().int(),
    detail: text,
    code: text,
    requestId: text,
  })
  .meta({ id: 'Problem' })
export type Problem = z.output<typeof Problem> & { code: FaultCode | 'method_not_allowed' | 'unsupported_media_type' | 'internal' }

const Spend = z.object({ turns: count, tokens: count, costMicros: count, unpricedCalls: count }).meta({ id: 'Spend' })
/** `dollars` is what is known; calls whose price is unknown are counted beside it, never priced 0. */
const Cost = z.object({ dollars: z.number(), unpricedCalls: count }).meta({ id: 'Cost' })
const checked = { ok: z.boolean(), bytes: z.exactOptional(count), problem: z.exactOptional(text) }
const [File, Command, Link, ChangeClaim] = Evidence.options
const CheckedEvidence = z.discriminatedUnion('kind', [
  File.extend(checked),
  Command.extend(checked),
  Link.extend(checked),
  ChangeClaim.extend({ ...checked, title: z.exactOptional(text), state: z.exactOptional(z.enum(CHANGE_STATES)) }),
])

const TaskShape = z
  .object({
    id: text,
    treeId: text,
    parentId: text.nullable(),
    callId: text.nullable(),
    kind: z.enum(TASK_KINDS),
    agent: text,
    title: text,
    instruction: text,
    criteria: z.exactOptional(z.array(text)),
    origin: z.enum(['person', 'agent']),
    status: z.enum(TASK_STATUSES),
    reason: z.enum(REASONS).nullable(),
    note: text.nullable(),
    priority: z.number().int(),
    depth: count,
    attempt: count,
    after: z.array(text),
    deadlineAt: time.nullable(),
    wakeAt: time.nullable(),
    stoppedByPerson: z.boolean(),
    taint: z.array(z.enum(TAINTS)),
    model: text.nullable(),
    workspace: text,
    result: text.nullable(),
    summary: text.nullable(),
    evidence: z.array(CheckedEvidence),
    verdict: Verdict.nullable(),
    watch: z.exactOptional(Watch.nullable()),
    spend: Spend,
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Task' }) satisfies z.ZodType<Task>

const Head = z.object({
  id: text,
  goal: text,
  mode: z.enum(['auto', 'step']),
  limits: Limits,
  spend: Spend,
  taskCount: count,
  pausedReason: text.nullable(),
  submittedBy: text,
  createdAt: time,
  approval: z.exactOptional(z.enum(APPROVALS)),
  model: z.exactOptional(text),
  planned: z.exactOptional(z.literal(true)),
  forkedFrom: z.exactOptional(text),
  watched: z.exactOptional(z.boolean()),
  patient: z.exactOptional(z.boolean()),
  conversation: z.exactOptional(text),
}) satisfies z.ZodType<TreeHead>
/** `status`, `reason`, `attempt`, `result`, `summary` and `note` are the root task's. */
const TreeItem = Head.extend({
  status: z.enum(TASK_STATUSES),
  reason: z.enum(REASONS).nullable(),
  attempt: count,
  /** How many of its tasks are in each status; what is not named has none. */
  counts: z.partialRecord(z.enum(TASK_STATUSES), count),
  /** Review items of it that wait for a person. */
  needsYou: count,
  result: text.nullable(),
  summary: text.nullable(),
  note: text.nullable(),
  updatedAt: time,
  cost: Cost,
}).meta({ id: 'TreeItem' })
export type TreeItem = z.output<typeof TreeItem>
/** `share`: of the goal's tokens, from 0 to 1, that judging, summing up and documenting took; null: nothing was spent. `cap`: parts are not watched above it. */
const Watching = z.object({ tokens: count, share: z.number().nullable(), cap: z.number() }).meta({ id: 'Watching' })
const Tree = TreeItem.extend({ watching: Watching, tasks: z.array(TaskShape) }).meta({ id: 'Tree' })
export type Tree = z.output<typeof Tree>

const Usage = z.object({ input: count, output: count, reasoning: count, cacheRead: count, cacheWrite: count })
const stored = { n: z.number().int().min(1), at: time }
const MessageShape = z
  .discriminatedUnion('role', [
    z.object({
      ...stored,
      role: z.literal('system'),
      promptHash: text,
      agent: text,
      agentVersion: z.number().int(),
      documents: z.array(z.object({ name: text, version: z.number().int() })),
      tools: z.array(text),
    }),
    z.object({
      ...stored,
      role: z.literal('user'),
      text,
      from: z.enum(['person', 'parent', 'system', 'child']),
      rewindTo: z.exactOptional(z.number().int()),
      instruction: z.exactOptional(z.literal(true)),
      criteria: z.exactOptional(z.array(text)),
    }),
    z.object({
      ...stored,
      role: z.literal('assistant'),
      text,
      calls: z.array(z.object({ id: text, tool: text, input: z.unknown() })),
      thinking: z.exactOptional(z.unknown()),
      provider: text,
      model: text,
      usage: Usage.nullable(),
      costMicros: count.nullable(),
      latencyMs: z.number(),
    }),
    z.object({ ...stored, role: z.literal('tool'), callId: text, tool: text, text, isError: z.boolean() }),
    z.object({
      ...stored,
      role: z.literal('compaction'),
      how: z.enum(['cleared', 'summarised']),
      upTo: count,
      text,
      dropped: z.object({ messages: count, tokens: count }),
    }),
  ])
  .meta({ id: 'Message' }) satisfies z.ZodType<StoredMessage>

const ReviewShape = z
  .object({
    id: text,
    kind: z.enum(REVIEW_KINDS),
    state: z.enum(['open', 'decided', 'snoozed']),
    treeId: text,
    taskId: text,
    callId: text.nullable(),
    title: text,
    action: z.unknown(),
    actionHash: text,
    risk: z.enum(['low', 'medium', 'high']),
    createdAt: time,
    decidedAt: time.nullable(),
    decision: z.enum(DECISIONS).nullable(),
    comment: text.nullable(),
    decidedBy: text.nullable(),
    signature: text.nullable(),
    reason: text.nullable(),
    taint: z.array(z.enum(TAINTS)),
    offers: z.array(z.object({ scope: z.enum(RULE_SCOPES), signature: text, label: text })),
    edit: z.record(text, z.unknown()).nullable(),
    snoozedUntil: time.nullable(),
    expiresAt: time.nullable(),
    escalatedAt: time.nullable(),
    /** Tasks above the one that asks, which wait for it; nearest first. Told where items are read, not where one is decided. */
    waiting: z.exactOptional(z.array(z.object({ id: text, title: text, status: text }))),
  })
  .meta({ id: 'Review' }) satisfies z.ZodType<Review & { waiting?: Waiting[] }>
const RuleShape = z
  .object({
    id: text,
    verdict: z.enum(['allow', 'ask', 'deny']),
    scope: z.enum([...RULE_SCOPES, ...NARROW_SCOPES]),
    signature: text,
    label: text,
    treeId: text.nullable(),
    agent: text.nullable(),
    tainted: z.boolean(),
    createdBy: text,
    createdAt: time,
    expiresAt: time.nullable(),
    hits: count,
    lastHitAt: time.nullable(),
    revokedAt: time.nullable(),
  })
  .meta({ id: 'Rule' }) satisfies z.ZodType<Rule>
const BatchItem = z.discriminatedUnion('ok', [
  z.object({ id: text, ok: z.literal(true), review: ReviewShape }),
  z.object({ id: text, ok: z.literal(false), code: text, detail: text }),
])

/** `readable`: false when SYSTEM_SECRET_KEY is not the one it was sealed with. A value is never told. */
const SecretShape = z
  .object({
    id: text,
    name: text,
    description: text,
    grants: z.array(text),
    readable: z.boolean(),
    createdAt: time,
    updatedAt: time,
    lastUsedAt: time.nullable(),
  })
  .meta({ id: 'Secret' })
export type SecretItem = z.output<typeof SecretShape>

/** A numbered fact; which fields it has beside these depends on `type` (see `event.ts`). */
const EventShape = z.looseObject({ seq: z.number().int().min(1), at: time, treeId: text.nullable(), type: text }).meta({ id: 'Event' })

const Health = z
  .object({ status: z.literal('ok'), revision: text, schema: z.number().int(), uptimeSeconds: z.number() })
  .meta({ id: 'Health' })
export type Health = z.output<typeof Health>

const System = z
  .object({
    version: text,
    revision: text,
    schema: z.number().int(),
    uptimeSeconds: z.number(),
    nodeVersion: text,
    /** What answers when an agent's model is `default`. `detail`: one sentence for a person, such as what to set to have a model. */
    provider: z.object({ name: text, model: text.nullable(), judges: z.boolean(), detail: text }),
    /** The level at which commands run here. */
    isolation: text,
    /** The setting ISOLATION. */
    isolationChoice: z.enum(ISOLATION_CHOICES).optional(),
    /** What becomes of an item of the queue that nobody decides by its `expiresAt`. */
    reviewExpiry: z.enum(EXPIRY_POLICIES).optional(),
    /** What was found when that was tried out at the start: why there is none and what mends it, and what holds memory, processes and CPU. */
    isolationDetail: z
      .object({
        sandbox: z.union([z.object({ ok: z.literal(true), version: text }), z.object({ ok: z.literal(false), why: text, mend: text })]),
        container: z
          .union([z.object({ ok: z.literal(true), version: text, image: text }), z.object({ ok: z.literal(false), why: text, mend: text })])
          .optional(),
        limits: z.object({ memory: z.boolean(), pids: z.boolean(), cpu: z.boolean(), via: z.enum(['cgroup1', 'cgroup2', 'rlimit']) }),
      })
      .optional(),
    /** How many tasks are in each status, over all trees. */
    tasks: z.record(text, count),
    openReviews: count,
    /** Whether Banyan can change its own code here, and why not. */
    selfChange: SelfState.optional(),
    /** Who paused everything; null: work goes on. */
    paused: Halt.nullable().optional(),
    /** What is used above its limit now. */
    alerts: z.array(ResourceAlert).optional(),
    /** Number of the newest fact. */
    seq: count,
    liveConnections: count,
    /** Caps of a goal that says nothing of its budget. */
    defaultLimits: Limits,
    dataBytes: count.optional(),
    /** True: nothing is claimed, because no revision could be kept running or a person wanted so. */
    safeMode: z.boolean().optional(),
    /** The newest backup of the database; null: there is none. */
    backup: BackupItem.nullable().optional(),
  })
  .meta({ id: 'System' })
export type System = z.output<typeof System>

const GoalExample = z.object({ name: text, title: text, description: text, goal: text }).meta({ id: 'GoalExample' })
export type GoalExample = z.output<typeof GoalExample>

/** One change of a file by a call (or by a person: then `by` is a name). Undo it by its `callId`. */
const FileChange = z
  .object({
    n: z.number().int().min(1),
    taskId: text,
    callId: text,
    /** Relative to the goal's folder; empty where a whole folder could not be looked at. */
    path: text,
    what: z.enum(['made', 'changed', 'deleted', 'unknown']),
    bytesBefore: count.nullable(),
    bytesAfter: count.nullable(),
    /** Why it cannot be undone; null: it can. */
    whyNot: text.nullable(),
    by: text,
    at: time,
  })
  .meta({ id: 'FileChange' })
export type FileChangeItem = z.output<typeof FileChange>
/** `id` undoes this undo; null: nothing was changed. Files in conflict were left as they are. */
const Undone = z
  .object({
    id: text.nullable(),
    files: z.array(z.object({ path: text, what: z.enum(['restored', 'removed', 'brought back']) })),
    conflicts: z.array(z.object({ path: text, why: text })),
    already: count,
  })
  .meta({ id: 'Undone' })
const FileItem = z.object({ path: text, kind: z.enum(['file', 'folder', 'other']), bytes: count.nullable() }).meta({ id: 'FileItem' })
const PutFile = z.object({ path: text, bytes: count, type: text, created: z.boolean(), undoable: z.boolean() }).meta({ id: 'PutFile' })

// ── What is asked ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const control = {
  /** `subtree` (the default) reaches every task below; `node` only this one. */
  scope: z.enum(['node', 'subtree']).optional(),
  message: text.max(100_000).optional(),
  comment: text.max(20_000).optional(),
}
const Control = z.object(control).strict().meta({ id: 'ControlRequest' })
const Steer = z.object({ ...control, message: text.trim().min(1, 'must say what the agent should know or do').max(100_000) }).strict()
/**
 * `from` with `message`: where message `from` is the task itself or a person's words, `message` stands in its place; otherwise it is said
 * beside it. `model`: `provider/model`, `playbook`, or `default`, which is what the goal says; it holds for tasks that the task starts, too.
 */
const Rerun = z
  .object({
    ...control,
    from: z.number().int().min(1).optional(),
    restoreFiles: z.boolean().optional(),
    model: text.trim().min(1).max(200).optional(),
  })
  .strict()
export type ControlRequest = z.input<typeof Rerun>

/** What is left out stays as it is; a new secret needs a value. `grants`: `agent:NAME`, `tree:ID`, or `*`. */
const SecretRequest = z
  .object({
    value: text.max(100_000).optional(),
    description: text.max(1_000).optional(),
    grants: z.array(text.max(100)).max(200).optional(),
  })
  .strict()
  .meta({ id: 'SecretRequest' })

/** `q`: text of the goal, its title, or its id. `is`: how the goal stands as a whole; the others look at all of its tasks. */
const TreeQuery = z.object({ ...page, q: words.optional(), is: z.enum(GOAL_STATES).optional(), ...narrowing })
export type TreeQuery = z.output<typeof TreeQuery>

// ── Routes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const act = <B extends z.ZodType>(verb: string, summary: string, request: B) =>
  one({
    method: 'POST',
    path: `/api/tasks/{id}/${verb}`,
    scope: 'goals:write',
    summary,
    status: 200,
    request,
    optionalBody: true,
    ...(verb === 'rerun' ? {} : { keyed: true }),
    response: TaskShape,
  })
export const ROUTES = {
  health: one({ method: 'GET', path: '/health', scope: 'none', summary: 'Whether it runs', status: 200, response: Health, open: true }),

  ...GOAL_ROUTES,
  ...PLAN_ROUTES,
  ...TEMPLATE_ROUTES,
  ...SERVER_ROUTES,
  ...MODEL_ROUTES,
  ...SPEND_ROUTES,
  ...WATCH_ROUTES,
  ...ASK_ROUTES,
  goalExamples: one({
    method: 'GET',
    path: '/api/goal-examples',
    scope: 'read',
    summary: 'Goals to try',
    status: 200,
    response: listOf(GoalExample),
  }),
  trees: one({
    method: 'GET',
    path: '/api/trees',
    scope: 'read',
    summary: 'Goals, newest first; each word of the query narrows them',
    status: 200,
    query: TreeQuery,
    response: listOf(TreeItem),
  }),
  tree: one({ method: 'GET', path: '/api/trees/{id}', scope: 'read', summary: 'A goal with all its tasks', status: 200, response: Tree }),

  task: one({ method: 'GET', path: '/api/tasks/{id}', scope: 'read', summary: 'One task', status: 200, response: TaskShape }),
  messages: one({
    method: 'GET',
    path: '/api/tasks/{id}/messages',
    scope: 'read',
    summary: "A task's history from message `after` on; `nextCursor` is the next `after`. `preview=1`: long texts are cut",
    status: 200,
    query: z.object({
      after: wholeQuery(0, 1_000_000_000).default(0),
      limit: wholeQuery(1, 1_000).default(200),
      preview: flag.optional(),
    }),
    response: listOf(MessageShape),
  }),
  prompt: one({
    method: 'GET',
    path: '/api/prompts/{hash}',
    scope: 'read',
    summary: 'The system prompt that a message names by its hash',
    status: 200,
    response: z.object({ hash: text, text }),
  }),
  cancel: act('cancel', 'Lets the task wrap up, and stops what is below it', Control),
  abort: act('abort', 'Ends the task and what is below it now', Control),
  pause: act('pause', 'Holds the task after its turn', Control),
  resume: act('resume', 'Lets a paused task go on', Control),
  step: act('step', 'Runs one turn, then pauses again', Control),
  retry: act('retry', 'Opens a task again that did not succeed', Control),
  steer: act('steer', 'Says something to the agent at work', Steer),
  rerun: act('rerun', 'Goes back to message `from` and on from there, with other words or another model if they are given', Rerun),

  rerunPreview: one({
    method: 'GET',
    path: '/api/tasks/{id}/rerun',
    scope: 'read',
    summary:
      'What a rerun from message `from` would touch: files changed since, unfinished subtasks that would stop, and what a `message` would replace. Changes nothing',
    status: 200,
    query: z.object({ from: wholeQuery(1, 1_000_000_000).default(1) }),
    response: z.object({
      files: z.array(text),
      stops: z.array(z.object({ id: text, title: text })),
      replaces: z.enum(['instruction', 'words']).nullable(),
    }),
  }),

  taskFiles: one({
    method: 'GET',
    path: '/api/tasks/{id}/files',
    scope: 'read',
    summary: 'What a task, and those below it, changed in files, oldest first; `nextCursor` is the next `after`',
    status: 200,
    query: z.object({
      scope: z.enum(['node', 'subtree']).default('subtree'),
      after: wholeQuery(0, 1_000_000_000).default(0),
      limit: wholeQuery(1, 1_000).default(200),
    }),
    response: listOf(FileChange),
  }),
  undoFiles: one({
    method: 'POST',
    path: '/api/tasks/{id}/files/undo',
    scope: 'goals:write',
    summary: 'Puts files back to what they were before a call (`callId`) or before the task; what was changed since is left and told',
    status: 200,
    request: z
      .object({ callId: text.max(200).optional(), scope: z.enum(['node', 'subtree']).default('subtree') })
      .strict()
      .meta({ id: 'UndoRequest' }),
    optionalBody: true,
    response: Undone,
  }),
  treeFiles: one({
    method: 'GET',
    path: '/api/trees/{id}/files',
    scope: 'read',
    summary: "A file of the goal's folder as an attachment, or what is in a folder of it",
    status: 200,
    query: z.object({ path: text.max(4_000).default(''), depth: wholeQuery(1, 20).default(1) }),
    response: z.object({ items: z.array(FileItem), nextCursor: text.nullable(), complete: z.boolean() }),
    download: true,
  }),
  putFile: one({
    method: 'PUT',
    path: '/api/trees/{id}/files',
    scope: 'goals:write',
    summary: "Puts a file into the goal's folder, in place of one that is there",
    status: 200,
    query: z.object({ path: text.min(1).max(4_000) }),
    response: PutFile,
    upload: true,
  }),

  reviews: one({
    method: 'GET',
    path: '/api/reviews',
    scope: 'read',
    summary: 'The queue of what a person is asked, oldest first; `order=decided`: what was decided, the last decision first',
    status: 200,
    query: z.object({
      ...page,
      state: z.enum(['open', 'decided', 'snoozed', 'all']).default('all'),
      treeId: text.max(100).optional(),
      /** Items that ask for the same kind of thing. */
      signature: text.max(500).optional(),
      order: z.enum(['asked', 'decided']).default('asked'),
    }),
    response: listOf(ReviewShape),
  }),
  review: one({
    method: 'GET',
    path: '/api/reviews/{id}',
    scope: 'read',
    summary: 'One item of the queue',
    status: 200,
    response: ReviewShape,
  }),
  decide: one({
    method: 'POST',
    path: '/api/reviews/{id}/decision',
    scope: 'review:decide',
    summary: 'Decides an item, once; with `answer` the answer is `comment`',
    status: 200,
    request: Decision,
    keyed: true,
    response: ReviewShape,
  }),
  decideBatch: one({
    method: 'POST',
    path: '/api/reviews/batch',
    scope: 'review:decide',
    summary: 'One decision for many items; answers for each by itself',
    status: 200,
    request: BatchDecision,
    response: z.object({ items: z.array(BatchItem) }),
  }),
  snooze: one({
    method: 'POST',
    path: '/api/reviews/{id}/snooze',
    scope: 'review:decide',
    summary: 'Puts an item off until a time, when it comes back by itself; null brings it back now',
    status: 200,
    request: z.object({ until: z.iso.datetime({ offset: true }).nullable() }).strict(),
    response: ReviewShape,
  }),
  rules: one({
    method: 'GET',
    path: '/api/rules',
    scope: 'read',
    summary: 'What people said may happen without them, or may not; newest first. `live`: neither revoked nor expired',
    status: 200,
    query: z.object({ ...page, state: z.enum(['live', 'all']).default('live') }),
    response: listOf(RuleShape),
  }),
  addRule: one({
    method: 'POST',
    path: '/api/rules',
    scope: 'review:decide',
    summary: 'Adds a rule that narrows: ask or deny for a tool, a permission, a program or a host. What widens comes from a decision only',
    status: 201,
    request: NewRule,
    response: RuleShape,
  }),
  revokeRule: one({
    method: 'DELETE',
    path: '/api/rules/{id}',
    scope: 'review:decide',
    summary: 'Takes a rule back; it stays readable',
    status: 204,
  }),

  ...REGISTRY_ROUTES,
  ...TRIAL_ROUTES,

  secrets: one({
    method: 'GET',
    path: '/api/secrets',
    scope: 'read',
    summary: 'Secrets by name, never their values',
    status: 200,
    response: listOf(SecretShape),
  }),
  saveSecret: one({
    method: 'PUT',
    path: '/api/secrets/{id}',
    scope: 'admin',
    summary: 'Adds a secret, or replaces its value, description or grants',
    status: 200,
    request: SecretRequest,
    response: SecretShape,
  }),
  rotateSecrets: one({
    method: 'POST',
    path: '/api/secrets/rotate',
    scope: 'admin',
    summary: 'Makes a new SYSTEM_SECRET_KEY, seals every value with it and restarts; all sessions end. 409 when the key is a setting',
    status: 202,
    response: z.object({ values: count, status: z.literal('restarting') }),
  }),
  removeSecret: one({
    method: 'DELETE',
    path: '/api/secrets/{id}',
    scope: 'admin',
    summary: 'Removes a secret and its value',
    status: 204,
  }),

  events: one({
    method: 'GET',
    path: '/api/events',
    scope: 'read',
    summary: 'Facts after a number, in order, without a gap; with `Accept: text/event-stream` a stream that goes on',
    status: 200,
    query: z.object({
      after: wholeQuery(0, Number.MAX_SAFE_INTEGER).default(0),
      limit: wholeQuery(1, 1_000).default(500),
      treeId: text.max(100).optional(),
    }),
    response: listOf(EventShape),
  }),
  system: one({ method: 'GET', path: '/api/system', scope: 'read', summary: 'How the system is', status: 200, response: System }),
  ...LOOK_ROUTES,
  ...DETAIL_ROUTES,
  ...CHANGE_ROUTES,
  ...SYSTEM_ROUTES,
  ...RETENTION_ROUTES,
  ...BACKUP_ROUTES,
  ...LESSON_ROUTES,
  ...SCORE_ROUTES,
  ...SETTINGS_ROUTES,
  openapi: one({
    method: 'GET',
    path: '/openapi.json',
    scope: 'read',
    summary: 'This interface as OpenAPI 3.1',
    status: 200,
    response: z.looseObject({}),
  }),

  ...ACCESS_ROUTES,
  ...OUTSIDE_ROUTES,
  shutdown: one({
    method: 'POST',
    path: '/admin/graceful-shutdown',
    scope: 'admin',
    summary: 'Running turns finish or park, then the process ends; with `restart=1` it starts again',
    status: 202,
    query: z.object({ restart: z.enum(['0', '1']).default('0') }),
    response: z.object({ status: z.enum(['stopping', 'restarting']) }),
  }),
} as const
export type RouteName = keyof typeof ROUTES

type Part<N extends RouteName, K extends 'request' | 'query' | 'response', D> = (typeof ROUTES)[N] extends {
  [P in K]: infer S extends z.ZodType
}
  ? K extends 'response'
    ? z.output<S>
    : z.input<S>
  : D
/** What a caller sends as the body. */
export type RequestOf<N extends RouteName> = Part<N, 'request', undefined>
/** What a caller writes into the query; every value is text. */
export type QueryOf<N extends RouteName> = Part<N, 'query', undefined>
/** What a caller gets. */
export type ResponseOf<N extends RouteName> = Part<N, 'response', undefined>
