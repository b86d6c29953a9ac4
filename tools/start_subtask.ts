import * as z from 'zod'
import { Criteria, withCriteria } from '../core/contract/task.ts'
import { answer, defineTool, mistake, type SubtaskSpec } from '../core/tool.ts'

const instruction = z
  .string()
  .min(1)
  .max(200_000)
  .describe(
    'Everything the other agent needs: what to do, where, what exists already. It sees these words, the criteria, and nothing of yours.',
  )
const agent = z.string().min(1).max(64).describe('Name of the agent, such as generalist.')
const title = z.string().max(200).describe('A few words for the tree that people watch.')
const workspace = z
  .enum(['own', 'shared'])
  .describe('own (default): a folder inside yours, whose files you can read; shared: your folder itself, for work on the same files.')
const deadline = z.number().int().min(10).max(604_800).describe('Seconds after which it counts as failed.')

const tools = z
  .array(z.string().min(1).max(64))
  .max(20)
  .describe('Names of tools that were granted to you (by request_tools, or that you made) and that it needs too.')

const criteria = Criteria.describe('What counts as done: short sentences that can be checked. It works by them and is judged by them.')

const Subtask = z.object({
  task_instruction: instruction,
  agent_type: agent,
  criteria: criteria.optional(),
  title: title.optional(),
  workspace: workspace.optional(),
  priority: z.number().int().min(-100).max(100).optional(),
  deadline_seconds: deadline.optional(),
  tools: tools.optional(),
  after: z
    .array(z.number().int().min(0))
    .max(100)
    .optional()
    .describe('Positions, counted from 0 in this list, of subtasks that must succeed first. If one of them does not, this one is skipped.'),
})

export default defineTool({
  name: 'start_subtask',
  description: `Gives part of your task to another agent. One subtask: task_instruction and agent_type. Several at once: subtasks, each with its own; they run side by side unless "after" orders them.

By default you wait, at no cost, and get each subtask's status and summary as the answer, also when one fails or is stopped. With wait: false you go on at once and collect the summaries later with wait_for_subtasks; your task cannot end before they have ended. With handover: true your task ends exactly as the one subtask ends, without another turn of yours: for passing the whole task on.

Refused, with the reason: too deep, too many, the same agent with the same instruction as a task above, a subtask that a person stopped.`,
  permission: 'write',
  arranges: true,
  effect: 'keyed',
  needs: ['subtasks'],
  input: z.object({
    task_instruction: instruction.optional(),
    agent_type: agent.optional(),
    criteria: criteria.optional(),
    title: title.optional(),
    workspace: workspace.optional(),
    deadline_seconds: deadline.optional(),
    tools: tools.optional(),
    subtasks: z.array(Subtask).min(1).max(100).optional().describe('Several subtasks at once, instead of task_instruction and agent_type.'),
    wait: z.boolean().default(true),
    handover: z.boolean().default(false),
  }),
  // Handing over adds nothing: the task goes on under another agent, with the words it had.
  facts: (input, { task }) => ({
    adds: input.handover && input.task_instruction === task.instruction ? 0 : (input.subtasks?.length ?? 1),
  }),
  async run(input, { subtasks, task }) {
    const single = input.task_instruction !== undefined && input.agent_type !== undefined
    if (single === (input.subtasks !== undefined))
      return mistake('Give either task_instruction and agent_type, or subtasks, not both and not neither.')
    const list: z.output<typeof Subtask>[] = input.subtasks ?? [
      {
        task_instruction: input.task_instruction!,
        agent_type: input.agent_type!,
        ...(input.criteria === undefined ? {} : { criteria: input.criteria }),
        ...(input.title === undefined ? {} : { title: input.title }),
        ...(input.deadline_seconds === undefined ? {} : { deadline_seconds: input.deadline_seconds }),
        ...(input.tools === undefined ? {} : { tools: input.tools }),
      },
    ]
    if (input.handover && list.length !== 1)
      return mistake('handover passes the whole task to one subtask; give exactly one, or leave handover out.')
    const tooLate = list.findIndex((one, i) => one.after?.some((position) => position >= i))
    if (tooLate >= 0) return mistake(`Subtask ${tooLate}: "after" may only name subtasks earlier in the list (positions below ${tooLate}).`)
    const specs: SubtaskSpec[] = list.map((one) => ({
      // Copied from the first message, list and all: the words alone are the task, and the person's own.
      instruction:
        one.task_instruction.trim() === withCriteria(task.instruction, task.criteria).trim() ? task.instruction : one.task_instruction,
      agent: one.agent_type,
      title: one.title,
      priority: one.priority,
      after: one.after,
      workspace: one.workspace ?? input.workspace ?? (input.handover ? 'shared' : undefined),
      deadlineSeconds: one.deadline_seconds,
      tools: one.tools,
      // Who takes a task over whole takes over what it is judged by.
      criteria: (input.handover ? task.criteria : undefined) ?? one.criteria,
    }))
    const { ids } = await subtasks.start(specs, { wait: input.wait || input.handover, handover: input.handover })
    if (input.wait || input.handover) return { kind: 'later' }
    return answer(
      `Started ${ids.length === 1 ? `subtask ${ids[0]}` : `${ids.length} subtasks: ${ids.join(', ')}`}. Go on; collect what they find with wait_for_subtasks.`,
    )
  },
})
