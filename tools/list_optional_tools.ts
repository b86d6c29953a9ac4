import * as z from 'zod'
import { ranked } from '../core/contract/rank.ts'
import { answer, defineTool } from '../core/tool.ts'

/** Up to here all are told of, whatever is asked: those that Banyan brings along, and a dozen more. */
const FEW = 40
/** Of many, the best: the right one is among five almost always, and first only sometimes. */
const BEST = 5
const MOST_NAMES = 4_000

export default defineTool({
  name: 'list_optional_tools',
  description: `Lists the tools beyond the core toolkit that exist in this system: name and what each does; tools of connected MCP servers are among them. Where there are many, say with \`query\` what must be done, and the best five come; ask again in other words if none fits. To get one for your task, call request_tools and say what you need it for. Look here before you decide that something cannot be done.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({
    query: z.string().max(2_000).optional().describe('What must be done, in a few words, or the exact name of a tool.'),
  }),
  async run({ query }, { registry }) {
    const tools = (await registry.list('tool')).filter((tool) => tool.enabled && !tool.core)
    if (tools.length === 0) return answer('There are no optional tools: the core toolkit is all there is.')
    const lines = (some: typeof tools) => some.map((tool) => `- ${tool.name}: ${tool.description.replace(/\s+/g, ' ')}`)
    if (tools.length <= FEW) return answer([`Optional tools: ${tools.length}`, ...lines(tools)].join('\n'))
    if (query?.trim()) {
      const best = ranked(query, tools, BEST)
      const words = best.length === 0 ? 'none fits these words; try others' : `these fit best`
      return answer([`Optional tools: ${tools.length}; ${words}`, ...lines(best)].join('\n'))
    }
    const names = tools.map((tool) => tool.name).join(', ')
    return answer(
      `Optional tools: ${tools.length}. Call this again with \`query\` to learn what the best five do. Names: ${names.length > MOST_NAMES ? `${names.slice(0, MOST_NAMES)}…` : names}`,
    )
  },
})
