/** Routes of the system monitor: machine, workers, queue, what is stuck, providers, log and checks. */
import * as z from 'zod'
import { ALERT_KINDS } from './event.ts'
import { LOG_LEVELS } from './log-level.ts'
import { count, listOf, one, page, text, time, wholeQuery } from './route.ts'
import { TASK_STATUSES } from './task.ts'

const bytes = z.number().int().min(0)
/** A moment of the machine and of this process. Percents are of the whole machine. */
const ResourceSample = z
  .object({
    at: time,
    cpuPercent: z.number(),
    /** Of this process alone; above 100 when it uses more than one core. */
    processCpuPercent: z.number(),
    memoryUsedBytes: bytes,
    memoryTotalBytes: bytes,
    processBytes: bytes,
    heapBytes: bytes,
    /** Of the disk that holds DATA_DIR. */
    diskFreeBytes: bytes,
    diskTotalBytes: bytes,
    databaseBytes: bytes,
    /** Write-ahead log of SQLite; null on PostgreSQL. */
    walBytes: bytes.nullable(),
    /** Delay of the event loop since the sample before, beyond what was asked for. */
    loopP99Ms: z.number(),
    loopMaxMs: z.number(),
    /** Turns that this process has under way, tasks ready to be claimed, and tasks that wait for something. */
    turns: count,
    ready: count,
    waiting: count,
  })
  .meta({ id: 'ResourceSample' })
export type ResourceSample = z.output<typeof ResourceSample>

/** What is used above its limit, which is ALERT_PERCENT. */
export const ResourceAlert = z.object({ what: z.enum(ALERT_KINDS), percent: z.number(), words: text })
export type ResourceAlert = z.output<typeof ResourceAlert>

const WorkerTurn = z
  .object({
    taskId: text,
    treeId: text,
    title: text,
    agent: text,
    status: z.enum(['assigned', 'active', 'waiting']),
    /** The process that claimed it, or the outside agent. */
    worker: text.nullable(),
    /** An outside agent has it; it takes no slot here. */
    outside: z.boolean(),
    leaseUntil: time,
    /** When this process began the turn; null for turns of other processes. */
    since: time.nullable(),
    /** The model call under way; null between calls. */
    call: z.object({ provider: text, model: text, since: time }).nullable(),
  })
  .meta({ id: 'WorkerTurn' })
export type WorkerTurn = z.output<typeof WorkerTurn>

const QueueState = z
  .object({
    ready: count,
    oldestReadySeconds: z.number().nullable(),
    claimed: count,
    /** Tasks that wait, by what they wait for. */
    waiting: z.array(
      z.object({
        reason: text,
        count,
        oldestSeconds: z.number(),
        /** When the first of them goes on by itself; null: no time is known. */
        resumesAt: time.nullable(),
      }),
    ),
    backlog: count,
    paused: count,
    /** Turns that may run at the same time in this process, and how many do. */
    slots: count,
    active: count,
    openReviews: count,
  })
  .meta({ id: 'QueueState' })
export type QueueState = z.output<typeof QueueState>

/** The one act that mends it: a request as it is to be sent. */
const Mend = z.object({ label: text, method: z.enum(['POST']), path: text, body: z.record(text, z.unknown()) })
const DeadTask = z
  .object({
    taskId: text,
    treeId: text,
    title: text,
    agent: text,
    status: z.enum(TASK_STATUSES),
    reason: text.nullable(),
    note: text.nullable(),
    attempts: count,
    at: time,
    action: Mend,
    /** Puts it away for good. */
    discard: Mend,
  })
  .meta({ id: 'DeadTask' })
export type DeadTask = z.output<typeof DeadTask>

export const BREAKER_STATES = ['closed', 'half-open', 'open'] as const
const BreakerItem = z
  .object({
    /** The provider's name. */
    id: text,
    /** `open`: nobody calls it until `until`. `half-open`: one call tries whether it answers again. */
    state: z.enum(BREAKER_STATES),
    failuresInARow: count,
    why: text.nullable(),
    until: time.nullable(),
    /** It takes no calls because of its limits: one call tries at `until`, and the others follow. null: it does. */
    hold: z.object({ kind: z.enum(['rate', 'quota']), why: text, since: time, until: time, trying: z.boolean() }).nullable(),
    /** Tasks that wait until it answers again: for its limits, or for its breaker. */
    waiting: count,
    /** When the first of them asks it again by itself. */
    resumesAt: time.nullable(),
  })
  .meta({ id: 'Breaker' })
export type BreakerItem = z.output<typeof BreakerItem>

const LogLine = z
  .object({
    /** Grows by one a line, across restarts. */
    n: z.number().int().min(1),
    at: time,
    level: z.enum(LOG_LEVELS),
    text,
    treeId: z.exactOptional(text),
    taskId: z.exactOptional(text),
  })
  .meta({ id: 'LogLine' })
export type LogLine = z.output<typeof LogLine>

/** One check of `banyan doctor`: what was looked at and, where it is not right, the mend. */
export const Check = z.object({ name: text, state: z.enum(['ok', 'warn', 'fail', 'unknown']), words: text }).meta({ id: 'Check' })
export type Check = z.output<typeof Check>

export const SYSTEM_ROUTES = {
  resources: one({
    method: 'GET',
    path: '/api/system/resources',
    scope: 'read',
    summary: 'CPU, memory, disk, database and event loop: now, and as a history of an hour (every 5 seconds) or a day (every minute)',
    status: 200,
    query: z.object({
      window: z.enum(['1h', '24h']).default('1h'),
      /** Only samples taken after this time: who has the earlier ones asks for no more. */
      after: z.iso.datetime({ offset: true }).optional(),
    }),
    response: z
      .object({
        now: ResourceSample.nullable(),
        cores: count,
        stepSeconds: count,
        items: z.array(ResourceSample),
        alerts: z.array(ResourceAlert),
      })
      .meta({ id: 'Resources' }),
  }),
  workers: one({
    method: 'GET',
    path: '/api/system/workers',
    scope: 'read',
    summary: 'Turns under way, oldest claim first, then what outside agents work on',
    status: 200,
    response: listOf(WorkerTurn),
  }),
  queue: one({
    method: 'GET',
    path: '/api/system/queue',
    scope: 'read',
    summary: 'What is ready, and what waits for what',
    status: 200,
    response: QueueState,
  }),
  dead: one({
    method: 'GET',
    path: '/api/system/dead',
    scope: 'read',
    summary: 'Tasks set aside and goals that failed, newest first, each with the act that mends it',
    status: 200,
    query: z.object({ ...page }),
    response: listOf(DeadTask),
  }),
  discardDead: one({
    method: 'POST',
    path: '/api/system/dead/{id}/discard',
    scope: 'review:decide',
    summary: 'Puts a stuck task away: one that is held ends, one that has ended is told no more',
    status: 200,
    response: z.object({ id: text, status: z.enum(TASK_STATUSES) }),
  }),
  breakers: one({
    method: 'GET',
    path: '/api/system/breakers',
    scope: 'read',
    summary: 'Circuit breakers of the model providers, what waits for each, and until when',
    status: 200,
    response: listOf(BreakerItem),
  }),
  resetBreaker: one({
    method: 'POST',
    path: '/api/system/breakers/{id}/reset',
    scope: 'admin',
    summary: 'Closes a breaker and lets what waits for its provider ask it again at once',
    status: 200,
    response: BreakerItem,
  }),
  logs: one({
    method: 'GET',
    path: '/api/system/logs',
    scope: 'admin',
    summary: "The runtime's own log, without secrets: lines after `after`, or the newest; `nextCursor` is the next `after`",
    status: 200,
    query: z.object({
      /** This level and those above it. */
      level: z.enum(LOG_LEVELS).default('debug'),
      after: wholeQuery(0, Number.MAX_SAFE_INTEGER).optional(),
      treeId: text.max(100).optional(),
      taskId: text.max(200).optional(),
      limit: wholeQuery(1, 1_000).default(200),
    }),
    response: listOf(LogLine),
  }),
  metrics: one({
    method: 'GET',
    path: '/metrics',
    scope: 'read',
    summary: 'Metrics in the text format of Prometheus',
    status: 200,
  }),
  doctor: one({
    method: 'GET',
    path: '/api/system/doctor',
    scope: 'read',
    summary: 'The checks of `banyan doctor`, by the server itself; `online=1` also asks each provider whether its key is good',
    status: 200,
    query: z.object({ online: z.enum(['0', '1']).default('0') }),
    response: z.object({ ok: z.boolean(), checks: z.array(Check) }),
  }),
} as const
