/** One entry of a task's history. Appended, never rewritten; `n` counts from 1 within the task. */
import type { Usage } from './task.ts'

/** `id` is unique in the whole system and derives from the message that asked: `<task>/<n><letter>`. */
export type ToolCall = { id: string; tool: string; input: unknown }

export type Message =
  /** The exact system prompt, by hash of its text; logged when it differs from the one before. */
  | {
      role: 'system'
      promptHash: string
      agent: string
      agentVersion: number
      documents: { name: string; version: number }[]
      tools: string[]
    }
  /**
   * `from` is who speaks. `rewindTo` (a person's rerun): the model no longer sees what lies between that message and this one, that message
   * included. `instruction`: this is what the task has to do from here on, in place of what it was given before. `criteria`: what counts as
   * done, beside the words of a task.
   */
  | {
      role: 'user'
      text: string
      from: 'person' | 'parent' | 'system' | 'child'
      rewindTo?: number
      instruction?: true
      criteria?: string[]
    }
  | {
      role: 'assistant'
      text: string
      calls: ToolCall[]
      /** Opaque blocks that the provider wants back verbatim (signed thinking). */
      thinking?: unknown
      provider: string
      model: string
      usage: Usage | null
      /** null: the price of this model is unknown. */
      costMicros: number | null
      latencyMs: number
    }
  | { role: 'tool'; callId: string; tool: string; text: string; isError: boolean }
  /**
   * Context was made to fit. `cleared`: tool results up to message `upTo` are no longer sent. `summarised`: `text` stands for all messages
   * after the first up to `upTo`. Nothing is deleted from the history.
   */
  | { role: 'compaction'; how: 'cleared' | 'summarised'; upTo: number; text: string; dropped: { messages: number; tokens: number } }

/** A message as it is read back. */
export type StoredMessage = Message & { n: number; at: string }

const letters = 'abcdefghijklmnopqrstuvwxyz'
/** Name of the i-th call of message n. Derived, so that asking again after a crash names the same thing. */
export const callName = (n: number, i: number): string => `${n}${i < 26 ? letters[i] : `z${i}`}`
export const callIdOf = (taskId: string, n: number, i: number): string => `${taskId}/${callName(n, i)}`
/** Id of the k-th subtask that a call started. */
export const childIdOf = (callId: string, k: number): string => {
  const slash = callId.lastIndexOf('/')
  return `${callId.slice(0, slash)}.${callId.slice(slash + 1)}${k === 0 ? '' : k + 1}`
}
