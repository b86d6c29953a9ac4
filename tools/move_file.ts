import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'move_file',
  description: `Moves or renames one file within your workspace. Missing folders are made. A person can undo it; nobody is asked first.

It never replaces a file: when there is one at the new path, delete that first. Folders and links are not moved with it, nor files larger than 50 MB, which are not kept.`,
  permission: 'write',
  effect: 'idempotent',
  needs: ['files'],
  input: z.object({
    from: z.string().min(1).max(4_000).describe('The file, relative to the workspace.'),
    to: z.string().min(1).max(4_000).describe('Its new path with its name, such as "archive/2024.md".'),
  }),
  async run({ from, to }, { files, attempt }) {
    try {
      await files.move(from, to, { again: attempt > 1 })
      return answer(`Moved ${from} to ${to}.`)
    } catch (error) {
      return faultAsMistake(error)
    }
  },
})
