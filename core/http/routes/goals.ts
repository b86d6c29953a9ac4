/** Submitting goals and looking at their trees. */
import type { GoalExample, GoalRequest } from '../../contract/api.ts'
import { Fault } from '../../contract/fault.ts'
import { isWatcher, type Spend, type Task, WATCHING_CAP, watchShare } from '../../contract/task.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

export type SubmitGoal = (
  goal: GoalRequest & { by: string; idempotencyKey?: string; forkedFrom?: string },
) => Promise<{ treeId: string; created: boolean }>

export function goalRoutes(parts: {
  tasks: Tasks
  registry: Registry
  auth: Auth
  examples: readonly GoalExample[]
  submitGoal: SubmitGoal
}): Pick<Handlers, 'submitGoal' | 'goalExamples' | 'trees' | 'tree'> {
  const { tasks, registry, examples } = parts
  return {
    async submitGoal({ body, by, key }) {
      if (body.agent !== undefined) await checkAgent(registry, body.agent)
      if (body.example !== undefined && !examples.some((example) => example.name === body.example))
        throw new Fault(
          'invalid',
          `There is no example ${JSON.stringify(body.example)}; ${there(examples.map((example) => example.name))}.`,
        )
      const { treeId } = await parts.submitGoal({ ...body, by: by.name, ...(key === undefined ? {} : { idempotencyKey: key }) })
      return { treeId, taskId: treeId, url: `${parts.auth.baseUrl()}/trees/${treeId}` }
    },
    goalExamples: () => ({ items: [...examples], nextCursor: null }),
    async trees({ query }) {
      const { items, nextCursor } = await tasks.trees({ ...query, asks: false })
      return { items: items.map((item) => ({ ...item, cost: costOf(item.spend) })), nextCursor }
    },
    async tree({ param }) {
      const tree = await tasks.tree(param('id'))
      return { ...tree, cost: costOf(tree.spend), watching: watchingOf(tree.tasks) }
    },
  }
}

function watchingOf(tasks: readonly Task[]) {
  const tokens = tasks.reduce((sum, { kind, spend }) => sum + (isWatcher(kind) ? spend.tokens : 0), 0)
  return { tokens, share: watchShare(tasks), cap: WATCHING_CAP.share }
}
const costOf = (spend: Spend) => ({ dollars: spend.costMicros / 1_000_000, unpricedCalls: spend.unpricedCalls })
const there = (names: readonly string[]) => (names.length > 0 ? `there are ${names.join(', ')}` : 'there are none')

async function checkAgent(registry: Registry, name: string): Promise<void> {
  if ((await registry.get('agent', name))?.enabled) return
  const agents = (await registry.list('agent')).filter((agent) => agent.enabled)
  throw new Fault('invalid', `There is no agent ${JSON.stringify(name)}; ${there(agents.map((agent) => agent.name))}.`)
}
