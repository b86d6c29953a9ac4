/** Caps on a whole tree. They are checked in the store before each model call and each spawn; at a cap the tree pauses and asks a person. */
import * as z from 'zod'

export const Limits = z.object({
  /** Levels below the root. */
  depth: z.number().int().min(0).max(50),
  /** Subtasks that one task may start. */
  fanOut: z.number().int().min(0).max(1_000),
  /** Tasks in the tree, watchers and helpers included. */
  tasks: z.number().int().min(1).max(100_000),
  /** Model calls. */
  turns: z.number().int().min(1).max(1_000_000),
  tokens: z.number().int().min(1).max(1_000_000_000),
  /** Millionths of a US dollar. */
  costMicros: z.number().int().min(0).max(1_000_000_000_000),
  /** Seconds since the first claim, time paused for a person not counted. */
  wallSeconds: z.number().int().min(1).max(31_536_000),
})
export type Limits = z.output<typeof Limits>
export type LimitName = keyof Limits

/** Safe for a first goal with a paid model: at most five dollars and four hours. */
export const DEFAULT_LIMITS: Limits = {
  depth: 8,
  fanOut: 20,
  tasks: 200,
  turns: 400,
  tokens: 4_000_000,
  costMicros: 5_000_000,
  wallSeconds: 4 * 3600,
}

/** What a person may send with a goal; money in dollars because people think in it. */
export const Budget = z
  .object({
    dollars: z.number().min(0).max(1_000_000),
    tokens: Limits.shape.tokens,
    turns: Limits.shape.turns,
    tasks: Limits.shape.tasks,
    depth: Limits.shape.depth,
    fanOut: Limits.shape.fanOut,
    wallSeconds: Limits.shape.wallSeconds,
  })
  .partial()
  .strict()
export type Budget = z.output<typeof Budget>

export function withBudget(limits: Limits, budget: Budget | undefined): Limits {
  if (!budget) return limits
  const { dollars, ...rest } = budget
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return { ...limits, ...given, ...(dollars === undefined ? {} : { costMicros: Math.round(dollars * 1_000_000) }) }
}
