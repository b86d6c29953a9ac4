/** Which goals a filter and words choose. Pure. */
import type { TreeHead } from '../core/contract/event.ts'
import { isOver, type Task } from '../core/contract/task.ts'

export const GOAL_FILTERS = ['open', 'you', 'done', 'failed', 'stopped'] as const
export type GoalFilter = (typeof GOAL_FILTERS)[number]

const CHOOSES: Record<GoalFilter, (root: Task, asks: boolean) => boolean> = {
  open: (root) => !isOver(root.status),
  you: (root, asks) =>
    !isOver(root.status) && (asks || (root.status === 'waiting' && root.reason === 'review') || root.reason === 'budget'),
  done: (root) => root.status === 'done',
  failed: (root) => root.status === 'failed' || root.status === 'dead',
  stopped: (root) => root.status === 'cancelled',
}

/** True when the goal is of that kind and holds every word, in its text, its result or its id. */
export function choosesGoal(
  ask: { f?: GoalFilter | undefined; q?: string | undefined },
  tree: TreeHead,
  root: Task,
  asks: boolean,
): boolean {
  if (ask.f && !CHOOSES[ask.f](root, asks)) return false
  const words = (ask.q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const text = `${tree.id} ${tree.goal} ${root.summary ?? ''} ${root.result ?? ''}`.toLowerCase()
  return words.every((word) => text.includes(word))
}
