/** Goals of people that a lesson was found in, to be tried once more in a system of their own. */
import type { Store } from '../store/store.ts'
import type { Found } from './find.ts'
import type { SetGoal } from './goal-set.ts'

const GOALS = 3
/** Enough to tell 0 of 2 from 2 of 2 in two goals beyond chance, and no more: each try may last as long as the limit. */
const TRIES = 2
/** What else than the command a goal does. Milliseconds. */
const BESIDE_MS = 60_000

/** The newest of them. A goal with a command that may run only once is left out. `seconds`: the longest that one command may take. */
export async function pastGoals(store: Store, cases: Found['cases'], seconds: number): Promise<SetGoal[]> {
  const ids = [...new Set(cases.map(({ treeId }) => treeId))]
  const rows = await store.db
    .selectFrom('trees')
    .innerJoin('tasks', 'tasks.id', 'trees.id')
    .select(['trees.id', 'trees.goal', 'tasks.title'])
    .where('trees.id', 'in', ids)
    .where('tasks.origin', '=', 'person')
    .orderBy('trees.created_at', 'desc')
    .execute()
  return rows
    .filter(({ goal }) => !/\(once\)/i.test(goal))
    .slice(0, GOALS)
    .map(({ id, goal, title }) => ({
      ...{ name: `past goal ${id}`, title, about: 'A goal that the lesson was found in.', ends: 'done' as const, goal },
      ...{ tries: TRIES, mostMs: seconds * 1_000 * 3 + BESIDE_MS },
    }))
}
