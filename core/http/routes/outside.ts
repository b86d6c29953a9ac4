/** Outside agents, as people look at them. */

import type { OutsideAgentItem } from '../../contract/api-outside.ts'
import type { Endpoint } from '../../mcp/endpoint.ts'
import type { OutsideAgent } from '../../tasks/outside.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

type Names = 'mcpClients' | 'outsideAgents' | 'outsideAgent' | 'removeOutsideAgent'

export function outsideRoutes({
  tasks: { outside },
  auth,
  mcp,
}: {
  tasks: Tasks
  auth: Auth
  mcp: Pick<Endpoint, 'clients'>
}): Pick<Handlers, Names> {
  const shown = (agent: OutsideAgent) => agent as OutsideAgentItem
  return {
    mcpClients: async ({ by }) => ({ items: await mcp.clients(by.scopes.has('admin') ? null : by.userId), nextCursor: null }),
    outsideAgents: async () => ({ items: (await outside.agents()).map(shown), nextCursor: null }),
    outsideAgent: async ({ param }) => shown(await outside.agent(param('id'))),
    async removeOutsideAgent({ param, by }): Promise<undefined> {
      await auth.tokens.revokeAgent(by, param('id'))
      await outside.remove(param('id'), by.name)
    },
  }
}
