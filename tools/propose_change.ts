import * as z from 'zod'
import { answer, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

const words = (most: number) => z.string().max(most).optional()

export default defineTool({
  name: 'propose_change',
  description: `Changes the source of Banyan, the system that you run in. Two steps:

1. {"step":"begin"} gives you a folder "banyan" in your workspace with the source on a branch of your own. Read AGENTS.md in it, then change files there with the file tools. Keep it small: one thing, with its test and the line of documentation that it makes false. run_gates tells whether it would pass.
2. {"step":"submit", "kind", "title", "why", "evidence", "effect"} hands in everything that the folder holds. All gates run, then a person decides where the level of the change asks for it, then it lands on the main branch and the system restarts with it. Your call is answered when that is over: kept, undone, or refused with the reason. After a refusal change the files in the same folder and submit again.

kind "fix" needs a test that fails without the change. What guards the system (gates, keeper, policy, authentication, sandbox, their tests) is refused; new packages are fetched only after a person agreed. Do not touch existing tests without need: a person must look at that.`,
  permission: 'self',
  effect: ({ step }) => (step === 'submit' ? 'keyed' : 'idempotent'),
  needs: ['self'],
  input: z.object({
    step: z.enum(['begin', 'submit']),
    kind: z.enum(['feature', 'fix', 'refactor', 'docs']).optional().describe('submit: what it is.'),
    title: words(200).describe(
      'submit: one plain sentence of what is true with the change, such as "banyan tree prints JSON with --json".',
    ),
    why: words(4_000).describe('submit: the reason, in two or three sentences.'),
    evidence: words(4_000).describe('submit: what shows that it is needed: tasks, errors, words of a person.'),
    effect: words(2_000).describe('submit: what will go differently, and how one will see it.'),
  }),
  facts: () => ({ external: false }),
  async run({ step, kind, title, why, evidence = '', effect = '' }, { self }) {
    const work = async () => {
      if (step === 'begin') {
        const { folder, branch, head, created } = await self.begin()
        return answer(
          `${created ? 'The source is' : 'You have the source'} in ${folder}/, on your branch ${branch} at ${head.slice(0, 9)}. Paths of the file tools begin with ${folder}/. Read ${folder}/AGENTS.md first.`,
        )
      }
      if (!kind || !title?.trim() || !why?.trim()) return mistake('submit needs "kind", "title" and "why".')
      await self.propose({ kind, title: title.trim(), why: why.trim(), evidence, effect })
      return { kind: 'later' as const }
    }
    return work().catch(faultAsMistake)
  },
})
