import * as z from 'zod'
import { answer, defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'flag_for_review',
  description: `Puts something before the people in charge. With question: true you ask them something and wait, at no cost; their words are the answer. Without it you report a problem (something broken, unsafe, or that the system should do better) and go on at once. One matter per call, plain words, everything needed to decide it.`,
  permission: 'write',
  arranges: true,
  judging: true,
  effect: 'keyed',
  needs: ['reviews'],
  input: z.object({
    issue: z.string().min(1).max(10_000).describe('The question with its choices, or the problem with where it is and what it does.'),
    question: z.boolean().default(false),
  }),
  async run({ issue, question }, { reviews, task }) {
    const { id } = await reviews.open({
      kind: question ? 'question' : 'flag',
      title: issue.split('\n', 1)[0]!.slice(0, 300),
      action: { [question ? 'question' : 'issue']: issue, task: task.title },
      risk: 'low',
      wait: question,
    })
    return question ? { kind: 'later' } : answer(`Recorded as ${id}. Go on with your task.`)
  },
})
