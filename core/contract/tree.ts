/**
 * The one rule that turns facts into what a person sees. The web page folds it over the WebSocket; tests fold it over the log and
 * compare with the tables. Applying an event twice changes nothing.
 */
import type { Event, TreeHead } from './event.ts'
import type { Review } from './review.ts'
import { isOver, type Spend, type Task } from './task.ts'

export type View = {
  seq: number
  trees: Readonly<Record<string, TreeHead>>
  tasks: Readonly<Record<string, Task>>
  reviews: Readonly<Record<string, Review>>
}
export const emptyView: View = { seq: 0, trees: {}, tasks: {}, reviews: {} }

const plus = (a: Spend, b: Spend): Spend => ({
  turns: a.turns + b.turns,
  tokens: a.tokens + b.tokens,
  costMicros: a.costMicros + b.costMicros,
  unpricedCalls: a.unpricedCalls + b.unpricedCalls,
})

/** What a fact changes in the task that it names; null: nothing. */
export function taskChange(task: Pick<Task, 'spend'>, event: Event): Partial<Task> | null {
  switch (event.type) {
    case 'task.moved':
      return {
        status: event.to,
        reason: event.reason,
        note: event.note,
        attempt: event.attempt,
        wakeAt: event.wakeAt,
        updatedAt: event.at,
        ...(isOver(event.to) ? { watch: null } : {}),
        ...(event.outcome ??
          (isOver(event.from) ? { result: null, summary: null, evidence: [], verdict: null, stoppedByPerson: false } : {})),
      }
    case 'task.changed': {
      const { title, priority, deadlineAt, agent, model } = event
      return {
        updatedAt: event.at,
        ...(title === undefined ? {} : { title }),
        ...(priority === undefined ? {} : { priority }),
        ...(deadlineAt === undefined ? {} : { deadlineAt }),
        ...(agent === undefined ? {} : { agent }),
        ...(model === undefined ? {} : { model }),
      }
    }
    case 'task.rerun':
      return {
        ...(event.instruction === undefined ? {} : { instruction: event.instruction }),
        ...(event.model === undefined ? {} : { model: event.model }),
      }
    case 'task.tainted':
      return { taint: event.taint }
    case 'task.watched':
      return { watch: event.watch }
    case 'model.called':
      return { spend: plus(task.spend, event.spend) }
    default:
      return null
  }
}

/** What a fact of its tree changes in a head; null: nothing. */
export function headChange(head: TreeHead, event: Event): Partial<TreeHead> | null {
  switch (event.type) {
    case 'tree.paused':
      return { pausedReason: event.reason }
    case 'tree.resumed':
      return { pausedReason: null, limits: event.limits }
    case 'tree.watched':
      return { watched: event.on, patient: event.patient ?? false }
    case 'task.created':
      return { taskCount: head.taskCount + 1 }
    case 'model.called':
      return { spend: plus(head.spend, event.spend) }
    default:
      return null
  }
}

export function applyEvent(view: View, event: Event): View {
  if (event.seq <= view.seq) return view
  const next = { ...view, seq: event.seq }
  const head = event.treeId === null ? undefined : view.trees[event.treeId]
  const ofHead = head && headChange(head, event)
  if (head && ofHead) next.trees = { ...view.trees, [head.id]: { ...head, ...ofHead } }
  switch (event.type) {
    case 'tree.created':
      next.trees = { ...view.trees, [event.tree.id]: event.tree }
      break
    case 'task.created':
      next.tasks = { ...view.tasks, [event.task.id]: event.task }
      break
    case 'review.opened':
    case 'review.decided':
    case 'review.changed':
      next.reviews = { ...view.reviews, [event.review.id]: event.review }
      break
    default: {
      const task = 'taskId' in event ? view.tasks[event.taskId] : undefined
      const change = task && taskChange(task, event)
      if (task && change) next.tasks = { ...view.tasks, [task.id]: { ...task, ...change } }
    }
  }
  return next
}
