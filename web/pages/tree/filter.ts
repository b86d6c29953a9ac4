/** Which tasks a filter means. Pure; what only the server knows (which tools were called, what changed) comes as a set of ids. */
import type { TaskNode } from '../../../core/contract/node.ts'
import type { Predicate } from '../../data/tree-store.ts'
import type { TreeAsk } from './address.ts'

export const ONLY = ['failed', 'you', 'running'] as const
export type Only = (typeof ONLY)[number]

export const hasFailed = (node: Pick<TaskNode, 'status'>): boolean => node.status === 'failed' || node.status === 'dead'
export const isRunning = (node: Pick<TaskNode, 'status'>): boolean => node.status === 'active' || node.status === 'assigned'

const IS: Record<Only, Predicate> = {
  failed: hasFailed,
  you: (_node, needsYou) => needsYou > 0,
  running: isRunning,
}

/** `f=failed,you` as the words that it knows. */
export const onlyIn = (f: string | undefined): Only[] => ONLY.filter((word) => f?.split(',').includes(word))
export const toggled = (f: string | undefined, word: Only): string | undefined => {
  const now = onlyIn(f)
  const next = now.includes(word) ? now.filter((one) => one !== word) : [...now, word]
  return next.length > 0 ? next.join(',') : undefined
}

/** Dollars as a person writes them, in millionths; null: not an amount. */
export function microsOf(dollars: string | undefined): number | null {
  const value = Number(dollars?.trim().replace(',', '.').replace(/^\$/, '') || Number.NaN)
  return Number.isFinite(value) && value >= 0 && value <= 1_000_000 ? Math.round(value * 1_000_000) : null
}

/** Whether the server has to be asked. */
export const needsServer = (ask: TreeAsk): boolean => Boolean(ask.tool || ask.since)

/**
 * Null: everything. A task fits when it is in one of the chosen states and fits each of the other words. `among`: what the server found; null
 * while it has not answered, when nothing is left out for its sake.
 */
export function predicateOf(ask: TreeAsk, among: ReadonlySet<string> | null): Predicate | null {
  const only = onlyIn(ask.f)
  const over = microsOf(ask.cost)
  const { agent } = ask
  const parts: Predicate[] = []
  if (only.length > 0) parts.push((node, needs) => only.some((word) => IS[word](node, needs)))
  if (agent) parts.push((node) => node.agent === agent)
  if (over !== null) parts.push((node) => node.spend.costMicros > over)
  if (needsServer(ask) && among) parts.push((node) => among.has(node.id))
  return parts.length === 0 ? null : (node, needs) => parts.every((part) => part(node, needs))
}
