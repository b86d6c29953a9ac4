/**
 * What the page keeps of the facts: for the lists the heads of all goals, their root tasks and the review queue; for the goal that is
 * open all of its tasks. Both are the contract's own fold, so the page, the server's tests and the tables tell the same story.
 */
import type { Event } from '../core/contract/event.ts'
import type { Review } from '../core/contract/review.ts'
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
