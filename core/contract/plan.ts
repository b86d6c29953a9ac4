/** A plan that a person sees, edits and approves before anything is done. Approving binds to a hash of its items; they, and no others, run. */
import * as z from 'zod'
import { Criteria } from './task.ts'

/** Items of a whole plan, and of one level of it. */
export const PLAN_ITEMS = 300
export const PLAN_WIDTH = 100

/** `after`: ids of neighbours that must succeed first. `askMe`: it asks a person before it starts. A part with children is their frame. */
export type PlanItem = {
  id: string
  title: string
  instruction: string
  agent?: string | undefined
  after: string[]
  children: PlanItem[]
  criteria?: string[] | undefined
  askMe?: boolean | undefined
  /** A person wrote this instruction themselves, here. Set by the system alone. */
  typed?: boolean | undefined
}
// Without a spread, so that a build of the page can see that nobody there needs it, and leaves zod out.
export const PlanItemShape: z.ZodType<PlanItem> = z
  .object({
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 of letters, digits, _ and -')
      .describe('A short name that other parts of this level can wait for in `after`.'),
    title: z.string().trim().min(1).max(200).describe('A few words for the tree that people watch.'),
    instruction: z.string().trim().min(1).max(100_000).describe('Everything that whoever does it needs to know.'),
    agent: z.string().min(1).max(64).optional().describe('Name of the agent; left out: generalist.'),
    after: z.array(z.string().max(64)).max(PLAN_WIDTH).default([]).describe('Ids of parts of the same level that must succeed first.'),
    criteria: z.optional(Criteria).describe('What counts as done: short sentences that can be checked.'),
    askMe: z.boolean().optional().describe('Ask a person before this part starts.'),
    get children() {
      return z.array(PlanItemShape).max(PLAN_WIDTH).default([])
    },
    typed: z.boolean().optional(),
  })
  .meta({ id: 'PlanItem' })
export const PlanItems = z.array(PlanItemShape).min(1).max(PLAN_WIDTH)

/** What a task knows of its plan: asked about before it starts; parts that it must make; parts that it made. */
export type TaskPlan = { ask?: true; items?: PlanItem[]; ran?: PlanItem[] }

/** All items, frames before their parts. */
export const flatten = (items: readonly PlanItem[]): PlanItem[] => items.flatMap((one) => [one, ...flatten(one.children)])
export const leavesOf = (items: readonly PlanItem[]): PlanItem[] => flatten(items).filter((one) => one.children.length === 0)
/** Levels of tasks that it makes. */
export const levelsOf = (items: readonly PlanItem[]): number =>
  items.length === 0 ? 0 : 1 + Math.max(...items.map((one) => levelsOf(one.children)))

/** Why a plan cannot be carried out, in one sentence; null: it can. */
export function problemOf(items: readonly PlanItem[], caps: { depth: number; fanOut: number; tasks: number }): string | null {
  const all = flatten(items)
  if (all.length === 0) return 'A plan needs at least one part.'
  const most = Math.min(PLAN_ITEMS, caps.tasks)
  if (all.length > most) return `A plan of this goal has at most ${most} parts, and this one has ${all.length}; join some.`
  if (levelsOf(items) > caps.depth)
    return `The plan has ${levelsOf(items)} levels and the goal's budget allows ${caps.depth}; make it flatter.`
  const twice = all.find((one, i) => all.findIndex((other) => other.id === one.id) !== i)
  if (twice) return `Two parts have the id ${twice.id}; give each its own.`
  for (const level of [items, ...all.map((one) => one.children)]) {
    if (level.length > caps.fanOut)
      return `${level.length} parts stand side by side and the goal's budget allows ${caps.fanOut}; put some under a common part.`
    const ids = level.map((one) => one.id)
    for (const one of level) {
      const stranger = one.after.find((id) => !ids.includes(id))
      if (stranger !== undefined) return `The part ${one.id} waits for ${stranger}, which is not beside it; name parts of its own level.`
    }
    const free = new Set<string>()
    while (free.size < level.length) {
      const next = level.filter((one) => !free.has(one.id) && one.after.every((id) => free.has(id)))
      if (next.length === 0) return `The parts ${ids.filter((id) => !free.has(id)).join(', ')} wait for each other; cut the circle.`
      for (const one of next) free.add(one.id)
    }
  }
  return null
}

/** As anybody may propose it: without what only the system says of an item. Fields in one order, so that equal plans are equal texts. */
export const plainPlan = (items: readonly PlanItem[]): PlanItem[] =>
  items.map(({ id, title, instruction, agent, after, children, criteria, askMe }) => ({
    id,
    title,
    instruction,
    ...(agent === undefined ? {} : { agent }),
    after,
    children: plainPlan(children),
    ...(criteria?.length ? { criteria } : {}),
    ...(askMe ? { askMe } : {}),
  }))

/** The tool that proposes one; tasks that have a plan to propose are given it. */
export const PLAN_TOOL = 'propose_plan'

/** Who does a part of a plan that names nobody. */
export const PLAN_WORKER = 'generalist'

/** The tasks of one level, as they are started. `own`: these words are a person's own, wherever they stand in the plan. */
export function planChildren(items: readonly PlanItem[], own: (instruction: string) => boolean) {
  return items.map((one) => ({
    instruction: one.instruction,
    agent: one.agent ?? PLAN_WORKER,
    title: one.title,
    ...(one.criteria?.length ? { criteria: one.criteria } : {}),
    workspace: 'shared' as const,
    after: one.after.map((id) => String(items.findIndex((other) => other.id === id))),
    approved: { typed: one.typed === true || own(one.instruction), plan: partOf(one, own) },
  }))
}
function partOf(one: PlanItem, own: (instruction: string) => boolean): TaskPlan | null {
  if (!one.askMe && one.children.length === 0) return null
  // What is a person's own is known here, where the goal is; the task below does not look again.
  const children = markTyped(one.children, own)
  return { ...(one.askMe ? { ask: true as const } : {}), ...(children.length > 0 ? { items: children } : {}) }
}
const markTyped = (items: readonly PlanItem[], own: (instruction: string) => boolean): PlanItem[] =>
  items.map((one) => ({
    ...one,
    children: markTyped(one.children, own),
    ...(one.typed || own(one.instruction) ? { typed: true } : {}),
  }))

/** First words of the answers to a proposal that was not approved. */
export const PLAN_REJECTED = 'A person rejected the plan; nothing of it was done.'
export const PLAN_CHANGES = 'A person asks for another plan.'
