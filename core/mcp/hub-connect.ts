/**
 * One connection to somebody else's MCP server, as a client. Everything that a server may do to whoever listens has an end here: the size of a
 * message, the number of messages, the time for an answer. A server that goes beyond is cut off, with one sentence that says why.
 */
import {
  type CallToolResult,
  Client,
  type ElicitRequestFormParams,
  type ElicitResult,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  type Transport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { Fault } from '../contract/fault.ts'
import { MOST_TOOLS, type Offered, type Seen, seenOf } from './hub-definitions.ts'
import { RESOURCES, readResources } from './hub-resources.ts'
import { cleanedLine } from './hub-words.ts'

export type ConnectionLimits = {
  /** Until a server that was started has said who it is. */
  startMs: number
  /** Until an answer, or a word of progress. */
  callMs: number
  /** Until an answer, whatever progress is told. */
  totalMs: number
}
export const CONNECTION_LIMITS: ConnectionLimits = { startMs: 60_000, callMs: 60_000, totalMs: 1_800_000 }

/** Messages of a server within a window, beside the answers that it owes. */
const MOST_MESSAGES = 1_000
const WINDOW_MS = 10_000
const MOST_PAGES = 50
/** Characters of all pages of its list of tools together, as JSON. */
const MOST_LISTED = 16 * 2 ** 20

export type About = { name: string; version: string; protocol: string }
export type Connection = {
  readonly about: About
  /** Its tools as they are now, as many as are taken, and how many it offers. */
  list(): Promise<{ seen: Seen[]; offered: number }>
  /** Rejects with a `CallFailed`. */
  call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult>
  close(): Promise<void>
}
/** Why a call has no answer: `unsent`: nothing was asked. `unknown`: it may have happened. `refused`: the server said no. */
export class CallFailed extends Error {
  readonly kind: 'unsent' | 'unknown' | 'refused'
  /** The server must be met anew before it is asked again. */
  readonly over: boolean
  constructor(kind: CallFailed['kind'], message: string, over: boolean, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
    this.over = over
  }
}

/**
 * Meets the server at the other end of a transport. `transport` is made with a function that cuts the connection off with a reason. A Fault
 * says why the server could not be met.
 */
export async function connect(parts: {
  transport(cut: (why: string) => void): Transport
  /** `auto`: the newest revision that it speaks, found by asking. `legacy`: one with a handshake, as programs on stdio speak. */
  era: 'auto' | 'legacy'
  version: string
  limits: ConnectionLimits
  /** Its list of tools changed. */
  changed(): void
  /** It is over, however that came. */
  closed(): void
  /** Answers what a server asks whoever calls it, as a form. Absent: servers are told that nobody can be asked. */
  asked?(form: ElicitRequestFormParams): Promise<ElicitResult>
  signal?: AbortSignal
}): Promise<Connection> {
  const { limits } = parts
  let why: string | null = null
  let over = false
  const cut = (reason: string) => {
    why ??= reason
    void client.close().catch(() => undefined) // what cannot be closed is closed already
  }
  const client = new Client(
    { name: 'banyan', version: parts.version },
    {
      versionNegotiation: { mode: parts.era },
      // Answers are checked by hub-schema.ts, which runs no expression of strangers.
      jsonSchemaValidator: { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
      listMaxPages: MOST_PAGES,
      ...(parts.asked ? { capabilities: { elicitation: { form: { applyDefaults: true } } } } : {}),
      listChanged: { tools: { autoRefresh: false, debounceMs: 500, onChanged: () => parts.changed() } },
    },
  )
  const { asked } = parts
  if (asked)
    client.setRequestHandler('elicitation/create', async ({ params }) =>
      params.mode === 'url' ? { action: 'decline' } : asked(params as ElicitRequestFormParams),
    )
  client.onclose = () => {
    if (over) return
    over = true
    parts.closed()
  }
  let listed: number | null = null
  /** They are read as one more tool. */
  let hasResources = false
  const transport = counted(parts.transport(cut), cut, (message) => {
    if (listed === null) return
    const size = sizeOf(message)
    if (size === null) return cut('its list of tools is nested too deeply')
    listed += size
    if (listed > MOST_LISTED) cut(`its list of tools has more than ${MOST_LISTED / 2 ** 20} MiB`)
  })
  try {
    await client.connect(transport, { timeout: limits.startMs, ...(parts.signal ? { signal: parts.signal } : {}) })
  } catch (error) {
    await client.close().catch(() => undefined) // why it did not start is said below
    throw new Fault('unavailable', why ?? wordsOf(error, limits.startMs), { cause: error })
  }
  const server = client.getServerVersion()
  const about = {
    name: cleanedLine(server?.title ?? server?.name ?? '', 100),
    version: cleanedLine(server?.version ?? '', 40),
    protocol: client.getNegotiatedProtocolVersion() ?? '',
  }
  return {
    about,
    async list() {
      const has = client.getServerCapabilities()
      try {
        listed = 0
        const options = { timeout: limits.callMs, maxTotalTimeout: limits.callMs * 2, cacheMode: 'refresh' as const }
        const { tools } = has?.tools ? await client.listTools(undefined, options) : { tools: [] }
        const once = new Map(tools.map((tool) => [tool.name, tool as Offered]))
        const taken = [...once.values()].slice(0, MOST_TOOLS)
        hasResources = has?.resources !== undefined && !once.has(RESOURCES.name)
        if (hasResources) taken.push(RESOURCES)
        return { seen: taken.map(seenOf), offered: once.size + (hasResources ? 1 : 0) }
      } catch (error) {
        throw new Fault('unavailable', why ?? `its tools cannot be listed: ${wordsOf(error, limits.callMs)}`, { cause: error })
      } finally {
        listed = null
      }
    },
    async call(name, args, signal) {
      const options = {
        timeout: limits.callMs,
        resetTimeoutOnProgress: true,
        maxTotalTimeout: limits.totalMs,
        onprogress: () => undefined,
        signal,
      }
      try {
        if (hasResources && name === RESOURCES.name) return await readResources(client, args, options)
        return await client.callTool({ name, arguments: args }, options)
      } catch (error) {
        throw failureOf(error, why, limits)
      }
    },
    async close() {
      await client.close().catch(() => undefined) // it is gone either way
    },
  }
}

function failureOf(error: unknown, cut: string | null, limits: ConnectionLimits): CallFailed {
  if (cut !== null) return new CallFailed('unknown', cut, true, error)
  if (error instanceof ProtocolError)
    return new CallFailed('refused', `it refused the call: "${cleanedLine(error.message, 500)}"`, false, error)
  if (error instanceof Fault) return new CallFailed('unsent', error.message.replace(/\.$/, ''), false, error)
  const status = error instanceof SdkHttpError ? error.status : null
  const words = wordsOf(error, limits.callMs)
  // What a server does not know the session of, or answers with "not allowed", it has not done.
  if (status === 404 || status === 401 || status === 403 || error instanceof UnauthorizedError)
    return new CallFailed('unsent', words, status === 404, error)
  return new CallFailed('unknown', words, true, error)
}

/** What went wrong, to stand behind "because"; words of the server are quoted and short. */
export function wordsOf(error: unknown, ms: number): string {
  if (error instanceof Fault) return error.message.replace(/\.$/, '')
  if (error instanceof UnauthorizedError) return LOGIN_NEEDED
  if (error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout) return `it did not answer within ${secondsOf(ms)}`
  if (error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed) return 'it ended or closed the connection'
  if (error instanceof SdkError && error.code === SdkErrorCode.ListPaginationExceeded)
    return `its list of tools has more than ${MOST_PAGES} pages`
  if (error instanceof SdkHttpError && error.status === 401) return LOGIN_NEEDED
  if (error instanceof SdkHttpError && error.status >= 300 && error.status < 400) return REDIRECTS
  if (error instanceof SdkHttpError) return `it answered with HTTP ${error.status}`
  const message = error instanceof Error ? error.message : String(error)
  if (/redirect/i.test(message)) return REDIRECTS
  return `it does not keep to the protocol ("${cleanedLine(message, 200)}")`
}
const REDIRECTS = 'it sends requests on to another address, which is not followed'
const secondsOf = (ms: number): string => `${Math.round(ms / 1_000)} second${Math.round(ms / 1_000) === 1 ? '' : 's'}`
export const LOGIN_NEEDED = 'it wants a login'

/** In characters of JSON; null: nobody can write it down. */
function sizeOf(message: object): number | null {
  try {
    return JSON.stringify(message).length
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** Counts what comes and cuts off whoever floods. What answers a request of ours is owed, once. */
function counted(transport: Transport, cut: (why: string) => void, answered: (message: object) => void): Transport {
  let window = { began: 0, messages: 0 }
  let handler: Transport['onmessage']
  const asked = new Set<unknown>()
  const send = transport.send.bind(transport)
  transport.send = (message, options) => {
    if ('method' in message && 'id' in message) asked.add(message.id)
    return send(message, options)
  }
  Object.defineProperty(transport, 'onmessage', {
    configurable: true,
    get: () => handler,
    set(listener: NonNullable<Transport['onmessage']> | undefined) {
      handler =
        listener &&
        ((message, extra) => {
          if ('method' in message || !asked.delete(message.id)) {
            const now = performance.now()
            if (now - window.began > WINDOW_MS) window = { began: now, messages: 0 }
            window.messages++
            if (window.messages > MOST_MESSAGES) {
              if (window.messages === MOST_MESSAGES + 1)
                cut(`it sent more than ${MOST_MESSAGES} messages within ${WINDOW_MS / 1_000} seconds that nobody asked for`)
              return
            }
          }
          if (!('method' in message)) answered(message)
          listener(message, extra)
        })
    },
  })
  return transport
}
