/** What a plan may cost, from what similar tasks did cost. It says what it rests on, and says so when that is nothing. */
import { sql } from 'kysely'
import { flatten, leavesOf, PLAN_WORKER, type PlanItem } from '../contract/plan.ts'
import type { Store } from '../store/store.ts'

export type PlanCost = { range: { lowDollars: number; highDollars: number } | null; basis: string; unknown: string[] }
type Run = { instruction: string; cost: number }

/** Past tasks of one agent that are looked at, newest first. */
const RUNS = 300
const SIMILAR = 0.25
const LEAST_SIMILAR = 3
const LEAST_OF_AGENT = 5

/** `free`: this agent calls no model, so it costs nothing. */
export async function estimatePlan(db: Store['db'], items: readonly PlanItem[], free: (agent: string) => boolean): Promise<PlanCost> {
  const leaves = leavesOf(items)
  const agentOf = (item: PlanItem) => item.agent ?? PLAN_WORKER
  const runs = new Map<string, Run[]>()
  for (const agent of new Set(leaves.map(agentOf))) if (!free(agent)) runs.set(agent, await runsOf(db, agent))
  let [low, high, similar, others, paid] = [0, 0, 0, 0, 0]
  const unknown: string[] = []
  for (const item of leaves) {
    const past = runs.get(agentOf(item))
    if (past === undefined) continue
    paid += 1
    const words = wordsOf(item.instruction)
    const like = past.filter((run) => alike(words, wordsOf(run.instruction)) >= SIMILAR)
    const base = like.length >= LEAST_SIMILAR ? like : past.length >= LEAST_OF_AGENT ? past : []
    if (base.length === 0) {
      unknown.push(item.id)
      continue
    }
    if (base === like) similar += like.length
    else others += past.length
    const costs = base.map((run) => run.cost).sort((a, b) => a - b)
    low += costs[Math.floor((costs.length - 1) * 0.1)]!
    high += costs[Math.ceil((costs.length - 1) * 0.9)]!
  }
  if (paid === 0) return { range: { lowDollars: 0, highDollars: 0 }, basis: 'No model is called, so nothing is spent.', unknown }
  if (unknown.length > 0) {
    const titles = flatten(items)
      .filter((one) => unknown.includes(one.id))
      .map((one) => `"${one.title}"`)
    const named = titles.length > 3 ? `${titles.slice(0, 3).join(', ')} and ${titles.length - 3} more` : titles.join(', ')
    return { range: null, basis: `It cannot be estimated: too few tasks like ${named} have run here with a known price.`, unknown }
  }
  const rests = [...(similar > 0 ? [`${similar} similar runs`] : []), ...(others > 0 ? [`${others} other runs of the same agents`] : [])]
  return {
    range: { lowDollars: low / 1e6, highDollars: high / 1e6 },
    basis: `From ${rests.join(' and ')}: nine of ten cost no more.`,
    unknown,
  }
}

/** Tasks that called a model at a known price, with all that was below them. Ids tell lineage. */
async function runsOf(db: Store['db'], agent: string): Promise<Run[]> {
  const { rows } = await sql<{ instruction: string; cost: number | string; unpriced: number | string }>`
    select t.instruction,
      (select sum(c.cost_micros) from tasks c where c.tree_id = t.tree_id and (c.id = t.id or (c.id > t.id || '.' and c.id < t.id || '/'))) as cost,
      (select sum(c.unpriced_calls) from tasks c where c.tree_id = t.tree_id and (c.id = t.id or (c.id > t.id || '.' and c.id < t.id || '/'))) as unpriced
    from tasks t
    where t.kind = 'work' and t.agent = ${agent} and t.tokens > 0 and t.status in ('done', 'failed')
    order by t.created_at desc limit ${RUNS}`.execute(db)
  return rows.filter((row) => Number(row.unpriced) === 0).map((row) => ({ instruction: row.instruction, cost: Number(row.cost) }))
}

const wordsOf = (text: string): Set<string> =>
  new Set(
    text
      .toLowerCase()
      .slice(0, 5_000)
      .match(/[\p{L}\p{N}]{3,}/gu) ?? [],
  )
/** Words in common, as a share of all words of both. */
function alike(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const both = [...a].filter((word) => b.has(word)).length
  return both / Math.max(1, a.size + b.size - both)
}
