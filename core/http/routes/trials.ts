/** Test runs of agents and tools. */
import type { Trials } from '../../agent/trials.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

export function trialRoutes(trials: Trials, auth: Pick<Auth, 'baseUrl'>): Pick<Handlers, 'tryAgent' | 'tryTool'> {
  const at = (treeId: string) => ({ treeId, taskId: treeId, url: `${auth.baseUrl()}/trees/${treeId}` })
  return {
    tryAgent: async ({ param, body, by }) => at(await trials.agent(param('id'), body, by.name)),
    async tryTool({ param, body, by }) {
      const tried = await trials.tool(param('id'), body, by.name)
      return { ...tried, ...at(tried.treeId) }
    },
  }
}
