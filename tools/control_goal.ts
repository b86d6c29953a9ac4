import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'control_goal',
  description: `Does to a goal what the person asked for: "cancel" (it wraps up and stops), "pause", "resume", or "steer" (its agent is told "message"). Only what the person said, for the goal that they meant; where several could be meant, the answer lists them: ask which, and do not choose yourself.`,
  permission: 'write',
  effect: 'idempotent',
  needs: ['desk'],
  input: z
    .object({
      goal: z.string().min(1).max(500).describe('Id of the goal, or words of it as the person said them, for example "report".'),
      act: z.enum(['cancel', 'pause', 'resume', 'steer']),
      message: z
        .string()
        .max(20_000)
        .optional()
        .describe('With "steer": what its agent is told. Otherwise the reason, if the person gave one.'),
    })
    .refine(({ act, message }) => act !== 'steer' || message?.trim(), { path: ['message'], error: 'say what its agent is told' }),
  run: ({ goal, act, message }, { desk }) => desk.act(goal, act, message).then(answer, faultAsMistake),
})
