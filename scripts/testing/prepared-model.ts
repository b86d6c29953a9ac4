/** A model behind HTTP whose answers were written before: the system calls it as it calls any provider that speaks like OpenAI. */
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

type Message = { role: string; content: unknown }
const textOf = (content: unknown): string =>
  typeof content === 'string' ? content : Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? '').join('\n') : ''

function conversationOf(request: { messages: Message[]; tools?: { function: { name: string } }[] }): Conversation {
  const { messages } = request
  const last = messages.findLastIndex((message) => message.role === 'assistant')
  const of = (role: string) => messages.filter((message) => message.role === role)
  return {
    system: of('system')
      .map(({ content }) => textOf(content))
      .join('\n'),
    task: textOf(of('user')[0]?.content),
    tools: (request.tools ?? []).map((tool) => tool.function.name),
    answers: messages.slice(last + 1).flatMap(({ role, content }) => (role === 'tool' ? [textOf(content)] : [])),
    turn: of('assistant').length,
  }
}

/** Listens on a free port of this machine. `close` ends open connections too. */
export async function preparedModel(answer: (conversation: Conversation) => PreparedAnswer): Promise<{ url: string; close(): void }> {
  let calls = 0
  const server = createServer(async (request, reply) => {
    let body = ''
    for await (const piece of request) body += piece
    if (request.method === 'GET') return reply.end(JSON.stringify({ object: 'list', data: [{ id: 'prepared', object: 'model' }] }))
    const said = answer(conversationOf(JSON.parse(body)))
    const chunk = (delta: object, more: object = {}) =>
      reply.write(
        `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'prepared', choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`,
      )
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    chunk({ role: 'assistant', content: said.text ?? '' })
    for (const [index, { tool, input }] of said.calls.entries())
      chunk({
        tool_calls: [{ index, id: `call_${++calls}`, type: 'function', function: { name: tool, arguments: JSON.stringify(input) } }],
      })
    chunk({}, { finish_reason: said.calls.length > 0 ? 'tool_calls' : 'stop' })
    reply.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 0, model: 'prepared', choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } })}\n\n`,
    )
    reply.end('data: [DONE]\n\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
