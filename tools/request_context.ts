import * as z from 'zod'
import { defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'request_context',
  description: `Asks for knowledge that you lack. The context agent looks through documents and files; you get the facts it found as the answer, and documents that it hands over are in your prompt from then on. Say exactly what you need to know and what for. Works once in your task. If you know a document's name, read_document is quicker where you have it.`,
  permission: 'write',
  arranges: true,
  effect: 'keyed',
  needs: ['subtasks'],
  input: z.object({
    context_needed: z
      .string()
      .min(1)
      .max(20_000)
      .describe('The questions that the documents must answer, and what you will use the answers for.'),
  }),
  async run({ context_needed }, { subtasks }) {
    await subtasks.help('context', context_needed)
    return { kind: 'later' }
  },
})
