/**
 * The signs of a task that does not get on: each a pure function of its trace, in the order in which they are believed. A task that waits (for a
 * tool, a subtask, a person, the model's quota) is never asked about here; see `watchdog.ts`.
 */
import type { Limits } from '../../contract/limits.ts'
import type { Finding, Sign } from '../../contract/watch.ts'
import { SPEND_MINUTES, type Step, type Trace } from './trace.ts'

export type Look = {
  trace: Trace
  now: number
  limits: Pick<Limits, 'tokens' | 'costMicros'>
  createdAt: number
  deadlineAt: number | null
  /** How many times more it takes than usual: the owner's setting, and a person who said that it is fine so. */
  patience: number
}
type Detector = (look: Look) => Finding | null

/** How often something happens before it is a sign. `DEADLINE`: the share of its time after which a task is reminded. */
export const SAME_ACTS = 4
export const SAME_ERRORS = 3
export const LIKE_ERRORS = 5
export const MUTE_REPLIES = 3
export const MUTE_OF = [4, 7] as const
export const TURNS_OF_TWO = 6
export const TIMES_SMALLER = 3
/** Replies within which the context is made smaller so often. */
export const SMALLER_WITHIN = 6
export const NOTHING_NEW = 12
const COST_SHARE = 0.25
const COST_STEPS = 6
const COST_FRESH = 1 / 3
const DEADLINE_SHARE = 0.85

const iso = (ms: number): string => new Date(ms).toISOString()
const found = (sign: Sign, words: string, since: number, steps: readonly Step[]): Finding => ({
  sign,
  words,
  since: iso(since),
  calls: steps.flatMap((step) => step.calls).slice(-12),
})
const toolsOf = (steps: readonly Step[]): string => [...new Set(steps.flatMap((step) => step.tools))].slice(0, 4).join(', ')
/** The newest steps for which it holds, without those that only waited. */
const tail = (steps: readonly Step[], holds: (step: Step) => boolean): Step[] => {
  const acts = steps.filter((step) => !step.waited)
  return acts.slice(acts.findLastIndex((step) => !holds(step)) + 1)
}

const repeatedAction: Detector = ({ trace, patience }) => {
  const last = trace.steps.at(-1)
  if (!last || last.waited) return null
  const same = tail(trace.steps, (step) => step.pair === last.pair)
  if (same.length < SAME_ACTS * patience) return null
  return found(
    'repeated_action',
    `It called ${toolsOf(same)} ${same.length} times in a row with the same arguments and the same answer.`,
    same[0]!.at,
    same,
  )
}

const repeatedError: Detector = ({ trace, patience }) => {
  const last = trace.steps.at(-1)
  if (last?.error == null) return null
  const like = trace.steps.slice(trace.steps.findLastIndex((step) => step.error !== last.error) + 1)
  const same = like.slice(like.findLastIndex((step) => step.act !== last.act) + 1)
  const words = (count: number, how: string) =>
    `${toolsOf(like)} failed ${count} times in a row with the same error${how}: ${last.said ?? ''}`
  if (same.length >= SAME_ERRORS * patience)
    return found('repeated_error', words(same.length, ' for the same arguments'), same[0]!.at, same)
  if (like.length >= LIKE_ERRORS * patience) return found('repeated_error', words(like.length, ''), like[0]!.at, like)
  return null
}

const monologue: Detector = ({ trace, now, patience }) => {
  const { mute } = trace
  const inRow = mute.length - 1 - mute.lastIndexOf(false)
  const [many, of] = MUTE_OF
  const window = mute.slice(-of * patience)
  const count = window.filter(Boolean).length
  // Who thinks aloud between acts that find something new is slow, and no monologue.
  const idle = trace.steps.slice(-Math.max(1, window.length - count)).every((step) => !step.fresh)
  if (inRow < MUTE_REPLIES * patience && (count < many * patience || !idle)) return null
  const words =
    inRow >= MUTE_REPLIES * patience
      ? `It replied ${inRow} times in a row without calling a tool.`
      : `${count} of its last ${window.length} replies called no tool, and the others showed nothing new.`
  return found('monologue', words, trace.muteSince ?? now, [])
}

const pingPong: Detector = ({ trace, patience }) => {
  const acts = trace.steps.filter((step) => !step.waited)
  const [b, a] = [acts.at(-1), acts.at(-2)]
  if (!a || !b || a.pair === b.pair || trace.steps.at(-1)?.waited) return null
  const turns = acts.slice(acts.findLastIndex((step, i) => step.pair !== ((acts.length - 1 - i) % 2 === 0 ? b : a).pair) + 1)
  if (turns.length < TURNS_OF_TWO * patience) return null
  return found(
    'ping_pong',
    `Two states take turns: its last ${turns.length} steps (${toolsOf(turns)}) repeat the same two, with the same answers.`,
    turns[0]!.at,
    turns,
  )
}

const overflowLoop: Detector = ({ trace, patience }) => {
  const within = SMALLER_WITHIN * patience
  const near = trace.smaller.filter((one) => one.reply > trace.replies - within)
  const acts = trace.steps.filter((step) => near[0] !== undefined && step.at >= near[0].at)
  // Large new reads fill a context too; then each time something new was read.
  if (near.length < TIMES_SMALLER * patience || acts.filter((step) => step.fresh).length >= near.length) return null
  const words = `Its context was made smaller or found too large ${near.length} times within ${within} replies, and little new was seen between.`
  return found('overflow_loop', words, near[0]!.at, acts.slice(-3))
}

const noProgress: Detector = ({ trace, patience }) => {
  const stale = trace.steps.slice(trace.steps.findLastIndex((step) => step.fresh) + 1).filter((step) => !step.waited)
  if (stale.length < Math.min(NOTHING_NEW * patience, 22)) return null
  return found(
    'no_progress',
    `Its last ${stale.length} steps (${toolsOf(stale)}) showed nothing that it had not seen before.`,
    stale[0]!.at,
    stale,
  )
}

const costRate: Detector = ({ trace, now, limits, patience }) => {
  const from = Math.floor(now / 60_000) - SPEND_MINUTES
  const recent = trace.spend.filter((one) => one.minute > from)
  const sum = (name: 'tokens' | 'costMicros') => recent.reduce((total, one) => total + one[name], 0)
  const share = Math.max(
    limits.tokens > 0 ? sum('tokens') / limits.tokens : 0,
    limits.costMicros > 0 ? sum('costMicros') / limits.costMicros : 0,
  )
  if (share < COST_SHARE * patience) return null
  const acts = trace.steps.filter((step) => step.at > from * 60_000 && !step.waited)
  const fresh = acts.filter((step) => step.fresh).length
  if (acts.length < COST_STEPS || fresh / acts.length >= COST_FRESH) return null
  const words = `It used ${Math.round(share * 100)} % of the goal's budget in ${SPEND_MINUTES} minutes, and ${acts.length - fresh} of its ${acts.length} steps in that time showed nothing new.`
  return found('cost_rate', words, acts[0]!.at, acts)
}

const deadline: Detector = ({ createdAt, deadlineAt, now, trace }) => {
  if (deadlineAt === null || trace.replies === 0 || now >= deadlineAt) return null
  const reminder = createdAt + (deadlineAt - createdAt) * DEADLINE_SHARE
  if (now < reminder) return null
  return found(
    'deadline',
    `Its time ends at ${iso(deadlineAt).slice(11, 19)} UTC (${Math.max(1, Math.round((deadlineAt - now) / 1_000))} s from now), and it is not done.`,
    reminder,
    [],
  )
}

/** The first that sees something is believed. */
const DETECTORS: readonly Detector[] = [repeatedError, repeatedAction, pingPong, monologue, overflowLoop, costRate, noProgress, deadline]

export function signIn(look: Look): Finding | null {
  for (const detect of DETECTORS) {
    const finding = detect(look)
    if (finding) return finding
  }
  return null
}
