/** An item of the one queue in which people decide what agents may not. */
import * as z from 'zod'
import { type Offer, Remember, type Taint } from './policy.ts'

export const REVIEW_KINDS = ['permission', 'question', 'flag', 'budget', 'dead_task', 'in_doubt', 'plan', 'self_change', 'stuck'] as const
export type ReviewKind = (typeof REVIEW_KINDS)[number]
export type ReviewState = 'open' | 'decided' | 'snoozed'
export const DECISIONS = ['approve', 'reject', 'changes', 'answer'] as const
export type DecisionWord = (typeof DECISIONS)[number]

/**
 * `edit` replaces the arguments of the call that asked (permission) or the limits (budget). `actionHash` binds the decision to what was shown.
 * `remember` makes an approval an always-allow of what was shown.
 */
export const Decision = z
  .object({
    decision: z.enum(DECISIONS),
    comment: z.string().max(20_000).optional(),
    edit: z.record(z.string(), z.unknown()).optional(),
    actionHash: z.string().max(100).optional(),
    remember: z.optional(Remember),
  })
  .strict()
export type Decision = z.output<typeof Decision>

/** One word for many items; each is decided, or refused, by itself. `actionHashes` (by id) binds each to what was shown. */
export const BatchDecision = z
  .object({
    ids: z.array(z.string().max(300)).min(1).max(200),
    decision: z.enum(DECISIONS),
    comment: z.string().max(20_000).optional(),
    actionHashes: z.record(z.string(), z.string().max(100)).optional(),
  })
  .strict()
export type BatchDecision = z.output<typeof BatchDecision>

/** What becomes of an item that nobody decides in time. Nothing is ever approved so. */
export const EXPIRY_POLICIES = ['park', 'deny', 'escalate'] as const
export type ExpiryPolicy = (typeof EXPIRY_POLICIES)[number]

export type Review = {
  id: string
  kind: ReviewKind
  state: ReviewState
  treeId: string
  taskId: string
  /** The call that waits for this decision; null when nothing waits. */
  callId: string | null
  title: string
  /** Exactly what would happen, as data. */
  action: unknown
  actionHash: string
  risk: 'low' | 'medium' | 'high'
  createdAt: string
  decidedAt: string | null
  decision: DecisionWord | null
  comment: string | null
  decidedBy: string | null
  /** Items with the same one ask for the same kind of thing and may be decided together. */
  signature: string | null
  /** Why the policy asks; null where no policy was involved. */
  reason: string | null
  /** What its task had read by then that nobody in its tree wrote. */
  taint: Taint[]
  /** The always-allows that an approval can become. */
  offers: Offer[]
  /** What a person put in the place of the arguments or caps. */
  edit: Record<string, unknown> | null
  /** It comes back by itself then. */
  snoozedUntil: string | null
  /** When nobody decided it by then, the setting says what happens; null: it waits for ever. */
  expiresAt: string | null
  escalatedAt: string | null
}
/** A task above the one that asks, which waits for it. */
export type Waiting = { id: string; title: string; status: string }

/** Which words a kind can be decided with. */
export const DECISIONS_OF: Record<ReviewKind, readonly DecisionWord[]> = {
  permission: ['approve', 'reject', 'changes'],
  question: ['answer', 'reject'],
  flag: ['approve', 'reject', 'answer'],
  budget: ['approve', 'reject'],
  dead_task: ['approve', 'reject'],
  in_doubt: ['approve', 'reject', 'answer'],
  plan: ['approve', 'reject', 'changes'],
  self_change: ['approve', 'reject', 'changes'],
  stuck: ['approve', 'answer', 'reject'],
}
