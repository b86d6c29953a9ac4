/**
 * Anthropic's Messages API through its SDK, streaming only. The SDK's own retries are off: a retry is a row in the store, so it
 * survives a restart. A reply is reported when `message_stop` arrived and every block was closed, else not at all.
 */
import type { ContentBlockParam, MessageCreateParamsStreaming, Model, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages'
import type { Usage } from '../contract/task.ts'
import { receive } from './http-stream.ts'
import { contextWindowOf } from './prices.ts'
import type { ModelEvent, ModelFault, ModelRequest, Provider, Reply, RequestMessage } from './provider.ts'
import { accountOf } from './rate-limits.ts'
import { isObject, isWholeJson, parseArguments, unparsed } from './repair.ts'

/** The newest Sonnet in the SDK's list of models that is not deprecated; a test holds it against the installed SDK. */
export const defaultAnthropicModel = (): Model => 'claude-sonnet-5-5'

const SMALLEST_WINDOW = 200_000

/**
 * A call whose arguments are not JSON even after repair is delivered with `{ __unparsed: text }` as its input; see `repair.ts`.
 * An abort ends the stream at once with a fault of kind `later`.
 */
export function anthropic(options: { apiKey: string; baseUrl?: string; idleTimeoutMs?: number }): Provider {
  const { apiKey, baseUrl, idleTimeoutMs = 120_000 } = options

  async function* once(request: ModelRequest, signal: AbortSignal, withThinking: boolean): AsyncGenerator<ModelEvent> {
    const reading = readReply(request.model)
    const received = receive<RawMessageStreamEvent>(
      async ({ signal, fetch }) => {
        const { default: Anthropic } = await import('@anthropic-ai/sdk')
        const client = new Anthropic({
          apiKey,
          // Both are given outright, so that the SDK reads neither from the environment.
          baseURL: baseUrl ?? 'https://api.anthropic.com',
          webhookKey: null,
          maxRetries: 0,
          timeout: idleTimeoutMs * 2, // never the first to fire; ours is
          logLevel: 'off',
          fetch,
        })
        return client.messages.create(toParams(request, withThinking), { signal })
      },
      { provider: 'anthropic', apiKey, idleTimeoutMs, signal },
    )
    for await (const each of received) {
      if ('fault' in each) return yield { type: 'fault', fault: withUsage(each.fault, reading.usage()) }
      for (const event of reading.take(each.item)) {
        yield event
        if (event.type === 'done' || event.type === 'fault') return
      }
    }
    yield { type: 'fault', fault: withUsage(broken('ended before the end of the message'), reading.usage()) }
  }

  return {
    name: 'anthropic',
    judges: true,
    account: accountOf(apiKey, baseUrl),
    contextWindow: (model) => contextWindowOf('anthropic', model) ?? SMALLEST_WINDOW,
    async *stream(request, signal) {
      for await (const event of once(request, signal, true)) {
        // Newer models bind a thinking block to everything before it. A history that was compacted since is refused (400) until all
        // thinking is taken out of it, so it is sent again without. The refusal comes before anything else of the stream.
        if (event.type === 'fault' && refusesThinking(event.fault) && request.messages.some((each) => sentThinking(each, request.model)))
          return yield* once(request, signal, false)
        yield event
      }
    },
  }
}

const refusesThinking = (fault: ModelFault) => fault.kind === 'bad' && /thinking|signature/i.test(fault.message)
const broken = (what: string): ModelFault => ({ kind: 'later', message: `anthropic stream ${what}` })
const withUsage = (fault: ModelFault, usage: Usage | null): ModelFault => (usage ? { ...fault, usage } : fault)

/* ---------------------------------------------------------------- request ---------------------------------------------------------- */

type Blocks = ContentBlockParam[]
const CACHED = { cache_control: { type: 'ephemeral' } } as const

/**
 * At most four cache breakpoints: the tools, the system prompt, the newest message, and the one that was newest in the request before,
 * where a growing history finds its cache entry however many blocks the last turn added.
 */
function toParams(request: ModelRequest, withThinking: boolean): MessageCreateParamsStreaming {
  const tools = request.tools.map(({ name, description, inputSchema }) => {
    const { $schema: _, ...schema } = inputSchema
    return { name, description, input_schema: { ...schema, type: 'object' as const } }
  })
  const messages = toMessages(request, withThinking)
  for (const message of messages.filter(({ role }) => role === 'user').slice(-2)) {
    const last = message.content.at(-1)
    if (last) message.content[message.content.length - 1] = { ...last, ...CACHED } as Blocks[number]
  }
  return {
    model: request.model,
    max_tokens: request.maxOutputTokens,
    stream: true,
    messages,
    ...(request.system.trim() ? { system: [{ type: 'text' as const, text: request.system, ...CACHED }] } : {}),
    ...(tools.length > 0 ? { tools: tools.map((tool, at) => (at === tools.length - 1 ? { ...tool, ...CACHED } : tool)) } : {}),
    // `summarized`, because newer models write the words between two calls as thinking, which is left out by default.
    ...(thinksAdaptively(request.model) ? { thinking: { type: 'adaptive' as const, display: 'summarized' as const } } : {}),
  }
}

/** Adaptive thinking came with Claude 4.6; older models know only fixed budgets, and names of other makers nothing of the kind. */
function thinksAdaptively(model: string): boolean {
  if (model === 'claude-mythos-preview') return true
  const [, major, minor = '0'] = /^claude-[a-z]+-(\d{1,2})(?:-(\d{1,2}))?(?!\d)/.exec(model) ?? []
  return major !== undefined && (Number(major) > 4 || (Number(major) === 4 && Number(minor) >= 6))
}

function toMessages(request: ModelRequest, withThinking: boolean): { role: 'user' | 'assistant'; content: Blocks }[] {
  const messages: { role: 'user' | 'assistant'; content: Blocks }[] = []
  const add = (role: 'user' | 'assistant', content: Blocks) => {
    const last = messages.at(-1)
    if (last?.role === role) last.content.push(...content)
    else if (content.length > 0) messages.push({ role, content })
  }
  for (const message of request.messages) {
    if (message.role === 'user') add('user', [{ type: 'text', text: message.text.trim() ? message.text : '(empty message)' }])
    else if (message.role === 'tool')
      add('user', [{ type: 'tool_result', tool_use_id: message.callId, content: message.text, is_error: message.isError }])
    else add('assistant', assistantBlocks(message, withThinking ? sentThinking(message, request.model) : undefined))
  }
  return messages
}

type Assistant = Extract<RequestMessage, { role: 'assistant' }>

/**
 * What `Reply.thinking` holds: the reply's blocks in their order, because a signature also covers what stands before its block. Calls
 * are positions: their ids are given by the store.
 */
type Kept = { provider: 'anthropic'; model: string; blocks: KeptBlock[] }
type KeptBlock =
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'text'; text: string }
  | { type: 'call'; at: number }

/** The thinking to send back with a message: only to the model that wrote it, which alone can read it. */
function sentThinking(message: RequestMessage, model: string): KeptBlock[] | undefined {
  if (message.role !== 'assistant' || !isObject(message.thinking)) return undefined
  const { provider, model: from, blocks } = message.thinking as Partial<Kept>
  return provider === 'anthropic' && from === model && Array.isArray(blocks) ? blocks : undefined
}

function assistantBlocks(message: Assistant, kept: KeptBlock[] | undefined): Blocks {
  const calls = message.calls.map(({ id, tool, input }) => ({
    type: 'tool_use' as const,
    id,
    name: tool,
    input: isObject(input) ? input : unparsed(JSON.stringify(input ?? null)),
  }))
  const complete = kept?.filter((block) => block.type === 'call').length === calls.length
  if (kept && complete) return kept.flatMap((block): Blocks => (block.type === 'call' ? calls.slice(block.at, block.at + 1) : [block]))
  return [...(message.text.trim() ? [{ type: 'text' as const, text: message.text }] : []), ...calls]
}

/* ----------------------------------------------------------------- reply ----------------------------------------------------------- */

type Block = { open: boolean } & (
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'tool_use'; name: string; json: string; given: unknown }
  | { type: 'other' }
)

/**
 * Folds a stream's events into a reply. Events and deltas it does not know are passed over; an event that cannot stand where it stands
 * (twice, out of order, a message that ends with an open block) is a fault, because something was lost on the way.
 */
function readReply(asked: string) {
  const blocks = new Map<number, Block>()
  let usage: Usage | null = null
  let model: string | undefined
  let stop: string | null = null

  const fault = (what: string): ModelEvent[] => [{ type: 'fault', fault: withUsage(broken(what), usage) }]
  /** Gateways leave out what they do not count; a later figure is the newer total. */
  const count = (seen: CountedUsage | null | undefined) => {
    if (!seen) return
    usage = {
      input: seen.input_tokens ?? usage?.input ?? 0,
      output: seen.output_tokens ?? usage?.output ?? 0,
      reasoning: seen.output_tokens_details?.thinking_tokens ?? usage?.reasoning ?? 0,
      cacheRead: seen.cache_read_input_tokens ?? usage?.cacheRead ?? 0,
      cacheWrite: seen.cache_creation_input_tokens ?? usage?.cacheWrite ?? 0,
    }
  }

  function take(event: RawMessageStreamEvent): ModelEvent[] {
    if (event.type === 'message_start') {
      if (model !== undefined) return fault('began twice')
      model = event.message?.model || asked
      count(event.message?.usage)
      return []
    }
    if (!['content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'].includes(event.type))
      return []
    if (model === undefined) return fault('came out of order')
    if (event.type === 'content_block_start') {
      if (blocks.has(event.index)) return fault('repeated a block')
      blocks.set(event.index, startOf(event.content_block))
      return []
    }
    if (event.type === 'content_block_delta') {
      const block = blocks.get(event.index)
      return block?.open ? grow(block, event.delta) : fault('continued a block that is not open')
    }
    if (event.type === 'content_block_stop') {
      const block = blocks.get(event.index)
      if (!block?.open) return fault('closed a block that is not open')
      block.open = false
      return []
    }
    if (event.type === 'message_delta') {
      stop = event.delta?.stop_reason ?? stop
      count(event.usage)
      return []
    }
    if (blocks.values().some(({ open }) => open)) return fault('ended inside a block')
    const reply = finish([...blocks.values()], stop, usage, { asked, answered: model })
    return [...reply.calls.map(({ tool }): ModelEvent => ({ type: 'call', tool })), { type: 'done', reply }]
  }
  return { take, usage: () => usage }
}

type CountedUsage = {
  input_tokens?: number | null
  output_tokens?: number | null
  cache_read_input_tokens?: number | null
  cache_creation_input_tokens?: number | null
  output_tokens_details?: { thinking_tokens?: number } | null
}

type StartedBlock = Extract<RawMessageStreamEvent, { type: 'content_block_start' }>['content_block']
function startOf(block: StartedBlock): Block {
  if (block.type === 'text') return { type: 'text', text: block.text ?? '', open: true }
  if (block.type === 'thinking') return { type: 'thinking', thinking: block.thinking ?? '', signature: block.signature ?? '', open: true }
  if (block.type === 'redacted_thinking') return { type: 'redacted_thinking', data: block.data, open: true }
  if (block.type === 'tool_use') return { type: 'tool_use', name: block.name, json: '', given: block.input, open: true }
  return { type: 'other', open: true }
}

type Delta = Extract<RawMessageStreamEvent, { type: 'content_block_delta' }>['delta']
function grow(block: Block, delta: Delta): ModelEvent[] {
  if (delta?.type === 'text_delta' && block.type === 'text') {
    block.text += delta.text
    return [{ type: 'text', delta: delta.text }]
  }
  if (delta?.type === 'thinking_delta' && block.type === 'thinking') {
    block.thinking += delta.thinking
    return [{ type: 'thinking', delta: delta.thinking }]
  }
  if (delta?.type === 'signature_delta' && block.type === 'thinking') block.signature += delta.signature
  if (delta?.type === 'input_json_delta' && block.type === 'tool_use') block.json += delta.partial_json
  return []
}

function finish(all: Block[], reason: string | null, usage: Usage | null, model: { asked: string; answered: string }): Reply {
  const cutShort = reason === 'max_tokens' || reason === 'model_context_window_exceeded'
  const blocks = all.filter((block) => {
    if (block.type !== 'tool_use') return true
    // A refusal ends anywhere, and a length limit inside a call leaves half its arguments: such a call is not one.
    return reason !== 'refusal' && !(cutShort && block.json !== '' && !isWholeJson(block.json))
  })
  const uses = blocks.filter((block) => block.type === 'tool_use')
  const calls = uses.map(({ name, json, given }) => ({
    tool: name,
    // Gateways put the whole input into the block's start.
    input: json.trim() === '' && isObject(given) ? given : parseArguments(json),
  }))
  const kept = blocks.flatMap((block): KeptBlock[] => {
    if (block.type === 'thinking') return [{ type: 'thinking', thinking: block.thinking, signature: block.signature }]
    if (block.type === 'redacted_thinking') return [{ type: 'redacted_thinking', data: block.data }]
    if (block.type === 'text') return block.text.trim() ? [{ type: 'text', text: block.text }] : []
    return block.type === 'tool_use' ? [{ type: 'call', at: uses.indexOf(block) }] : []
  })
  const thought = kept.some(({ type }) => type === 'thinking' || type === 'redacted_thinking')
  const thinking: Kept = { provider: 'anthropic', model: model.asked, blocks: kept }
  return {
    text: blocks.map((block) => (block.type === 'text' ? block.text : '')).join(''),
    calls,
    ...(thought ? { thinking } : {}),
    stop: reason === 'refusal' ? 'refusal' : cutShort ? 'length' : calls.length > 0 ? 'tools' : 'end',
    usage,
    model: model.answered,
  }
}
