/**
 * Any server that speaks OpenAI's chat completions: OpenAI, OpenRouter, Ollama, vLLM, llama.cpp. Streaming only, no retries of the
 * SDK's. A reply is reported when a finish reason arrived and the stream ended well, else not at all.
 */
import type OpenAI from 'openai'
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions'
import type { ChatModel } from 'openai/resources/shared'
import { Fault } from '../contract/fault.ts'
import type { Usage } from '../contract/task.ts'
import { receive } from './http-stream.ts'
import { contextWindowOf } from './prices.ts'
import type { ModelEvent, ModelFault, ModelRequest, Provider, Reply, RequestMessage } from './provider.ts'
import { accountOf } from './rate-limits.ts'
import { callsInText, isObject, isWholeJson, parseArguments, unparsed } from './repair.ts'

/** The newest model of OpenAI's middle class that the price data knows, so that caps on money hold; a test holds it against both. */
export const defaultOpenaiModel = (): ChatModel => 'gpt-6-sol'

/** As a model's name: the first one that the server lists. For local servers, which often serve exactly one. */
export const FIRST_MODEL = 'auto'

export const OPENAI_URL = 'https://api.openai.com/v1'
export const OPENROUTER_URL = 'https://openrouter.ai/api/v1'

/** What an unknown server is trusted to hold; hosted models hold more. */
const LOCAL_WINDOW = 32_768
const HOSTED_WINDOW = 128_000

/**
 * `name` is how the provider is known; `openrouter` also switches on its cost report. Without a key no Authorization header is sent.
 * A call whose arguments are not JSON even after repair is delivered with `{ __unparsed: text }` as its input; a call written as text
 * is taken as a call (see `repair.ts`). An abort ends the stream at once with a fault of kind `later`.
 */
export function openai(options: { name: string; apiKey: string | undefined; baseUrl?: string; idleTimeoutMs?: number }): Provider {
  const { name, apiKey, idleTimeoutMs = 120_000 } = options
  const isRouter = name === 'openrouter'
  const baseURL = options.baseUrl ?? (isRouter ? OPENROUTER_URL : OPENAI_URL)
  if (!URL.canParse(baseURL)) throw new Fault('invalid', `the base URL of ${name} is not a URL; it looks like http://127.0.0.1:11434/v1`)
  const isOpenai = new URL(baseURL).host === new URL(OPENAI_URL).host
  /** What this server was found to want; asked once in the provider's life. */
  let firstModel: string | undefined
  const withoutReasoning = new Set<string>()

  async function open(request: ModelRequest, line: { signal: AbortSignal; fetch: typeof fetch }) {
    const { default: Client } = await import('openai')
    const client = new Client({
      apiKey: apiKey ?? 'none',
      baseURL,
      // Given outright, so that the SDK reads nothing of another account from the environment.
      organization: null,
      project: null,
      adminAPIKey: null,
      webhookSecret: null,
      maxRetries: 0,
      timeout: idleTimeoutMs * 2, // never the first to fire; ours is
      logLevel: 'off',
      fetch: line.fetch,
      defaultHeaders: {
        ...(apiKey ? {} : { Authorization: null }),
        ...(isRouter ? { 'HTTP-Referer': 'http://localhost', 'X-Title': 'Banyan' } : {}),
      },
    })
    const model = request.model === FIRST_MODEL ? await first(client, line.signal) : request.model
    return client.chat.completions.create(
      {
        ...toParams(request, model, name),
        ...(isOpenai ? { max_completion_tokens: request.maxOutputTokens } : { max_tokens: request.maxOutputTokens }),
        ...(withoutReasoning.has(request.model) ? { reasoning_effort: 'none' as const } : {}),
        ...(isRouter ? { usage: { include: true } } : {}),
      },
      { signal: line.signal },
    )
  }

  async function first(client: OpenAI, signal: AbortSignal): Promise<string> {
    firstModel ??= (await client.models.list({ signal })).data[0]?.id
    if (firstModel === undefined)
      throw new Fault('unavailable', `the server at ${new URL(baseURL).host} lists no model; load one there or set MODEL`)
    return firstModel
  }

  async function* once(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const reading = readReply(request, name)
    const received = receive<ChatCompletionChunk>((line) => open(request, line), { provider: name, apiKey, idleTimeoutMs, signal })
    for await (const each of received) {
      if ('fault' in each) return yield { type: 'fault', fault: withUsage(each.fault, reading.usage()) }
      yield* reading.take(each.item)
    }
    yield* reading.end()
  }

  return {
    name,
    judges: true,
    account: accountOf(apiKey, baseURL),
    contextWindow: (model) => contextWindowOf(name, model) ?? (isOpenai || isRouter ? HOSTED_WINDOW : LOCAL_WINDOW),
    async *stream(request, signal) {
      for await (const event of once(request, signal)) {
        // OpenAI's newer models take tools in chat completions only with reasoning switched off, and say so (400) before anything else.
        if (event.type === 'fault' && wantsNoReasoning(event.fault) && !withoutReasoning.has(request.model)) {
          withoutReasoning.add(request.model)
          return yield* once(request, signal)
        }
        yield event
      }
    },
  }
}

const wantsNoReasoning = (fault: ModelFault) => fault.kind === 'bad' && /reasoning_effort.{0,200}'none'/.test(fault.message)
const withUsage = (fault: ModelFault, usage: Usage | null): ModelFault => (usage ? { ...fault, usage } : fault)

/* ---------------------------------------------------------------- request ---------------------------------------------------------- */

function toParams(request: ModelRequest, model: string, provider: string): ChatCompletionCreateParamsStreaming {
  const tools = request.tools.map(({ name, description, inputSchema }) => {
    const { $schema: _, ...parameters } = inputSchema
    return { type: 'function' as const, function: { name, description, parameters } }
  })
  const system: ChatCompletionMessageParam[] = request.system.trim() ? [{ role: 'system', content: request.system }] : []
  return {
    model,
    messages: [...system, ...request.messages.map((message) => toMessage(message, request.model, provider))],
    stream: true,
    stream_options: { include_usage: true },
    ...(tools.length > 0 ? { tools } : {}),
  }
}

function toMessage(message: RequestMessage, model: string, provider: string): ChatCompletionMessageParam {
  if (message.role === 'user') return { role: 'user', content: message.text }
  if (message.role === 'tool')
    // The protocol has no word for a failed call.
    return { role: 'tool', tool_call_id: message.callId, content: message.isError ? `ERROR: ${message.text}` : message.text }
  const calls = message.calls.map(({ id, tool, input }) => ({
    id,
    type: 'function' as const,
    function: { name: tool, arguments: JSON.stringify(isObject(input) ? input : unparsed(JSON.stringify(input ?? null))) },
  }))
  return {
    role: 'assistant',
    content: message.text || (calls.length > 0 ? null : ''),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    ...sentThinking(message.thinking, model, provider),
  }
}

/** What `Reply.thinking` holds: the reasoning under the field names in which the server sent it, for some demand it back. */
type Kept = { provider: string; model: string; fields: Record<string, unknown> }

function sentThinking(thinking: unknown, model: string, provider: string): Record<string, unknown> {
  if (!isObject(thinking)) return {}
  const { provider: from, model: by, fields } = thinking as Partial<Kept>
  return from === provider && by === model && isObject(fields) ? fields : {}
}

/* ----------------------------------------------------------------- reply ----------------------------------------------------------- */

type Call = { index: number | undefined; id: string | undefined; name: string; json: string }
type ReasoningFields = { reasoning?: string | null; reasoning_content?: string | null; reasoning_details?: unknown }
type RouterUsage = { cost?: unknown; is_byok?: unknown; cost_details?: { upstream_inference_cost?: unknown } | null }

function readReply(request: ModelRequest, provider: string) {
  const calls: Call[] = []
  const thought: Record<string, string> = {}
  const details: Record<string, unknown>[] = []
  let text = ''
  let model = request.model
  let usage: Usage | null = null
  let cost: number | undefined
  let finish: string | undefined
  let refused = false

  function* take(chunk: ChatCompletionChunk): Generator<ModelEvent> {
    if (chunk.model) model = chunk.model
    if (chunk.usage) {
      usage = toUsage(chunk.usage)
      cost = toCost(chunk.usage as RouterUsage) ?? cost
    }
    const choice = chunk.choices?.[0]
    if (!choice) return
    const delta = (choice.delta ?? {}) as ChatCompletionChunk.Choice.Delta & ReasoningFields
    for (const field of ['reasoning_content', 'reasoning'] as const) {
      const piece = delta[field]
      if (typeof piece !== 'string' || piece === '') continue
      thought[field] = (thought[field] ?? '') + piece
      // Some servers send the same words under both names.
      if (field === 'reasoning_content' || !delta.reasoning_content) yield { type: 'thinking', delta: piece }
    }
    if (Array.isArray(delta.reasoning_details)) for (const piece of delta.reasoning_details) keepDetail(details, piece)
    const words = delta.content || delta.refusal
    if (delta.refusal) refused = true
    if (words) {
      text += words
      yield { type: 'text', delta: words }
    }
    for (const piece of delta.tool_calls ?? []) growCalls(calls, piece)
    if (choice.finish_reason) finish = choice.finish_reason
  }

  function* end(): Generator<ModelEvent> {
    const fault = (message: string): ModelEvent => ({ type: 'fault', fault: withUsage({ kind: 'later', message }, usage) })
    if (finish === undefined) return yield fault(`${provider} stream ended before the end of the message`)
    if (finish === 'error') return yield fault(`${provider} broke the answer off with an error`)
    const reply = finished()
    for (const { tool } of reply.calls) yield { type: 'call', tool }
    yield { type: 'done', reply }
  }

  function finished(): Reply {
    const cutShort = finish === 'length'
    const refusal = refused || finish === 'content_filter'
    // A refusal ends anywhere, and a length limit inside a call leaves half its arguments: such a call is not one.
    const whole = calls.filter(({ json }) => !refusal && !(cutShort && !isWholeJson(json || '{}')))
    const asked = whole.map(({ name, json }) => ({ tool: name || 'unnamed', input: parseArguments(json) }))
    const written = asked.length > 0 || cutShort || refusal ? undefined : callsInText(text, request.tools.map(toName))
    const all = asked.length > 0 ? asked : (written?.calls ?? [])
    const fields = details.length > 0 ? { reasoning_details: details } : thought
    const thinking: Kept = { provider, model: request.model, fields }
    return {
      text: written ? written.text : text,
      calls: all,
      ...(Object.keys(fields).length > 0 ? { thinking } : {}),
      stop: refusal ? 'refusal' : cutShort ? 'length' : all.length > 0 ? 'tools' : 'end',
      usage,
      ...(cost === undefined ? {} : { reportedCostMicros: cost }),
      model,
    }
  }
  return { take, end, usage: () => usage }
}

const toName = ({ name }: { name: string }) => name

/**
 * OpenAI gives each call an index and names it once. Others leave out index or id, send all calls whole in one chunk, number every call
 * 0, or repeat name or id with every piece. A piece begins a new call if its index is new, or if it names one under another id, or
 * without ids after a whole one.
 */
function growCalls(calls: Call[], piece: Partial<ChatCompletionChunk.Choice.Delta.ToolCall>): void {
  const index = piece.index ?? undefined
  const id = piece.id || undefined
  const name = piece.function?.name || ''
  const raw: unknown = piece.function?.arguments
  const json = typeof raw === 'string' ? raw : isObject(raw) ? JSON.stringify(raw) : ''
  const current = index === undefined ? calls.at(-1) : calls.findLast((call) => call.index === index)
  const sameId = id !== undefined && id === current?.id
  const otherId = id !== undefined && current?.id !== undefined && id !== current.id
  const another = name !== '' && current !== undefined && current.name !== '' && !sameId && (otherId || isWholeJson(current.json || '{}'))
  if (current === undefined || another) {
    calls.push({ index, id, name, json })
    return
  }
  current.id ??= id
  if (current.name === '') current.name = name
  current.json += json
}

/** OpenRouter streams each detail in pieces with the same index; sent back, it must be whole. */
function keepDetail(details: Record<string, unknown>[], piece: unknown): void {
  if (!isObject(piece)) return
  const known = details.find((each) => each.type === piece.type && each.index === piece.index && piece.index !== undefined)
  if (!known) {
    details.push({ ...piece })
    return
  }
  for (const [key, value] of Object.entries(piece)) {
    const grows = ['text', 'summary', 'data'].includes(key) && typeof value === 'string' && typeof known[key] === 'string'
    if (grows) known[key] = `${known[key]}${value}`
    else if (value !== null && value !== undefined) known[key] = value
  }
}

/** The protocol counts cached tokens as part of the prompt; our buckets are disjoint. */
function toUsage(usage: OpenAI.CompletionUsage): Usage {
  const cacheRead = usage.prompt_tokens_details?.cached_tokens ?? 0
  const cacheWrite = usage.prompt_tokens_details?.cache_write_tokens ?? 0
  return {
    input: Math.max(0, (usage.prompt_tokens ?? 0) - cacheRead - cacheWrite),
    output: usage.completion_tokens ?? 0,
    reasoning: usage.completion_tokens_details?.reasoning_tokens ?? 0,
    cacheRead,
    cacheWrite,
  }
}

/** OpenRouter's charge in dollars; with a key of one's own at the maker, that maker's bill comes on top. */
function toCost(usage: RouterUsage): number | undefined {
  if (typeof usage.cost !== 'number') return undefined
  const upstream = usage.is_byok === true ? usage.cost_details?.upstream_inference_cost : 0
  return Math.round((usage.cost + (typeof upstream === 'number' ? upstream : 0)) * 1_000_000)
}
