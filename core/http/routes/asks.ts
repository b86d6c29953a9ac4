/** Asking the agent that people speak to, and reading what it answered. */
import type { Tasks } from '../../tasks/tasks.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

/** A word to the system itself; `conversation`: that of an earlier ask. */
export type AskSystem = (
  ask: { words: string; conversation?: string | undefined; idempotencyKey?: string | undefined },
  by: string,
) => Promise<{ treeId: string }>

export function askRoutes(parts: {
  tasks: Pick<Tasks, 'asks'>
  auth: Pick<Auth, 'baseUrl'>
  ask: AskSystem
}): Pick<Handlers, 'ask' | 'asks' | 'askItem'> {
  const { asks } = parts.tasks
  return {
    async ask({ body, by, key }) {
      const { treeId } = await parts.ask({ ...body, idempotencyKey: key }, by.name)
      return { treeId, taskId: treeId, url: `${parts.auth.baseUrl()}/trees/${treeId}` }
    },
    asks: ({ query, by }) => asks.list({ ...query, by: by.name }),
    askItem: ({ param }) => asks.get(param('id')),
  }
}
