/** Words of the list of goals. */
import { plural } from './words.ts'

export const goals = {
  title: 'Goals',
  new: 'New goal',
  search: 'Search the goals',
  searchPlaceholder: 'Words of the goal, or its id',
  filter: 'Which goals',
  filters: { all: 'All', open: 'Open', you: 'Needs you', done: 'Done', failed: 'Failed', stopped: 'Stopped' },
  shown: (n: number) => plural(n, { one: '# goal', other: '# goals' }),
  none: 'No goals yet',
  noneHow: 'A goal becomes a tree of tasks. Say one on the first page, or start an example there.',
  noFit: 'No goal fits',
  noFitHow: 'Take a word or the filter away. Goals that this page has not read yet are below.',
  clear: 'Show all',
  older: 'Read older goals',
  reading: 'Reading…',
  loading: 'Reading the goals…',
  failed: 'The goals could not be read',
  noTask: (id: string) => `There is no task ${id}`,
  findingTask: 'Looking for the task…',
} as const
