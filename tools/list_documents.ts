import * as z from 'zod'
import { ranked } from '../core/contract/rank.ts'
import { answer, defineTool } from '../core/tool.ts'

/** With words: so many, the best first. */
const BEST = 10

export default defineTool({
  name: 'list_documents',
  description: `Lists the context documents of this system: name, what each is about, its version and size. They hold what was learned and agreed: guides, descriptions, decisions. Read one with read_document; look here before you search elsewhere or ask. With "query" the whole texts are searched: only those come that fit its words, the best first, each with a line that holds some of them.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({ query: z.string().max(2_000).optional().describe('What you want to know, in a few words.') }),
  async run({ query }, { registry }) {
    const all = (await registry.list('document')).filter((document) => document.enabled)
    const documents = query?.trim() ? ranked(query, all, BEST) : all
    if (all.length > 0 && documents.length === 0)
      return answer(`None of the ${all.length} documents fits these words; try others, or leave them out.`)
    const rows = documents.map((document) => {
      const line = query?.trim() ? lineWith(query, document.content) : null
      const about = `- ${document.name}: ${document.description.replace(/\s+/g, ' ')} (version ${document.version}, ${document.content.length} characters)`
      return line === null ? about : `${about}\n  … ${line}`
    })
    return answer([`Documents: ${documents.length}`, ...rows].join('\n'))
  },
})

/** The line of a text that holds most of the asked words; null: none holds any. */
function lineWith(query: string, content: string): string | null {
  const words = [...new Set(query.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [])]
  let best: { line: string; held: number } = { line: '', held: 0 }
  for (const line of content.split('\n')) {
    const small = line.toLowerCase()
    const held = words.filter((word) => small.includes(word)).length
    if (held > best.held) best = { line, held }
  }
  return best.held === 0 ? null : best.line.trim().replace(/\s+/g, ' ').slice(0, 200)
}
