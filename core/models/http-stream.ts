/**
 * What providers over HTTP share: receiving a stream that may stop, break or fall silent at any byte, and saying what went wrong in the
 * terms of `ModelFault`. Knows nothing of any provider's events.
 */
import { Fault } from '../contract/fault.ts'
import type { ModelFault } from './provider.ts'
import { resetMs } from './rate-limits.ts'
import { isObject } from './repair.ts'

export type Receiving = {
  /** How people know the provider, for messages. */
  provider: string
  /** Kept out of every message. */
  apiKey?: string | undefined
  /** No byte for so long is silence. */
  idleTimeoutMs: number
  signal: AbortSignal
}

/** Keep-alive bytes count as life, but not for longer than this many idle timeouts without one real event. */
const KEEP_ALIVE_LIMIT = 10

/** Says that the answer was a web page: the base URL leads elsewhere, or a proxy stands before the provider. */
const WEB_PAGE = 'answered with a web page instead of a model stream; check the base URL'

/**
 * Yields what the opened stream yields; trouble of any kind is the last item, a fault, never an exception. `open` gets the signal and
 * the `fetch` it must use. Ends at once when the caller's signal fires, whatever the SDK below does about it.
 */
export async function* receive<T>(
  open: (line: { signal: AbortSignal; fetch: typeof globalThis.fetch }) => Promise<AsyncIterable<T>>,
  to: Receiving,
): AsyncGenerator<{ item: T } | { fault: ModelFault }> {
  const line = new AbortController()
  const stopped = Promise.withResolvers<never>()
  stopped.promise.catch(() => undefined) // may fire when nobody waits on it any more
  let ending: ModelFault | undefined
  const end = (message: string, kind: ModelFault['kind'] = 'later') => {
    ending ??= { kind, message: `${to.provider} ${message}` }
    stopped.reject(ending)
    line.abort()
  }
  const onAbort = () => end('call was stopped')
  let lastItem = performance.now()
  const silent = () => end(`sent nothing for ${Math.round(to.idleTimeoutMs / 100) / 10} s`)
  let timer = setTimeout(silent, to.idleTimeoutMs)
  const alive = () => {
    if (performance.now() - lastItem > to.idleTimeoutMs * KEEP_ALIVE_LIMIT) return
    clearTimeout(timer)
    timer = setTimeout(silent, to.idleTimeoutMs)
  }
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init)
    alive()
    if (!response.ok || !response.body) return response
    if (response.headers.get('content-type')?.includes('text/html')) end(WEB_PAGE, 'refused')
    // The SDKs replace bytes that are not UTF-8; a call's arguments would be changed without a word.
    const utf8 = new TextDecoder('utf-8', { fatal: true })
    const checked = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        alive()
        utf8.decode(chunk, { stream: true })
        controller.enqueue(chunk)
      },
      flush() {
        utf8.decode()
      },
    })
    const { status, statusText, headers } = response
    return new Response(response.body.pipeThrough(checked), { status, statusText, headers })
  }
  to.signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (to.signal.aborted) onAbort()
    if (ending) return yield { fault: ending }
    const stream = await Promise.race([open({ signal: line.signal, fetch }), stopped.promise])
    const items = stream[Symbol.asyncIterator]()
    for (;;) {
      const next = await Promise.race([items.next(), stopped.promise])
      // The SDKs end a stream quietly when it is aborted.
      if (ending) return yield { fault: ending }
      if (next.done) return
      lastItem = performance.now()
      alive()
      yield { item: next.value }
    }
  } catch (error) {
    yield { fault: ending ?? faultOf(error, to, Date.now()) }
  } finally {
    clearTimeout(timer)
    to.signal.removeEventListener('abort', onAbort)
    line.abort()
  }
}

const OVERFLOW =
  /prompt is too long|context[ _]length|context[ _]window|context[ _]size|maximum context|exceeds? (the )?(available |model'?s? )?context|(input|prompt|request) (is )?too (long|large)|reduce the length/i
const UNPAID = /insufficient[ _](quota|credits|balance|funds)|credit balance|exceeded your current quota|billing|payment required/i
const LATER_TYPES = /overloaded|rate_limit|api_error|timeout|server_error|unavailable/i
const REFUSED_TYPES = /authentication|permission|billing|invalid_api_key/i

/** What an error of either SDK means for the task. `now` turns a date in retry-after into a wait. */
export function faultOf(error: unknown, from: Pick<Receiving, 'provider' | 'apiKey'>, now: number): ModelFault {
  if (error instanceof Fault) return { kind: 'refused', message: error.message }
  const { status, words, type, headers } = readError(error)
  const message = sentence(from, status, words)
  if (status === undefined && type === '') {
    // No status and no error type: the line, not the provider, spoke.
    return { kind: 'later', message }
  }
  // At 429 only the code tells: the words of a mere rate limit also speak of plans and billing.
  const unpaid = UNPAID.test(type) || (status !== undefined && status >= 400 && status < 429 && UNPAID.test(words))
  if (status === 402 || unpaid) return { kind: 'refused', message: `${message}; check the account's credit`, limit: 'quota' }
  const limited = status === 429 || (status === undefined && /rate_limit/i.test(type))
  const wait = retryAfterMs(headers, now) ?? (limited ? resetMs(headers, words, now) : undefined)
  const later: ModelFault = { kind: 'later', message, ...(wait === undefined ? {} : { retryAfterMs: wait }) }
  if (limited) return { ...later, limit: 'rate' }
  if (status === 529) return later
  if (status === 413 || OVERFLOW.test(words) || OVERFLOW.test(type)) return { kind: 'overflow', message }
  if (status === 401 || status === 403) return { kind: 'refused', message: `${message}; check the API key and its rights` }
  if (status !== undefined) {
    if (status >= 500 || status === 408 || status === 409 || status === 425 || status < 400) return later
    return { kind: 'bad', message: status === 404 ? `${message}; check the model's name and the base URL` : message }
  }
  if (REFUSED_TYPES.test(type)) return { kind: 'refused', message: `${message}; check the API key and its rights` }
  // An error inside a stream that had begun well: only what names the request as wrong is not worth another try.
  return /invalid_request|not_found/i.test(type) && !LATER_TYPES.test(type) ? { kind: 'bad', message } : later
}

/** Milliseconds to wait by `retry-after-ms` or `retry-after` (seconds or an HTTP date); undefined if the provider did not say. */
export function retryAfterMs(headers: Headers | undefined, now: number): number | undefined {
  const ms = headers?.get('retry-after-ms')
  if (ms && Number.isFinite(Number(ms))) return Math.max(0, Math.ceil(Number(ms)))
  const value = headers?.get('retry-after')
  if (!value) return undefined
  if (Number.isFinite(Number(value))) return Math.max(0, Math.ceil(Number(value) * 1000))
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

type ErrorWords = { status: number | undefined; words: string; type: string; headers: Headers | undefined }

/** Reads an SDK's error by its shape, so that neither SDK needs to be loaded here. */
function readError(error: unknown): ErrorWords {
  if (!(error instanceof Error)) return { status: undefined, words: String(error), type: '', headers: undefined }
  const e = error as Error & { status?: unknown; type?: unknown; code?: unknown; headers?: unknown; cause?: unknown; error?: unknown }
  const headers = e.headers instanceof Headers ? e.headers : undefined
  // OpenRouter reports an error inside a stream with the HTTP status as its code.
  const status = typeof e.status === 'number' ? e.status : typeof e.code === 'number' ? e.code : undefined
  const isApi = 'error' in e && e.error !== undefined
  const type = isApi ? [e.type, e.code].filter((word) => typeof word === 'string').join(' ') || (status ? '' : 'error') : ''
  const cause = e.cause instanceof Error ? rootOf(e.cause) : undefined
  const words = bodyMessage(e.error) ?? (cause ? `${e.message} (${cause.message})` : e.message)
  return { status, words, type, headers }
}

/** The message in `{error: {message}}` (Anthropic) or `{message}` (OpenAI, unwrapped by its SDK). */
function bodyMessage(body: unknown): string | undefined {
  if (!isObject(body)) return undefined
  return typeof body.message === 'string' ? body.message : bodyMessage(body.error)
}

const rootOf = (error: Error): Error => (error.cause instanceof Error ? rootOf(error.cause) : error)

function sentence(from: Pick<Receiving, 'provider' | 'apiKey'>, status: number | undefined, words: string): string {
  const plain = words
    .slice(0, 20_000)
    .replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]{0,500}>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const kept = from.apiKey ? plain.replaceAll(from.apiKey, '[key]') : plain
  const short = kept.length > 300 ? `${kept.slice(0, 300)}…` : kept
  return `${from.provider} ${status === undefined ? 'call failed' : `answered ${status}`}: ${short.replace(new RegExp(`^${status} `), '')}`
}
