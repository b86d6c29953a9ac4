import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { anthropic, defaultAnthropicModel } from './anthropic.ts'
import { contextWindowOf } from './prices.ts'
import { type Protocol, providerSuite, request, serve, stream } from './provider.suite.ts'
import { drain, type ModelFault, type ModelRequest, type Reply } from './provider.ts'

type Sent = { type: string; [key: string]: unknown }
const sse = (events: Sent[]) => events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

const start = (
  usage: object = { input_tokens: 11, output_tokens: 1, cache_read_input_tokens: 300, cache_creation_input_tokens: 20 },
): Sent => ({
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'test-model-1', content: [], stop_reason: null, usage },
})
const open = (index: number, content_block: object): Sent => ({ type: 'content_block_start', index, content_block })
const delta = (index: number, piece: object): Sent => ({ type: 'content_block_delta', index, delta: piece })
const close = (index: number): Sent => ({ type: 'content_block_stop', index })
const end = (stop_reason: string, usage: object = { output_tokens: 42 }): Sent[] => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
]
const text = (index: number, ...pieces: string[]): Sent[] => [
  open(index, { type: 'text', text: '' }),
  ...pieces.map((piece) => delta(index, { type: 'text_delta', text: piece })),
  close(index),
]
const call = (index: number, name: string, ...pieces: string[]): Sent[] => [
  open(index, { type: 'tool_use', id: `toolu_${index}`, name, input: {} }),
  ...pieces.map((piece) => delta(index, { type: 'input_json_delta', partial_json: piece })),
  close(index),
]
const thought = (index: number, words: string, signature: string): Sent[] => [
  open(index, { type: 'thinking', thinking: '', signature: '' }),
  delta(index, { type: 'thinking_delta', thinking: words }),
  delta(index, { type: 'signature_delta', signature }),
  close(index),
]
const usage = { input: 11, output: 42, reasoning: 0, cacheRead: 300, cacheWrite: 20 }

const thinkingCall = [
  start(),
  ...thought(0, 'I should look.', 'c2lnbmVk'),
  ...text(1, 'I look into it.'),
  ...call(2, 'list_files', '', '{"path": "do', 'cs/übung", "deep": tr', 'ue}'),
  ...end('tool_use', { output_tokens: 42, output_tokens_details: { thinking_tokens: 17 } }),
]

const protocol: Protocol = {
  name: 'anthropic',
  make: ({ baseUrl, idleTimeoutMs }) => anthropic({ apiKey: 'secret-key', baseUrl, ...(idleTimeoutMs ? { idleTimeoutMs } : {}) }),
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
  error: (type, message) => JSON.stringify({ type: 'error', error: { type, message } }),
  tooLong: [
    { status: 400, type: 'invalid_request_error', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
    {
      status: 400,
      type: 'invalid_request_error',
      message: 'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length',
    },
    { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' },
  ],
  unpaid: [
    { status: 400, type: 'invalid_request_error', message: 'Your credit balance is too low to access the Anthropic API.' },
    { status: 402, type: 'billing_error', message: 'There is an issue with your billing.' },
  ],
  recordings: {
    text: {
      name: 'words, among pings and events nobody knows',
      endMark: '{"type":"message_stop"}',
      body: sse([
        start(),
        { type: 'ping' },
        ...text(0, 'Es ist schön', ' hier.\n'),
        { type: 'brand_new_event', index: 0 },
        open(1, { type: 'brand_new_block', anything: 1 }),
        delta(1, { type: 'brand_new_delta', words: 'x' }),
        close(1),
        ...end('end_turn'),
      ]),
      reply: { text: 'Es ist schön hier.\n', stop: 'end', usage, model: 'test-model-1' },
    },
    call: {
      name: 'a call after a thought',
      endMark: '{"type":"message_stop"}',
      body: sse(thinkingCall),
      reply: {
        text: 'I look into it.',
        calls: [{ tool: 'list_files', input: { path: 'docs/übung', deep: true } }],
        stop: 'tools',
        usage: { ...usage, reasoning: 17 },
      },
      thinking: 'I should look.',
    },
    parallel: {
      name: 'two calls at once',
      endMark: '{"type":"message_stop"}',
      body: sse([start(), ...call(0, 'list_files'), ...call(1, 'read_file', '{"path":', '"a"}'), ...end('tool_use')]),
      reply: {
        text: '',
        calls: [
          { tool: 'list_files', input: {} },
          { tool: 'read_file', input: { path: 'a' } },
        ],
        stop: 'tools',
        usage,
      },
    },
  },
}

providerSuite(protocol)

/** Answers every request with the next body and keeps what was asked. */
async function asked(bodies: (string | { status: number; body: string })[], requests: ModelRequest[]) {
  const sent: Record<string, unknown>[] = []
  const server = await serve((_, res, body) => {
    sent.push(JSON.parse(body))
    const next = bodies.length > 1 ? bodies.shift()! : bodies[0]!
    if (typeof next === 'string') stream(res).end(next)
    else res.writeHead(next.status, { 'content-type': 'application/json' }).end(next.body)
  })
  const provider = protocol.make({ baseUrl: server.url })
  const ends: (Reply | ModelFault)[] = []
  for (const each of requests) ends.push(await drain(provider.stream(each, new AbortController().signal)))
  await server.close()
  return { sent, ends }
}
const words = sse([start(), ...text(0, 'ok'), ...end('end_turn')])

describe('the reply of a stream', () => {
  const replyOf = async (events: Sent[]) => (await asked([sse(events)], [request])).ends[0]!

  it('is a fault when an event of structure is lost, repeated or moved', async () => {
    const events = thinkingCall
    const variants: [string, Sent[]][] = events.flatMap((event, at): [string, Sent[]][] =>
      /block_start|block_stop|message_start|message_stop/.test(event.type)
        ? [
            [`${at} lost`, events.toSpliced(at, 1)],
            ...(event.type === 'message_stop' ? [] : ([[`${at} twice`, events.toSpliced(at, 0, event)]] as [string, Sent[]][])),
          ]
        : [],
    )
    expect(variants.length).toBeGreaterThan(12)
    for (const [name, variant] of variants)
      expect([name, await replyOf(variant)]).toEqual([name, expect.objectContaining({ kind: 'later' })])
    const swapped = events.toSpliced(2, 2, events[3]!, events[2]!).toSpliced(0, 2, events[1]!, events[0]!)
    expect(await replyOf(swapped)).toMatchObject({ kind: 'later' })
  })

  it('is the fault that an error event names, with the tokens counted so far', async () => {
    const broken = (type: string) => [start(), ...text(0, 'half'), { type: 'error', error: { type, message: 'Overloaded' } }]
    expect(await replyOf(broken('overloaded_error'))).toMatchObject({ kind: 'later', usage: { input: 11, cacheRead: 300 } })
    expect(await replyOf(broken('api_error'))).toMatchObject({ kind: 'later' })
    expect(await replyOf(broken('authentication_error'))).toMatchObject({ kind: 'refused' })
    expect(await replyOf(broken('invalid_request_error'))).toMatchObject({ kind: 'bad' })
  })

  it('hands over arguments that are not JSON as they are, so that the model can be told', async () => {
    const reply = await replyOf([start(), ...call(0, 'read_file', '{"path": "a', ' b c'), ...end('tool_use')])
    expect(reply).toMatchObject({ calls: [{ tool: 'read_file', input: { __unparsed: '{"path": "a b c' } }] })
  })

  it('leaves out a call that the length limit cut, and keeps the whole one before it', async () => {
    const events = [start(), ...call(0, 'read_file', '{"path":"a"}'), ...call(1, 'read_file', '{"path":"b'), ...end('max_tokens')]
    expect(await replyOf(events)).toMatchObject({ stop: 'length', calls: [{ tool: 'read_file', input: { path: 'a' } }] })
  })

  it('has no calls when the model refused', async () => {
    const events = [start(), ...call(0, 'read_file', '{"path":"a"}'), ...end('refusal')]
    expect(await replyOf(events)).toMatchObject({ stop: 'refusal', calls: [] })
  })

  it('has no usage when a gateway counts none', async () => {
    const events = [{ ...start(), message: { model: 'm', content: [] } }, ...text(0, 'ok'), { type: 'message_stop' }]
    expect(await replyOf(events)).toMatchObject({ text: 'ok', usage: null, stop: 'end' })
  })
})

describe('the request', () => {
  const history: ModelRequest = {
    ...request,
    model: 'claude-sonnet-5-5',
    messages: [
      { role: 'user', text: 'look' },
      { role: 'assistant', text: '', calls: [{ id: 'c1', tool: 'list_files', input: {} }] },
      { role: 'tool', callId: 'c1', tool: 'list_files', text: 'a\nb', isError: false },
      { role: 'assistant', text: 'and', calls: [{ id: 'c2', tool: 'read_file', input: ['not an object'] }] },
      { role: 'tool', callId: 'c2', tool: 'read_file', text: 'no such file', isError: true },
      { role: 'user', text: 'Stop soon.' },
    ],
  }

  it('marks tools, system and the two newest messages for the cache, and nothing else', async () => {
    const { sent } = await asked([words], [history])
    const marks: string[] = []
    const walk = (value: unknown, at: string): void => {
      if (typeof value !== 'object' || value === null) return
      if ('cache_control' in value) marks.push(at)
      for (const [key, inner] of Object.entries(value)) if (key !== 'cache_control') walk(inner, at ? `${at}.${key}` : key)
    }
    walk(sent[0], '')
    expect(marks.toSorted()).toEqual(['messages.2.content.0', 'messages.4.content.1', 'system.0', 'tools.1'])
  })

  it('grows only at its end from turn to turn, so that the cache holds', async () => {
    const longer: ModelRequest = {
      ...history,
      messages: [...history.messages, { role: 'assistant', text: 'done', calls: [] }, { role: 'user', text: 'thanks' }],
    }
    const { sent } = await asked([words], [history, longer])
    const plain = sent.map((body) => JSON.stringify(body.messages).replaceAll(',"cache_control":{"type":"ephemeral"}', ''))
    expect(plain[1]!.startsWith(plain[0]!.slice(0, -1))).toBe(true)
  })

  it('puts results and the words after them into one message, and wraps what is no object', async () => {
    const { sent } = await asked([words], [history])
    expect(sent[0]!.messages).toMatchObject([
      { role: 'user', content: [{ type: 'text', text: 'look' }] },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c1', name: 'list_files', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'a\nb', is_error: false }] },
      { role: 'assistant', content: [{ text: 'and' }, { type: 'tool_use', input: { __unparsed: '["not an object"]' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c2', is_error: true }, { text: 'Stop soon.' }] },
    ])
  })

  it('asks for adaptive thinking only of models that have it', async () => {
    const models = [
      'claude-sonnet-5-5',
      'claude-opus-4-6',
      'claude-haiku-4-5-20251001',
      'claude-opus-4-20250514',
      'claude-fable-5',
      'glm-4.6',
    ]
    const { sent } = await asked(
      [words],
      models.map((model) => ({ ...request, model })),
    )
    expect(sent.map(({ model, thinking }) => [model, thinking !== undefined])).toEqual([
      ['claude-sonnet-5-5', true],
      ['claude-opus-4-6', true],
      ['claude-haiku-4-5-20251001', false],
      ['claude-opus-4-20250514', false],
      ['claude-fable-5', true],
      ['glm-4.6', false],
    ])
  })

  const withReply = (reply: Reply, model = 'test-model'): ModelRequest => ({
    ...request,
    model,
    messages: [
      ...request.messages,
      {
        role: 'assistant',
        text: reply.text,
        calls: reply.calls.map((each, at) => ({ ...each, id: `own${at}` })),
        thinking: reply.thinking,
      },
      { role: 'tool', callId: 'own0', tool: 'list_files', text: 'a', isError: false },
    ],
  })

  it('sends signed thinking back word for word, where it stood', async () => {
    const first = await asked([sse(thinkingCall)], [request])
    const { sent } = await asked([words], [withReply(first.ends[0] as Reply)])
    expect((sent[0]!.messages as { content: object[] }[])[1]!.content).toEqual([
      { type: 'thinking', thinking: 'I should look.', signature: 'c2lnbmVk' },
      { type: 'text', text: 'I look into it.' },
      { type: 'tool_use', id: 'own0', name: 'list_files', input: { path: 'docs/übung', deep: true } },
    ])
  })

  it('sends it neither to another model nor as what another provider left', async () => {
    const first = await asked([sse(thinkingCall)], [request])
    const reply = first.ends[0] as Reply
    const foreign = { ...reply, thinking: { provider: 'openrouter', model: 'test-model', fields: { reasoning: 'x' } } }
    const { sent } = await asked([words], [withReply(reply, 'other-model'), withReply(foreign)])
    for (const body of sent) expect(JSON.stringify(body)).not.toContain('"thinking"')
  })

  it('is sent once more without thinking when the thinking no longer fits its history', async () => {
    const first = await asked([sse(thinkingCall)], [request])
    const refusal = protocol.error(
      'invalid_request_error',
      'messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.',
    )
    const { sent, ends } = await asked([{ status: 400, body: refusal }, words], [withReply(first.ends[0] as Reply)])
    expect(sent.map((body) => JSON.stringify(body).includes('"thinking"'))).toEqual([true, false])
    expect(ends).toMatchObject([{ text: 'ok' }])
    // Without thinking in the history there is nothing to leave out, and nothing to try again.
    const plain = await asked([{ status: 400, body: refusal }], [request])
    expect([plain.sent.length, plain.ends[0]]).toMatchObject([1, { kind: 'bad' }])
  })
})

describe('the default model', () => {
  const code = fileURLToPath(import.meta.resolve('@anthropic-ai/sdk/resources/messages/messages.mjs'))

  it('is the newest Sonnet that the installed SDK lists and does not call deprecated', () => {
    const list = /export type Model = ([^;]+);/.exec(readFileSync(code.replace(/\.mjs$/, '.d.ts'), 'utf8'))?.[1] ?? ''
    const deprecated = /DEPRECATED_MODELS = \{([^}]*)\}/.exec(readFileSync(code, 'utf8'))?.[1] ?? ''
    expect(deprecated).toContain('claude-')
    const version = (name: string) => name.split('-').slice(2, 4).map(Number)
    const sonnets = [...list.matchAll(/'(claude-sonnet-\d+(?:-\d{1,2})?)'/g)]
      .map(([, name]) => name!)
      .filter((name) => !deprecated.includes(`'${name}'`))
      .toSorted((a, b) => version(b)[0]! - version(a)[0]! || (version(b)[1] ?? 0) - (version(a)[1] ?? 0))
    expect(sonnets.length).toBeGreaterThan(1)
    expect(defaultAnthropicModel()).toBe(sonnets[0])
  })

  it('has a window of a million tokens, and an unknown model the smallest of the family', () => {
    const { contextWindow } = anthropic({ apiKey: 'k' })
    expect(contextWindow(defaultAnthropicModel())).toBe(1_000_000)
    expect(contextWindowOf('anthropic', 'claude-someday-9')).toBe(null)
    expect(contextWindow('claude-someday-9')).toBe(200_000)
  })
})
