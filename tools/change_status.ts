import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'change_status',
  description:
    'How changes of the source of Banyan stand: those of your goal, or the one with this id. States: proposed, gating, review (a person is asked), merged, restarting, watching, and the ends kept, undone, refused.',
  permission: 'read',
  effect: 'read',
  needs: ['self'],
  input: z.object({ id: z.string().max(100).optional().describe('Such as ch_1f2e3d4c5b6a.') }),
  async run({ id }, { self }) {
    const work = async () => {
      const changes = await self.changes(id)
      if (changes.length === 0) return answer('Your goal has proposed no change.')
      const line = (change: (typeof changes)[number]) =>
        `${change.id} ${change.state}: ${change.title}${change.level === null ? '' : ` (level ${change.level})`}${change.note ? `. ${change.note}` : ''}`
      return answer(changes.map(line).join('\n'))
    }
    return work().catch(faultAsMistake)
  },
})
