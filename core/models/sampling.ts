/**
 * The model of a connected MCP client that lends it ("sampling"). Only clients of revisions before 2026-07-28 can, since that one deprecates it: a
 * last resort for hosts that have a model and no way to claim tasks. Whoever lends pays, and may show each request to a person first.
 */
import { noUsage } from '../contract/task.ts'
import type { ModelEvent, ModelFault, ModelRequest, Provider, Reply, RequestMessage } from './provider.ts'
import { callsInText } from './repair.ts'

export const SAMPLING = 'sampling'

type Text = { type: 'text'; text: string }
type ToolUse = { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> }
type ToolResult = { type: 'tool_result'; toolUseId: string; content: Text[]; isError?: boolean }
export type SamplingMessage = { role: 'user' | 'assistant'; content: (Text | ToolUse | ToolResult)[] }
export type SamplingRequest = {
  systemPrompt: string
  messages: SamplingMessage[]
  maxTokens: number
  tools?: { name: string; description: string; inputSchema: { type: 'object' } & Record<string, unknown> }[]
}
export type SamplingAnswer = { model: string; stopReason?: string | undefined; content: unknown }
/** A client that lends its model. `tools`: it takes tools and answers with calls. */
export type Lender = { tools: boolean; ask(request: SamplingRequest, signal: AbortSignal): Promise<SamplingAnswer> }

/** Nobody knows how much another's model reads; this much most do. Tokens. */
const WINDOW = 100_000
const NOBODY_MS = 30_000

/** `lender`: whoever lends now; null: nobody. */
export function sampling(lender: () => Lender | null): Provider {
  return {
    name: SAMPLING,
    judges: true,
    lends: () => lender() !== null,
    contextWindow: () => WINDOW,
    async *stream(request, signal): AsyncIterable<ModelEvent> {
      const from = lender()
      if (from === null) {
        yield fault({ kind: 'later', message: 'no connected MCP client lends its model now', retryAfterMs: NOBODY_MS })
        return
      }
      try {
        const answer = await from.ask(requestOf(request, from.tools), signal)
        yield { type: 'done', reply: replyOf(answer, request) }
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        yield fault({
          kind: 'later',
          message: signal.aborted ? 'stopped' : `the MCP client that lends its model did not answer: ${message.slice(0, 500)}`,
        })
      }
    },
  }
}
const fault = (what: ModelFault): ModelEvent => ({ type: 'fault', fault: what })

function requestOf(request: ModelRequest, withTools: boolean): SamplingRequest {
  const base = { maxTokens: request.maxOutputTokens, messages: withTools ? blocks(request.messages) : words(request.messages) }
  if (withTools)
    return {
      ...base,
      systemPrompt: request.system,
      tools: request.tools.map(({ name, description, inputSchema }) => ({
        name,
        description,
        inputSchema: { ...inputSchema, type: 'object' },
      })),
    }
  const tools = request.tools.map(
    (one) => `- ${one.name}: ${one.description}\n  arguments (JSON Schema): ${JSON.stringify(one.inputSchema)}`,
  )
  return {
    ...base,
    systemPrompt: `${request.system}\n\n# How you call a tool\nAnswer with one JSON object and nothing else: {"name": "TOOL", "arguments": {…}}. The tools:\n${tools.join('\n')}`,
  }
}

/** Answers of one reply's calls stand together in one message, as the protocol wants them. */
function blocks(messages: readonly RequestMessage[]): SamplingMessage[] {
  const out: SamplingMessage[] = []
  let results: SamplingMessage | undefined
  for (const message of messages) {
    if (message.role === 'tool') {
      if (results === undefined) {
        results = { role: 'user', content: [] }
        out.push(results)
      }
      results.content.push({
        type: 'tool_result',
        toolUseId: message.callId,
        content: [{ type: 'text', text: message.text }],
        ...(message.isError ? { isError: true } : {}),
      })
      continue
    }
    results = undefined
    if (message.role === 'user') out.push({ role: 'user', content: [{ type: 'text', text: message.text }] })
    else
      out.push({
        role: 'assistant',
        content: [
          ...(message.text ? [{ type: 'text' as const, text: message.text }] : []),
          ...message.calls.map((call) => ({ type: 'tool_use' as const, id: call.id, name: call.tool, input: objectOf(call.input) })),
        ],
      })
  }
  return out
}

/** For clients that only pass text on. */
function words(messages: readonly RequestMessage[]): SamplingMessage[] {
  return messages.map((message): SamplingMessage => {
    const text =
      message.role === 'tool'
        ? `Answer of ${message.tool}${message.isError ? ' (error)' : ''}:\n${message.text}`
        : message.role === 'user'
          ? message.text
          : [message.text, ...message.calls.map((call) => JSON.stringify({ name: call.tool, arguments: call.input }))]
              .filter(Boolean)
              .join('\n')
    return { role: message.role === 'assistant' ? 'assistant' : 'user', content: [{ type: 'text', text }] }
  })
}

function replyOf(answer: SamplingAnswer, request: ModelRequest): Reply {
  const content = (Array.isArray(answer.content) ? answer.content : [answer.content]) as {
    type?: string
    text?: string
    name?: string
    input?: unknown
  }[]
  const said = content.flatMap((one) => (one.type === 'text' && one.text ? [one.text] : [])).join('\n')
  const called = content.flatMap((one) => (one.type === 'tool_use' && one.name ? [{ tool: one.name, input: one.input ?? {} }] : []))
  const read =
    called.length > 0
      ? { text: said, calls: called }
      : callsInText(
          said,
          request.tools.map((one) => one.name),
        )
  return {
    ...read,
    stop: read.calls.length > 0 ? 'tools' : answer.stopReason === 'maxTokens' ? 'length' : 'end',
    // The protocol tells no usage; whoever lends pays.
    usage: noUsage,
    reportedCostMicros: 0,
    model: answer.model,
  }
}
const objectOf = (input: unknown): Record<string, unknown> =>
  typeof input === 'object' && input !== null && !Array.isArray(input) ? (input as Record<string, unknown>) : {}
