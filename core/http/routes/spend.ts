/** What all goals spend together, and holding everything. */
import type { SpendReport } from '../../tasks/spend.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

export function spendRoutes({ tasks }: { tasks: Tasks }): Pick<Handlers, 'spend' | 'pauseAll' | 'resumeAll'> {
  return {
    spend: (): Promise<SpendReport> => tasks.spend(),
    pauseAll: async ({ body, by }) => ({ paused: await tasks.halt.pause(by.name, body.comment ?? null) }),
    async resumeAll({ by }) {
      await tasks.halt.resume(by.name)
      return { paused: null }
    },
  }
}
