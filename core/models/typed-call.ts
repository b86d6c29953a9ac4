/**
 * The model of a test run of one tool: makes the call that a person typed, word for word, then ends the task with its answer. A pure function
 * of the request.
 */
import { noUsage } from '../contract/task.ts'
import type { Provider, Reply } from './provider.ts'

export const TYPED_CALL = 'typed-call'

/** The instruction of a task that is one call. */
export const callText = (tool: string, input: unknown): string =>
  `Call the tool \`${tool}\` once, with exactly these arguments:\n\n${JSON.stringify(input, null, 2)}`

/** Null when the text is no such instruction. */
export function readCallText(text: string): { tool: string; input: unknown } | null {
  const [, tool, body] = /^Call the tool `([a-z][a-z0-9_-]*)` once, with exactly these arguments:\n\n([\s\S]+)$/.exec(text.trim()) ?? []
  if (tool === undefined || body === undefined) return null
  try {
    return { tool, input: JSON.parse(body) }
  } catch {
    return null // cut off, or not written by callText
  }
}

/** end_task takes 100,000 characters. */
const LONGEST = 95_000

export function typedCall(): Provider {
  return {
    name: TYPED_CALL,
    judges: false,
    contextWindow: () => Number.MAX_SAFE_INTEGER,
    async *stream(request, signal) {
      if (signal.aborted) {
        yield { type: 'fault', fault: { kind: 'later', message: 'stopped' } }
        return
      }
      const reply = (calls: Reply['calls']): Reply => ({ text: '', calls, stop: 'tools', usage: noUsage, model: TYPED_CALL })
      const end = (status: 'success' | 'failure', result: string) =>
        reply([{ tool: 'end_task', input: { status, result: result.slice(0, LONGEST) || 'No output.' } }])
      const answers = request.messages.filter((message) => message.role === 'tool')
      const last = answers.at(-1)
      const call = readCallText(request.task.instruction)
      if (call === null)
        yield { type: 'done', reply: end('failure', 'This model only makes the call of a test run; choose another model for the agent.') }
      else if (last === undefined) yield { type: 'done', reply: reply([call]) }
      else yield { type: 'done', reply: end(last.isError ? 'failure' : 'success', last.text) }
    },
  }
}
