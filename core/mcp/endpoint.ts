/**
 * `/mcp`: one address for both eras. A request of 2026-07-28 is answered by itself, by a server made for it; anything older belongs to a session.
 * Host, Origin and token are checked before a request comes here.
 */
import { createHmac } from 'node:crypto'
import {
  createMcpHandler,
  createRequestStateCodec,
  isJsonContentType,
  isLegacyRequest,
  type RequestStateCodec,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Principal } from '../auth/principal.ts'
import type { Store } from '../store/store.ts'
import { openBus } from './bus.ts'
import { openClients } from './clients.ts'
import { openFeed } from './feed.ts'
import { offerOf, openKeptAnswers } from './kept-answers.ts'
import { openListWatch } from './list-watch.ts'
import { operatorSurface } from './operator.ts'
import type { Doors } from './operator-tools.ts'
import { declaredIn, mismatchIn } from './param-headers.ts'
import { authInfoOf, buildServer, callerOf, principalOf, type Subscriptions } from './server.ts'
import { openSessions, refusal } from './sessions.ts'
import type { Shown, Surface } from './surface.ts'

/** Bytes of a request. */
export const MCP_BODY_LIMIT = 4 * 1024 * 1024
const KEEP_ALIVE_MS = 15_000
const SUBSCRIPTIONS = 256
/** Sessions and tokens expire without a fact. */
const TIDY_MS = 60_000
/** A refusal that needs no work comes within this. */
const FIRST_WORD_MS = 200
/** The protocol's error for headers that say other than the body. */
const HEADER_MISMATCH = -32_020
/** A form may wait for a person this long. */
const STATE_SECONDS = 3_600

export type Endpoint = ReturnType<typeof openEndpoint>
/** Makes the SDK server of a request or a session. `subscriptions` is there for sessions only. */
export type Build = ((parts: { codec: RequestStateCodec; principal: Principal }, subscriptions?: Subscriptions) => Server) & {
  /** JSON Schema of what a tool takes. */
  inputOf?(name: string): object | undefined
}
/** What a caller of `/mcp` must be allowed at least. */
export const mcpScope = (principal: Principal) => (principal.kind === 'agent' ? 'work' : 'read')

export function openEndpoint(
  parts: Doors & {
    store: Store
    version: string
    secretKey: string
    mayStill: (principal: Principal, scope: 'read' | 'work') => Promise<boolean>
    log: (words: string, cause: unknown) => void
    now?: () => number
    /** What outside agents are offered. */
    worker?: Surface
    /** In place of all surfaces. */
    build?: Build
  },
) {
  const { store, log } = parts
  const codec = createRequestStateCodec({
    key: createHmac('sha256', parts.secretKey).update('mcp request state').digest(),
    ttlSeconds: STATE_SECONDS,
    bind: (ctx: ServerContext) => `${ctx.mcpReq.method}\0${callerOf(ctx).userId}`,
  })
  const operator = operatorSurface(parts, parts.version)
  const worker = parts.worker
  const ofAgents: Surface | undefined = worker && {
    ...worker,
    ...(worker.shown ? { shown: async (by) => noted(by, await worker.shown!(by)) } : {}),
  }
  const surfaceOf = ({ kind }: Principal) => (kind === 'agent' && ofAgents ? ofAgents : operator)
  const build: Build = parts.build ?? (({ principal }, subscriptions) => buildServer({ surfaceOf, principal, codec, log }, subscriptions))
  const bus = openBus((error) => log('telling MCP clients of a change', error))
  const answers = openKeptAnswers(async (by) => {
    const surface = surfaceOf(by)
    return `${offerOf(surface, by)} ${(await surface.shown?.(by))?.mark ?? ''}`
  })
  const modern = createMcpHandler(({ authInfo }) => build({ codec, principal: principalOf(authInfo) }), {
    legacy: 'reject',
    // A silent call counts as dead after a minute with some hosts; a stream with comments in it does not.
    responseMode: 'sse',
    keepAliveMs: KEEP_ALIVE_MS,
    maxSubscriptions: SUBSCRIPTIONS,
    maxRequestBodySize: MCP_BODY_LIMIT,
    bus,
  })
  const sessions = openSessions({
    store,
    build: (principal, subscriptions) => build({ codec, principal }, subscriptions),
    now: parts.now ?? Date.now,
    log,
  })
  const clients = openClients(store, parts.now ?? Date.now)
  /** Requests under way that stay open, and what cuts them off. */
  const guests = new Map<AbortController, Principal>()
  const tidy = () => turnAway().catch((error: unknown) => log('whether MCP clients may go on cannot be told', error))
  const timer = setInterval(tidy, TIDY_MS)
  timer.unref()
  const stopWatching = store.onCommit((events) => {
    if (events.some((event) => event.type === 'access.changed')) void tidy()
  })
  const stopFeed = openFeed(
    store,
    () => bus.listening().length > 0 || sessions.any(),
    (uris, list) => {
      for (const uri of uris) modern.notify.resourceUpdated(uri)
      if (list) modern.notify.resourcesChanged()
      sessions.changed(uris, list)
    },
  )

  const changes = (by: Principal) => surfaceOf(by).shown !== undefined
  const lists = openListWatch({
    store,
    listening: () => [...bus.listening(), ...sessions.principals()].filter(changes),
    markOf: async (by) => (await worker!.shown!(by)).mark,
    tell(name) {
      const concerns = (by: Principal) => changes(by) && by.name === name
      bus.tell(concerns, { kind: 'tools_list_changed' })
      sessions.toolsChanged(concerns)
    },
    log,
  })
  function noted(by: Principal, shown: Shown): Shown {
    lists.note(by.name, shown.mark)
    return shown
  }

  /** Why a call of 2026-07-28 is refused whose headers repeat other arguments than its body has; null: they are the same. */
  function differingHeader(body: unknown, headers: Headers, by: Principal): Response | null {
    const { method, params, id } = body as {
      method?: unknown
      params?: { name?: unknown; arguments?: unknown }
      id?: string | number | null
    }
    if (method !== 'tools/call' || typeof params?.name !== 'string') return null
    const input = parts.build ? parts.build.inputOf?.(params.name) : inputOf(surfaceOf(by), params.name)
    const mismatch = input === undefined ? null : mismatchIn(declaredIn(input), params.arguments, headers)
    if (mismatch === null) return null
    return refusal(400, HEADER_MISMATCH, `The headers and the body of this request differ: ${mismatch.body}.`, { id, data: { mismatch } })
  }

  async function turnAway(): Promise<void> {
    for (const [cut, principal] of [...guests]) if (!(await parts.mayStill(principal, mcpScope(principal)))) cut.abort()
    await sessions.tidy((principal) => parts.mayStill(principal, mcpScope(principal)))
  }

  return {
    /** Answers a request of somebody who is known and may read. */
    async fetch(request: Request, principal: Principal): Promise<Response> {
      const read = await bodyOf(request)
      if (read instanceof Response) return read
      // Whoever calls need not wait for it, nor fail by it.
      clients.saw(principal, read.body).catch((error: unknown) => log('noting an MCP client', error))
      // What a build of others makes is not known here.
      const asked = parts.build ? null : await answers.asked(request, read.body, principal)
      if (asked?.known) return asked.known
      const cut = new AbortController()
      const authInfo = authInfoOf(principal)
      // Built anew: a server's own request object is not one that can be copied.
      const copy = new Request(request.url, {
        method: request.method,
        headers: request.headers,
        signal: AbortSignal.any([request.signal, cut.signal]),
      })
      const given = read.body === undefined ? {} : { parsedBody: read.body }
      if (await isLegacyRequest(copy, read.body)) return sessions.handle(copy, read.body, authInfo)
      const differing = differingHeader(read.body, copy.headers, principal)
      if (differing) return differing
      guests.set(cut, principal)
      const leave = () => guests.delete(cut)
      try {
        const answer = await bus.as(principal, () => modern.fetch(copy, { authInfo, ...given }))
        return await whenOver(asked ? await asked.keep(answer) : answer, leave)
      } catch (error) {
        leave()
        throw error
      }
    },
    /** What changed in the lists of tools and prompts is told to every client. */
    notify: modern.notify,
    /** Programs that called. */
    clients: clients.list,
    /** A connected client that lends its model. */
    lender: sessions.lender,
    load: (): { sessions: number; streams: number } => ({ sessions: sessions.count(), streams: bus.listening().length }),
    async close(): Promise<void> {
      clearInterval(timer)
      stopWatching()
      stopFeed()
      await lists.close()
      await modern.close()
      await sessions.close()
    },
  }
}

async function bodyOf(request: Request): Promise<{ body: unknown } | Response> {
  if (request.method !== 'POST') return { body: undefined }
  if (!isJsonContentType(request.headers.get('content-type')))
    return refusal(415, -32_000, 'Send JSON, with Content-Type: application/json.')
  const length = Number(request.headers.get('content-length') ?? 0)
  if (length > MCP_BODY_LIMIT) return tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > MCP_BODY_LIMIT) return tooLarge()
    chunks.push(chunk)
  }
  try {
    return { body: JSON.parse(Buffer.concat(chunks).toString()) as unknown }
  } catch {
    return refusal(400, -32_700, 'The body is not JSON.')
  }
}
const tooLarge = () => refusal(413, -32_000, `A request may have ${MCP_BODY_LIMIT / 1024 / 1024} MiB at most.`)

/**
 * Calls `over` once, when the whole answer went out or nobody wants the rest. An answer that is a stream already says 200; where the first word in
 * it is that the client lacks a capability, which comes at once, the protocol wants it as a 400.
 */
async function whenOver(response: Response, over: () => void): Promise<Response> {
  if (response.body === null) {
    over()
    return response
  }
  const reader = response.body.getReader()
  let first: Promise<Awaited<ReturnType<typeof reader.read>>> | undefined
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    first = reader.read()
    const soon = await Promise.race([first, new Promise<null>((resolve) => setTimeout(resolve, FIRST_WORD_MS, null).unref())])
    const lacking = soon?.value === undefined ? null : LACKING.exec(Buffer.from(soon.value).toString())?.[1]
    if (lacking) {
      over()
      await reader.cancel()
      return new Response(lacking, { status: 400, headers: { 'content-type': 'application/json' } })
    }
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = first ?? reader.read()
      first = undefined
      const { done, value } = await next.catch((error: unknown) => {
        over()
        throw error
      })
      if (!done) return controller.enqueue(value)
      over()
      controller.close()
    },
    async cancel(reason) {
      over()
      await reader.cancel(reason)
    },
  })
  return new Response(body, { status: response.status, headers: response.headers })
}
/** A frame of a stream that is the error MissingRequiredClientCapability. */
const LACKING = /^(?:event: message\n)?data: (\{(?=.*"error":\{"code":-32021\b).*\})\n\n$/s

const inputOf = (surface: Surface, name: string): object | undefined => surface.tools.find((tool) => tool.name === name)?.schemas.input

/** Where clients that got 401 learn what to send (RFC 9728). `origin`: the address that they used. */
export const resourceMetadata = (origin: string, scopes: readonly string[]) => ({
  resource: `${origin}/mcp`,
  resource_name: 'Banyan',
  bearer_methods_supported: ['header'],
  scopes_supported: [...scopes],
})
