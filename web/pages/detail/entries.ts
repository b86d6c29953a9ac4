/** Messages and facts of a task as the lines of one timeline. Pure. */
import type { Event } from '../../../core/contract/event.ts'
import type { MessagePreview, RunningCall } from '../../../core/contract/live.ts'
import type { StoredMessage, ToolCall } from '../../../core/contract/message.ts'
import { kindOfFact } from './fact-words.ts'

export const KINDS = ['words', 'tools', 'decisions', 'control', 'faults'] as const
export type EntryKind = (typeof KINDS)[number]

export type Assistant = Extract<StoredMessage, { role: 'assistant' }> & { bytes?: number }
export type Answer = Extract<StoredMessage, { role: 'tool' }> & { bytes?: number }
export type Entry =
  | { type: 'message'; key: string; kind: EntryKind; at: number; message: MessagePreview }
  /** `turn`: the message that made the call, where nothing else of it is shown. */
  | {
      type: 'call'
      key: string
      kind: EntryKind
      at: number
      n: number
      call: ToolCall
      answer: Answer | null
      running: RunningCall | null
      turn: Assistant | null
    }
  | { type: 'fact'; key: string; kind: EntryKind; at: number; event: Event }
  /** Messages `from` to `to`, which are not read yet. */
  | { type: 'gap'; key: string; kind: null; at: number; from: number; to: number }

/** Messages that one gap stands for at most: as many as one read brings. */
export const GAP = 200

export function entriesOf(parts: {
  /** By number; what is missing is a gap. */
  messages: ReadonlyMap<number, MessagePreview>
  /** Number of the newest message. */
  total: number
  facts: readonly Event[]
  running: readonly RunningCall[]
}): Entry[] {
  const { messages, total, running } = parts
  const answers = new Map<string, Answer>()
  const called = new Set<string>()
  for (const message of messages.values()) {
    if (message.role === 'tool') answers.set(message.callId, message)
    else if (message.role === 'assistant') for (const call of message.calls) called.add(call.id)
  }
  const said: Entry[] = []
  let at = 0
  for (let n = 1; n <= total; n++) {
    const message = messages.get(n)
    if (!message) {
      const from = n
      while (n < total && !messages.has(n + 1) && n % GAP !== 0) n += 1
      said.push({ type: 'gap', key: `gap${from}`, kind: null, at, from, to: n })
      continue
    }
    at = Date.parse(message.at)
    if (message.role === 'tool') {
      if (!called.has(message.callId)) said.push({ type: 'message', key: `m${n}`, kind: message.isError ? 'faults' : 'tools', at, message })
    } else if (message.role === 'assistant') {
      if (message.text !== '' || message.calls.length === 0) said.push({ type: 'message', key: `m${n}`, kind: 'words', at, message })
      message.calls.forEach((call, i) => {
        const answer = answers.get(call.id) ?? null
        said.push({
          type: 'call',
          key: call.id,
          kind: answer?.isError ? 'faults' : 'tools',
          at,
          n,
          call,
          answer,
          running: running.find((one) => one.id === call.id) ?? null,
          turn: i === 0 && message.text === '' ? message : null,
        })
      })
    } else said.push({ type: 'message', key: `m${n}`, kind: message.role === 'user' ? 'words' : 'control', at, message })
  }
  const facts: Entry[] = parts.facts.flatMap((event): Entry[] => {
    const kind = kindOfFact(event)
    return kind ? [{ type: 'fact', key: `f${event.seq}`, kind, at: Date.parse(event.at), event }] : []
  })
  return merged(said, facts)
}

/** Both in their own order; of the same moment the words come first. */
function merged(said: readonly Entry[], facts: readonly Entry[]): Entry[] {
  const all: Entry[] = []
  let i = 0
  for (const fact of facts) {
    while (i < said.length && said[i]!.at <= fact.at) all.push(said[i++]!)
    all.push(fact)
  }
  return [...all, ...said.slice(i)]
}

/** Whether a call that failed is also seen under tools, and what nobody has read yet always. */
export const isShown = (entry: Entry, kinds: ReadonlySet<EntryKind>): boolean =>
  entry.kind === null || kinds.has(entry.kind) || (entry.type === 'call' && kinds.has('tools'))

/** The line of an event of the address; -1: it is not here. */
export function placeOf(entries: readonly Entry[], event: string): number {
  if (event.startsWith('f')) return entries.findIndex((entry) => entry.key === event)
  const n = Number(event)
  return entries.findIndex((entry) =>
    entry.type === 'gap'
      ? entry.from <= n && n <= entry.to
      : entry.type === 'message'
        ? entry.message.n === n
        : entry.type === 'call' && (entry.n === n || entry.answer?.n === n),
  )
}
