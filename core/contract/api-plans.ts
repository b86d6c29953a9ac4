/** Routes of plans: what will be done, by whom, with which tools, at which price, before any of it is done. */
import * as z from 'zod'
import { PlanItemShape, PlanItems } from './plan.ts'
import { DECISIONS } from './review.ts'
import { one, text, time } from './route.ts'

const Cost = z
  .object({
    /** Null: nothing is known of what some part costs. */
    range: z.object({ lowDollars: z.number(), highDollars: z.number() }).nullable(),
    /** What the range rests on, or why there is none, in one sentence. */
    basis: text,
    /** Parts of which nothing is known. */
    unknown: z.array(text),
  })
  .meta({ id: 'PlanCost' })
const Need = z.object({ agent: text, tools: z.array(z.object({ name: text, permission: text })), model: text }).meta({ id: 'PlanNeed' })

/** `hash` names these very items: an approval binds to it. */
export const Plan = z
  .object({
    id: text,
    treeId: text,
    taskId: text,
    /** The item of the review queue by which it is decided. */
    reviewId: text,
    state: z.enum(['open', 'decided', 'snoozed']),
    decision: z.enum(DECISIONS).nullable(),
    decidedBy: text.nullable(),
    decidedAt: time.nullable(),
    createdAt: time,
    hash: text,
    items: z.array(PlanItemShape),
    cost: Cost,
    needs: z.array(Need),
  })
  .meta({ id: 'Plan' })
export type Plan = z.output<typeof Plan>

export const PLAN_ROUTES = {
  plan: one({
    method: 'GET',
    path: '/api/plans/{id}',
    scope: 'read',
    summary: 'A plan by its id, or the newest one of a goal by the id of the goal',
    status: 200,
    response: Plan,
  }),
  savePlan: one({
    method: 'PUT',
    path: '/api/plans/{id}',
    scope: 'goals:write',
    summary: 'Puts other parts in the place of those of a plan that nobody decided yet; `hash` is of the plan as it was read',
    status: 200,
    request: z
      .object({ hash: text.max(100), items: PlanItems })
      .strict()
      .meta({ id: 'PlanRequest' }),
    response: Plan,
  }),
} as const
