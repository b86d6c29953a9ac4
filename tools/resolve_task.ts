import * as z from 'zod'
import { PLAN_WIDTH } from '../core/contract/plan.ts'
import { defineTool, mistake } from '../core/tool.ts'

const Part = z.object({
  title: z.string().trim().min(1).max(200),
  instruction: z.string().trim().min(1).max(20_000).describe('Everything that whoever does it needs to know.'),
  agent_type: z.string().min(1).max(64).optional().describe('Name of the agent; left out: generalist.'),
})

export default defineTool({
  name: 'resolve_task',
  description: `Decides what becomes of the stuck task that you supervise, or of one below it. It is held until you do. Choose the mildest act that works:
- "leave": it is healthy, or only waits; it goes on, and is looked at less often.
- "steer": its agent reads your message and goes on. Name the way out in one or two sentences.
- "reassign": agent_type goes on with it and reads what was done and your message.
- "split": parts are started as its subtasks, side by side; its agent gets their summaries and your message.
- "cancel": it ends now, and whoever asked for it is told your message as the reason.
You resolve once, then end your own task. If only a person can decide, do not call this: call flag_for_review and end your task; the task stays held and a person is asked.`,
  permission: 'write',
  arranges: true,
  judging: true,
  effect: 'keyed',
  needs: ['supervision'],
  input: z.object({
    task_id: z.string().max(300).optional().describe('Left out: the task that you were started for.'),
    act: z.enum(['leave', 'steer', 'reassign', 'split', 'cancel']),
    message: z
      .string()
      .trim()
      .min(1)
      .max(4_000)
      .describe('For the agent (steer, reassign, split), or the reason (leave, cancel). Plain words.'),
    agent_type: z.string().max(64).optional().describe('With "reassign": who goes on.'),
    parts: z.array(Part).min(1).max(PLAN_WIDTH).optional().describe('With "split": the parts.'),
  }),
  async run({ task_id, act, message, agent_type, parts }, { supervision }) {
    if (act === 'reassign' && !agent_type) return mistake('"reassign" needs agent_type: the name of the agent that goes on.')
    if (act === 'split' && !parts) return mistake('"split" needs parts: what the subtasks are.')
    switch (act) {
      case 'leave':
      case 'cancel':
        await supervision.resolve(task_id, { act, reason: message })
        break
      case 'steer':
        await supervision.resolve(task_id, { act, message })
        break
      case 'reassign':
        await supervision.resolve(task_id, { act, agent: agent_type!, message })
        break
      case 'split':
        await supervision.resolve(task_id, {
          act,
          message,
          parts: parts!.map((part, i) => ({
            id: `p${i + 1}`,
            title: part.title,
            instruction: part.instruction,
            ...(part.agent_type === undefined ? {} : { agent: part.agent_type }),
            after: [],
            children: [],
          })),
        })
    }
    return { kind: 'later' } // its answer was written down in the commit that did it
  },
})
