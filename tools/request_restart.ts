import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'request_restart',
  description:
    'Asks a person to let Banyan restart gracefully: turns finish or park, and everything goes on afterwards, your task too. A change of the source restarts by itself, so this is rarely needed.',
  permission: 'self',
  effect: 'once',
  needs: ['self'],
  input: z.object({ reason: z.string().min(3).max(1_000) }),
  permit: ({ reason }) => ({ ask: { title: 'Restart Banyan', action: { tool: 'request_restart', reason }, risk: 'medium' } }),
  facts: () => ({ external: false, reviewed: true }),
  async run(_, { self }) {
    const work = async () => {
      self.restart()
      return answer('The restart has been asked for; it comes when the running turns have finished or parked.')
    }
    return work().catch(faultAsMistake)
  },
})
