/** A model behind HTTP whose answers were written before: the system calls it as it calls Anthropic's. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Conversation = {
  /** The whole system prompt. */
  system: string
  /** The first words of the task. */
  task: string
  tools: readonly string[]
  /** What the tools of the last reply answered, in their order. */
  answers: readonly string[]
  /** Replies that the model gave so far. */
  turn: number
}
export type PreparedAnswer = { text?: string; calls: readonly { tool: string; input: object }[] }

type Block = { type: string; text?: string; content?: unknown }
type Message = { role: string; content: string | Block[] }
type Request = { system?: string | Block[]; messages: Message[]; tools?: { name: string }[] }

const blocksOf = (content: unknown): Block[] => (Array.isArray(content) ? content : [{ type: 'text', text: String(content ?? '') }])
const textOf = (content: unknown): string =>
  blocksOf(content)
    .map((block) => block.text ?? '')
    .join('\n')

function conversationOf({ system, messages, tools = [] }: Request): Conversation {
  const last = blocksOf(messages.at(-1)?.content)
  return {
    system: textOf(system),
    task: textOf(messages[0]?.content),
    tools: tools.map((tool) => tool.name),
    answers: last.flatMap((block) => (block.type === 'tool_result' ? [textOf(block.content)] : [])),
    turn: messages.filter((message) => message.role === 'assistant').length,
  }
}

/** The events of a reply that is streamed. */
function* eventsOf({ text = '', calls }: PreparedAnswer, nth: number): Generator<{ type: string }> {
  const usage = { input_tokens: 1, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 }
  const message = { id: `msg_${nth}`, type: 'message', role: 'assistant', model: 'prepared', content: [], stop_reason: null, usage }
  yield { type: 'message_start', message } as { type: string }
  const blocks = [
    ...(text === '' ? [] : [{ start: { type: 'text', text: '' }, delta: { type: 'text_delta', text } }]),
    ...calls.map(({ tool, input }, i) => ({
      start: { type: 'tool_use', id: `toolu_${nth}_${i}`, name: tool, input: {} },
      delta: { type: 'input_json_delta', partial_json: JSON.stringify(input) },
    })),
  ]
  for (const [index, { start, delta }] of blocks.entries()) {
    yield { type: 'content_block_start', index, content_block: start } as { type: string }
    yield { type: 'content_block_delta', index, delta } as { type: string }
    yield { type: 'content_block_stop', index } as { type: string }
  }
  yield { type: 'message_delta', delta: { stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn', stop_sequence: null }, usage } as {
    type: string
  }
  yield { type: 'message_stop' }
}

/** Listens on a free port of this machine. `close` ends open connections too. */
export async function preparedModel(answer: (conversation: Conversation) => PreparedAnswer): Promise<{ url: string; close(): void }> {
  let replies = 0
  const server = createServer(async (request, reply) => {
    let body = ''
    for await (const piece of request) body += piece
    if (request.method === 'GET') return reply.end(JSON.stringify({ data: [], has_more: false }))
    const said = answer(conversationOf(JSON.parse(body)))
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of eventsOf(said, ++replies)) reply.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    reply.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
