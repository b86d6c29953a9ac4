/** From what stands in the goal box to what is sent. Pure. */
import type { RequestOf } from '../core/contract/api.ts'

/** Characters of a goal; the server's own limit (`GOAL_LIMIT` of the contract), said before anything is sent. */
export const GOAL_CAP = 200_000

export type GoalForm = { goal: string; mode: 'auto' | 'step'; budget: string; example?: string | undefined }
export type Submission = { ok: true; request: RequestOf<'submitGoal'> } | { ok: false; field: 'goal' | 'budget'; why: string }

export function submission(form: GoalForm): Submission {
  if (form.goal.trim() === '') return { ok: false, field: 'goal', why: '' }
  if (form.goal.length > GOAL_CAP) {
    const why = `A goal may have ${GOAL_CAP.toLocaleString('en')} characters. Put the long part into a file or a context document and name it here.`
    return { ok: false, field: 'goal', why }
  }
  const budget = form.budget
    .trim()
    .replace(/^\$\s*/, '')
    .replace(',', '.')
  const dollars = Number(budget)
  if (budget !== '' && !(Number.isFinite(dollars) && dollars >= 0 && dollars <= 1_000_000)) {
    return { ok: false, field: 'budget', why: 'The budget is an amount in dollars such as 2.50; leave it empty for the default.' }
  }
  return {
    ok: true,
    request: {
      goal: form.goal,
      mode: form.mode,
      ...(budget === '' ? {} : { budget: { dollars } }),
      ...(form.example === undefined ? {} : { example: form.example }),
    },
  }
}
