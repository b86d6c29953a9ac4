import { basename, matchesGlob } from 'node:path'
import * as z from 'zod'
import { answer, defineTool, faultAsMistake } from '../core/tool.ts'

const MOST_SHOWN = 500
const MOST_SEEN = 20_000

/**
 * The answer's form is fixed, because rules read it as well as models: a heading line, then one entry a line, `<size>\t<path>`. The size is
 * in bytes, or `-` for what is not a regular file; the path is relative to the workspace (not to the folder listed) and ends with `/` for a
 * folder. A name with a line break or another control character is written with `?` in its place.
 */
export default defineTool({
  name: 'list_files',
  description: `Lists files and folders of your workspace. The first line tells the totals; then comes one entry a line: size in bytes (or - for a folder or a link), a tab, and the path. Folders end with "/". Paths are relative to the workspace and can be given to the other file tools as they are.

Use it to get to know a workspace, and to see what a command or another agent made. Folders such as .git and node_modules are named but not opened unless you ask for them by path. At most ${MOST_SHOWN} entries are shown, upper levels first; narrow it with "path", "depth" or "pattern".`,
  permission: 'read',
  effect: 'read',
  needs: ['files'],
  input: z.object({
    path: z.string().max(4_000).default('.').describe('Folder to list. Default: the whole workspace.'),
    depth: z
      .number()
      .int()
      .min(1)
      .max(30)
      .optional()
      .describe('Levels to go down; 1 is only the folder itself. Default: 3, with a pattern 30.'),
    pattern: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .describe('Only files and folders like this: "*.md" by name in any folder, "src/**/*.ts" by path.'),
  }),
  async run({ path, depth: asked, pattern }, { files }) {
    const depth = asked ?? (pattern ? 30 : 3)
    const work = async () => {
      const found = await files.list(path || '.', { depth, most: MOST_SEEN })
      const entries = pattern ? found.entries.filter((entry) => matches(entry.path, pattern)) : found.entries
      const shown = entries.slice(0, MOST_SHOWN).sort((a, b) => (a.path < b.path ? -1 : 1))
      const kinds = (kind: string) => entries.filter((entry) => entry.kind === kind).length
      const bytes = entries.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0)
      const heading = [
        `${count(kinds('file'), 'file')} (${bytes} bytes), ${count(kinds('folder'), 'folder')}${kinds('other') ? `, ${count(kinds('other'), 'other entry', 'other entries')}` : ''} in ${oneLine(path || '.')}`,
        ...(pattern ? [`matching ${oneLine(pattern)}`] : []),
        `depth ${depth}`,
        ...(entries.length > shown.length ? [`the first ${shown.length} are shown, ${entries.length - shown.length} more are not`] : []),
        ...(found.complete ? [] : [`only the first ${MOST_SEEN} entries were looked at`]),
        ...(found.closed.length > 0
          ? [
              `not opened: ${found.closed
                .slice(0, 10)
                .map((one) => `${oneLine(one)}/`)
                .join(', ')}${found.closed.length > 10 ? ` and ${found.closed.length - 10} more` : ''}`,
            ]
          : []),
      ].join(' · ')
      return answer(
        [heading, ...shown.map((entry) => `${entry.bytes ?? '-'}\t${oneLine(entry.path)}${entry.kind === 'folder' ? '/' : ''}`)].join('\n'),
      )
    }
    return work().catch(faultAsMistake)
  },
})

const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
const matches = (path: string, pattern: string): boolean =>
  matchesGlob(pattern.includes('/') ? path : basename(path), pattern.replace(/^\.\//, ''))
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const oneLine = (path: string): string => path.replace(/[\x00-\x1f\x7f]/g, '?')
