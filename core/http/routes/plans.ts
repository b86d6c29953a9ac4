/** Plans: what will be done before it is done. */
import type { Plan } from '../../contract/api-plans.ts'
import { leavesOf, type PlanItem } from '../../contract/plan.ts'
import type { StoredPlan } from '../../tasks/plans.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

export type PlanParts = {
  /** What is known of carrying these parts out in that goal. A Fault names an agent that is not there. */
  outlook(treeId: string, items: readonly PlanItem[]): Promise<Pick<Plan, 'cost' | 'needs'>>
}

export function planRoutes({ tasks, plans }: { tasks: Tasks; plans: PlanParts }): Pick<Handlers, 'plan' | 'savePlan'> {
  const told = async ({ id, review, items }: StoredPlan): Promise<Plan> => ({
    id,
    treeId: review.treeId,
    taskId: review.taskId,
    reviewId: review.id,
    state: review.state,
    decision: review.decision,
    decidedBy: review.decidedBy,
    decidedAt: review.decidedAt,
    createdAt: review.createdAt,
    hash: review.actionHash,
    items,
    ...(await plans.outlook(review.treeId, items)),
  })
  return {
    plan: async ({ param }) => told(await tasks.plans.get(param('id'))),
    async savePlan({ param, body, by }) {
      const { review } = await tasks.plans.get(param('id'))
      await plans.outlook(review.treeId, leavesOf(body.items)) // names agents that are not there before anything is saved
      return told(await tasks.plans.edit(param('id'), body.items, body.hash, by.kind === 'person'))
    },
  }
}
