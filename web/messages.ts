/** Brings each tool call together with its answer. Pure. */
import type { StoredMessage } from '../core/contract/message.ts'

export type Entry = { message: StoredMessage; answers: ReadonlyMap<string, { text: string; isError: boolean }> }
const NONE: Entry['answers'] = new Map()

/** Messages in order; an answer stands with the call that it answers and is not an entry of its own, unless nobody here called. */
export function pairs(messages: readonly StoredMessage[]): Entry[] {
  const called = new Set(messages.flatMap((message) => (message.role === 'assistant' ? message.calls.map((call) => call.id) : [])))
  const answers = new Map<string, { text: string; isError: boolean }>()
  for (const message of messages) {
    if (message.role === 'tool') answers.set(message.callId, { text: message.text, isError: message.isError })
  }
  return messages
    .filter((message) => message.role !== 'tool' || !called.has(message.callId))
    .map((message) => ({ message, answers: message.role === 'assistant' ? answers : NONE }))
}
