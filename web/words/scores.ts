/** Words of how versions did. */
import { plural, wholeNumber } from './words.ts'

const percent = (share: number): string => `${Math.round(share * 100)} %`

export const scores = {
  title: 'How each version did',
  about: (days: number, what: 'agent' | 'document' | 'tool') =>
    what === 'tool'
      ? `Calls of the last ${days} days.`
      : what === 'agent'
        ? `Tasks of the last ${days} days that ended; cancelled ones do not count.`
        : `Tasks of the last ${days} days that had it in their prompt; cancelled ones do not count.`,
  reading: 'Reading how the versions did…',
  failed: 'How the versions did could not be read',
  table: 'Versions and their scores',
  version: 'Version',
  current: 'current',
  madeBy: 'Made by',
  success: 'Success',
  score: 'Judged',
  cost: 'Cost each',
  time: 'Time',
  act: 'Restore',
  restore: 'Restore',
  restoreOf: (n: number) => `Restore version ${n} with one press`,
  none: 'not used',
  rate: (rate: number, n: number) => `${percent(rate)} of ${wholeNumber(n)}`,
  between: (low: number, high: number) => `between ${percent(low)} and ${percent(high)}`,
  few: (succeeded: number, n: number) => `${succeeded} of ${n}: too few to say`,
  points: (score: number, n: number) => `${Math.round(score)} of 100, ${plural(n, { one: '# task judged', other: '# tasks judged' })}`,
  times: (median: string, p95: string) => `${median}, 95 % under ${p95}`,
  wrong: 'What went wrong',
  wrongWith: (version: number) => `Version ${version}`,
  often: (n: number) => `${wholeNumber(n)} ×`,
  task: 'newest task',
  causes: {
    task: 'in a task',
    lesson: 'from a lesson',
    restore: (version: number) => `brings back version ${version}`,
  },
  models: {
    title: 'How models did',
    table: 'Models and their scores',
    about: (days: number) => `Calls of the last ${days} days; a task counts for each model that worked on it.`,
    none: 'No model was called yet.',
    model: 'Model',
    calls: 'Calls answered',
    tasks: 'Tasks done',
    tasksOf: (done: number, ended: number) => `${wholeNumber(done)} of ${wholeNumber(ended)}`,
    cost: 'Cost',
  },
} as const
