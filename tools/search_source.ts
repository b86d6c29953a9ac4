import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'search_source',
  description:
    'Finds words in the source of Banyan, the system that you run in, as the running revision has it. Answers file:line: text, capital letters or not. Plain words, no patterns.',
  permission: 'read',
  effect: 'read',
  needs: ['self'],
  input: z.object({
    words: z.string().min(2).max(200),
    below: z.string().max(300).optional().describe('Only in this folder or file.'),
  }),
  async run({ words, below }, { self }) {
    const work = async () => {
      const { text, cut } = await self.search(words, below?.replace(/^(?:\.?\/)+|\/+$/g, '') || null)
      return answer(text.trim() === '' ? 'Nothing found.' : `${text.trimEnd()}${cut ? '\n… (cut; name a folder in "below")' : ''}`)
    }
    return work().catch(faultAsMistake)
  },
})
