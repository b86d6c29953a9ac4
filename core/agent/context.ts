/**
 * What of a task's history the model sees next, and how it is made to fit. Pure. The history itself is never changed: rewinds and
 * compactions are entries in it that say what is no longer sent.
 */
import { estimateTokenCount } from 'tokenx'
import type { Message, StoredMessage } from '../contract/message.ts'
import { withCriteria } from '../contract/task.ts'
import type { RequestMessage } from '../models/provider.ts'

/** Tool results of this many newest replies are never cleared. */
const KEEP_ROUNDS = 4
/** A cleared result of fewer characters would save nothing. */
const WORTH_CLEARING = 400
/** Share of the window that a request may fill before it is made smaller. */
export const FILL = 0.75

/** Ids that every provider takes. */
const wireId = (callId: string): string => `call_${callId.slice(callId.lastIndexOf('/') + 1)}`

/**
 * The conversation of one claim as it grows. What lies before the newest reply is settled and kept with its size, so that turn 1,000 costs
 * what turn 10 costs; a rewind or a compaction builds it anew.
 */
export function openConversation() {
  const history: StoredMessage[] = []
  /** `entries` is the history without what is no longer sent; its first `from` entries are in `settled`. */
  const sent = { entries: [] as StoredMessage[], clearedUpTo: 0, settled: [] as RequestMessage[], tokens: 0, from: 0 }
  let promptHash: string | null = null
  /** Tokens of the texts of the newest request: what is settled next was among them, and counting is the dearest part of a turn's request. */
  let counted = new Map<string, number>()

  return {
    history: history as readonly StoredMessage[],
    last: (): number => history.at(-1)?.n ?? 0,
    /** Hash of the newest logged system prompt. */
    promptHash: (): string | null => promptHash,

    add(messages: readonly StoredMessage[]): void {
      if (messages.length === 0) return
      history.push(...messages)
      for (const m of messages) if (m.role === 'system') promptHash = m.promptHash
      if (messages.some((m) => m.role === 'compaction' || (m.role === 'user' && m.rewindTo !== undefined))) {
        const anew = visible(history)
        Object.assign(sent, { entries: anew.seen, clearedUpTo: anew.clearedUpTo, settled: [], tokens: 0, from: 0 })
      } else sent.entries.push(...messages)
      const newest = sent.entries.findLastIndex((m) => m.role === 'assistant')
      if (newest <= sent.from) return
      const more = render(sent.entries.slice(sent.from, newest), sent.clearedUpTo)
      sent.settled.push(...more)
      sent.tokens += sizeOf(more, (text) => counted.get(text) ?? estimateTokenCount(text))
      sent.from = newest
    },

    /** What the model gets now, and its size by rule of thumb. */
    request(): { messages: RequestMessage[]; tokens: number } {
      const tail = render(sent.entries.slice(sent.from), sent.clearedUpTo)
      const before = counted
      counted = new Map()
      const tokens = sizeOf(tail, (text) => {
        const known = before.get(text) ?? estimateTokenCount(text)
        counted.set(text, known)
        return known
      })
      return { messages: [...sent.settled, ...tail], tokens: sent.tokens + tokens }
    },
  }
}
export type Conversation = ReturnType<typeof openConversation>

/** The conversation as the provider gets it: answers right behind the reply that asked, words that came in between after them. */
export function conversation(history: readonly StoredMessage[]): RequestMessage[] {
  const { seen, clearedUpTo } = visible(history)
  return render(seen, clearedUpTo)
}

function render(seen: readonly StoredMessage[], clearedUpTo: number): RequestMessage[] {
  const out: RequestMessage[] = []
  const answers = new Map<string, Extract<StoredMessage, { role: 'tool' }>>()
  for (const message of seen) if (message.role === 'tool') answers.set(message.callId, message)
  for (const message of seen) {
    if (message.role === 'user') out.push({ role: 'user', text: voiced(message) })
    else if (message.role === 'compaction') out.push({ role: 'user', text: message.text })
    else if (message.role === 'assistant') {
      const calls = message.calls.filter((call) => answers.has(call.id))
      if (!message.text && calls.length === 0 && message.thinking === undefined) continue
      out.push({
        role: 'assistant',
        text: message.text || (calls.length === 0 ? '…' : ''),
        calls: calls.map((call) => ({ id: wireId(call.id), tool: call.tool, input: call.input })),
        ...(message.thinking === undefined ? {} : { thinking: message.thinking }),
      })
      for (const call of calls) {
        const answer = answers.get(call.id)!
        const cleared = answer.n <= clearedUpTo && answer.text.length > WORTH_CLEARING
        out.push({
          role: 'tool',
          callId: wireId(call.id),
          tool: answer.tool,
          text: cleared ? `[Cleared to save room: ${answer.text.length} characters. Call the tool again if you need it.]` : answer.text,
          isError: answer.isError,
        })
      }
    }
  }
  return out
}

/** Words that are not the task's giver's say whose they are. */
function voiced(message: Extract<Message, { role: 'user' }>): string {
  if (message.from === 'system') return `[From the system] ${message.text}`
  if (message.from === 'child') return `[From a subtask] ${message.text}`
  return withCriteria(message.text, message.criteria)
}

function visible(history: readonly StoredMessage[]): { seen: StoredMessage[]; clearedUpTo: number } {
  let seen: StoredMessage[] = []
  let clearedUpTo = 0
  for (const message of history) {
    if (message.role === 'user' && message.rewindTo !== undefined) {
      const from = message.rewindTo
      const task = message.instruction ? undefined : seen.find((m) => m.n === 1 || (m.role === 'user' && m.instruction))
      seen = seen.filter((m) => m.n < from || m === task) // the task itself stays
    }
    if (message.role === 'compaction') {
      if (message.how === 'cleared') {
        clearedUpTo = Math.max(clearedUpTo, message.upTo)
        continue
      }
      const first = seen[0]
      seen = [...(first ? [first] : []), message, ...seen.filter((m) => m.n > message.upTo && m !== first)]
      continue
    }
    seen.push(message)
  }
  return { seen, clearedUpTo }
}

/** Tokens of a text by rule of thumb (within about a tenth of the real count for English and code). */
export const estimateTokens = (text: string): number => estimateTokenCount(text)
type Count = (text: string) => number
const sizeOf = (messages: readonly RequestMessage[], count: Count = estimateTokenCount): number =>
  messages.reduce((sum, m) => sum + tokensOfMessage(m, count), 0)
const tokensOfMessage = (m: RequestMessage, count: Count): number =>
  4 + count(m.text) + (m.role === 'assistant' ? m.calls.reduce((sum, c) => sum + 10 + count(JSON.stringify(c.input ?? {})), 0) : 0)

/** The first remedy: old tool results go. null: nothing worth clearing is left. */
export function clearing(history: readonly StoredMessage[]): Extract<Message, { role: 'compaction' }> | null {
  const { seen, clearedUpTo } = visible(history)
  const replies = seen.filter((m) => m.role === 'assistant')
  const keepFrom = replies.at(-KEEP_ROUNDS)?.n ?? 0
  const old = seen.filter((m) => m.role === 'tool' && m.n > clearedUpTo && m.n < keepFrom && m.text.length > WORTH_CLEARING)
  if (old.length === 0) return null
  const tokens = old.reduce((sum, m) => sum + ('text' in m ? estimateTokenCount(m.text) : 0), 0)
  return {
    role: 'compaction',
    how: 'cleared',
    upTo: old.at(-1)!.n,
    text: `Results of ${old.length} older tool calls are no longer sent.`,
    dropped: { messages: old.length, tokens },
  }
}

export type Summarisable = { upTo: number; text: string; dropped: { messages: number; tokens: number } }

/** The second remedy: what to summarise, keeping as many of the newest rounds as fit into `room` tokens. null: even the newest alone does not. */
export function summarising(history: readonly StoredMessage[], room: number): Summarisable | null {
  const { seen } = visible(history)
  const replies = seen.filter((m) => m.role === 'assistant')
  for (let rounds = KEEP_ROUNDS; rounds >= 1; rounds--) {
    const keepFrom = replies.at(-rounds)?.n
    if (keepFrom === undefined) continue
    const kept = conversation([...seen.slice(0, 1), ...seen.filter((m) => m.n >= keepFrom)])
    if (sizeOf(kept) > room) continue
    const old = seen.slice(1).filter((m) => m.n < keepFrom)
    if (old.length < 2) continue
    const text = old.map(asText).filter(Boolean).join('\n\n')
    return { upTo: old.at(-1)!.n, text, dropped: { messages: old.length, tokens: estimateTokenCount(text) } }
  }
  return null
}

function asText(message: StoredMessage): string {
  switch (message.role) {
    case 'user':
      return `## Said to the agent (${message.from})\n${message.text}`
    case 'assistant':
      return `## The agent\n${message.text.slice(0, 4_000)}\n${message.calls.map((c) => `→ ${c.tool} ${JSON.stringify(c.input).slice(0, 2_000)}`).join('\n')}`.trim()
    case 'tool':
      return `## Answer of ${message.tool}${message.isError ? ' (error)' : ''}\n${message.text.slice(0, 4_000)}`
    case 'compaction':
      return message.how === 'summarised' ? message.text : ''
    case 'system':
      return ''
  }
}

export const SUMMARISE = `You shorten the record of an agent's work so that it can go on with less text. Keep, in the agent's own terms: what it has found out (facts, numbers, paths, names, exact error texts), what it has done and what came of it, what it decided and why, what a person told it, and what it meant to do next. Leave out greetings, repetition and tool output that led nowhere. Write plain notes of at most 800 words. Answer with the notes only.`
export const summaryMessage = (notes: string): string =>
  `[From the system] Your older messages were replaced by these notes to save room:\n\n${notes}`
