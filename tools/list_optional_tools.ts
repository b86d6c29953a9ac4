import * as z from 'zod'
import { answer, defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'list_optional_tools',
  description: `Lists the tools beyond the core toolkit that exist in this system: name and what each does. To get one for your task, call request_tools and say what you need it for. Look here before you decide that something cannot be done.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({}),
  async run(_, { registry }) {
    const tools = (await registry.list('tool')).filter((tool) => tool.enabled && !tool.core)
    if (tools.length === 0) return answer('There are no optional tools: the core toolkit is all there is.')
    return answer(
      [`Optional tools: ${tools.length}`, ...tools.map((tool) => `- ${tool.name}: ${tool.description.replace(/\s+/g, ' ')}`)].join('\n'),
    )
  },
})
