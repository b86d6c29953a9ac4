/** Puts a surface on the wire: one SDK server for one request of 2026-07-28, or for one session of an older revision. */
import { randomUUID } from 'node:crypto'
import {
  type AuthInfo,
  type CallToolResult,
  inputRequired,
  ProtocolError,
  ProtocolErrorCode,
  type RequestStateCodec,
  ResourceNotFoundError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { mustAllow, type Principal } from '../auth/principal.ts'
import { Fault } from '../contract/fault.ts'
import type { Answer, McpTool, Surface } from './surface.ts'
import { addTasks, createdTask, declaredBy, elicitation, followsTasks, repliesIn, TASKS_EXTENSION } from './tasks-extension.ts'

/** Signs of life of a call under way: the first within five seconds, the next within fifteen. */
const [FIRST_TICK_MS, TICK_MS] = [4_000, 12_000]
/** How long clients may keep lists that change with code, roles and tokens only. */
const LIST_TTL_MS = 60_000

/** What travels with a request to whatever handles it. */
export const authInfoOf = (principal: Principal): AuthInfo => ({
  token: '',
  clientId: principal.userId,
  scopes: [...principal.scopes],
  extra: { principal },
})
export function principalOf(auth: AuthInfo | undefined): Principal {
  const principal = auth?.extra?.principal as Principal | undefined
  if (!principal) throw new Error('a request reached MCP without a principal')
  return principal
}
export const callerOf = (ctx: ServerContext): Principal => principalOf(ctx.http?.authInfo)

export type ServerParts = {
  /** What this caller is offered; the same for a caller each time. */
  surfaceOf(by: Principal): Surface
  /** Whom the server is made for. */
  principal: Principal
  /** Keeps what a call keeps between its rounds. */
  codec: RequestStateCodec
  log: (words: string, cause: unknown) => void
}
/** URIs that a session of an older revision subscribed to; absent where subscriptions are streams of their own. */
export type Subscriptions = { add(uri: string): Promise<void>; remove(uri: string): Promise<void> }

export function buildServer({ surfaceOf, principal, codec, log }: ServerParts, subscriptions?: Subscriptions): Server {
  const surface = surfaceOf(principal)
  const server = new Server(
    { name: surface.name, title: surface.title, version: surface.version },
    {
      instructions: surface.instructions,
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: {},
        completions: {},
        ...(surface.tasks ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
      },
      cacheHints: {
        'tools/list': { ttlMs: LIST_TTL_MS, cacheScope: 'private' },
        'prompts/list': { ttlMs: LIST_TTL_MS, cacheScope: 'private' },
      },
      requestState: { verify: codec.verify },
    },
  )
  server.setRequestHandler('tools/list', async (_request, ctx) => {
    const by = callerOf(ctx)
    const { tools } = (await surface.shown?.(by)) ?? surface
    return { tools: tools.filter((tool) => by.scopes.has(tool.scope)).map(described) }
  })
  server.setRequestHandler('tools/call', async ({ params }, ctx) => {
    const tool = surface.tools.find((one) => one.name === params.name)
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${JSON.stringify(params.name.slice(0, 100))}.`)
    return told(log, async () => {
      mustAllow(callerOf(ctx), tool.scope)
      return answered(await run(tool, params.arguments ?? {}, server, ctx), codec, ctx)
    })
  })

  server.setRequestHandler('resources/list', async ({ params }) => {
    const { items, nextCursor } = await refused(surface.resources.list(params?.cursor))
    return { resources: items, ...(nextCursor === null ? {} : { nextCursor }) }
  })
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [...surface.resources.templates] }))
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const found = await refused(surface.resources.read(uri))
    if (found === null) throw new ResourceNotFoundError(uri)
    return { contents: [{ uri, ...found }] }
  })
  if (subscriptions) {
    server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
      if ((await refused(surface.resources.read(uri))) === null) throw new ResourceNotFoundError(uri)
      await refused(subscriptions.add(uri))
      return {}
    })
    server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }) => {
      await subscriptions.remove(uri)
      return {}
    })
  }

  server.setRequestHandler('prompts/list', () => ({
    prompts: surface.prompts.map(({ name, title, description, arguments: given }) => ({ name, title, description, arguments: [...given] })),
  }))
  server.setRequestHandler('prompts/get', async ({ params }) => {
    const prompt = surface.prompts.find((one) => one.name === params.name)
    if (!prompt)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no prompt ${JSON.stringify(params.name.slice(0, 100))}.`)
    const given = params.arguments ?? {}
    const missing = prompt.arguments.find((one) => one.required && !given[one.name]?.trim())
    if (missing)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `The prompt ${prompt.name} needs ${missing.name}: ${missing.description}.`)
    const text = await refused(prompt.text(given))
    return { description: prompt.description, messages: [{ role: 'user', content: { type: 'text', text } }] }
  })
  server.setRequestHandler('completion/complete', async ({ params: { ref, argument } }) => {
    const values =
      ref.type === 'ref/prompt'
        ? await surface.prompts.find((one) => one.name === ref.name)?.complete(argument.name, argument.value)
        : await surface.resources.complete(ref.uri, argument.name, argument.value)
    return { completion: { values: values ?? [], hasMore: (values?.length ?? 0) >= 100 } }
  })
  if (surface.tasks) addTasks(server, surface.tasks, callerOf)
  return server
}

function described(tool: McpTool) {
  const { reads, destroys = false, repeatable = reads } = tool.hints
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: tool.schemas.input as { type: 'object' },
    outputSchema: tool.schemas.output as { type: 'object' },
    annotations: {
      title: tool.title,
      readOnlyHint: reads,
      destructiveHint: !reads && destroys,
      idempotentHint: repeatable,
      // Nothing of what its tools reach is outside Banyan itself.
      openWorldHint: false,
    },
  }
}
async function run(tool: McpTool, given: unknown, server: Server, ctx: ServerContext): Promise<Answer> {
  const parsed = tool.input.safeParse(given)
  if (!parsed.success) {
    const wrong = parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.') || 'the arguments'}: ${issue.message}`)
    throw new Fault('invalid', `The arguments of ${tool.name} are not right: ${wrong.join('; ')}.`)
  }
  const capabilities = declaredBy(ctx) ?? server.getClientCapabilities() ?? {}
  const ticking = tick(ctx)
  try {
    return await tool.run(parsed.data as never, {
      by: callerOf(ctx),
      signal: ctx.mcpReq.signal,
      // A capability that names no mode means forms.
      mayAsk:
        capabilities.elicitation !== undefined &&
        (capabilities.elicitation.form !== undefined || capabilities.elicitation.url === undefined),
      mayFollow: followsTasks(ctx),
      replies: repliesIn(ctx.mcpReq.inputResponses),
      kept: ctx.mcpReq.requestState(),
      tell: ticking.tell,
    })
  } finally {
    ticking.stop()
  }
}

/** Tells a client that asked for it that the call is alive, and how it stands. */
function tick(ctx: ServerContext): { tell(words: string): void; stop(): void } {
  const token = ctx.mcpReq._meta?.progressToken
  if (token === undefined) return { tell: () => undefined, stop: () => undefined }
  let words: string | undefined
  let progress = 0
  const beat = () => {
    timer = setTimeout(beat, TICK_MS)
    progress += 1
    const params = { progressToken: token, progress, ...(words === undefined ? {} : { message: words }) }
    ctx.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined) // who does not listen any more needs no sign
  }
  let timer = setTimeout(beat, FIRST_TICK_MS)
  return {
    tell(next) {
      words = next
    },
    stop: () => clearTimeout(timer),
  }
}

async function answered(answer: Answer, codec: RequestStateCodec, ctx: ServerContext): Promise<CallToolResult> {
  switch (answer.kind) {
    case 'done':
      return {
        content: [{ type: 'text', text: answer.text }],
        structuredContent: answer.data,
        ...(answer.isError ? { isError: true } : {}),
      }
    case 'task':
      return createdTask(answer.task) as unknown as CallToolResult
    case 'ask': {
      const inputRequests = Object.fromEntries(answer.questions.map((one) => [one.key, inputRequired.elicit(elicitation(one))]))
      return inputRequired({ inputRequests, requestState: await codec.mint(answer.keep, ctx) }) as unknown as CallToolResult
    }
  }
}

/** What a caller did wrong is an answer that a model can act on; what nobody foresaw tells nothing but a reference to the log. */
async function told(log: ServerParts['log'], act: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ProtocolError) throw error
    if (error instanceof Fault) return { content: [{ type: 'text', text: error.message }], isError: true }
    const id = randomUUID()
    log(`MCP call ${id} failed`, error)
    return { content: [{ type: 'text', text: `This is a fault of Banyan's own; its log says more under ${id}.` }], isError: true }
  }
}
async function refused<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Fault) throw new ProtocolError(ProtocolErrorCode.InvalidParams, error.message)
    throw error
  }
}
