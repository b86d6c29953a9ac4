import * as z from 'zod'
import { writeChildren } from '../core/contract/answers.ts'
import { answer, defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'wait_for_subtasks',
  description: `Waits, at no cost, for subtasks that you started with wait: false, and gives you the status and summary of each. Without ids: for all of yours that still run.`,
  permission: 'read',
  arranges: true,
  effect: 'keyed',
  needs: ['subtasks'],
  input: z.object({ ids: z.array(z.string().max(300)).max(1_000).optional().describe('Only these subtasks.') }),
  async run({ ids }, { subtasks }) {
    const { waiting, over } = await subtasks.await(ids)
    if (waiting.length > 0) return { kind: 'later' }
    return answer(writeChildren(over) || 'You have started no subtask.')
  },
})
