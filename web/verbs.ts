/** What a person may do to a task, and what it means. Pure. */
import { isOver, type Task } from '../core/contract/task.ts'
import type { Verb } from './api.ts'

export const WORDS: Record<Exclude<Verb, 'steer'>, { word: string; hint: string }> = {
  pause: { word: 'Pause', hint: 'Holds it and everything below after the turn that runs' },
  resume: { word: 'Resume', hint: 'Lets it and everything below go on' },
  step: { word: 'Step', hint: 'Runs one turn, then holds it again' },
  retry: { word: 'Retry', hint: 'Opens it again; it sees what it did so far' },
  cancel: { word: 'Cancel', hint: 'Lets it wrap up with what it has; what is below stops' },
  abort: { word: 'Abort', hint: 'Ends it and everything below now' },
}

/** The acts that make sense for a task as it is; the server has the last word. `heldBelow`: something below it is paused. */
export function verbsFor(task: Pick<Task, 'status' | 'reason'>, heldBelow: boolean): (keyof typeof WORDS)[] {
  if (isOver(task.status)) return task.status === 'done' ? [] : ['retry']
  const held = task.status === 'paused'
  // A goal at a cap goes on by the decision of its item in the queue, not by a button here.
  const capped = held && task.reason === 'budget'
  return [
    ...(capped ? [] : held || heldBelow ? (['resume'] as const) : []),
    ...(held ? [] : (['pause'] as const)),
    ...(capped || task.status === 'waiting' ? [] : (['step'] as const)),
    'cancel',
    'abort',
  ]
}
