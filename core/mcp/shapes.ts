/** What tools answer with: goals, tasks and review items, cut to what a model at the other end needs, as data and as text. */
import * as z from 'zod'
import { labelOf } from '../contract/label.ts'
import type { StoredMessage } from '../contract/message.ts'
import { DECISIONS_OF, REVIEW_KINDS, type Review } from '../contract/review.ts'
import { TASK_STATUSES, type Task } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { TreeView } from '../tasks/trees.ts'

const text = z.string()

export const GoalShape = z.object({
  goal_id: text,
  goal: text,
  status: z.enum(TASK_STATUSES),
  /** The words that a person reads. */
  label: text,
  result: text.nullable(),
  note: text.nullable(),
  needs_you: z.number().int().describe('Open review items'),
  tasks: z.record(text, z.number().int()).describe('How many tasks are in each status'),
  cost_dollars: z.number(),
  submitted_by: text,
  created_at: text,
  updated_at: text,
  url: text,
})
export type GoalShape = z.output<typeof GoalShape>

export const TaskShape = z.object({
  task_id: text,
  goal_id: text,
  parent_id: text.nullable(),
  agent: text,
  title: text,
  status: z.enum(TASK_STATUSES),
  label: text,
  note: text.nullable(),
  result: text.nullable(),
})
export type TaskShape = z.output<typeof TaskShape>

export const ReviewShape = z.object({
  review_id: text,
  kind: z.enum(REVIEW_KINDS),
  state: z.enum(['open', 'decided', 'snoozed']),
  goal_id: text,
  task_id: text,
  title: text,
  risk: z.enum(['low', 'medium', 'high']),
  reason: text.nullable(),
  action: z.unknown().describe('Exactly what would happen'),
  action_hash: text.describe('Send it with the decision, which then holds for what was shown and nothing else'),
  decisions: z.array(text),
  decision: text.nullable(),
  comment: text.nullable(),
  created_at: text,
})
export type ReviewShape = z.output<typeof ReviewShape>

/** Characters of a result in a list; the whole is in the task's resource. */
const SHORT = 2_000
const LONG = 40_000
export const cut = (words: string, most: number): string =>
  words.length <= most ? words : `${words.slice(0, most)}\n… (${words.length - most} more characters)`

export const goalShape = (tree: TreeView, base: string, most = LONG): GoalShape => ({
  goal_id: tree.id,
  goal: cut(tree.goal, SHORT),
  status: tree.status,
  label: labelOf(tree).word,
  result: tree.result === null ? null : cut(tree.result, most),
  note: tree.note,
  needs_you: tree.needsYou,
  tasks: tree.counts as Record<string, number>,
  cost_dollars: tree.spend.costMicros / 1_000_000,
  submitted_by: tree.submittedBy,
  created_at: tree.createdAt,
  updated_at: tree.updatedAt,
  url: `${base}/trees/${tree.id}`,
})
export const taskShape = (task: Task, most = LONG): TaskShape => ({
  task_id: task.id,
  goal_id: task.treeId,
  parent_id: task.parentId,
  agent: task.agent,
  title: task.title,
  status: task.status,
  label: labelOf(task).word,
  note: task.note,
  result: task.result === null ? null : cut(task.result, most),
})
export const reviewShape = (review: Review): ReviewShape => ({
  review_id: review.id,
  kind: review.kind,
  state: review.state,
  goal_id: review.treeId,
  task_id: review.taskId,
  title: review.title,
  risk: review.risk,
  reason: review.reason,
  action: review.action,
  action_hash: review.actionHash,
  decisions: [...DECISIONS_OF[review.kind]],
  decision: review.decision,
  comment: review.comment,
  created_at: review.createdAt,
})

export function goalText(goal: GoalShape): string {
  const waits = goal.needs_you > 0 ? ` ${goal.needs_you} item${goal.needs_you === 1 ? '' : 's'} wait for a person (list_reviews).` : ''
  const lines = [`Goal ${goal.goal_id}: ${goal.label} (${goal.status}).${waits}`, `  ${firstLine(goal.goal)}`]
  if (goal.note !== null) lines.push(`  Note: ${goal.note}`)
  if (goal.result !== null) lines.push(`  Result: ${goal.result}`)
  return lines.join('\n')
}
export const taskText = (task: TaskShape): string =>
  [
    `${task.task_id} ${task.label} (${task.status}), ${task.agent}: ${task.title}`,
    ...(task.note === null ? [] : [`  Note: ${task.note}`]),
    ...(task.result === null ? [] : [`  Result: ${task.result}`]),
  ].join('\n')
export const reviewText = (review: ReviewShape): string =>
  [
    `${review.review_id} (${review.kind}, ${review.state}, risk ${review.risk}) of task ${review.task_id}: ${review.title}`,
    ...(review.reason === null ? [] : [`  Why it asks: ${review.reason}`]),
    `  Action: ${cut(JSON.stringify(review.action), SHORT)}`,
    review.state === 'decided'
      ? `  Decided: ${review.decision}${review.comment ? ` (${review.comment})` : ''}`
      : `  Decide with ${review.decisions.join(', ')}; action_hash ${review.action_hash}`,
  ].join('\n')

const firstLine = (words: string): string => cut(words.trim().split('\n', 1)[0] ?? '', 200)

/** A task's history as text, newest last. */
export function historyText(messages: readonly StoredMessage[]): string {
  return messages
    .map((message) => {
      const told = 'text' in message ? cut(message.text, SHORT) : `agent ${message.agent} with its tools`
      return `#${message.n} ${message.role}: ${told}`
    })
    .join('\n')
}

/** The newest messages of a task, oldest of them first. They are numbered without a gap, so that a long history costs what a short one does. */
export async function newestMessages(
  { store, tasks }: { store: Store; tasks: Tasks },
  taskId: string,
  count: number,
): Promise<StoredMessage[]> {
  if (count === 0) return []
  const row = await store.db
    .selectFrom('messages')
    .select((e) => e.fn.max('n').as('n'))
    .where('task_id', '=', taskId)
    .executeTakeFirst()
  return tasks.messages(taskId, Math.max(0, Number(row?.n ?? 0) - count), count)
}
