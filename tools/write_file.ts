import * as z from 'zod'
import { answer, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

const MOST_BYTES = 1_000_000

export default defineTool({
  name: 'write_file',
  description: `Writes a text file in your workspace: a new one, or the whole of an existing one (what was in it is gone). Missing folders are made. The answer says how large the file is and whether it is new.

Use it for new files and for complete rewrites; to change parts of a file use edit_file, which cannot lose the rest. With "append" the content is added at the end of the file. At most 1 MB at once.`,
  permission: 'write',
  // Appending twice is not the same as once, and a file does not tell whether it was done.
  effect: ({ append }) => (append ? 'once' : 'idempotent'),
  needs: ['files'],
  input: z.object({
    path: z.string().min(1).max(4_000).describe('Relative to the workspace, such as "notes/plan.md".'),
    content: z.string().describe('The whole content, or with "append" what is added. End text files with a line break.'),
    append: z.boolean().default(false),
  }),
  async run({ path, content, append }, { files }) {
    const bytes = Buffer.byteLength(content)
    if (bytes > MOST_BYTES) {
      return mistake(
        `The content has ${bytes} bytes, more than the ${MOST_BYTES} that fit into one call; write the first part, then add the others with "append".`,
      )
    }
    const work = async () => {
      const written = await files.write(path, content, { append })
      const what = written.created ? 'new file' : append ? `${bytes} bytes added` : 'replaced'
      return answer(`Wrote ${path}: ${written.bytes} bytes (${what}).`)
    }
    return work().catch(faultAsMistake)
  },
})
