/**
 * What the page keeps of the facts: for the lists the heads of all goals, their root tasks and the review queue; for the goal that is
 * open all of its tasks. Both are the contract's own fold, so the page, the server's tests and the tables tell the same story.
 */
import type { Event } from '../core/contract/event.ts'
import type { Review } from '../core/contract/review.ts'
import { isWatcher, type Spend, type Task } from '../core/contract/task.ts'
import { applyEvent, type View } from '../core/contract/tree.ts'

/** Folds a fact into the lists. Tasks below the roots are not kept: a thousand goals must not cost a thousand trees. */
export function applyToLists(view: View, event: Event): View {
  const next = applyEvent(view, event)
  if (event.type !== 'task.created' || event.task.parentId === null) return next
  return { ...next, tasks: view.tasks }
}

/** Folds a fact into one open goal; facts of other goals leave it as it is. */
export function applyToTree(view: View, treeId: string, event: Event): View {
  return event.treeId === treeId ? applyEvent(view, event) : view
}

export type Row = {
  task: Task
  level: number
  /** Of the task and everything below it. */
  total: Spend
  /** Tasks right below it; watchers and helpers included. */
  children: number
}

const add = (a: Spend, b: Spend): Spend => ({
  turns: a.turns + b.turns,
  tokens: a.tokens + b.tokens,
  costMicros: a.costMicros + b.costMicros,
  unpricedCalls: a.unpricedCalls + b.unpricedCalls,
})

/** The tree as lines, parents before children, each with what it cost with everything below. A task whose parent is not here is a root. */
export function rowsOf(tasks: Readonly<Record<string, Task>>, folded: ReadonlySet<string> = new Set()): Row[] {
  const below = new Map<string | null, Task[]>()
  for (const task of Object.values(tasks)) {
    const parent = task.parentId !== null && tasks[task.parentId] ? task.parentId : null
    const siblings = below.get(parent)
    if (siblings) siblings.push(task)
    else below.set(parent, [task])
  }
  for (const siblings of below.values()) siblings.sort(inOrder)
  const rows: Row[] = []
  const visit = (task: Task, level: number, shown: boolean): Spend => {
    const children = below.get(task.id) ?? []
    const row: Row = { task, level, total: task.spend, children: children.length }
    if (shown) rows.push(row)
    const open = shown && !folded.has(task.id)
    for (const child of children) row.total = add(row.total, visit(child, level + 1, open))
    return row.total
  }
  for (const root of below.get(null) ?? []) visit(root, 0, true)
  return rows
}
/** As they were asked for; those that judge or describe the task come after its work. */
function inOrder(a: Task, b: Task): number {
  const late = Number(isWatcher(a.kind)) - Number(isWatcher(b.kind))
  return late || a.createdAt.localeCompare(b.createdAt) || naturally.compare(a.id, b.id)
}
const naturally = new Intl.Collator('en', { numeric: true })

/** True when something below that task is paused, so that the whole subtree can be let go on. */
export function isHeldBelow(tasks: Readonly<Record<string, Task>>, id: string): boolean {
  return Object.values(tasks).some((task) => {
    if (task.status !== 'paused') return false
    let up = task.parentId
    while (up !== null && up !== id) up = tasks[up]?.parentId ?? null
    return up === id
  })
}

/** Items that ask for the same kind of thing stand together, where the first of them stands. */
export function groupsOf(items: readonly Review[]): Review[][] {
  const groups = new Map<string, Review[]>()
  for (const item of items) {
    const key = item.signature ?? item.id
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}

/** Open items: overdue ones first, then the riskiest, and of those the oldest. */
export function openReviews(reviews: Readonly<Record<string, Review>>): Review[] {
  const risk = { high: 0, medium: 1, low: 2 }
  return Object.values(reviews)
    .filter((review) => review.state === 'open')
    .sort(
      (a, b) =>
        Number(b.escalatedAt !== null) - Number(a.escalatedAt !== null) ||
        risk[a.risk] - risk[b.risk] ||
        a.createdAt.localeCompare(b.createdAt) ||
        a.id.localeCompare(b.id),
    )
}
