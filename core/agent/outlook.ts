/** What is known of a plan before it is carried out: who does it with which tools and model, and what that may cost. */
import type { Plan } from '../contract/api-plans.ts'
import { Fault } from '../contract/fault.ts'
import { leavesOf, PLAN_WORKER, type PlanItem } from '../contract/plan.ts'
import type { Models } from '../models/choose.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import { estimatePlan } from '../tasks/estimate.ts'
import type { Tool } from '../tool.ts'
import { targetOf } from './target.ts'

export function openOutlook(parts: { store: Store; registry: Registry; models: Models; tools: ReadonlyMap<string, Tool> }) {
  const { store, registry, models, tools } = parts
  return async (treeId: string, items: readonly PlanItem[]): Promise<Pick<Plan, 'cost' | 'needs'>> => {
    const goal = await store.db.selectFrom('trees').select('model').where('id', '=', treeId).executeTakeFirst()
    const entries = (await registry.list('tool')).filter((entry) => entry.enabled)
    const needs: Plan['needs'] = []
    const free = new Set<string>()
    for (const name of new Set(leavesOf(items).map((one) => one.agent ?? PLAN_WORKER))) {
      const agent = await registry.get('agent', name)
      if (!agent?.enabled) {
        const names = (await registry.list('agent')).filter((one) => one.enabled && !one.watcher).map((one) => one.name)
        throw new Fault('invalid', `There is no agent "${name}" for a part of the plan; choose one of ${names.join(', ')}.`)
      }
      const { provider, model } = targetOf(models, goal?.model ?? null, agent.model)
      if (!provider.judges || provider.outside || provider.lends) free.add(name)
      const has = entries.flatMap((entry) => {
        const tool = tools.get(entry.name)
        if (!tool || tool.arranges) return []
        return (tool.requires ? agent.web_search_allowed : entry.core || agent.tools.includes(entry.name)) ? [tool] : []
      })
      needs.push({
        agent: name,
        tools: has.map((tool) => ({ name: tool.name, permission: tool.permission })),
        model: model === provider.name ? model : `${provider.name}/${model}`,
      })
    }
    return { cost: await estimatePlan(store.db, items, (agent) => free.has(agent)), needs }
  }
}
