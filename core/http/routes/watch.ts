/** What the watchdog sees, and which goals it looks after. */
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

export function watchRoutes({ tasks }: { tasks: Pick<Tasks, 'watched'> }): Pick<Handlers, 'watched' | 'saveWatched'> {
  return {
    watched: () => tasks.watched.list(),
    saveWatched: ({ param, body, by }) => tasks.watched.set(param('id'), body, by.name),
  }
}
