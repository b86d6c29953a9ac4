/** Routes of goals to come: submitting one, and the files that are sent for it. */
import * as z from 'zod'
import type { FaultCode } from './fault.ts'
import { APPROVALS, ATTACHMENTS, UPLOAD_HOURS } from './goal.ts'
import { Budget } from './limits.ts'
import { GOAL_RULES, GoalRule } from './policy.ts'
import { Name } from './registry.ts'
import { count, one, text, time } from './route.ts'
import { Criteria } from './task.ts'

/** Characters of a goal. */
export const GOAL_LIMIT = 200_000

/** Everything about a goal but its words. */
export const goalSettings = {
  /** Who takes the root task; without it the system's default. */
  agent: Name.optional(),
  /** Higher goes first. */
  priority: z.number().int().min(-100).max(100).default(0),
  /** `step`: pauses after each turn until a person lets it go on. */
  mode: z.enum(['auto', 'step']).default('auto'),
  budget: Budget.optional(),
  /** `task`: each task has a folder of its own inside its parent's; `shared`: all work in one. */
  workspace: z.enum(['task', 'shared']).default('task'),
  /** Name of a goal example whose files are put into the workspace first. */
  example: text.max(100).optional(),
  /**
   * `provider/model` for every agent of the goal whose own setting is `default`; `playbook`: no model for any of them; `default`, or left
   * out: as the agents are set.
   */
  model: text.trim().min(1).max(200).optional(),
  /** How much of what its agents do is put before a person. */
  approval: z.enum(APPROVALS).default('ask_risky'),
  /** What is asked about or refused in this goal beside that: a tool, a kind of effect, a program, a host. In force before anything runs. */
  rules: z.array(GoalRule).max(GOAL_RULES).optional(),
  /** Nothing is done before a person has approved a plan, which is put into the review queue. */
  plan: z.boolean().default(false),
  /** Ids of files that were sent before; each is in the goal's folder before anything runs. */
  attachments: z.array(text.max(100)).max(ATTACHMENTS).optional(),
  /** What counts as done: its agents work by these, and its evaluator judges by them. */
  criteria: Criteria.optional(),
}
export const GoalText = z
  .string()
  .refine((goal) => goal.length <= GOAL_LIMIT, {
    error: `is longer than ${GOAL_LIMIT.toLocaleString('en')} characters; put the long part into a file or a context document and name it in the goal`,
    params: { fault: 'too_large' satisfies FaultCode },
  })
  .refine((goal) => goal.trim() !== '', { error: 'must say what is to be done' })
  .meta({ minLength: 1, maxLength: GOAL_LIMIT })
export const GoalRequest = z.object({ goal: GoalText, ...goalSettings }).strict()
export type GoalRequest = z.output<typeof GoalRequest>
export const Submitted = z.object({ treeId: text, taskId: text, url: text }).meta({ id: 'Submitted' })
export type Submitted = z.output<typeof Submitted>

/** A file that was sent and waits for its goal; `type` is what its bytes say, never its name. `expiresAt`: when it is thrown away. */
export const Upload = z.object({ id: text, name: text, type: text, bytes: count, createdAt: time, expiresAt: time }).meta({ id: 'Upload' })
export type Upload = z.output<typeof Upload>

/** Bytes of a file that is fetched from the web, and how long that may take. */
export const FETCH_LIMIT = 25_000_000
export const FETCH_MS = 60_000
export const FetchRequest = z.object({ url: text.min(1).max(2_048), name: text.min(1).max(1_000).optional() }).strict()

export const GOAL_ROUTES = {
  submitGoal: one({
    method: 'POST',
    path: '/api/goals',
    scope: 'goals:write',
    summary: 'Submits a goal; with the same Idempotency-Key and body again, the tree that it made the first time',
    status: 201,
    request: GoalRequest,
    keyed: true,
    response: Submitted,
  }),
  addUpload: one({
    method: 'POST',
    path: '/api/uploads',
    scope: 'goals:write',
    summary: `Takes a file for a goal to come; name its id in \`attachments\` of a goal within ${UPLOAD_HOURS} hours`,
    status: 201,
    query: z.object({ name: text.min(1).max(1_000) }),
    response: Upload,
    upload: true,
  }),
  fetchUpload: one({
    method: 'POST',
    path: '/api/uploads/from-url',
    scope: 'goals:write',
    summary: `Fetches a file of the public web for a goal to come, of at most ${FETCH_LIMIT / 1e6} MB; a name is taken from the address when none is given`,
    status: 201,
    request: FetchRequest,
    response: Upload,
  }),
  removeUpload: one({
    method: 'DELETE',
    path: '/api/uploads/{id}',
    scope: 'goals:write',
    summary: 'Throws a file away that no goal needs',
    status: 204,
  }),
} as const
