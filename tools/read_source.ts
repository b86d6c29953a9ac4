import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'read_source',
  description:
    'Reads the source of Banyan, the system that you run in, as the running revision has it: one file, or the names in a folder ("." for the top). It changes nothing; propose_change gives you a copy to edit.',
  permission: 'read',
  effect: 'read',
  needs: ['self'],
  input: z.object({
    path: z.string().min(1).max(500).describe('Relative to the top of the source, such as "core/agent/prompt.ts".'),
    from_line: z.number().int().min(1).default(1),
    lines: z.number().int().min(1).max(2_000).default(400),
  }),
  async run({ path, from_line, lines }, { self }) {
    const work = async () => {
      const found = await self.read(path)
      if (found.kind === 'folder') return answer(found.names.join('\n'))
      const all = found.text.replace(/\n$/, '').split('\n')
      const shown = all.slice(from_line - 1, from_line - 1 + lines)
      const left = all.length - (from_line - 1) - shown.length
      const head = `${path}, lines ${from_line} to ${from_line - 1 + shown.length} of ${all.length}`
      if (shown.length === 0) return answer(`${path} has only ${all.length} lines.`)
      return answer(
        `${head}\n${shown.join('\n')}${left > 0 ? `\n… ${left} more lines; go on with "from_line": ${from_line + shown.length}` : ''}`,
      )
    }
    return work().catch(faultAsMistake)
  },
})
