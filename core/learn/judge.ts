/** Whether one arm did better than the other beyond chance. Pure. */
import type { ArmFigures, Judgement } from '../contract/learning.ts'

/** A difference that chance makes more often than this is none. */
const BEYOND = 0.05

/**
 * More successes beyond chance, and no goal that does worse than before by more than one try. A lesson that only makes things quicker is not
 * kept: times of a busy machine say too little.
 */
export function judge(before: readonly ArmFigures[], after: readonly ArmFigures[]): Judgement {
  const [was, is] = [sum(before), sum(after)]
  const pairs = before.flatMap((old) => {
    const now = after.find((one) => one.goal === old.goal)
    return now ? [{ old, now }] : []
  })
  const p = chance(pairs.map(({ old, now }) => ({ tries: [old.tries, now.tries], done: [old.done, now.done] })))
  const worse = pairs.find(({ old, now }) => old.done - now.done > 1)
  const better = worse === undefined && is.done > was.done && p < BEYOND
  const figures = `${was.done} of ${was.tries} tries went well before, ${is.done} of ${is.tries} after`
  const often = `by chance a difference like this comes in ${p < 0.001 ? 'less than 1' : Math.max(1, Math.round(p * 1_000))} of 1,000 comparisons`
  const verdict = worse ? `"${worse.now.goal}" does worse` : better ? 'better' : 'not better beyond chance'
  return { before: [...before], after: [...after], p, better, words: `${figures}; ${often}: ${verdict}.` }
}

const sum = (arm: readonly ArmFigures[]) => ({
  tries: arm.reduce((n, one) => n + one.tries, 0),
  done: arm.reduce((n, one) => n + one.done, 0),
})

/** Tries and successes of one goal, before and after. */
type Stratum = { tries: readonly [number, number]; done: readonly [number, number] }

/**
 * The exact one-sided test of Mantel and Haenszel: how likely at least as many successes in the second arm are, were both arms alike, with
 * each goal compared only with itself. Goals on which both arms always do the same say nothing either way.
 */
export function chance(strata: readonly Stratum[]): number {
  let sums = new Map([[0, 1]])
  for (const stratum of strata) {
    const next = new Map<number, number>()
    for (const [k, p] of hypergeometric(stratum)) for (const [n, q] of sums) next.set(n + k, (next.get(n + k) ?? 0) + p * q)
    sums = next
  }
  const seen = strata.reduce((n, stratum) => n + stratum.done[1], 0)
  const tail = [...sums].filter(([n]) => n >= seen).reduce((total, [, p]) => total + p, 0)
  return Math.min(1, tail)
}

/** How likely each number of the successes falls to the second arm. */
function* hypergeometric({ tries: [n, m], done: [a, b] }: Stratum): Generator<[number, number]> {
  const done = a + b
  for (let k = Math.max(0, done - n); k <= Math.min(m, done); k++)
    yield [k, Math.exp(logChoose(m, k) + logChoose(n, done - k) - logChoose(n + m, done))]
}
const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k)
function logFactorial(n: number): number {
  let total = 0
  for (let i = 2; i <= n; i++) total += Math.log(i)
  return total
}
