/** How the newest work of every agent and every tool went, for lists: what a person looks at before they open one. */
import type { RegistryFigures } from '../contract/api-registry.ts'
import type { Store } from '../store/store.ts'

/** Rows that the figures are made of. Old work says little of what an agent or a tool is now. */
const TASKS = 2_000
const CALLS = 5_000

export async function figures(store: Store): Promise<RegistryFigures> {
  const tasks = await store.db
    .selectFrom((from) =>
      from
        .selectFrom('tasks')
        .select(['agent', 'status', 'cost_micros', 'unpriced_calls'])
        .orderBy('created_at', 'desc')
        .limit(TASKS)
        .as('t'),
    )
    .select(['t.agent', 't.status'])
    .select((e) => [e.fn.countAll().as('tasks'), e.fn.sum('t.cost_micros').as('cost'), e.fn.sum('t.unpriced_calls').as('unpriced')])
    .groupBy(['t.agent', 't.status'])
    .execute()
  const calls = await store.db
    .selectFrom((from) =>
      from.selectFrom('calls').select(['tool', 'ok']).where('ended_at', 'is not', null).orderBy('ended_at', 'desc').limit(CALLS).as('c'),
    )
    .select('c.tool')
    .select((e) => [e.fn.countAll().as('calls'), e.fn.sum('c.ok').as('worked')])
    .groupBy('c.tool')
    .orderBy('c.tool')
    .execute()
  const agents = new Map<string, RegistryFigures['agents'][number]>()
  for (const row of tasks) {
    const own = agents.get(row.agent) ?? { name: row.agent, tasks: 0, done: 0, failed: 0, costMicros: 0, unpricedCalls: 0 }
    agents.set(row.agent, own)
    own.tasks += Number(row.tasks)
    if (row.status === 'done') own.done += Number(row.tasks)
    if (row.status === 'failed' || row.status === 'dead') own.failed += Number(row.tasks)
    own.costMicros += Number(row.cost)
    own.unpricedCalls += Number(row.unpriced)
  }
  return {
    agents: [...agents.values()].sort((a, b) => a.name.localeCompare(b.name)),
    tools: calls.map((row) => ({ name: row.tool, calls: Number(row.calls), failures: Number(row.calls) - Number(row.worked ?? 0) })),
  }
}
