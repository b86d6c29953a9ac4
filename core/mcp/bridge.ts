/**
 * MCP over stdin and stdout for hosts that speak nothing else: each line goes to a Banyan that runs already, over HTTP, and what it answers comes
 * back as lines. Both eras pass as they are. Nothing is started, nothing is kept: a restart of Banyan is waited out, and what can be repeated
 * without harm is sent again.
 */

type Id = string | number
type Message = { jsonrpc: '2.0'; id?: Id | null; method?: string; params?: Record<string, unknown>; result?: unknown; error?: unknown }
export type Bridge = ReturnType<typeof openBridge>

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
/** A restart takes seconds. */
const [PATIENCE_MS, PAUSE_MS] = [30_000, 250]
const UNKNOWN_SESSION = 404
const INTERNAL = -32_603
const PARSE = -32_700

/** `url`: where Banyan is now; asked before each request. `write` takes one line. */
export function openBridge(parts: { url: () => string; token: string | null; write: (line: string) => void; patienceMs?: number }) {
  const { url, token, write, patienceMs = PATIENCE_MS } = parts
  const underWay = new Map<Id, AbortController>()
  const running = new Set<Promise<void>>()
  const ended = new AbortController()
  /** Tools that change nothing, as Banyan told. */
  const reading = new Set<string>()
  let session: { id: string; version: string | undefined } | undefined
  let initialize: Message | undefined
  let listening: AbortController | undefined

  const tell = (message: Message) => write(JSON.stringify(message))
  const fail = (id: Id, message: string, code = INTERNAL) => tell({ jsonrpc: '2.0', id, error: { code, message } })
  const common = () => ({
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  })

  /** Waits while nobody answers at all; such a request was seen by nobody, so sending it again is harmless. */
  async function reach(init: RequestInit, signal: AbortSignal): Promise<Response> {
    const end = Date.now() + patienceMs
    for (;;) {
      try {
        return await fetch(`${url()}/mcp`, { ...init, redirect: 'error', signal })
      } catch (error) {
        if (signal.aborted || !wasRefused(error) || Date.now() >= end) throw error
        await pause(PAUSE_MS)
      }
    }
  }

  const isModern = (message: Message) => typeof metaOf(message)?.[VERSION_KEY] === 'string'
  function headersOf(message: Message): Record<string, string> {
    if (isModern(message)) {
      const { name, uri, taskId } = message.params as { name?: unknown; uri?: unknown; taskId?: unknown }
      const named = [name, uri, taskId].find((one) => typeof one === 'string')
      return {
        ...common(),
        'mcp-protocol-version': String(metaOf(message)?.[VERSION_KEY]),
        'mcp-method': message.method ?? '',
        ...(typeof named === 'string' ? { 'mcp-name': headerValue(named) } : {}),
      }
    }
    if (message.method === 'initialize' || session === undefined) return common()
    return {
      ...common(),
      'mcp-session-id': session.id,
      ...(session.version === undefined ? {} : { 'mcp-protocol-version': session.version }),
    }
  }
  const post = (message: Message, signal: AbortSignal) =>
    reach({ method: 'POST', headers: headersOf(message), body: JSON.stringify(message) }, signal)

  /** Whether it may be sent again although it may have been done already. */
  function repeatable(message: Message): boolean {
    if (message.method !== 'tools/call') return true
    const { name, arguments: given } = message.params as { name?: string; arguments?: Record<string, unknown> }
    return reading.has(name ?? '') || given?.idempotency_key !== undefined
  }

  async function ask(message: Message & { id: Id }): Promise<void> {
    const cut = new AbortController()
    const signal = AbortSignal.any([cut.signal, ended.signal])
    underWay.set(message.id, cut)
    const end = Date.now() + patienceMs
    let again = false
    try {
      for (;;) {
        try {
          if (await exchange(message, signal, again)) return
        } catch (error) {
          if (signal.aborted) return
          if (wasRefused(error))
            return fail(message.id, 'Banyan is not running; start it with `npm start` or `banyan up`, then call again.')
        }
        // The line broke before the answer came.
        if (signal.aborted) return
        if (!repeatable(message))
          return fail(
            message.id,
            'Banyan stopped during this call, which may have been done or not: look (list_goals, get_task) before you call again.',
          )
        if (message.method !== 'subscriptions/listen' && Date.now() >= end)
          return fail(message.id, 'Banyan broke off the answer again and again; look at its log.')
        again = true
        await pause(PAUSE_MS)
      }
    } finally {
      underWay.delete(message.id)
    }
  }

  /** Sends it and passes on what comes; false when the line broke before its answer. `again`: the other end was told the beginning already. */
  async function exchange(message: Message & { id: Id }, signal: AbortSignal, again: boolean): Promise<boolean> {
    const response = await post(message, signal)
    if (
      response.status === UNKNOWN_SESSION &&
      session !== undefined &&
      !isModern(message) &&
      initialize !== undefined &&
      message.method !== 'initialize'
    ) {
      await response.body?.cancel()
      await beginAgain(signal)
      return false
    }
    let answered = false
    for await (const told of messagesOf(response)) {
      if (told.id === message.id && told.method === undefined) {
        answered = true
        learn(message, told, response)
      } else if (again && told.method === 'notifications/subscriptions/acknowledged') continue
      tell(told)
    }
    if (!answered && !response.ok) {
      fail(
        message.id,
        `Banyan answered ${response.status}${response.status === 401 ? ': the token is not accepted; check BANYAN_TOKEN' : ''}.`,
      )
      return true
    }
    return answered
  }

  function learn(asked: Message, told: Message, response: Response): void {
    const result = (told.result ?? {}) as { protocolVersion?: string; tools?: { name: string; annotations?: { readOnlyHint?: boolean } }[] }
    if (asked.method === 'initialize') {
      initialize = asked
      const id = response.headers.get('mcp-session-id')
      session = id === null ? undefined : { id, version: result.protocolVersion }
    }
    if (asked.method === 'tools/list') for (const tool of result.tools ?? []) if (tool.annotations?.readOnlyHint) reading.add(tool.name)
  }

  /** The session is gone for good: a new one is begun in its place, unseen by the host. */
  async function beginAgain(signal: AbortSignal): Promise<void> {
    const begun = initialize!
    session = undefined
    const response = await post(begun, signal)
    for await (const told of messagesOf(response)) if (told.id === begun.id) learn(begun, told, response)
    await say({ jsonrpc: '2.0', method: 'notifications/initialized' })
  }

  /** What wants no answer. */
  async function say(message: Message): Promise<void> {
    const { requestId } = (message.params ?? {}) as { requestId?: Id }
    if (message.method === 'notifications/cancelled' && requestId !== undefined) {
      const cut = underWay.get(requestId)
      // In 2026-07-28 a request is cancelled by going away.
      if (session === undefined) return cut?.abort()
    }
    const response = await post(message, ended.signal)
    await response.body?.cancel()
    if (message.method === 'notifications/initialized' && session !== undefined) listen()
  }

  /** What Banyan says by itself, in a session. */
  function listen(): void {
    listening?.abort()
    const own = new AbortController()
    listening = own
    const signal = AbortSignal.any([own.signal, ended.signal])
    const loop = async () => {
      while (!signal.aborted) {
        try {
          const response = await reach({ method: 'GET', headers: headersOf({ jsonrpc: '2.0' }) }, signal)
          if (!response.ok) return void (await response.body?.cancel())
          for await (const told of messagesOf(response)) tell(told)
        } catch (error) {
          if (signal.aborted || !isBroken(error)) return
        }
        await pause(PAUSE_MS)
      }
    }
    void loop()
  }

  return {
    /** One line of the host. */
    take(line: string): void {
      if (line.trim() === '') return
      let given: unknown
      try {
        given = JSON.parse(line)
      } catch {
        tell({ jsonrpc: '2.0', id: null, error: { code: PARSE, message: 'That line is not JSON.' } })
        return
      }
      for (const message of (Array.isArray(given) ? given : [given]) as Message[]) {
        const { id, method } = message
        const isRequest = method !== undefined && id !== undefined && id !== null
        const work = isRequest ? ask({ ...message, id }) : say(message)
        const settled = work
          .catch((error: unknown) => {
            if (!ended.signal.aborted && isRequest)
              fail(id, `Banyan cannot be asked: ${error instanceof Error ? error.message : String(error)}`)
          })
          .finally(() => running.delete(settled))
        // A stream for which nobody waits is no reason to stay.
        if (method !== 'subscriptions/listen') running.add(settled)
      }
    },
    /** The host has no more to say: what it asked is answered, then all lines are closed. */
    async close(): Promise<void> {
      await Promise.all(running)
      ended.abort()
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const metaOf = (message: Message) => message.params?._meta as Record<string, unknown> | undefined
const codeOf = (error: unknown): string => (error as { cause?: { code?: string } } | null)?.cause?.code ?? ''
const wasRefused = (error: unknown): boolean => codeOf(error) === 'ECONNREFUSED'
/** fetch says so of everything that happens to a connection. */
const isBroken = (error: unknown): boolean => error instanceof TypeError

/** A header holds plain characters; anything else goes in base64 (SEP-2243). */
function headerValue(text: string): string {
  const plain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith('=?base64?')
  return plain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/** The messages of an answer, be it one or a stream of them; a failure that is no JSON-RPC has none. */
async function* messagesOf(response: Response): AsyncGenerator<Message> {
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('application/json')) {
    const body: unknown = await response.json()
    for (const one of Array.isArray(body) ? body : [body]) if (isMessage(one)) yield one
    return
  }
  if (!type.startsWith('text/event-stream') || response.body === null) {
    await response.body?.cancel()
    return
  }
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + chunk).split(/\r?\n\r?\n/)
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = frame
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).trimStart())
        .join('\n')
      if (data === '') continue
      const message: unknown = JSON.parse(data)
      if (isMessage(message)) yield message
    }
  }
}
const isMessage = (value: unknown): value is Message => typeof value === 'object' && value !== null && 'jsonrpc' in value
