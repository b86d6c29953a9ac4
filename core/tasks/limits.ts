/** May this tree call a model once more, may this task start these subtasks? Pure: rows in, a reason out. */
import type { LimitName, Limits } from '../contract/limits.ts'

export type Meter = {
  turns: number
  tokens: number
  costMicros: number
  /** Held for calls under way, by every worker. */
  reserved: { turns: number; tokens: number; costMicros: number }
  tasks: number
  startedAt: number | null
}
/** `dailyMicros` is of all goals of a day together; the others are the goal's own. */
export type Reached = { limit: LimitName | 'dailyMicros'; used: number; cap: number }

/** A call is let through only if the tree stays within its caps even when the call costs all that was reserved for it. */
export function turnReaches(
  limits: Limits,
  meter: Meter,
  /** `told`: what it costs is told afterwards, so it goes on until more was told than the cap. */
  estimate: { tokens: number; costMicros: number; told?: boolean },
  now: number,
): Reached | null {
  const turns = meter.turns + meter.reserved.turns
  if (turns + 1 > limits.turns) return { limit: 'turns', used: turns, cap: limits.turns }
  const tokens = meter.tokens + meter.reserved.tokens
  if (tokens + estimate.tokens > limits.tokens) return { limit: 'tokens', used: tokens, cap: limits.tokens }
  const costMicros = meter.costMicros + meter.reserved.costMicros
  if ((estimate.costMicros > 0 || estimate.told) && costMicros + estimate.costMicros > limits.costMicros)
    return { limit: 'costMicros', used: costMicros, cap: limits.costMicros }
  return wallReaches(limits, meter.startedAt, now)
}

export function wallReaches(limits: Limits, startedAt: number | null, now: number): Reached | null {
  const seconds = startedAt === null ? 0 : Math.floor((now - startedAt) / 1000)
  return seconds >= limits.wallSeconds ? { limit: 'wallSeconds', used: seconds, cap: limits.wallSeconds } : null
}

/** Depth and fan-out are answered to the agent, who can plan otherwise; the number of tasks pauses the tree. */
export function spawnReaches(limits: Limits, tasks: number, wanted: { count: number; depth: number; children: number }): Reached | null {
  if (wanted.depth > limits.depth) return { limit: 'depth', used: wanted.depth, cap: limits.depth }
  if (wanted.children + wanted.count > limits.fanOut) return { limit: 'fanOut', used: wanted.children + wanted.count, cap: limits.fanOut }
  if (tasks + wanted.count > limits.tasks) return { limit: 'tasks', used: tasks, cap: limits.tasks }
  return null
}

const NAMES: Record<Reached['limit'], (value: number) => string> = {
  depth: (n) => `${n} levels of subtasks`,
  fanOut: (n) => `${n} subtasks of one task`,
  tasks: (n) => `${n} tasks`,
  turns: (n) => `${n} model calls`,
  tokens: (n) => `${n.toLocaleString('en')} tokens`,
  costMicros: (n) => `$${(n / 1_000_000).toFixed(2)}`,
  dailyMicros: (n) => `$${(n / 1_000_000).toFixed(2)} a day for all goals`,
  wallSeconds: (n) => `${n} seconds of wall time`,
}
/** "the cap of 400 model calls is reached (400 used)" */
export const reachedText = ({ limit, used, cap }: Reached): string =>
  `the cap of ${NAMES[limit](cap)} is reached (${NAMES[limit](used)} used)`

/** What a person's plain approval of a budget item gives: the reached cap twice as high. */
export const raised = (limits: Limits, { limit, used }: Reached): Limits =>
  limit === 'dailyMicros' ? limits : { ...limits, [limit]: Math.max(limits[limit] * 2, used + 1, 1) }
/** The same for a day. */
export const raisedDay = ({ cap, used }: Reached): number => Math.max(cap * 2, used + 1_000_000)
