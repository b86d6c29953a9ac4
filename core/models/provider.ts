/**
 * The one interface to whatever answers: a paid API, a local model, or the embedded playbook.
 * A provider never throws once `stream` was called: trouble is the last event, of type `fault`. A call that arrived only in part is
 * never reported; `done` comes only after the provider's own end-of-message mark was seen.
 */
import type { Origin, TaskKind, Usage } from '../contract/task.ts'

export type RequestMessage =
  | { role: 'user'; text: string }
  | { role: 'assistant'; text: string; calls: { id: string; tool: string; input: unknown }[]; thinking?: unknown }
  | { role: 'tool'; callId: string; tool: string; text: string; isError: boolean }

export type ToolSpec = { name: string; description: string; inputSchema: Record<string, unknown> }

export type ModelRequest = {
  /** As the provider names it, without the provider's prefix. */
  model: string
  system: string
  /** Starts with a user message; each assistant message with calls is followed by one tool message a call. Call ids match [a-zA-Z0-9_-]{1,64}. */
  messages: readonly RequestMessage[]
  tools: readonly ToolSpec[]
  maxOutputTokens: number
  /** For providers that answer by rule or by another agent instead of by reading the prompt. `ask`: a word to the system itself, and no work. */
  task: { id: string; treeId: string; agent: string; kind: TaskKind; instruction: string; origin: Origin; stopping: boolean; ask?: boolean }
}

export type Reply = {
  text: string
  calls: { tool: string; input: unknown }[]
  /** Opaque blocks to send back verbatim with the next request to the same provider. */
  thinking?: unknown
  stop: 'end' | 'tools' | 'length' | 'refusal'
  usage: Usage | null
  /** Cost as the provider itself reported it, millionths of a dollar; absent where it reports none. */
  reportedCostMicros?: number
  /** The model that really answered. */
  model: string
  /** Numbers of an outside agent's calls that the calls are, one each; saving the reply takes them up. */
  outside?: readonly number[]
}

/**
 * later: try again, at `retryAfterMs` if the provider said so (429, 529, 5xx, connection lost, silence, a cut stream).
 * overflow: the request is larger than the model's context.
 * refused: key, billing or permission; only a person can mend it.
 * bad: the provider will never accept this request.
 */
export type ModelFault = {
  kind: 'later' | 'overflow' | 'refused' | 'bad'
  message: string
  retryAfterMs?: number
  /** A limit of the whole account, so that every other call would meet it too. `rate`: calls or tokens in a time; `quota`: what is paid for. */
  limit?: 'rate' | 'quota'
  usage?: Usage
}

export type ModelEvent =
  | { type: 'text'; delta: string }
  | { type: 'thinking'; delta: string }
  | { type: 'call'; tool: string }
  | { type: 'done'; reply: Reply }
  | { type: 'fault'; fault: ModelFault }

export type Provider = {
  readonly name: string
  /** False for providers that decide by rule: closing is then computed, not judged. */
  readonly judges: boolean
  /** Whose limits its calls count against: a mark of address and key, never the key. Absent where there are none. */
  readonly account?: string
  /**
   * There where an outside agent answers in its own time: a task waits for one instead of asking. `capability`: what such an agent must be able
   * to do for this model; '': nothing special. `asks`: whether this turn needs the agent at all; it does when that is left out.
   */
  readonly outside?: { capability(model: string): string; asks?(request: ModelRequest): boolean }
  /** There where a program of somebody else lends its model: whether one does now. */
  readonly lends?: () => boolean
  /** Tokens that fit into request and answer together. */
  contextWindow(model: string): number
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>
}

/** Drains a stream; whoever wants no deltas calls this. */
export async function drain(events: AsyncIterable<ModelEvent>, each?: (event: ModelEvent) => void): Promise<Reply | ModelFault> {
  let end: Reply | ModelFault | undefined
  for await (const event of events) {
    each?.(event)
    if (event.type === 'done') end = event.reply
    else if (event.type === 'fault') end = event.fault
  }
  return end ?? { kind: 'later', message: 'the provider ended its stream without an answer' }
}
