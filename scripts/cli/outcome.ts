/** Whether a goal can still go on by itself, and what its exit code is. Pure. */
import type { Review } from '../../core/contract/review.ts'
import { isOver, isWatcher, type Task } from '../../core/contract/task.ts'
import { EXIT } from './terminal.ts'

export type Standing =
  | { kind: 'going' }
  | { kind: 'over'; exitCode: number; root: Task }
  /** Nothing moves without a person: they decide `reviews`, or let `held` tasks go on. */
  | { kind: 'stuck'; exitCode: number; reviews: Review[]; held: Task[] }

export type Known = {
  rootId: string
  pausedReason: string | null
  tasks: readonly Task[]
  /** Of this tree; decided ones do not count. */
  reviews: readonly Review[]
}

/**
 * Facts of one commit arrive one after another, so a state between two of them may be seen; wherever rows are about to be moved by the
 * system itself the answer is `going`.
 */
export function standingOf({ rootId, pausedReason, tasks, reviews }: Known): Standing {
  const root = tasks.find((task) => task.id === rootId)
  if (!root) return { kind: 'going' }
  if (isOver(root.status)) return { kind: 'over', exitCode: exitCodeOf(root), root }
  const undecided = reviews.filter((review) => review.state !== 'decided')
  const live = tasks.filter((task) => !isOver(task.status))
  const liveIds = new Set(live.map((task) => task.id))
  const asks = new Set(undecided.map((review) => review.taskId))
  const haveLive = new Set(live.map((task) => task.parentId))
  const haveLiveWatcher = new Set(live.filter((task) => isWatcher(task.kind)).map((task) => task.parentId))

  const moves = (task: Task): boolean => {
    switch (task.status) {
      case 'backlog':
        return !task.after.some((id) => liveIds.has(id))
      case 'waiting':
        switch (task.reason) {
          case 'children':
            return !haveLive.has(task.id)
          case 'closing':
            return !haveLiveWatcher.has(task.id)
          case 'review':
            return !asks.has(task.id)
          // In a tree that is held, what wakes is held too.
          default:
            return pausedReason === null
        }
      case 'paused':
        return false
      default:
        return true
    }
  }
  if (live.some(moves)) return { kind: 'going' }
  const held = live.filter((task) => task.status === 'paused' && task.reason !== 'budget')
  if (undecided.length === 0 && held.length === 0) return { kind: 'going' }
  const budget = pausedReason !== null || live.some((task) => task.status === 'paused' && task.reason === 'budget')
  return { kind: 'stuck', exitCode: budget ? EXIT.budget : EXIT.waiting, reviews: undecided, held }
}

/** Of a goal whose root task is over. */
export function exitCodeOf(root: Pick<Task, 'status'>): number {
  if (root.status === 'done') return EXIT.ok
  return root.status === 'cancelled' ? EXIT.cancelled : EXIT.unsuccessful
}
