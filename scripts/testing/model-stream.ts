/** What a service of models sends for one call, in its own protocol. For servers of tests and proofs. */
export type Protocol = 'anthropic' | 'openai'

/** The stream of one call, in pieces as the services send them. */
export function streamOf(protocol: Protocol, call: { name: string; input: unknown }): string {
  const json = JSON.stringify(call.input)
  const pieces = [json.slice(0, 10), json.slice(10, 40), json.slice(40)]
  if (protocol === 'openai') {
    const chunk = (delta: object, finish: string | null = null) =>
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
    const first = { index: 0, id: 'call_1', type: 'function', function: { name: call.name, arguments: '' } }
    return [
      chunk({ role: 'assistant', content: null, tool_calls: [first] }),
      ...pieces.map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
      chunk({}, 'tool_calls'),
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 9, completion_tokens: 9, total_tokens: 18 } })}\n\n`,
      'data: [DONE]\n\n',
    ].join('')
  }
  const event = (type: string, body: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null }
  return [
    event('message_start', { message: { ...message, usage: { input_tokens: 9, output_tokens: 1 } } }),
    event('content_block_start', { index: 0, content_block: { type: 'tool_use', id: 'toolu_1', name: call.name, input: {} } }),
    ...pieces.map((piece) => event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: piece } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } }),
    event('message_stop', {}),
  ].join('')
}
