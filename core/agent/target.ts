/** Which model answers for an agent within a goal. */
import type { Choice, Models } from '../models/choose.ts'

/**
 * The goal's model stands in for an agent's `default`. One that does not judge was chosen so that no model is called: it holds for every
 * agent of the goal.
 */
export function targetOf(models: Models, goalModel: string | null, agentModel: string): Choice {
  const wanted = goalModel === null ? null : models.pick(goalModel)
  const plain = agentModel === '' || agentModel === 'default'
  return wanted && (plain || !wanted.provider.judges) ? wanted : models.pick(agentModel)
}
