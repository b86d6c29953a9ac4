import * as z from 'zod'
import { Document } from '../core/contract/registry.ts'
import { answer, defineTool, faultAsMistake, mistake } from '../core/tool.ts'

export default defineTool({
  name: 'add_document',
  description: `Saves a context document that other agents, now and later, can find and read: how something works, what was decided and why, what to do next time. Its name and description are all that others see in the list, so let them say what question it answers.

A name that exists is refused unless "replace" is true; read the document first then, keep what is still right, and save the whole text. Every save is a version, so nothing is lost. A change of a document that other agents work by waits for a person; new ones and your own do not. Results of your own task do not belong here: hand those over with end_task, or as files.`,
  permission: 'self',
  effect: 'keyed',
  needs: ['registry'],
  input: z.object({
    name: Document.shape.name.describe('Lower case with _ or -, such as "release_checklist".'),
    description: Document.shape.description.describe('One sentence: what it is about and when to read it.'),
    content: z.string().min(1).max(500_000).describe('The whole text, in Markdown.'),
    replace: z.boolean().default(false).describe('Save a new version of a document that exists.'),
  }),
  async run({ name, description, content, replace }, { registry }) {
    const work = async () => {
      const existing = await registry.get('document', name)
      if (existing && existing.content === content && existing.description === description) {
        return answer(`The document "${name}" says exactly this already (version ${existing.version}); nothing was saved.`)
      }
      if (existing && !replace) {
        return mistake(
          `There is a document "${name}" already (version ${existing.version}): ${existing.description} Choose another name, or read it and save the whole new text with "replace": true.`,
        )
      }
      const saved = await registry.saveDocument({ name, description, content, enabled: existing?.enabled ?? true })
      if (saved === null) return { kind: 'later' } as const
      return answer(`Saved the document "${name}" as version ${saved.version}${saved.created ? ' (new)' : ''}.`)
    }
    return work().catch(faultAsMistake)
  },
})
