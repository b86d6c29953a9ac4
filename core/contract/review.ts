/** An item of the one queue in which people decide what agents may not. */
import * as z from 'zod'

export const REVIEW_KINDS = ['permission', 'question', 'flag', 'budget', 'dead_task', 'in_doubt'] as const
export type ReviewKind = (typeof REVIEW_KINDS)[number]
export type ReviewState = 'open' | 'decided' | 'snoozed'
export const DECISIONS = ['approve', 'reject', 'changes', 'answer'] as const
export type DecisionWord = (typeof DECISIONS)[number]

/** `edit` replaces the arguments of the call that asked (permission) or the limits (budget). `actionHash` binds the decision to what was shown. */
export const Decision = z
  .object({
    decision: z.enum(DECISIONS),
    comment: z.string().max(20_000).optional(),
    edit: z.record(z.string(), z.unknown()).optional(),
    actionHash: z.string().max(100).optional(),
  })
  .strict()
export type Decision = z.output<typeof Decision>

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
}

/** Which words a kind can be decided with. */
export const DECISIONS_OF: Record<ReviewKind, readonly DecisionWord[]> = {
  permission: ['approve', 'reject', 'changes'],
  question: ['answer', 'reject'],
  flag: ['approve', 'reject', 'answer'],
  budget: ['approve', 'reject'],
  dead_task: ['approve', 'reject'],
  in_doubt: ['approve', 'reject', 'answer'],
}
