import * as z from 'zod'
import { answer, defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'list_agents',
  description: `Lists the agents that you can give subtasks to with start_subtask: name, what each is for, its model and the optional tools it has beyond the core toolkit. Look here before you choose an agent_type. Agents marked "looks at others" examine tasks or change the system: start one only if that is what is asked for, and never one whose description says that the system starts it.`,
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
        ...(agent.watcher ? ['looks at others'] : []),
      ]
      return `- ${agent.name}: ${agent.description.replace(/\s+/g, ' ')} (${details.join('; ')})`
    })
    return answer([`Agents: ${agents.length}`, ...rows].join('\n'))
  },
})
