/** What an outside agent is told of a task that it claimed: what our own agent's model would be given, the same text from the same rows. */
import type { StoredMessage } from '../contract/message.ts'
import type { RequestMessage, ToolSpec } from '../models/provider.ts'
import type { Grants } from '../tasks/rows.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { conversation } from './context.ts'
import { arrivals, type DefinitionParts, definitionOf } from './definition.ts'

export type Brief = {
  system: string
  messages: RequestMessage[]
  tools: ToolSpec[]
}
export type Briefs = ReturnType<typeof openBriefs>

export function openBriefs(parts: DefinitionParts & { tasks: Pick<Tasks, 'trial' | 'messages'> }) {
  async function history(taskId: string, after: number): Promise<StoredMessage[]> {
    const all: StoredMessage[] = []
    for (;;) {
      const more = await parts.tasks.messages(taskId, all.at(-1)?.n ?? after)
      all.push(...more)
      if (more.length < 1_000) return all
    }
  }
  return {
    /** Null: its agent is gone or switched off; the task fails as soon as it is worked on. */
    async of(task: { id: string; agent: string }, grants: Grants): Promise<Brief | null> {
      const [found, messages] = await Promise.all([definitionOf(parts, task.agent, grants), history(task.id, 0)])
      return found ? { system: found.prompt.text, messages: conversation(messages), tools: [...found.specs] } : null
    },
    /** Tools that the task's agent has now. */
    async tools(task: { agent: string }, grants: Grants): Promise<ToolSpec[]> {
      return [...((await definitionOf(parts, task.agent, grants))?.specs ?? [])]
    },
    /** Those of them that come and go while Banyan runs, with their versions. */
    async arrivals(task: { agent: string }, grants: Grants): Promise<{ name: string; version: number }[]> {
      return (await arrivals(parts, task.agent, grants)).map(({ name, version }) => ({ name, version }))
    },
    /** What was added after message `since`. */
    since: history,
  }
}
