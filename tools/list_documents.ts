import * as z from 'zod'
import { answer, defineTool } from '../core/tool.ts'

export default defineTool({
  name: 'list_documents',
  description: `Lists the context documents of this system: name, what each is about, its version and size. They hold what was learned and agreed: guides, descriptions, decisions. Read one with read_document; look here before you search elsewhere or ask.`,
  permission: 'read',
  effect: 'read',
  needs: ['registry'],
  input: z.object({}),
  async run(_, { registry }) {
    const documents = (await registry.list('document')).filter((document) => document.enabled)
    const rows = documents.map(
      (document) =>
        `- ${document.name}: ${document.description.replace(/\s+/g, ' ')} (version ${document.version}, ${document.content.length} characters)`,
    )
    return answer([`Documents: ${documents.length}`, ...rows].join('\n'))
  },
})
