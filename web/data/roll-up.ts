/**
 * Sums over subtrees, kept while nodes change: each node holds the sum of itself and everything below, in one flat array of numbers, so a
 * change costs one walk to the root. A hundred thousand nodes take 17 MB.
 */
import type { TaskNode } from '../../core/contract/node.ts'
import { isOver, isWatcher, type Spend, TASK_STATUSES, type TaskStatus } from '../../core/contract/task.ts'

/** Of a node and everything below it. */
export type Totals = {
  tasks: number
  spend: Spend
  /** Tokens of the spend that went into watching: judging, summing up, documenting. */
  watching: number
  counts: Readonly<Record<TaskStatus, number>>
  /** Review items that wait for a person. */
  needsYou: number
  /** Tasks that the filter means. */
  matches: number
  /** Time that tasks without children took, ended ones only. */
  endedMs: number
  /** Tasks without children that are not over, and when they began on average: what `timeOf` needs. */
  open: number
  openSince: number
}
/** Summed time at work of the ends of the branches, in milliseconds; what ran side by side counts twice. */
export const timeOf = (totals: Totals, now: number): number => totals.endedMs + totals.open * Math.max(0, now - totals.openSince)

const [TASKS, TURNS, TOKENS, COST, UNPRICED, NEEDS, MATCHES, ENDED, OPEN, SINCE, STATUS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const WATCHING = STATUS + TASK_STATUSES.length
export const WIDTH = WATCHING + 1
const PLACE = Object.fromEntries(TASK_STATUSES.map((status, i) => [status, STATUS + i])) as Record<TaskStatus, number>

/** Writes what one node adds into the `WIDTH` places of `into` from `at` on. Times count from `base`, so that sums stay exact. */
export function writeOwn(
  into: Float64Array,
  at: number,
  node: TaskNode,
  more: { leaf: boolean; needsYou: number; matches: boolean; base: number },
): void {
  into.fill(0, at, at + WIDTH)
  const { turns, tokens, costMicros, unpricedCalls } = node.spend
  into[at + TASKS] = 1
  into[at + TURNS] = turns
  into[at + TOKENS] = tokens
  into[at + COST] = costMicros
  into[at + UNPRICED] = unpricedCalls
  if (isWatcher(node.kind)) into[at + WATCHING] = tokens
  into[at + NEEDS] = more.needsYou
  into[at + MATCHES] = more.matches ? 1 : 0
  into[at + PLACE[node.status]] = 1
  if (!more.leaf) return
  if (isOver(node.status)) into[at + ENDED] = node.updatedAt - node.createdAt
  else {
    into[at + OPEN] = 1
    into[at + SINCE] = node.createdAt - more.base
  }
}

export function totalsAt(sums: Float64Array, at: number, base: number): Totals {
  const open = sums[at + OPEN]!
  return {
    tasks: sums[at + TASKS]!,
    spend: {
      turns: sums[at + TURNS]!,
      tokens: sums[at + TOKENS]!,
      costMicros: sums[at + COST]!,
      unpricedCalls: sums[at + UNPRICED]!,
    },
    watching: sums[at + WATCHING]!,
    counts: Object.fromEntries(TASK_STATUSES.map((status, i) => [status, sums[at + STATUS + i]!])) as Record<TaskStatus, number>,
    needsYou: sums[at + NEEDS]!,
    matches: sums[at + MATCHES]!,
    endedMs: sums[at + ENDED]!,
    open,
    openSince: open === 0 ? 0 : base + sums[at + SINCE]! / open,
  }
}

export const matchesAt = (sums: Float64Array, at: number): number => sums[at + MATCHES]!
/** Tasks in there that run, failed or wait for a person: what a person wants to see without opening anything. */
export const attentionAt = (sums: Float64Array, at: number): number =>
  sums[at + PLACE.assigned]! + sums[at + PLACE.active]! + sums[at + PLACE.failed]! + sums[at + PLACE.dead]! + sums[at + NEEDS]!
/** The same of one node by itself. */
export const attentionOf = (node: TaskNode, needsYou: number): number =>
  Number(node.status === 'assigned' || node.status === 'active' || node.status === 'failed' || node.status === 'dead') + needsYou
