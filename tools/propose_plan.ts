import * as z from 'zod'
import { PlanItems } from '../core/contract/plan.ts'
import { defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'propose_plan',
  description: `Puts a plan before a person: a tree of parts, each with a title, an instruction and an agent. You wait, at no cost. The person may change every part; what they approve is started exactly so, and you get each part's status and summary as the answer. Also for adding to a plan that was approved: propose only what is new.`,
  permission: 'write',
  arranges: true,
  effect: 'keyed',
  needs: ['plans'],
  input: z.object({ items: PlanItems }),
  async run({ items }, { plans }) {
    await plans.propose(items)
    return { kind: 'later' }
  },
})
