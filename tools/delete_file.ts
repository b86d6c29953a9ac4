import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

export default defineTool({
  name: 'delete_file',
  description: `Deletes one file in your workspace. What was in it is kept, so a person can put it back; nobody is asked first.

Folders and links are not deleted with it, nor files larger than 50 MB, which are not kept.`,
  permission: 'write',
  effect: 'idempotent',
  needs: ['files'],
  input: z.object({ path: z.string().min(1).max(4_000).describe('Relative to the workspace, such as "notes/old.md".') }),
  async run({ path }, { files, attempt }) {
    try {
      await files.remove(path, { again: attempt > 1 })
      return answer(`Deleted ${path}.`)
    } catch (error) {
      return faultAsMistake(error)
    }
  },
})
