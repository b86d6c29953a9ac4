/** Whether a verdict fits what counts as done for the task that was judged. Pure. */
import { PASSING_SCORE, type Verdict } from '../contract/task.ts'

/** Why a verdict cannot be taken, for the agent that gave it; null: it can. */
export function verdictProblem(verdict: Verdict, criteria: readonly string[]): string | null {
  const { passed, score, criteria: judged = [] } = verdict
  if (score !== undefined && passed !== score >= PASSING_SCORE)
    return `your verdict contradicts itself: passed is ${passed} and the score ${score} of 100, and ${PASSING_SCORE} is the least that passes. Make them agree.`
  // What a model makes up of a task without criteria is dropped, see below; sending it back would cost more than it tells.
  if (criteria.length === 0) return null
  const stranger = judged.find(({ number }) => number > criteria.length)
  if (stranger) return `there is no criterion ${stranger.number}; the task has ${criteria.length}.`
  const missing = criteria.flatMap((_, i) => (judged.some(({ number }) => number === i + 1) ? [] : [i + 1]))
  if (missing.length > 0)
    return `your verdict says nothing of criterion ${missing.join(', ')}. In verdict.criteria give {number, met, evidence} for each of the ${criteria.length}.`
  if (new Set(judged.map(({ number }) => number)).size < judged.length)
    return 'your verdict judges a criterion twice; give each of them once in verdict.criteria.'
  const failed = judged.filter(({ met }) => !met).map(({ number }) => number)
  if (passed && failed.length > 0)
    return `your verdict contradicts itself: it passes, and criterion ${failed.join(', ')} is not met. A task passes only when all of them are.`
  return null
}

/** The verdict with the words of each criterion, in their order, so that it can be read by itself. */
export function withWords(verdict: Verdict, criteria: readonly string[]): Verdict {
  const { criteria: judged, ...rest } = verdict
  if (!judged?.length || criteria.length === 0) return rest
  const worded = judged.map((one) => ({ ...one, criterion: criteria[one.number - 1] ?? '' }))
  return { ...rest, criteria: worded.sort((a, b) => a.number - b.number) }
}
