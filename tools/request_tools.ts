import * as z from 'zod'
import { defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'request_tools',
  description: `Asks for tools that you lack. The tool agent looks for existing ones that fit, or makes a small one (a rule that code can follow, no network), and hands them over: from your next turn on you have them. Say what you need to do, not the name you would give the tool. Works once in your task.`,
  permission: 'write',
  arranges: true,
  effect: 'keyed',
  needs: ['subtasks'],
  input: z.object({
    tools_needed: z
      .string()
      .min(1)
      .max(20_000)
      .describe('What must be done that your tools cannot do, with an example of input and wanted output.'),
  }),
  async run({ tools_needed }, { subtasks }) {
    await subtasks.help('tools', tools_needed)
    return { kind: 'later' }
  },
})
