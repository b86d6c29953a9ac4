import * as z from 'zod'
import { defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'break_down_task',
  description: `Asks the breakdown agent for a plan of your task: which parts, done by which agent, in which order, and how each is known to be done. Use it when the task is several separate pieces of work and you do not yet see them clearly. You get the plan as the answer and then start the parts yourself with start_subtask. Works once in your task; waiting costs nothing.`,
  permission: 'write',
  arranges: true,
  effect: 'keyed',
  needs: ['subtasks'],
  input: z.object({
    reasoning: z
      .string()
      .min(1)
      .max(20_000)
      .describe(
        'Why it is too much for one agent, what you have found out already, and what the plan must respect. The planner sees your task and these words, nothing else.',
      ),
  }),
  async run({ reasoning }, { subtasks }) {
    await subtasks.help('breakdown', reasoning)
    return { kind: 'later' }
  },
})
