/**
 * What the watchdog remembers of one task: its newest steps, by fingerprint and not by text, so that it costs the same after a thousand turns as
 * after ten. A pure fold over facts and the messages that they name; whoever folds sees to it that each comes once.
 */
import { createHash } from 'node:crypto'
import type { Event } from '../../contract/event.ts'
import type { Message } from '../../contract/message.ts'
import { isOver } from '../../contract/task.ts'

/** One reply of the model with the answers to all its calls. */
export type Step = {
  /** Number of the reply's message. */
  n: number
  at: number
  calls: string[]
  tools: string[]
  /** What was done. */
  act: string
  /** What was done together with what came of it. */
  pair: string
  /** All calls failed, with this error; null: something worked. */
  error: string | null
  /** The error as its first words, for people. */
  said: string | null
  /** Nothing like it had been seen before. */
  fresh: boolean
  /** It waited for something that takes its time: a job in the background, or a call that ran long. */
  waited: boolean
}
type Pending = { n: number; at: number; calls: { id: string; tool: string; act: string; input: string }[]; answers: Record<string, Answer> }
type Answer = { print: string; error: string | null; said: string | null; ms: number }

export type Trace = {
  /** Replies of a model that judges; what a rule or a person's playbook repeats is meant so. */
  replies: number
  /** Of these, how many are over: their calls have answers, or they had none. */
  turns: number
  steps: Step[]
  /** Fingerprints of pairs, oldest first. */
  seen: string[]
  pending: Pending | null
  /** The newest replies: true where one called no tool. */
  mute: boolean[]
  muteSince: number | null
  /** Numbers of the replies before which the context was made smaller or found too large, newest last. */
  smaller: { reply: number; at: number }[]
  /** Jobs that run in the background. */
  jobs: string[]
  /** Spend by minute, newest last. */
  spend: { minute: number; tokens: number; costMicros: number }[]
}
export const emptyTrace: Trace = {
  replies: 0,
  turns: 0,
  steps: [],
  seen: [],
  pending: null,
  mute: [],
  muteSince: null,
  smaller: [],
  jobs: [],
  spend: [],
}

/** Steps kept: enough for the longest pattern that is looked for. */
export const STEPS = 24
const SEEN = 96
const MUTE = 30
const SMALLER = 16
export const SPEND_MINUTES = 10
/** A call that ran this long waited for something: its repetition is no loop. */
const LONG_MS = 20_000
const SAID = 200

const print = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 12)

/**
 * Text without what differs each time although nothing changed: ids of tasks and calls, times, durations, addresses in memory. Counts, percentages
 * and sizes stay, because they are progress.
 */
export function plain(text: string, treeId: string): string {
  return text
    .replaceAll(new RegExp(`\\b${treeId}[\\w./]*`, 'g'), '#')
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/g, '#')
    .replace(/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, '#')
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b0x[0-9a-f]+\b/gi, '#')
    .replace(/\b\d+(\.\d+)?\s?(ms|s|sec|seconds)\b/g, '#')
    .replace(/\s+/g, ' ')
    .trim()
}

const keep = <T>(list: readonly T[], one: T, most: number): T[] => [...list, one].slice(-most)

/** `message`: the whole message that a `message.added` names; absent where it is gone or does not matter. `judges`: whether a provider judges. */
export function observe(trace: Trace, event: Event, message: Message | undefined, judges: (provider: string) => boolean): Trace {
  const at = Date.parse(event.at)
  switch (event.type) {
    case 'message.added':
      return message ? heard(trace, event.n, at, message, event.treeId ?? '', judges) : trace
    case 'call.ended':
      return timed(trace, event.callId, event.ms)
    case 'model.called': {
      const minute = Math.floor(at / 60_000)
      const { tokens, costMicros } = event.spend
      const last = trace.spend.at(-1)
      const same = last?.minute === minute ? last : { minute, tokens: 0, costMicros: 0 }
      const rest = trace.spend.filter((one) => one !== last || last.minute !== minute).filter((one) => one.minute > minute - SPEND_MINUTES)
      return { ...trace, spend: [...rest, { minute, tokens: same.tokens + tokens, costMicros: same.costMicros + costMicros }] }
    }
    case 'model.fault':
      return event.kind === 'overflow' ? { ...trace, smaller: keep(trace.smaller, { reply: trace.replies, at }, SMALLER) } : trace
    case 'job.started':
      return { ...trace, jobs: [...trace.jobs.filter((job) => job !== event.job), event.job] }
    case 'job.ended':
      return { ...trace, jobs: trace.jobs.filter((job) => job !== event.job) }
    case 'task.rerun':
      return afresh(trace)
    case 'task.moved':
      // Handed in, opened again, or let go on after a pause: what was before does not count any more. A wait goes on with the same work.
      return event.reason === 'closing' || (event.to === 'pending' && (event.from === 'paused' || isOver(event.from)))
        ? afresh(trace)
        : trace
    default:
      return trace
  }
}

/** Jobs go on, and what was spent was spent. */
export const afresh = (trace: Trace): Trace => ({
  ...emptyTrace,
  replies: trace.replies,
  turns: trace.turns,
  jobs: trace.jobs,
  spend: trace.spend,
})

function heard(trace: Trace, n: number, at: number, message: Message, treeId: string, judges: (provider: string) => boolean): Trace {
  switch (message.role) {
    case 'assistant': {
      if (!judges(message.provider)) return trace
      const isMute = message.calls.length === 0
      const calls = message.calls.map((call) => {
        const input = JSON.stringify(call.input ?? {})
        return { id: call.id, tool: call.tool, act: print(`${call.tool} ${plain(input, treeId)}`), input }
      })
      return {
        ...trace,
        replies: trace.replies + 1,
        turns: trace.turns + (isMute ? 1 : 0),
        mute: keep(trace.mute, isMute, MUTE),
        muteSince: isMute ? (trace.muteSince ?? at) : trace.mute.slice(-3).includes(true) ? trace.muteSince : null,
        pending: isMute ? trace.pending : { n, at, calls, answers: {} },
      }
    }
    case 'tool': {
      const pending = trace.pending
      if (!pending?.calls.some((call) => call.id === message.callId)) return trace
      const text = plain(message.text, treeId)
      const answer: Answer = {
        print: print(text),
        error: message.isError ? print(`${message.tool} ${text}`) : null,
        said: message.isError ? message.text.replace(/\s+/g, ' ').slice(0, SAID) : null,
        ms: pending.answers[message.callId]?.ms ?? 0,
      }
      return { ...trace, pending: { ...pending, answers: { ...pending.answers, [message.callId]: answer } } }
    }
    case 'user':
      // A person's words change what is to be done.
      return message.from === 'person' ? afresh(trace) : trace
    case 'compaction':
      return { ...trace, smaller: keep(trace.smaller, { reply: trace.replies, at }, SMALLER) }
    case 'system':
      return trace
  }
}

/** The call has ended; its reply is a step once all have. */
function timed(trace: Trace, callId: string, ms: number): Trace {
  const pending = trace.pending
  const answer = pending?.answers[callId]
  if (!pending || !answer) return trace
  const answers = { ...pending.answers, [callId]: { ...answer, ms } }
  const all = pending.calls.map((call) => answers[call.id])
  if (all.some((one) => one === undefined)) return { ...trace, pending: { ...pending, answers } }
  const ended = all as Answer[]
  const act = print(pending.calls.map((call) => call.act).join())
  const pair = print([act, ...ended.map((one) => one.print)].join())
  const isJob = (input: string): boolean => trace.jobs.some((job) => input.includes(JSON.stringify(job)))
  const step: Step = {
    n: pending.n,
    at: pending.at,
    calls: pending.calls.map((call) => call.id),
    tools: [...new Set(pending.calls.map((call) => call.tool))],
    act,
    pair,
    error: ended.every((one) => one.error !== null) ? print(ended.map((one) => one.error).join()) : null,
    said: ended.find((one) => one.said !== null)?.said ?? null,
    fresh: !trace.seen.includes(pair),
    waited: pending.calls.every((call) => isJob(call.input)) || ended.some((one) => one.ms >= LONG_MS),
  }
  return {
    ...trace,
    turns: trace.turns + 1,
    pending: null,
    steps: keep(trace.steps, step, STEPS),
    seen: step.fresh ? keep(trace.seen, pair, SEEN) : trace.seen,
  }
}
