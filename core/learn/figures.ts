/** What many outcomes say together, and how sure it is. Pure. */
import type { Score } from '../contract/api-scores.ts'
import { patternOf } from './errors.ts'

/** Fewer say too little. */
export const FEW = 10
const PATTERNS = 5

/** One task or one call. `error`: what went wrong, in words; null: nothing did, or nobody said. `score`: 0 to 100. */
export type Outcome = {
  taskId: string
  ok: boolean
  score: number | null
  costMicros: number
  unpricedCalls: number
  tokens: number
  ms: number | null
  error: string | null
}
export type Figures = Omit<Score, 'kind' | 'name' | 'version' | 'current' | 'tasks'>

export function figuresOf(outcomes: readonly Outcome[]): Figures {
  const n = outcomes.length
  const succeeded = outcomes.filter((one) => one.ok).length
  const scores = outcomes.flatMap((one) => (one.score === null ? [] : [one.score]))
  const times = outcomes.flatMap((one) => (one.ms === null ? [] : [one.ms])).sort((a, b) => a - b)
  const total = (of: (one: Outcome) => number) => outcomes.reduce((sum, one) => sum + of(one), 0)
  const sure = interval(succeeded, n)
  return {
    n,
    succeeded,
    rate: n === 0 ? null : succeeded / n,
    low: sure?.low ?? null,
    high: sure?.high ?? null,
    few: n < FEW,
    score: scores.length === 0 ? null : scores.reduce((sum, one) => sum + one, 0) / scores.length,
    scored: scores.length,
    costMicros: total((one) => one.costMicros),
    unpricedCalls: total((one) => one.unpricedCalls),
    tokens: total((one) => one.tokens),
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    errors: patternsOf(outcomes),
  }
}

/** Wilson's interval of 95 %: also right near 0 and 1, and for few. */
export function interval(succeeded: number, n: number): { low: number; high: number } | null {
  if (n === 0) return null
  const z = 1.96
  const share = succeeded / n
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n)
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

const quantile = (sorted: readonly number[], share: number): number | null =>
  sorted.length === 0 ? null : sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!

/** The same failure in other words is one; `taskId` is the newest that shows it. Outcomes come newest first. */
function patternsOf(outcomes: readonly Outcome[]): Figures['errors'] {
  const found = new Map<string, { pattern: string; times: number; taskId: string }>()
  for (const { error, taskId } of outcomes) {
    if (error === null || error.trim() === '') continue
    const pattern = patternOf(error) ?? error.trim().split('\n', 1)[0]!.slice(0, 300)
    const one = found.get(pattern) ?? { pattern, times: 0, taskId }
    found.set(pattern, one)
    one.times++
  }
  return [...found.values()].sort((a, b) => b.times - a.times).slice(0, PATTERNS)
}
