import * as z from 'zod'
import { ranked } from '../core/contract/rank.ts'
import { answer, defineTool } from '../core/tool.ts'

/** With words: so many, the best first. */
const BEST = 10

export default defineTool({
  name: 'list_documents',
  description: `Lists the context documents of this system: name, what each is about, its version and size. They hold what was learned and agreed: guides, descriptions, decisions. Read one with read_document; look here before you search elsewhere or ask. With "query" only those come that fit its words, the best first.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({ query: z.string().max(2_000).optional().describe('What you want to know, in a few words.') }),
  async run({ query }, { registry }) {
    const all = (await registry.list('document')).filter((document) => document.enabled)
    const documents = query?.trim() ? ranked(query, all, BEST) : all
    if (all.length > 0 && documents.length === 0)
      return answer(`None of the ${all.length} documents fits these words; try others, or leave them out.`)
    const rows = documents.map(
      (document) =>
        `- ${document.name}: ${document.description.replace(/\s+/g, ' ')} (version ${document.version}, ${document.content.length} characters)`,
    )
    return answer([`Documents: ${documents.length}`, ...rows].join('\n'))
  },
})
