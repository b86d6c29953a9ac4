/** Turns the route table of the contract and a handler for each of its entries into routes of the server. */
import type { IncomingMessage } from 'node:http'
import type { Context, Hono } from 'hono'
import type * as z from 'zod'
import { mustAllow, OWNER, type Principal } from '../auth/principal.ts'
import { BODY_LIMIT, type ResponseOf, ROUTES, type Route, type RouteName } from '../contract/api.ts'
import { Fault } from '../contract/fault.ts'
import type { ReadHeader } from './auth.ts'
import { notLoggedIn } from './problem.ts'
import { inShape, parseJson, readAtMost, type Upload, uploadOf } from './read-body.ts'

export type Env = {
  /** Absent where a request came over no connection, as in a test of the app alone. */
  Bindings: { incoming?: IncomingMessage }
  Variables: { requestId: string; principal: Principal | null; address: string | undefined; secureHeadersNonce?: string }
}

type Parsed<N extends RouteName, K extends 'request' | 'query'> = (typeof ROUTES)[N] extends { [P in K]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined
export type Asked<N extends RouteName> = {
  /** What stands in the path's braces. */
  param(name: string): string
  query: Parsed<N, 'query'>
  body: Parsed<N, 'request'>
  /** What comes with an upload. The same stream at each call. */
  stream: Upload
  header: ReadHeader
  /** The Idempotency-Key, of routes that take one. */
  key: string | undefined
  /** Ends when the one who asks is gone. */
  signal: AbortSignal
  /** The address of the connection. */
  address: string | undefined
  /** Who asks; on open routes it may be nobody. */
  by: Principal
  /** Only the headers of the answer are wanted. */
  headOnly: boolean
}
/** A Response says everything itself; anything else becomes the JSON of the route's status. */
export type Handlers = {
  [N in RouteName]: (asked: Asked<N>) => Promise<ResponseOf<N> | Response> | ResponseOf<N> | Response
}

export function register(app: Hono<Env>, handlers: Handlers): void {
  for (const [name, route] of Object.entries(ROUTES) as [RouteName, Route][]) {
    const handle = handlers[name] as (asked: Asked<RouteName>) => Promise<unknown>
    app.on(route.method, patternOf(route), async (c) => {
      const principal = c.get('principal')
      if (!route.open) {
        if (principal === null) throw notLoggedIn()
        mustAllow(principal, route.scope)
      }
      const answer = await handle({
        param: (key) => c.req.param(key) ?? '',
        query: (route.query ? inShape(route.query, c.req.query(), 'query') : undefined) as never,
        body: (route.request ? await bodyOf(c, route) : undefined) as never,
        stream: uploadOf(route.upload ? c.req.raw : null),
        header: (key) => c.req.header(key),
        key: route.keyed ? keyIn(c.req.header('idempotency-key')) : undefined,
        signal: c.req.raw.signal,
        address: c.get('address'),
        by: principal ?? NOBODY,
        headOnly: c.req.method === 'HEAD',
      })
      if (answer instanceof Response) return answer
      return answer === undefined ? c.body(null, route.status as 204) : c.json(answer, route.status as 200)
    })
  }
}

const NOBODY: Principal = { ...OWNER, name: 'nobody', userId: '', role: 'viewer', scopes: new Set() }

function keyIn(header: string | undefined): string | undefined {
  if (header !== undefined && !/^[\x20-\x7e]{1,255}$/.test(header))
    throw new Fault('invalid', 'An Idempotency-Key is 1 to 255 printable ASCII characters.')
  return header
}

/** Ids of review items hold slashes, which a client may send as they are. */
function patternOf({ path }: Route): string {
  return path.replace(/\{(\w+)\}/g, path.startsWith('/api/reviews/') ? ':$1{.+}' : ':$1')
}

async function bodyOf(c: Context<Env>, route: Route): Promise<unknown> {
  const bytes = await readAtMost(BODY_LIMIT, c.req.raw)
  if (bytes.byteLength === 0 && route.optionalBody) return inShape(route.request!, {}, 'body')
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type !== 'application/json') throw new NotJson()
  return inShape(route.request!, parseJson(bytes), 'body')
}

/** HTTP has a status for it that no other way to the system needs. */
export class NotJson extends Error {
  constructor() {
    super('A body must be JSON and say so: send Content-Type: application/json.')
  }
}
