/**
 * How far the watchdog goes, one rung at a time, and when it steps back. Pure. A rung is left when the agent acted on and it changed nothing; any
 * progress ends the episode. Nothing is done to a task that does nothing: a slow model or tool is no reason.
 */
import type { Finding, Rung } from '../../contract/watch.ts'
import type { Trace } from './trace.ts'

/** What is remembered of one task between two looks. Plain data: it is a row. */
export type Memory = {
  trace: Trace
  /** What is the matter, since when the watchdog knows it, and how far it went. Null: nothing is. */
  episode: Episode | null
  /** The last episode that ended, so that a relapse does not begin at the mildest rung again. */
  past: { rung: Rung; replies: number; tried: Rung[] } | null
  /** The agent was told that its time runs out. */
  reminded: boolean
  /** A person, or the supervisor, said that it is fine so: it takes so many times more. */
  patience: number
}
export type Episode = {
  finding: Finding
  seenAt: number
  rung: Rung
  rungAt: number
  /** Rungs that were taken, this one last. */
  tried: Rung[]
  /** Turns that do not count for it: those before it, and one under way that could not know of it. */
  turns: number
  /** Message of the newest step when it was taken. */
  lastStep: number
  supervisor: string | null
}
export const newMemory = (trace: Trace): Memory => ({ trace, episode: null, past: null, reminded: false, patience: 1 })

export type Means = { model: boolean; supervisor: boolean }
export type Next = { do: 'nothing' } | { do: 'climb'; to: Rung; finding: Finding } | { do: 'remind'; finding: Finding } | { do: 'resolved' }
const NOTHING: Next = { do: 'nothing' }

/** Turns that a rung has before it is judged. */
export const TURNS_TO_CHANGE = 2
/** Replies after an episode within which the next one is the same trouble again. */
export const RELAPSE_WITHIN = 20
export const MOST_PATIENCE = 4

/** The rungs in their order; those for which there are no means are left out. */
export function above(rung: Rung | null, means: Means): Rung {
  const order: Rung[] = [
    'nudged',
    ...(means.model ? ['model' as const] : []),
    ...(means.supervisor ? ['supervised' as const] : []),
    'parked',
  ]
  const full: Rung[] = ['nudged', 'model', 'supervised', 'parked']
  const from = rung === null ? -1 : full.indexOf(rung)
  return order.find((one) => full.indexOf(one) > from) ?? 'parked'
}

/** `sign`: what the detectors see now. `intervalMs`: within it a task that goes on as before is held. */
export function nextStep(memory: Memory, sign: Finding | null, now: number, intervalMs: number, means: Means): Next {
  const { episode, trace, past } = memory
  if (episode === null) {
    if (sign === null) return NOTHING
    if (sign.sign === 'deadline') return memory.reminded ? NOTHING : { do: 'remind', finding: sign }
    const relapse = past !== null && trace.replies - past.replies <= RELAPSE_WITHIN
    return { do: 'climb', to: above(relapse ? past.rung : null, means), finding: sign }
  }
  if (episode.rung !== 'nudged' && episode.rung !== 'model') return NOTHING // held: what comes next is somebody's decision
  if (progressed(episode, trace)) return { do: 'resolved' }
  const since = trace.turns - episode.turns
  const isLate = since > 0 && now - episode.seenAt >= intervalMs
  if (since < TURNS_TO_CHANGE && !isLate) return NOTHING
  const finding = sign !== null && sign.sign !== 'deadline' ? sign : episode.finding
  const next = above(episode.rung, means)
  return { do: 'climb', to: isLate && next === 'model' ? above('model', means) : next, finding }
}

/** Since the rung was taken it did something that showed something new, or that waits for what takes its time. */
function progressed(episode: Episode, trace: Trace): boolean {
  const since = trace.steps.filter((step) => step.n > episode.lastStep)
  switch (episode.finding.sign) {
    case 'overflow_loop':
      return (
        since.length >= TURNS_TO_CHANGE && (trace.smaller.every((one) => one.at <= episode.rungAt) || since.every((step) => step.fresh))
      )
    case 'repeated_error':
      return since.some((step) => step.error === null || (step.fresh && step.error !== errorBefore(episode, trace)))
    default:
      return since.some((step) => step.waited || (step.fresh && step.error === null))
  }
}
const errorBefore = (episode: Episode, trace: Trace): string | null =>
  trace.steps.findLast((step) => step.n <= episode.lastStep)?.error ?? null
