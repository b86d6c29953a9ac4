import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'read_status',
  description: `Says in plain words how things stand: which goals are under way, how far each is and what it cost, what waits for the person, what ended in the last day, what was spent. With "goal": one goal, with its result if it has ended. Give the person these facts; do not guess beyond them.`,
  permission: 'read',
  effect: 'read',
  needs: ['desk'],
  input: z.object({
    goal: z.string().max(500).optional().describe('Id of a goal, or words of it, for example "report". Left out: everything.'),
  }),
  async run({ goal }, { desk }) {
    // What a goal brought was written by agents.
    const taint = goal ? (['agents'] as const) : []
    return desk.look(goal || undefined).then((text) => ({ ...answer(text), taint: [...taint] }), faultAsMistake)
  },
})
