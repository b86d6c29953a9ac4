import * as z from 'zod'
import { Evidence, JudgedCriterion, MOST_CRITERIA, Verdict } from '../core/contract/task.ts'
import { defineTool, mistake } from '../core/tool.ts'

/** A verdict without what the system adds to it. */
const Judgement = Verdict.omit({ by: true }).extend({
  criteria: z
    .array(JudgedCriterion.omit({ criterion: true }))
    .max(MOST_CRITERIA)
    .optional()
    .describe('Each criterion of the task, once.'),
})

export default defineTool({
  name: 'end_task',
  description: `Ends your task; the only call of its reply. The result goes to whoever asked for the task. Listed evidence is checked: files must exist, commands must have run in this task or below it with that exit code, changes of the system must be your goal's and have landed. It is refused while a subtask of yours still runs.`,
  permission: 'write',
  arranges: true,
  judging: true,
  effect: 'keyed',
  needs: ['ending'],
  input: z.object({
    status: z.enum(['success', 'failure']).describe('success only if all that the task asks for is there.'),
    result: z
      .string()
      .min(1)
      .max(100_000)
      .describe('The outcome first, then what the reader needs to use it. They saw nothing of your work.'),
    evidence: z
      .array(Evidence)
      .max(100)
      .default([])
      .describe(
        'What can be checked: {kind:"file", path}, {kind:"command", command, exitCode}, {kind:"link", url}, {kind:"change", id}, the id as propose_change or change_status told it.',
      ),
    verdict: Judgement.optional().describe('Only for an agent that judges another task.'),
    documents: z
      .array(z.string().max(64))
      .max(20)
      .optional()
      .describe('Only for the context agent: names of documents to hand over to the task that asked.'),
    tools: z
      .array(z.string().max(64))
      .max(20)
      .optional()
      .describe('Only for the tool agent: names of tools to hand over to the task that asked.'),
  }),
  async run(input, { ending }) {
    const end = await ending.end(input)
    return end.ok ? { kind: 'ended' } : mistake(end.problem)
  },
})
