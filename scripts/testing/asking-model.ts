/**
 * A server that speaks the protocol of OpenAI, as a model that asks for what the goal tells it: after the word CALL the goal holds a tool and
 * its arguments as JSON, and there may be several, one after another. Once all are answered it ends its task. With a line of
 * HOLD and a word of its own it waits for `release` before it says its words, and for another one before its call; that is done once for each word,
 * since who judges the work is given the goal too. Everything behind the protocol is the real thing.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export const MODEL = 'asking-model'
export type Call = { tool: string; input: Record<string, unknown> }
/** A goal whose agent says these words and makes this call. */
export const goalOf = (title: string, said: string, ...calls: Call[]): string =>
  [title, '', `SAY ${JSON.stringify(said)}`, ...calls.map((call) => `CALL ${JSON.stringify(call)}`)].join('\n')

type Message = { role: string; content?: unknown }

export async function startAskingModel(): Promise<{ url: string; release(): Promise<void>; close(): Promise<void> }> {
  const held = queue<() => void>()
  const holds = new Set<string>()
  const server = createServer((request, response) => {
    if (request.method === 'GET')
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify({ data: [{ id: MODEL }] }))
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => answer((JSON.parse(body) as { messages: Message[] }).messages, response, held, holds))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    release: async () => (await held.next())(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const END: Call = {
  tool: 'end_task',
  input: { status: 'success', result: 'Done.', verdict: { passed: true, score: 100, reasons: 'It is done.' } },
}
function answer(messages: readonly Message[], response: ServerResponse, held: Queue<() => void>, holds: Set<string>): void {
  const asked = messages.map((one) => (typeof one.content === 'string' ? one.content : JSON.stringify(one.content ?? ''))).join('\n')
  const answered = messages.filter((one) => one.role === 'tool').length
  const isAnswered = answered > 0
  const said = /^SAY (".*")$/m.exec(asked)?.[1]
  const call = [...asked.matchAll(/^CALL (\{.*\})$/gm)][answered]?.[1]
  const next = call !== undefined ? (JSON.parse(call) as Call) : END
  const words = said !== undefined && !isAnswered ? (JSON.parse(said) as string) : 'It is done.'
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: MODEL,
    choices: [{ index: 0, delta, finish_reason }],
  })
  const made = { index: 0, id: `call_${answered}`, type: 'function', function: { name: next.tool, arguments: JSON.stringify(next.input) } }
  response.setHeader('content-type', 'text/event-stream')
  const send = (one: object) => response.write(`data: ${JSON.stringify(one)}\n\n`)
  const finish = () => {
    send(chunk({ tool_calls: [made] }))
    send(chunk({}, 'tool_calls'))
    send({ ...chunk({}), choices: [], usage: { prompt_tokens: 200, completion_tokens: 40, total_tokens: 240 } })
    response.end('data: [DONE]\n\n')
  }
  const say = () => send(chunk({ role: 'assistant', content: words }))
  const hold = /^HOLD (.+)$/m.exec(asked)?.[1]
  if (hold !== undefined && !holds.has(hold)) {
    holds.add(hold)
    response.flushHeaders()
    held.add(() => {
      say()
      held.add(finish)
    })
  } else {
    say()
    finish()
  }
}

type Queue<T> = { add(item: T): void; next(): Promise<T> }
/** Each item is had once, by who waits for it or comes later. */
function queue<T>(): Queue<T> {
  const items: T[] = []
  const waiting: ((item: T) => void)[] = []
  return {
    add: (item) => {
      const first = waiting.shift()
      if (first) first(item)
      else items.push(item)
    },
    next: () => new Promise((resolve) => (items.length > 0 ? resolve(items.shift()!) : void waiting.push(resolve))),
  }
}
