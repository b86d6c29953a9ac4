import * as z from 'zod'
import { answer, defineTool, mistake } from '../core/tool.ts'

const PAGE = 30_000

export default defineTool({
  name: 'read_document',
  description: `Reads a context document by its name. The first line of the answer tells its version and size. At most ${PAGE / 1_000},000 characters come at once; when more is left, the last line says how to read on. list_documents tells which there are.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({
    name: z.string().min(1).max(64),
    from: z.number().int().min(0).default(0).describe('Character to begin at; 0 is the beginning.'),
  }),
  async run({ name, from }, { registry }) {
    const document = await registry.get('document', name)
    if (!document?.enabled) {
      const names = (await registry.list('document')).filter((one) => one.enabled).map((one) => one.name)
      return mistake(`There is no document "${name}". There are: ${names.slice(0, 100).join(', ') || 'none yet'}.`)
    }
    const { content, version, description } = document
    if (from > 0 && from >= content.length)
      return mistake(`"${name}" has only ${content.length} characters; there is nothing from ${from} on.`)
    const end = pageEnd(content, from)
    const text = [
      `${name} (version ${version}, ${content.length} characters): ${description.replace(/\s+/g, ' ')}`,
      '',
      content.slice(from, end),
      ...(end < content.length ? [`(${content.length - end} characters are left; read on with from ${end})`] : []),
    ].join('\n')
    return (await registry.isAgents(document)) ? { kind: 'answer', text, taint: ['agents'] } : answer(text)
  },
})

/** Ends a page after a line where one ends in its second half, and never inside a character. */
function pageEnd(content: string, from: number): number {
  const end = from + PAGE
  if (end >= content.length) return content.length
  const line = content.lastIndexOf('\n', end - 1) + 1
  if (line > from + PAGE / 2) return line
  return /[\uD800-\uDBFF]/.test(content[end - 1]!) ? end - 1 : end
}
