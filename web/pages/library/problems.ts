/** What the validation says of one field. */
import type { Validation } from '../../../core/contract/api-registry.ts'

export type FieldProblems = {
  /** For the field as a whole; null: nothing is wrong. */
  error: string | null
  warning: string | null
  /** By place in a list: `tools.1` is 1. */
  at: ReadonlyMap<number, string>
}

/** `shy`: nothing was entered yet, so nobody needs to hear that it is missing. */
export function problemsOf(validation: Validation | null, field: string, shy = false): FieldProblems {
  const own = validation?.problems.filter((problem) => problem.field === field || problem.field.startsWith(`${field}.`)) ?? []
  const whole = (level: 'error' | 'warning') => own.find((problem) => problem.level === level && problem.field === field)?.message ?? null
  return {
    error: shy ? null : whole('error'),
    warning: whole('warning'),
    at: new Map(own.filter((problem) => problem.field !== field).map((problem) => [Number(problem.field.split('.')[1]), problem.message])),
  }
}
