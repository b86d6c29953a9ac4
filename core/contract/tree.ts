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

export function applyEvent(view: View, event: Event): View {
  if (event.seq <= view.seq) return view
  const next = { ...view, seq: event.seq }
  const tree = event.treeId === null ? undefined : view.trees[event.treeId]
  const setTree = (change: Partial<TreeHead>) => {
    if (tree) next.trees = { ...next.trees, [tree.id]: { ...tree, ...change } }
  }
  const setTask = (id: string, change: (task: Task) => Partial<Task>) => {
    const task = view.tasks[id]
    if (task) next.tasks = { ...view.tasks, [id]: { ...task, ...change(task) } }
  }
  switch (event.type) {
    case 'tree.created':
      next.trees = { ...view.trees, [event.tree.id]: event.tree }
      break
    case 'tree.paused':
      setTree({ pausedReason: event.reason })
      break
    case 'tree.resumed':
      setTree({ pausedReason: null, limits: event.limits })
      break
    case 'task.created':
      next.tasks = { ...view.tasks, [event.task.id]: event.task }
      if (tree) setTree({ taskCount: tree.taskCount + 1 })
      break
    case 'task.moved':
      setTask(event.taskId, () => ({
        status: event.to,
        reason: event.reason,
        note: event.note,
        attempt: event.attempt,
        wakeAt: event.wakeAt,
        updatedAt: event.at,
        ...(event.outcome ??
          (isOver(event.from) ? { result: null, summary: null, evidence: [], verdict: null, stoppedByPerson: false } : {})),
      }))
      break
    case 'task.tainted':
      setTask(event.taskId, () => ({ taint: event.taint }))
      break
    case 'model.called':
      setTask(event.taskId, (task) => ({ spend: plus(task.spend, event.spend) }))
      if (tree) setTree({ spend: plus(tree.spend, event.spend) })
      break
    case 'review.opened':
    case 'review.decided':
    case 'review.changed':
      next.reviews = { ...view.reviews, [event.review.id]: event.review }
      break
    case 'message.added':
    case 'call.began':
    case 'call.ended':
    case 'model.fault':
    case 'task.controlled':
    case 'task.granted':
    case 'policy.decided':
    case 'rule.added':
    case 'rule.revoked':
    case 'secret.changed':
    case 'secret.used':
    case 'sweep.repaired':
    case 'registry.saved':
    case 'registry.removed':
      break
  }
  return next
}
