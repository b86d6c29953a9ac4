import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'start_goal',
  description: `Begins a new goal for the person, beside what runs. Use it when they ask for work, and give it their own words, unshortened. Answers at once with its id; they follow it in the list of goals.`,
  permission: 'write',
  effect: 'idempotent',
  needs: ['desk'],
  input: z.object({ goal: z.string().min(1).max(100_000).describe('What is to be done, in the words of the person.') }),
  run: ({ goal }, { desk }) => desk.start(goal).then(answer, faultAsMistake),
})
