/**
 * Facts as spans of OpenTelemetry: a goal is a trace, a task is `invoke_agent`, and under it are its model calls, its tool calls and its
 * waits for a person, in the words of the GenAI conventions. Pure. Ids derive from those of the rows, so a span that is sent twice is the
 * same span.
 */
import { createHash } from 'node:crypto'
import { type Attributes, type HrTime, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import {
  ATTR_ERROR_TYPE,
  ATTR_GEN_AI_AGENT_ID,
  ATTR_GEN_AI_AGENT_NAME,
  ATTR_GEN_AI_CONVERSATION_ID,
  ATTR_GEN_AI_INPUT_MESSAGES,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_OUTPUT_MESSAGES,
  ATTR_GEN_AI_PROVIDER_NAME,
  ATTR_GEN_AI_REQUEST_MODEL,
  ATTR_GEN_AI_TOOL_CALL_ARGUMENTS,
  ATTR_GEN_AI_TOOL_CALL_ID,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_GEN_AI_TOOL_TYPE,
  ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_INPUT_TOKENS,
  ATTR_GEN_AI_USAGE_OUTPUT_TOKENS,
} from '@opentelemetry/semantic-conventions/incubating'
import type { Event } from '../contract/event.ts'
import { isOver } from '../contract/task.ts'

export type SpanTask = {
  parentId: string | null
  agent: string
  kind: string
  title: string
  instruction: string
  createdAt: number
}
export type SpanCall = { input: number; output: number; cacheRead: number; cacheWrite: number }
/** What the facts of a batch name, as it stands in the rows. */
export type Looked = {
  task(id: string): SpanTask | undefined
  modelCall(taskId: string, n: number): SpanCall | undefined
  toolInput(callId: string): string | undefined
}
/** Tasks that a person opened again after they had ended: how often, and when last. */
export type Reopened = Record<string, { times: number; at: number }>

/** Characters of one text that a span carries. */
const TEXT = 8_000
const SCOPE = { name: 'banyan' }

export const traceIdOf = (treeId: string): string => createHash('sha256').update(`tree ${treeId}`).digest('hex').slice(0, 32)
const idOf = (what: string): string => createHash('sha256').update(what).digest('hex').slice(0, 16)
const taskSpan = (taskId: string, times: number): string => idOf(`task ${taskId}${times === 0 ? '' : ` ${times}`}`)

/** Spans of one fact. `reopened` is changed as the facts tell. */
export function spansOf(
  event: Event,
  looked: Looked,
  reopened: Reopened,
  how: { resource: Resource; content: boolean; redact: (text: string) => string },
): ReadableSpan[] {
  if (event.treeId === null) return []
  const { treeId, seq } = event
  const end = Date.parse(event.at)
  const text = (words: string) => how.redact(words).slice(0, TEXT)

  function span(one: {
    id: string
    parent: string | null
    name: string
    kind?: SpanKind
    start: number
    attributes: Attributes
    error?: string | null
  }): ReadableSpan {
    const traceId = traceIdOf(treeId!)
    const context = (spanId: string) => ({ traceId, spanId, traceFlags: 1 })
    const start = Math.min(one.start, end)
    return {
      name: one.name,
      kind: one.kind ?? SpanKind.INTERNAL,
      spanContext: () => context(one.id),
      ...(one.parent === null ? {} : { parentSpanContext: context(one.parent) }),
      startTime: timeOf(start),
      endTime: timeOf(end),
      duration: timeOf(end - start),
      status: one.error == null ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: text(one.error) },
      attributes: { [ATTR_GEN_AI_CONVERSATION_ID]: treeId!, ...one.attributes },
      links: [],
      events: [],
      ended: true,
      resource: how.resource,
      instrumentationScope: SCOPE,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    }
  }
  const under = (taskId: string) => taskSpan(taskId, reopened[taskId]?.times ?? 0)

  switch (event.type) {
    case 'task.moved': {
      const { taskId } = event
      if (isOver(event.from) && !isOver(event.to)) reopened[taskId] = { times: (reopened[taskId]?.times ?? 0) + 1, at: end }
      const task = looked.task(taskId)
      if (!isOver(event.to) || !task) return []
      const again = reopened[taskId]
      return [
        span({
          id: under(taskId),
          // What was opened again stands beside its first life, which the spans of its parent know.
          parent: task.parentId === null ? (again ? taskSpan(taskId, 0) : null) : taskSpan(task.parentId, 0),
          name: `invoke_agent ${task.agent}`,
          start: again?.at ?? task.createdAt,
          error: event.to === 'done' ? null : (event.note ?? event.reason ?? event.to),
          attributes: {
            [ATTR_GEN_AI_OPERATION_NAME]: 'invoke_agent',
            [ATTR_GEN_AI_AGENT_NAME]: task.agent,
            [ATTR_GEN_AI_AGENT_ID]: taskId,
            'banyan.task.id': taskId,
            'banyan.task.kind': task.kind,
            'banyan.task.status': event.to,
            ...(event.reason === null ? {} : { 'banyan.task.reason': event.reason }),
            ...(event.outcome?.verdict?.score === undefined ? {} : { 'banyan.task.score': event.outcome.verdict.score }),
            ...(how.content
              ? {
                  'banyan.task.title': text(task.title),
                  [ATTR_GEN_AI_INPUT_MESSAGES]: messageOf('user', text(task.instruction)),
                  [ATTR_GEN_AI_OUTPUT_MESSAGES]: messageOf('assistant', text(event.outcome?.result ?? '')),
                }
              : {}),
          },
        }),
      ]
    }
    case 'model.called': {
      const call = event.n === undefined ? undefined : looked.modelCall(event.taskId, event.n)
      const agent = looked.task(event.taskId)?.agent
      return [
        span({
          id: idOf(`chat ${treeId} ${seq}`),
          parent: under(event.taskId),
          name: `chat ${event.model}`,
          kind: SpanKind.CLIENT,
          start: end - event.latencyMs,
          error: event.outcome === 'ok' ? null : event.outcome === 'lost' ? 'the process ended during the call' : 'the provider failed',
          attributes: {
            [ATTR_GEN_AI_OPERATION_NAME]: 'chat',
            [ATTR_GEN_AI_PROVIDER_NAME]: event.provider,
            [ATTR_GEN_AI_REQUEST_MODEL]: event.model,
            ...(agent === undefined ? {} : { [ATTR_GEN_AI_AGENT_NAME]: agent }),
            'banyan.task.id': event.taskId,
            'banyan.cost.usd': event.spend.costMicros / 1e6,
            ...(event.spend.unpricedCalls > 0 ? { 'banyan.cost.unknown': true } : {}),
            ...(event.outcome === 'ok' ? {} : { [ATTR_ERROR_TYPE]: event.outcome }),
            ...(call
              ? {
                  // The convention counts cached tokens among those of the input.
                  [ATTR_GEN_AI_USAGE_INPUT_TOKENS]: call.input + call.cacheRead + call.cacheWrite,
                  [ATTR_GEN_AI_USAGE_OUTPUT_TOKENS]: call.output,
                  [ATTR_GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS]: call.cacheRead,
                  [ATTR_GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS]: call.cacheWrite,
                }
              : {}),
          },
        }),
      ]
    }
    case 'call.ended': {
      const input = how.content ? looked.toolInput(event.callId) : undefined
      return [
        span({
          id: idOf(`call ${event.callId} ${seq}`),
          parent: under(event.taskId),
          name: `execute_tool ${event.tool}`,
          start: end - event.ms,
          error: event.ok ? null : 'the tool answered with an error',
          attributes: {
            [ATTR_GEN_AI_OPERATION_NAME]: 'execute_tool',
            [ATTR_GEN_AI_TOOL_NAME]: event.tool,
            [ATTR_GEN_AI_TOOL_TYPE]: 'function',
            [ATTR_GEN_AI_TOOL_CALL_ID]: event.callId,
            'banyan.task.id': event.taskId,
            ...(event.ok ? {} : { [ATTR_ERROR_TYPE]: 'tool_error' }),
            ...(input === undefined ? {} : { [ATTR_GEN_AI_TOOL_CALL_ARGUMENTS]: text(input) }),
          },
        }),
      ]
    }
    case 'review.decided': {
      const { review } = event
      return [
        span({
          id: idOf(`review ${review.id} ${seq}`),
          parent: under(review.taskId),
          name: `wait_for_person ${review.kind}`,
          start: Date.parse(review.createdAt),
          attributes: {
            'banyan.task.id': review.taskId,
            'banyan.review.id': review.id,
            'banyan.review.kind': review.kind,
            'banyan.review.decision': review.decision ?? 'none',
          },
        }),
      ]
    }
    default:
      return []
  }
}

const messageOf = (role: string, content: string): string => JSON.stringify([{ role, parts: [{ type: 'text', content }] }])
const timeOf = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)]
