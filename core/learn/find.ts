/**
 * Finds lessons in the history of commands. Pure. A lesson needs cases of at least two goals: what happened in one may be that goal's own
 * fault.
 */
import { type LessonChange, programOf } from '../contract/learning.ts'
import { patternOf } from './errors.ts'

/** One run of a command. `typed`: a person wrote it, so running it again changes nothing more. */
export type Run = {
  treeId: string
  taskId: string
  callId: string
  line: string
  /** Time limit that the call named itself. */
  limited: boolean
  begunAt: number
  endedAt: number
  outcome: 'ok' | 'failed' | 'timed_out'
  /** Seconds of the limit that ended it. */
  limitSeconds: number | null
  /** What it wrote to standard error, or else its output; '' where it went well. */
  error: string
}
export type Case = { treeId: string; taskId: string; callId: string | null; words?: string | undefined }
export type Found = {
  change: LessonChange
  title: string
  why: string
  /** Calls or tasks that show it, the newest last; `words`: what was said there. */
  cases: Case[]
}

/** Cases, and goals that they are of, from which a lesson is one. */
export const CASES = 3
export const GOALS = 2
/** Share of those who tried again that must have come through. */
export const PASSED = 0.5
const LONGEST_LIMIT = 3_600
const MOST_REPEATS = 5
/** Who comes again at once meets the same others. */
const LEAST_WAIT_MS = 300

export function findLessons(runs: readonly Run[]): Found[] {
  return [...repeatsIn(runs), ...limitsIn(runs)]
}

/** Errors after which the very same command of the same goal went well in the end. */
function repeatsIn(runs: readonly Run[]): Found[] {
  const series = new Map<string, Run[]>()
  for (const run of [...runs].sort((a, b) => a.begunAt - b.begunAt)) {
    const key = `${run.treeId}\n${run.line}`
    series.set(key, [...(series.get(key) ?? []), run])
  }
  const errors = new Map<string, { passed: { run: Run; waitMs: number; tries: number }[]; stayed: number }>()
  for (const one of series.values()) {
    const end = one.findIndex((run) => run.outcome === 'ok')
    const failed = one.slice(0, end < 0 ? undefined : end)
    // Who was tried once says nothing of what another try would do.
    if (failed.length === 0 || one.length === 1) continue
    for (const [error, first] of firstOfEach(failed)) {
      const kind = errors.get(error) ?? { passed: [], stayed: 0 }
      errors.set(error, kind)
      if (end < 0) kind.stayed++
      else kind.passed.push({ run: first, waitMs: one[one.indexOf(first) + 1]!.begunAt - first.endedAt, tries: failed.length })
    }
  }
  return [...errors].flatMap(([error, { passed, stayed }]) => {
    const goals = new Set(passed.map(({ run }) => run.treeId)).size
    if (passed.length < CASES || goals < GOALS || passed.length / (passed.length + stayed) < PASSED) return []
    const times = Math.min(MOST_REPEATS, Math.max(...passed.map(({ tries }) => tries)) + 1)
    const waitMs = Math.min(10_000, Math.max(LEAST_WAIT_MS, median(passed.map((one) => one.waitMs)) ?? 0))
    return [
      {
        change: { kind: 'repeat', repeat: { error, times, waitMs: Math.round(waitMs / 100) * 100 } },
        title: `Repeat a command that failed with: ${error}`,
        why: `${passed.length} commands in ${goals} goals failed with it and went well when they were done again; ${stayed} did not.`,
        cases: passed.map(({ run: { treeId, taskId, callId } }) => ({ treeId, taskId, callId })),
      },
    ]
  })
}
function firstOfEach(failed: readonly Run[]): Map<string, Run> {
  const first = new Map<string, Run>()
  for (const run of failed) {
    const error = run.outcome === 'failed' ? patternOf(run.error) : null
    if (error !== null && !first.has(error)) first.set(error, run)
  }
  return first
}

/** Programs that ran into a limit that nobody had chosen. */
function limitsIn(runs: readonly Run[]): Found[] {
  const programs = new Map<string, Run[]>()
  for (const run of runs) {
    const program = programOf(run.line)
    if (program !== null) programs.set(program, [...(programs.get(program) ?? []), run])
  }
  return [...programs].flatMap(([program, all]) => {
    const cut = all.filter((run) => run.outcome === 'timed_out' && !run.limited)
    const goals = new Set(cut.map((run) => run.treeId)).size
    if (cut.length < CASES || goals < GOALS) return []
    const limit = Math.max(...cut.map((run) => run.limitSeconds ?? 0))
    const longest = Math.max(0, ...all.filter((run) => run.outcome === 'ok').map((run) => (run.endedAt - run.begunAt) / 1_000))
    const seconds = Math.min(LONGEST_LIMIT, Math.ceil(Math.max(limit * 3, longest * 2)))
    return seconds <= limit
      ? []
      : [
          {
            change: { kind: 'limit', limit: { program, seconds } },
            title: `Give ${program} ${seconds} seconds`,
            why: `${cut.length} times in ${goals} goals it was cut off after ${limit} s, which nobody had chosen for it.`,
            cases: cut.map(({ treeId, taskId, callId }) => ({ treeId, taskId, callId })),
          },
        ]
  })
}

export function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted.length === 0 ? null : sorted[Math.floor((sorted.length - 1) / 2)]!
}
