/** Outside agents, as people look at them. */

import type { OutsideAgentItem } from '../../contract/api-outside.ts'
import type { OutsideAgent } from '../../tasks/outside.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

type Names = 'outsideAgents' | 'outsideAgent' | 'removeOutsideAgent'

export function outsideRoutes({ tasks: { outside }, auth }: { tasks: Tasks; auth: Auth }): Pick<Handlers, Names> {
  const shown = (agent: OutsideAgent) => agent as OutsideAgentItem
  return {
    outsideAgents: async () => ({ items: (await outside.agents()).map(shown), nextCursor: null }),
    outsideAgent: async ({ param }) => shown(await outside.agent(param('id'))),
    async removeOutsideAgent({ param, by }): Promise<undefined> {
      await auth.tokens.revokeAgent(by, param('id'))
      await outside.remove(param('id'), by.name)
    },
  }
}
