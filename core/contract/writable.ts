/**
 * What an agent may ask a person to let it change in the system's own database: every table and column that is not named here is refused,
 * so a new one is until somebody adds it. Never add what keeps the system safe or is moved by its own rules: statuses, grants, keys, ids,
 * histories, rules, reviews, whoever may come in.
 */
import type { Cell } from './readable.ts'

type Column = {
  /** What it takes, in words. */
  takes: string
  /** Why a value is not right; null when it is. `now`: milliseconds since 1970. */
  problem(value: Cell, now: number): string | null
}
export type WritableTable = {
  /** Columns that name one row. All of them are readable. */
  key: readonly string[]
  set: Readonly<Record<string, Column>>
  /** Whole rows may be deleted. */
  remove: boolean
}

const TITLE_CHARS = 200
const title: Column = {
  takes: `a text of 1 to ${TITLE_CHARS} characters in one line`,
  problem: (value) =>
    typeof value === 'string' && value.trim() !== '' && value.length <= TITLE_CHARS && !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(value)
      ? null
      : `it takes ${title.takes}`,
}
const priority: Column = {
  takes: 'a whole number from -100 to 100',
  problem: (value) => (Number.isInteger(value) && Math.abs(value as number) <= 100 ? null : `it takes ${priority.takes}`),
}
/** Ten years. */
const FARTHEST_MS = 315_576_000_000
const deadline: Column = {
  takes: 'null, or a time to come in milliseconds since 1970',
  problem: (value, now) =>
    value === null || (Number.isInteger(value) && (value as number) > now && (value as number) < now + FARTHEST_MS)
      ? null
      : `it takes ${deadline.takes}`,
}

export const WRITABLE: Readonly<Record<string, WritableTable>> = {
  tasks: { key: ['id'], set: { title, priority, deadline_at: deadline }, remove: false },
  web_citations: { key: ['task_id', 'id'], set: { title }, remove: true },
  web_searches: { key: ['id'], set: {}, remove: true },
}

/** Rows that one statement may change. */
export const MOST_WRITTEN = 1_000

/** What may be written, and which tools are for the rest; for descriptions and refusals. */
export function describeWritable(): string {
  const tables = Object.entries(WRITABLE)
  const sets = tables
    .filter(([, { set }]) => Object.keys(set).length > 0)
    .map(([name, { set }]) => `${name} (${Object.keys(set).join(', ')})`)
  const removes = tables.filter(([, { remove }]) => remove).map(([name]) => name)
  return (
    `UPDATE of ${sets.join(' and ')}; DELETE FROM ${removes.join(' and ')}; INSERT into no table. ` +
    'For the rest: add_document saves knowledge, start_subtask makes tasks, end_task ends yours, flag_for_review asks a person for everything else'
  )
}
