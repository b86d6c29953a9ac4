import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { defaultOpenaiModel, FIRST_MODEL, openai } from './openai.ts'
import { estimateMicros } from './prices.ts'
import { type Protocol, providerSuite, request, serve, stream } from './provider.suite.ts'
import { drain, type ModelFault, type ModelRequest, type Reply } from './provider.ts'

type Chunk = Record<string, unknown>
const sse = (chunks: Chunk[], end = 'data: [DONE]\n\n') => chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('') + end
const chunk = (delta: object, finish_reason: string | null = null, more: object = {}): Chunk => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'test-model-1',
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
})
const counted: Chunk = {
  ...chunk({}),
  choices: [],
  usage: {
    prompt_tokens: 320,
    completion_tokens: 42,
    total_tokens: 362,
    prompt_tokens_details: { cached_tokens: 300, cache_write_tokens: 9 },
    completion_tokens_details: { reasoning_tokens: 17 },
  },
}
const usage = { input: 11, output: 42, reasoning: 17, cacheRead: 300, cacheWrite: 9 }
const piece = (index: number, json: string, name?: string) => ({
  index,
  ...(name ? { id: `call_${index}`, type: 'function' } : {}),
  function: { ...(name ? { name } : {}), arguments: json },
})

const protocol: Protocol = {
  name: 'openai',
  make: ({ baseUrl, idleTimeoutMs }) =>
    openai({ name: 'openai', apiKey: 'secret-key', baseUrl, ...(idleTimeoutMs ? { idleTimeoutMs } : {}) }),
  keepAlive: ': OPENROUTER PROCESSING\n\n',
  error: (type, message) => JSON.stringify({ error: { message, type, param: null, code: type } }),
  tooLong: [
    {
      status: 400,
      type: 'context_length_exceeded',
      message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
    },
    { status: 400, type: 'exceed_context_size_error', message: 'the request exceeds the available context size, try increasing it' },
    { status: 400, type: 'invalid_request_error', message: 'input length exceeds the context length' },
    { status: 500, type: 'api_error', message: 'prompt is too long for the context window of 4096' },
  ],
  unpaid: [
    { status: 429, type: 'insufficient_quota', message: 'You exceeded your current quota, please check your plan and billing details.' },
    { status: 402, type: 'payment', message: 'Insufficient credits. Add more using https://openrouter.ai/credits' },
  ],
  recordings: {
    text: {
      name: 'words, among comments',
      endMark: '"finish_reason":"stop"}]}',
      body: `: OPENROUTER PROCESSING\n\n${sse([
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'Es ist schön' }),
        chunk({ content: ' hier.\n', brand_new_field: 1 }),
        chunk({}, 'stop'),
        counted,
      ])}`,
      reply: { text: 'Es ist schön hier.\n', stop: 'end', usage, model: 'test-model-1' },
    },
    call: {
      name: 'a call in pieces after reasoning',
      endMark: '"finish_reason":"tool_calls"}]}',
      body: sse([
        chunk({ role: 'assistant', content: null, reasoning_content: 'I should ' }),
        chunk({ reasoning_content: 'look.' }),
        chunk({ content: 'I look into it.' }),
        chunk({ tool_calls: [piece(0, '', 'list_files')] }),
        chunk({ tool_calls: [piece(0, '{"path": "do')] }),
        chunk({ tool_calls: [piece(0, 'cs/übung", "deep": true}')] }),
        chunk({}, 'tool_calls'),
        counted,
      ]),
      reply: {
        text: 'I look into it.',
        calls: [{ tool: 'list_files', input: { path: 'docs/übung', deep: true } }],
        stop: 'tools',
        usage,
      },
      thinking: 'I should look.',
    },
    parallel: {
      name: 'two calls at once',
      endMark: '"finish_reason":"tool_calls"}]}',
      body: sse([
        chunk({ tool_calls: [piece(0, '{}', 'list_files')] }),
        chunk({ tool_calls: [piece(1, '{"path":', 'read_file')] }),
        chunk({ tool_calls: [piece(1, '"a"}')] }),
        chunk({}, 'tool_calls'),
        counted,
      ]),
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
    local: {
      name: "a local server's calls: whole, without index and id, ended by stop, uncounted, no end line",
      endMark: '"finish_reason":"stop"}],"usage":null}',
      body: sse(
        [
          chunk(
            {
              tool_calls: [
                { function: { name: 'read_file', arguments: '{"path":"a"}' } },
                { function: { name: 'read_file', arguments: { path: 'b' } } },
              ],
            },
            null,
            { usage: null },
          ),
          chunk({ content: '' }, 'stop', { usage: null }),
        ],
        '',
      ),
      reply: {
        calls: [
          { tool: 'read_file', input: { path: 'a' } },
          { tool: 'read_file', input: { path: 'b' } },
        ],
        stop: 'tools',
        usage: null,
      },
    },
    written: {
      name: 'a call that a weak model wrote as text',
      endMark: '"finish_reason":"stop"}]}',
      body: sse([chunk({ content: '{"name": "read_file", ' }), chunk({ content: '"arguments": {"path": "a"}}' }), chunk({}, 'stop')]),
      reply: { text: '', calls: [{ tool: 'read_file', input: { path: 'a' } }], stop: 'tools', usage: null },
    },
  },
}

providerSuite(protocol)

type Answer = string | { status: number; body: string }
/** Answers every request with the next body and keeps what was asked. */
async function asked(bodies: Answer[], requests: ModelRequest[], name = 'openai', apiKey: string | undefined = 'secret-key') {
  const sent: { body: Record<string, unknown>; headers: Record<string, unknown>; url: string }[] = []
  const server = await serve((req, res, body) => {
    sent.push({ body: body ? JSON.parse(body) : {}, headers: req.headers, url: req.url ?? '' })
    const next = bodies.length > 1 ? bodies.shift()! : bodies[0]!
    if (typeof next === 'string') stream(res).end(next)
    else res.writeHead(next.status, { 'content-type': 'application/json' }).end(next.body)
  })
  const provider = openai({ name, apiKey, baseUrl: `${server.url}/v1` })
  const ends: (Reply | ModelFault)[] = []
  for (const each of requests) ends.push(await drain(provider.stream(each, new AbortController().signal)))
  await server.close()
  return { sent, ends }
}
const words = sse([chunk({ content: 'ok' }), chunk({}, 'stop'), counted])

describe('the reply of a stream', () => {
  const replyOf = async (chunks: Chunk[], name = 'openai') => (await asked([sse(chunks)], [request], name)).ends[0]!
  const calls = (...deltas: object[][]) => replyOf([...deltas.map((tool_calls) => chunk({ tool_calls })), chunk({}, 'tool_calls')])
  const a = { tool: 'read_file', input: { path: 'a' } }
  const b = { tool: 'read_file', input: { path: 'b' } }
  const whole = (path: string, more: object = {}) => ({ ...more, function: { name: 'read_file', arguments: `{"path":"${path}"}` } })

  it.each([
    ['all numbered 0 under ids of their own', [[whole('a', { index: 0, id: 'x' })], [whole('b', { index: 0, id: 'y' })]], [a, b]],
    ['all numbered 0 without ids', [[whole('a', { index: 0 })], [whole('b', { index: 0 })]], [a, b]],
    [
      'with the name in every piece',
      ['{"pa', 'th":', '"a"}'].map((json) => [{ index: 0, id: 'x', function: { name: 'read_file', arguments: json } }]),
      [a],
    ],
    [
      'with a new id in every piece',
      [
        [{ index: 0, id: 'x', function: { name: 'read_file', arguments: '{"path"' } }],
        [{ index: 0, id: 'y', function: { arguments: ':"a"}' } }],
      ],
      [a],
    ],
    [
      'in turns',
      [
        [piece(0, '{"path":', 'read_file'), piece(1, '{"path":', 'read_file')],
        [piece(1, '"b"}'), piece(0, '"a"}')],
      ],
      [a, b],
    ],
    ['without arguments', [[{ index: 0, id: 'x', function: { name: 'list_files' } }]], [{ tool: 'list_files', input: {} }]],
    ['with broken arguments', [[piece(0, "{'path': 'a',}", 'read_file')]], [a]],
    ['with half arguments', [[piece(0, '{"path": "a', 'read_file')]], [{ tool: 'read_file', input: { __unparsed: '{"path": "a' } }]],
  ])('takes calls that come %s', async (_, deltas, expected) => {
    expect(await calls(...(deltas as object[][]))).toMatchObject({ calls: expected, stop: 'tools' })
  })

  it('leaves out a call that the length limit cut', async () => {
    const cut = [chunk({ tool_calls: [piece(0, '{"path":"a"}', 'read_file'), piece(1, '{"path":"b', 'read_file')] }), chunk({}, 'length')]
    expect(await replyOf(cut)).toMatchObject({ calls: [a], stop: 'length' })
  })

  it('has no calls when a filter stopped it', async () => {
    expect(await replyOf([chunk({ tool_calls: [piece(0, '{"path":"a"}', 'read_file')] }), chunk({}, 'content_filter')])).toMatchObject({
      calls: [],
      stop: 'refusal',
    })
  })

  it('is the fault that an error in the stream names', async () => {
    const broken = (error: object) => [chunk({ content: 'half' }), { ...chunk({}, 'error'), error }]
    expect(await replyOf(broken({ code: 502, message: 'Provider disconnected' }))).toMatchObject({ kind: 'later' })
    expect(await replyOf(broken({ code: 'server_error', message: 'Provider disconnected' }))).toMatchObject({ kind: 'later' })
    expect(await replyOf(broken({ code: 402, message: 'Insufficient credits' }))).toMatchObject({ kind: 'refused' })
    expect(await replyOf(broken({ code: 'context_length_exceeded', message: 'too many' }))).toMatchObject({ kind: 'overflow' })
    expect(await replyOf([chunk({ content: 'half' }), chunk({}, 'error')])).toMatchObject({ kind: 'later' })
  })

  it('has the cost that OpenRouter charged, and with an own key the bill of the maker too', async () => {
    const billed = (more: object) => [
      chunk({ content: 'ok' }),
      chunk({}, 'stop'),
      { ...counted, usage: { ...(counted.usage as object), ...more } },
    ]
    expect(await replyOf(billed({ cost: 0.0012345 }), 'openrouter')).toMatchObject({ reportedCostMicros: 1235 })
    expect(
      await replyOf(billed({ cost: 0.0001, is_byok: true, cost_details: { upstream_inference_cost: 0.002 } }), 'openrouter'),
    ).toMatchObject({
      reportedCostMicros: 2100,
    })
    expect(await replyOf(billed({}))).not.toHaveProperty('reportedCostMicros')
  })
})

describe('the request', () => {
  const history: ModelRequest = {
    ...request,
    messages: [
      { role: 'user', text: 'look' },
      { role: 'assistant', text: '', calls: [{ id: 'c1', tool: 'list_files', input: { path: '.' } }] },
      { role: 'tool', callId: 'c1', tool: 'list_files', text: 'no such folder', isError: true },
    ],
  }

  it('is what the protocol asks for', async () => {
    const { sent } = await asked([words], [history])
    expect(sent[0]).toMatchObject({
      url: '/v1/chat/completions',
      headers: { authorization: 'Bearer secret-key' },
      body: {
        model: 'test-model',
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 1000,
        tools: [{ type: 'function', function: { name: 'list_files' } }, {}],
        messages: [
          { role: 'system', content: 'You work on one task.' },
          { role: 'user', content: 'look' },
          { role: 'assistant', content: null, tool_calls: [{ id: 'c1', function: { name: 'list_files', arguments: '{"path":"."}' } }] },
          { role: 'tool', tool_call_id: 'c1', content: 'ERROR: no such folder' },
        ],
      },
    })
    expect(sent[0]!.body).not.toHaveProperty('usage')
  })

  it('asks OpenRouter for the cost and says who asks', async () => {
    const { sent } = await asked([words], [history], 'openrouter')
    expect(sent[0]).toMatchObject({
      body: { usage: { include: true } },
      headers: { 'x-title': 'Banyan', 'http-referer': expect.any(String) },
    })
  })

  it('carries no key where there is none', async () => {
    const server = await serve(
      (req, res) => void stream(res).end(sse([chunk({ content: String(req.headers.authorization) }), chunk({}, 'stop')])),
    )
    const provider = openai({ name: 'openai-compatible', apiKey: undefined, baseUrl: server.url })
    expect(await drain(provider.stream(request, new AbortController().signal))).toMatchObject({ text: 'undefined' })
    await server.close()
  })

  it.each([
    ['reasoning_content', [{ reasoning_content: 'I ' }, { reasoning_content: 'see' }], { reasoning_content: 'I see' }],
    ['reasoning', [{ reasoning: 'I ' }, { reasoning: 'see' }], { reasoning: 'I see' }],
    [
      'reasoning_details',
      [
        { reasoning: 'I ', reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'I ', signature: null }] },
        { reasoning: 'see', reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'see', signature: 'sig' }] },
        { reasoning_details: [{ type: 'reasoning.encrypted', index: 1, data: 'abc' }] },
      ],
      {
        reasoning_details: [
          { type: 'reasoning.text', index: 0, text: 'I see', signature: 'sig' },
          { type: 'reasoning.encrypted', index: 1, data: 'abc' },
        ],
      },
    ],
  ])('sends %s back as it came, to the same model only', async (_, deltas, fields) => {
    const body = sse([...deltas.map((delta) => chunk(delta)), chunk({ content: 'ok' }), chunk({}, 'stop')])
    const { thinking } = (await asked([body], [request])).ends[0] as Reply
    const next = (model: string): ModelRequest => ({
      ...request,
      model,
      messages: [...request.messages, { role: 'assistant', text: 'ok', calls: [], thinking }, { role: 'user', text: 'go on' }],
    })
    const { sent } = await asked([words], [next('test-model'), next('other-model')])
    const assistants = sent.map(({ body }) => (body.messages as object[])[2])
    expect(assistants).toEqual([
      { role: 'assistant', content: 'ok', ...fields },
      { role: 'assistant', content: 'ok' },
    ])
  })

  it('goes out once more without reasoning where OpenAI wants that for tools, and remembers it', async () => {
    const refusal = protocol.error(
      'invalid_request_error',
      "Function tools with reasoning_effort are not supported for gpt-6-sol in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
    )
    const { sent, ends } = await asked([{ status: 400, body: refusal }, words], [request, request])
    expect(sent.map(({ body }) => body.reasoning_effort)).toEqual([undefined, 'none', 'none'])
    expect(ends).toMatchObject([{ text: 'ok' }, { text: 'ok' }])
    expect((await asked([{ status: 400, body: refusal }], [request])).ends).toMatchObject([{ kind: 'bad' }])
  })

  it('takes the first model that the server lists when told to, and asks for the list once', async () => {
    const list = { status: 200, body: JSON.stringify({ object: 'list', data: [{ id: 'llama', object: 'model' }, { id: 'other' }] }) }
    const first = { ...request, model: FIRST_MODEL }
    const { sent, ends } = await asked([list, words], [first, first])
    expect(sent.map(({ url, body }) => [url, body.model])).toEqual([
      ['/v1/models', undefined],
      ['/v1/chat/completions', 'llama'],
      ['/v1/chat/completions', 'llama'],
    ])
    expect(ends[1]).toMatchObject({ text: 'ok' })
  })

  it('tells a person when the server has no model at all', async () => {
    const { ends } = await asked([{ status: 200, body: '{"object":"list","data":[]}' }], [{ ...request, model: FIRST_MODEL }])
    expect(ends[0]).toMatchObject({ kind: 'refused', message: expect.stringContaining('set MODEL') })
  })
})

it('has a default model that the installed SDK lists and whose price is known', () => {
  const code = fileURLToPath(import.meta.resolve('openai/resources/shared.mjs'))
  const list = /export type ChatModel = ([^;]+);/.exec(readFileSync(code.replace(/\.mjs$/, '.d.ts'), 'utf8'))?.[1] ?? ''
  expect(list).toContain(`'${defaultOpenaiModel()}'`)
  expect(estimateMicros('openai', defaultOpenaiModel(), 1_000_000, 0)).toBeGreaterThan(0)
})

it('says how a base URL looks when it is given none', () => {
  expect(() => openai({ name: 'openai-compatible', apiKey: undefined, baseUrl: 'localhost' })).toThrow(/not a URL; it looks like http/)
})
