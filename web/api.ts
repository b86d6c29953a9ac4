/** The HTTP calls that the page makes, typed by the contract's table of routes. A refusal becomes an `ApiFault` with the server's own sentence. */
import type * as z from 'zod'
import type { Problem, QueryOf, RequestOf, ResponseOf, Route, RouteName, System } from '../core/contract/api.ts'
import type { DeadTask } from '../core/contract/api-system.ts'
import type { Decision, Review } from '../core/contract/review.ts'
import type { Task } from '../core/contract/task.ts'

export class ApiFault extends Error {
  /** 0: the server could not be reached. */
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'ApiFault'
    this.status = status
  }
}

/** A key that nobody else has. `crypto.randomUUID` is missing where the page is served over plain HTTP from another machine. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

type Part<R, K extends string, D> = R extends { [P in K]: infer S extends z.ZodType } ? z.input<S> : D
/** Names in the braces of a path. */
type Named<P extends string> = P extends `${string}{${infer N}}${infer More}` ? N | Named<More> : never
/** What goes along with a call: what the route's path, query and body need, and nothing that it does not know. */
export type Asked<R extends Route> = ([Named<R['path']>] extends [never]
  ? { params?: never }
  : { params: Record<Named<R['path']>, string> }) &
  (R extends { query: z.ZodType } ? { query?: Partial<Record<keyof Part<R, 'query', object>, string | undefined>> } : { query?: never }) &
  (R extends { request: z.ZodType }
    ? R extends { optionalBody: true }
      ? { body?: Part<R, 'request', never> }
      : { body: Part<R, 'request', never> }
    : { body?: never }) & { headers?: Record<string, string>; signal?: AbortSignal }
/** What comes back; undefined where a route answers with nothing. */
export type Answer<R extends Route> = R extends { response: infer S extends z.ZodType } ? z.output<S> : undefined
/** The last argument may be left out where nothing in it is needed. */
type Rest<R extends Route> = Record<never, never> extends Asked<R> ? [asked?: Asked<R>] : [asked: Asked<R>]

export type Verb = 'pause' | 'resume' | 'step' | 'cancel' | 'abort' | 'retry' | 'steer'
export type Api = ReturnType<typeof createApi>
export type { System }

/** `origin`: '' for the server that the page came from. `login`: headers that a program sends instead of a browser's cookie. */
export function createApi(origin = '', login: Record<string, string> = {}) {
  /** The shapes are the server's promise (it checks what it sends in its own tests), so they are not checked again here. */
  async function send<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
    /** It outlives the page that sends it; browsers allow that for 64 kB at once. */
    keepalive = false,
  ): Promise<T> {
    let response: Response
    try {
      response = await fetch(origin + path, {
        method,
        headers: {
          ...login,
          ...headers,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
        ...(keepalive ? { keepalive } : {}),
      })
    } catch (cause) {
      if (signal?.aborted) throw cause
      throw Object.assign(new ApiFault(0, 'Banyan does not answer; is it running?'), { cause })
    }
    if (response.ok) return (response.status === 204 ? undefined : await response.json()) as T
    throw new ApiFault(response.status, await detailOf(response))
  }
  const get = <N extends RouteName>(path: string, query?: QueryOf<N>): Promise<ResponseOf<N>> => {
    const words = new URLSearchParams(query as Record<string, string> | undefined).toString()
    return send('GET', words ? `${path}?${words}` : path)
  }
  const id = encodeURIComponent

  return {
    /** Any call of the contract, e.g. `call(ROUTES.saveAgent, { params: { id }, body })`. Throws an `ApiFault`. */
    call: <const R extends Route>(route: R, ...[asked]: Rest<R>): Promise<Answer<R>> => {
      const { params, query, body, headers, signal } = (asked ?? {}) as Loose
      return send<Answer<R>>(route.method, pathOf(route.path, params, query), body, headers, signal)
    },
    system: () => get<'system'>('/api/system'),
    /** Sets the session cookie of this browser. */
    tokenLogin: (token: string): Promise<undefined> => send('POST', '/api/login', { token }),
    /** The same key again finds the same goal, so a second click or a retry after a lost answer starts nothing twice. */
    submitGoal: (goal: RequestOf<'submitGoal'>, key: string): Promise<ResponseOf<'submitGoal'>> =>
      send('POST', '/api/goals', goal, { 'idempotency-key': key }),
    trees: (cursor?: string) => get<'trees'>('/api/trees', cursor === undefined ? {} : { cursor }),
    control: (taskId: string, verb: Verb, body: { message?: string; comment?: string } = {}): Promise<Task> =>
      send('POST', `/api/tasks/${id(taskId)}/${verb}`, body),
    review: (reviewId: string) => get<'review'>(`/api/reviews/${id(reviewId)}`),
    decide: (reviewId: string, decision: Decision): Promise<Review> =>
      send('POST', `/api/reviews/${id(reviewId)}/decision`, decision, {}, undefined, true),
    /** Each item is decided, or refused, by itself. */
    decideBatch: (batch: RequestOf<'decideBatch'>): Promise<ResponseOf<'decideBatch'>> =>
      send('POST', '/api/reviews/batch', batch, {}, undefined, true),
    /** Puts an item off; null brings it back. */
    snooze: (reviewId: string, until: string | null): Promise<Review> => send('POST', `/api/reviews/${id(reviewId)}/snooze`, { until }),
    /** Sends a file for a goal to come. `progress` is told the share that is sent, 0 to 1. */
    upload: (file: Blob, name: string, how: { progress: (share: number) => void; signal: AbortSignal }): Promise<ResponseOf<'addUpload'>> =>
      sendFile(`${origin}/api/uploads?${new URLSearchParams({ name })}`, file, login, how),
    /** Sends the act that the server offers to mend something, as it offers it. */
    mend: (act: DeadTask['action']): Promise<unknown> => {
      if (!act.path.startsWith('/api/')) throw new Error('an act of the interface begins with /api/')
      return send(act.method, act.path, act.body)
    },
    logout: () => send<void>('POST', '/api/logout'),
  }
}

type Loose = {
  params?: Record<string, string>
  query?: Record<string, string | undefined>
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** The address of a route with its braces filled. */
export function pathOf(path: string, params: Record<string, string> = {}, query: Record<string, string | undefined> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name]
    if (value === undefined) throw new Error(`${path} needs a value for ${name}`)
    return encodeURIComponent(value)
  })
  const words = new URLSearchParams(Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined)).toString()
  return words ? `${filled}?${words}` : filled
}

/** By XMLHttpRequest: `fetch` does not tell how much of a body is sent. */
function sendFile<T>(
  url: string,
  file: Blob,
  headers: Record<string, string>,
  { progress, signal }: { progress: (share: number) => void; signal: AbortSignal },
): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest()
    call.open('POST', url)
    for (const [name, value] of Object.entries({ ...headers, accept: 'application/json', 'content-type': 'application/octet-stream' }))
      call.setRequestHeader(name, value)
    call.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0)
    call.onerror = () => reject(new ApiFault(0, 'Banyan does not answer; is it running?'))
    call.onabort = () => reject(new DOMException('stopped', 'AbortError'))
    call.onload = () => {
      const answer = new Response(call.responseText, { status: call.status })
      if (answer.ok) resolve(JSON.parse(call.responseText) as T)
      else void detailOf(answer).then((detail) => reject(new ApiFault(call.status, detail)))
    }
    signal.addEventListener('abort', () => call.abort())
    call.send(file)
  })
}

async function detailOf(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as Partial<Problem>
    if (typeof problem.detail === 'string' && problem.detail) return problem.detail
    if (typeof problem.title === 'string' && problem.title) return problem.title
  } catch {
    // not JSON: something between the page and Banyan answered; its status is all there is to say
  }
  return `The server answered ${response.status} without saying why.`
}
