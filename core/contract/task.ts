/** A task is one node of a goal's tree. These shapes cross every boundary: database, HTTP, WebSocket, web. */
import * as z from 'zod'
import type { ChangeState } from './change.ts'
import type { Taint } from './policy.ts'
import type { Watch } from './watch.ts'

export const TASK_STATUSES = [
  'backlog',
  'pending',
  'assigned',
  'active',
  'waiting',
  'paused',
  'done',
  'failed',
  'cancelled',
  'dead',
] as const
export type TaskStatus = (typeof TASK_STATUSES)[number]

/**
 * The whole life cycle. Nothing else decides whether a move is legal.
 * backlog: its dependencies are not over. pending: ready to be claimed. assigned: claimed. active: a turn runs.
 * waiting: on children, review, quota, timer, closing, an outside agent (external). paused: by a person, step mode or a cap. dead: three lost attempts.
 * From assigned a task may park or end without a turn: calls that a crash left open run first.
 * The moves out of a terminal status are a person's `retry` and `rerun`; no agent makes them.
 */
const NEXT: Record<TaskStatus, readonly TaskStatus[]> = {
  backlog: ['pending', 'paused', 'cancelled', 'failed'],
  pending: ['assigned', 'waiting', 'paused', 'cancelled', 'failed', 'dead'],
  assigned: ['active', 'pending', 'waiting', 'paused', 'done', 'cancelled', 'failed', 'dead'],
  active: ['pending', 'waiting', 'paused', 'done', 'failed', 'cancelled', 'dead'],
  waiting: ['waiting', 'pending', 'paused', 'done', 'failed', 'cancelled', 'dead'],
  paused: ['backlog', 'pending', 'waiting', 'done', 'failed', 'cancelled'],
  done: ['pending'],
  failed: ['pending'],
  cancelled: ['pending'],
  dead: ['pending'],
}
export const mayBecome = (from: TaskStatus, to: TaskStatus): boolean => NEXT[from].includes(to)

const OVER: ReadonlySet<TaskStatus> = new Set(['done', 'failed', 'cancelled', 'dead'])
/** True when the task has an outcome. Only a person's retry or rerun opens it again. */
export const isOver = (status: TaskStatus): boolean => OVER.has(status)

/** Why a task is where it is; together with the status it makes the label a person reads (see `label.ts`). */
export const REASONS = [
  'dependencies', // backlog
  'children', 'review', 'quota', 'timer', 'closing', 'external', 'change', // waiting
  'person', 'step', 'budget', 'stuck', // paused
  'ended', 'no_tool_call', 'error', 'limit', 'deadline', 'dependency_failed', 'overflow', 'rejected', // failed / cancelled
  'stopped', 'parent_stopped', // cancelled
  'lost', // dead
] as const // biome-ignore format: grouped by the status they explain
export type Reason = (typeof REASONS)[number]

/** What a task is for. Every kind but `work` is a helper that the system starts: it starts no watchers and is exempt from cycle and fan-out checks. */
export const TASK_KINDS = ['work', 'breakdown', 'context', 'tools', 'evaluate', 'summarize', 'document', 'supervise'] as const
export type TaskKind = (typeof TASK_KINDS)[number]
/** Kinds that judge or describe another task: after it ended its work, or (`supervise`) because it does not get on. */
export const WATCHER_KINDS: readonly TaskKind[] = ['evaluate', 'summarize', 'document', 'supervise']
export const isWatcher = (kind: TaskKind): boolean => WATCHER_KINDS.includes(kind)

/** Watchers of a goal's parts may use so much of its tokens; of a goal that spent less than `fromTokens` any share. The goal itself is always judged. */
export const WATCHING_CAP = { share: 0.4, fromTokens: 100_000 } as const
/** Share of the tokens of a goal that went into watching it; null: nothing was spent yet. */
export function watchShare(tasks: readonly Pick<Task, 'kind' | 'spend'>[]): number | null {
  const sum = (some: typeof tasks) => some.reduce((all, { spend }) => all + spend.tokens, 0)
  const all = sum(tasks)
  return all === 0 ? null : sum(tasks.filter(({ kind }) => isWatcher(kind))) / all
}

/** Something a task produced that can be checked to exist. `path` is relative to the task's workspace. */
export const Evidence = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: z.string().min(1).max(1_000) }),
  z.object({ kind: z.literal('command'), command: z.string().min(1).max(4_000), exitCode: z.number().int() }),
  z.object({ kind: z.literal('link'), url: z.url().max(2_000) }),
  /** A change of the system's own code that this goal proposed. */
  z.object({ kind: z.literal('change'), id: z.string().min(1).max(100) }),
])
export type Evidence = z.output<typeof Evidence>
/** Evidence after the check. `problem` says what was not as claimed, or not yet. `title`, `state`: of a change, as it stood then. */
export type CheckedEvidence = Evidence & { ok: boolean; bytes?: number; problem?: string; title?: string; state?: ChangeState }

/** Of one task, and characters of one. */
export const MOST_CRITERIA = 20
export const CRITERION_LENGTH = 500
/** What counts as done, written when the task is made. Its agent works by them and its evaluator judges by them. */
export const Criteria = z.array(z.string().trim().min(1).max(CRITERION_LENGTH)).max(MOST_CRITERIA)

/** A task's words with what counts as done, as every model is told them. */
export function withCriteria(instruction: string, criteria: readonly string[] = []): string {
  if (criteria.length === 0) return instruction
  const lines = criteria.map((criterion, i) => `${i + 1}. ${criterion}`)
  return `${instruction}\n\n# What counts as done (success criteria)\n${lines.join('\n')}`
}

/** Out of 100. */
export const PASSING_SCORE = 70
/** One criterion as it was judged: `number` counts from 1 in the task's list. */
export const JudgedCriterion = z.object({
  number: z.number().int().min(1).max(MOST_CRITERIA),
  met: z.boolean(),
  evidence: z.string().trim().min(1).max(1_000).describe('What you saw that decides it.'),
  /** Its words, which the system fills in. */
  criterion: z.string().optional(),
})
export type JudgedCriterion = z.output<typeof JudgedCriterion>
/** What an evaluator (or, without a model, a rule) found. `by` is the agent's name or `rule`. */
export const Verdict = z.object({
  passed: z.boolean(),
  score: z.number().min(0).max(100).optional(),
  criteria: z.array(JudgedCriterion).max(MOST_CRITERIA).optional(),
  reasons: z.string().max(4_000),
  by: z.string().max(100).optional(),
})
export type Verdict = z.output<typeof Verdict>

/** The five buckets that providers bill. Counts of tokens. */
export type Usage = { input: number; output: number; reasoning: number; cacheRead: number; cacheWrite: number }
export const noUsage: Usage = { input: 0, output: 0, reasoning: 0, cacheRead: 0, cacheWrite: 0 }
/** What an outside agent says that its model used; nobody can check it. */
export type ReportedUsage = { usage: Usage; costMicros: number }
/** All tokens of a usage; `reasoning` is part of `output` and is not added twice. */
export const tokensOf = (u: Usage): number => u.input + u.output + u.cacheRead + u.cacheWrite

/** Own spend of one task. Money is in millionths of a US dollar; calls whose price is unknown are counted, never priced 0. */
export type Spend = { turns: number; tokens: number; costMicros: number; unpricedCalls: number }
export const noSpend: Spend = { turns: 0, tokens: 0, costMicros: 0, unpricedCalls: 0 }

/** Who asked for this task: a person in their own words (verbatim), or an agent. */
export type Origin = 'person' | 'agent'

export type Task = {
  id: string
  treeId: string
  parentId: string | null
  /** The parent's tool call that asked for it. */
  callId: string | null
  kind: TaskKind
  agent: string
  title: string
  instruction: string
  /** What counts as done; absent: nobody said. */
  criteria?: string[]
  origin: Origin
  status: TaskStatus
  reason: Reason | null
  /** One sentence for a person: the question asked, the cap reached, what went wrong. */
  note: string | null
  priority: number
  depth: number
  /** Times it was claimed since its last completed turn. */
  attempt: number
  /** Ids of tasks it waits for before it may start. */
  after: string[]
  deadlineAt: string | null
  wakeAt: string | null
  /** Set when a person stopped it: no parent may start the same again. */
  stoppedByPerson: boolean
  /** What it has read that nobody in its tree wrote; such a task needs a person for effects outside its workspace. */
  taint: Taint[]
  /** What answers for it in place of its goal's model: chosen by a person for a rerun, and handed on to tasks that it starts. */
  model: string | null
  /** Relative to the tree's workspace folder; '' is the folder itself. */
  workspace: string
  result: string | null
  summary: string | null
  evidence: CheckedEvidence[]
  verdict: Verdict | null
  /** What the watchdog sees in it; null, or absent in facts older than the word: nothing. */
  watch?: Watch | null
  spend: Spend
  createdAt: string
  updatedAt: string
}

/** Normalised for the cycle check: case, white space and punctuation at the ends do not make a different instruction. */
export function normaliseInstruction(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/^[\s\p{P}]+|[\s\p{P}]+$/gu, '')
}

/** The first line of an instruction, cut to what a row of the tree can show. */
export function titleOf(instruction: string): string {
  const line = instruction
    .trim()
    .split('\n', 1)[0]!
    .replace(/^[#>*\-\s]+/, '')
    .trim()
  return line.length <= 120 ? line || 'Untitled' : `${line.slice(0, 119)}…`
}
