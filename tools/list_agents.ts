import * as z from 'zod'
import { answer, defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'list_agents',
  description: `Lists the agents that you can give subtasks to with start_subtask: name, what each is for, its model and the optional tools it has beyond the core toolkit. Look here before you choose an agent_type. Agents marked "started by the system" judge or describe finished tasks; do not start them yourself.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({}),
  async run(_, { registry }) {
    const agents = (await registry.list('agent')).filter((agent) => agent.enabled)
    const rows = agents.map((agent) => {
      const details = [
        `model: ${agent.model}`,
        ...(agent.tools.length > 0 ? [`tools: ${agent.tools.join(', ')}`] : []),
        ...(agent.web_search_allowed ? ['may search the web'] : []),
        ...(agent.watcher ? ['started by the system'] : []),
      ]
      return `- ${agent.name}: ${agent.description.replace(/\s+/g, ' ')} (${details.join('; ')})`
    })
    return answer([`Agents: ${agents.length}`, ...rows].join('\n'))
  },
})
