/**
 * The extension `io.modelcontextprotocol/tasks` of 2026-07-28: a call answers with a task, which the client follows with tasks/get, answers with
 * tasks/update and stops with tasks/cancel. Polling only: the SDK's bus carries no notifications of tasks.
 */
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type ElicitRequestFormParams,
  inputResponse,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import * as z from 'zod'
import type { Principal } from '../auth/principal.ts'
import { Fault } from '../contract/fault.ts'
import type { FollowedTask, FollowedTasks, Question, Reply } from './surface.ts'

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'
const CAPABILITY = { extensions: { [TASKS_EXTENSION]: {} } }
const ById = z.object({ taskId: z.string() }).loose()
const Update = z.object({ taskId: z.string(), inputResponses: z.record(z.string(), z.unknown()).optional() }).loose()
const Any = z.record(z.string(), z.unknown())

/** What the client declared with this request; undefined before 2026-07-28, where it is said once at the beginning. */
export function declaredBy(ctx: ServerContext): ClientCapabilities | undefined {
  const envelope: Record<string, unknown> = ctx.mcpReq.envelope ?? {}
  return envelope[CLIENT_CAPABILITIES_META_KEY] as ClientCapabilities | undefined
}
/** Whether the client of this request follows tasks by itself. */
export const followsTasks = (ctx: ServerContext): boolean => declaredBy(ctx)?.extensions?.[TASKS_EXTENSION] !== undefined

/** Refuses a request that only makes sense to a client that follows tasks. */
export function mustFollow(ctx: ServerContext): void {
  if (!followsTasks(ctx)) throw new MissingRequiredClientCapabilityError({ requiredCapabilities: CAPABILITY })
}

/** What a tool call answers with in place of its result. */
export const createdTask = (task: FollowedTask) => ({ resultType: 'task', ...head(task) })

export const elicitation = (question: Question): ElicitRequestFormParams => ({
  mode: 'form',
  message: question.message,
  requestedSchema: question.form as ElicitRequestFormParams['requestedSchema'],
})

/** What came back to questions, as far as it has the form of an answer. */
export function repliesIn(responses: Record<string, unknown> | undefined): Map<string, Reply> {
  const replies = new Map<string, Reply>()
  for (const key of Object.keys(responses ?? {})) {
    const view = inputResponse(responses, key)
    if (view.kind !== 'elicit') continue
    replies.set(key, view.action === 'accept' ? { action: 'accept', content: view.content ?? {} } : { action: view.action })
  }
  return replies
}

/** Adds the three requests. `by`: who sent this one. */
export function addTasks(server: Server, tasks: FollowedTasks, by: (ctx: ServerContext) => Principal): void {
  const find = async (id: string, ctx: ServerContext): Promise<FollowedTask> => {
    mustFollow(ctx)
    const task = await tasks.get(id, by(ctx))
    if (task === null) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no task ${id.slice(0, 100)}.`)
    return task
  }
  server.setRequestHandler('tasks/get', { params: ById, result: Any }, async ({ taskId }, ctx) => detailed(await find(taskId, ctx)))
  server.setRequestHandler('tasks/update', { params: Update, result: Any }, async ({ taskId, inputResponses }, ctx) => {
    await find(taskId, ctx)
    await told(tasks.reply(taskId, repliesIn(inputResponses ?? ctx.mcpReq.inputResponses), by(ctx)))
    return {}
  })
  server.setRequestHandler('tasks/cancel', { params: ById, result: Any }, async ({ taskId }, ctx) => {
    await find(taskId, ctx)
    await told(tasks.cancel(taskId, by(ctx)))
    return {}
  })
}

/** A refusal of ours as one of the protocol's. */
async function told(act: Promise<void>): Promise<void> {
  try {
    await act
  } catch (error) {
    if (error instanceof Fault) throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message)
    throw error
  }
}

const head = ({ taskId, status, statusMessage, createdAt, lastUpdatedAt, ttlMs, pollIntervalMs }: FollowedTask) => ({
  taskId,
  status,
  ...(statusMessage === undefined ? {} : { statusMessage }),
  createdAt,
  lastUpdatedAt,
  ttlMs,
  pollIntervalMs,
})

function detailed(task: FollowedTask): Record<string, unknown> {
  const { questions = [], result, error } = task
  switch (task.status) {
    case 'input_required':
      return {
        ...head(task),
        inputRequests: Object.fromEntries(questions.map((one) => [one.key, { method: 'elicitation/create', params: elicitation(one) }])),
      }
    case 'completed':
      return {
        ...head(task),
        result: {
          content: [{ type: 'text', text: result?.text ?? '' }],
          ...(result?.data === undefined ? {} : { structuredContent: result.data }),
          ...(result?.isError ? { isError: true } : {}),
        },
      }
    case 'failed':
      return { ...head(task), error: error ?? { code: ProtocolErrorCode.InternalError, message: 'It failed.' } }
    default:
      return head(task)
  }
}
