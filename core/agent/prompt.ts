/** The system prompt of an agent, from rows alone. Pure. The task is not in it: a thousand tasks of one agent share one prompt and its cache. */
import { createHash } from 'node:crypto'
import type { Agent, Document, ToolEntry, Versioned } from '../contract/registry.ts'

export type Prompt = { text: string; hash: string; documents: { name: string; version: number }[]; tools: string[] }

/** `core` is the one core instruction, with its marks `{agent_instruction}`, `{documents}` and `{tools}`. */
export function buildPrompt(
  core: string,
  agent: Agent,
  documents: readonly Versioned<Document>[],
  tools: readonly Pick<ToolEntry, 'name' | 'description'>[],
): Prompt {
  const parts: Record<string, string> = {
    '{agent_instruction}': agent.instruction.trim(),
    '{documents}': documents.map((d) => `<document name="${d.name}">\n${d.content.trim()}\n</document>`).join('\n\n') || 'None.',
    '{tools}': tools.map((t) => `- \`${t.name}\`: ${t.description}`).join('\n') || 'None.',
  }
  // One pass, so that a mark inside an inserted text stays text.
  const text = core.replace(/\{agent_instruction\}|\{documents\}|\{tools\}/g, (mark) => parts[mark]!)
  return {
    text,
    hash: createHash('sha256').update(text).digest('hex').slice(0, 32),
    documents: documents.map((d) => ({ name: d.name, version: d.version })),
    tools: tools.map((t) => t.name),
  }
}
