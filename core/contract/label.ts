/** The words a person reads for a status and its reason, and for the state of a change or a lesson. The only place that turns one into the other. */
import type { ChangeState } from './change.ts'
import type { LessonState } from './learning.ts'
import type { Task } from './task.ts'

export type Label = { word: string; shape: string; tone: 'idle' | 'run' | 'wait' | 'you' | 'good' | 'bad' | 'stop' }

export function labelOf(task: Pick<Task, 'status' | 'reason' | 'attempt'>): Label {
  switch (task.status) {
    case 'backlog':
      return { word: 'waiting for another task', shape: '◌', tone: 'idle' }
    case 'pending':
      return task.attempt > 0 ? { word: 'retrying', shape: '↻', tone: 'idle' } : { word: 'queued', shape: '◌', tone: 'idle' }
    case 'assigned':
    case 'active':
      return { word: 'running', shape: '▶', tone: 'run' }
    case 'waiting':
      switch (task.reason) {
        case 'review':
          return { word: 'waiting for you', shape: '⚑', tone: 'you' }
        case 'closing':
          return { word: 'being checked', shape: '✎', tone: 'wait' }
        case 'quota':
          return { word: 'waiting for the model', shape: '⏲', tone: 'wait' }
        case 'timer':
          return { word: 'waiting for a time', shape: '⏲', tone: 'wait' }
        case 'external':
          return { word: 'with an outside agent', shape: '⇄', tone: 'wait' }
        case 'change':
          return { word: 'its change is tried', shape: '⚙', tone: 'wait' }
        default:
          return { word: 'waiting for subtasks', shape: '⧗', tone: 'wait' }
      }
    case 'paused':
      switch (task.reason) {
        case 'budget':
          return { word: 'budget reached', shape: '¤', tone: 'you' }
        case 'stuck':
          return { word: 'held: stuck', shape: '⟳', tone: 'you' }
        default:
          return { word: 'paused', shape: '‖', tone: 'stop' }
      }
    case 'done':
      return { word: 'done', shape: '✓', tone: 'good' }
    case 'failed':
      return task.reason === 'deadline' ? { word: 'timed out', shape: '⏱', tone: 'bad' } : { word: 'failed', shape: '✕', tone: 'bad' }
    case 'cancelled':
      return task.reason === 'dependency_failed'
        ? { word: 'skipped', shape: '⤼', tone: 'stop' }
        : { word: 'stopped', shape: '⊘', tone: 'stop' }
    case 'dead':
      return { word: 'gave up', shape: '✕', tone: 'bad' }
  }
}

const CHANGE_LABELS: Readonly<Record<ChangeState, Label>> = {
  proposed: { word: 'waits for its turn', shape: '◌', tone: 'idle' },
  gating: { word: 'gates run', shape: '▶', tone: 'run' },
  review: { word: 'waits for you', shape: '⚑', tone: 'you' },
  merged: { word: 'merged', shape: '⑃', tone: 'wait' },
  restarting: { word: 'restarting', shape: '↻', tone: 'run' },
  watching: { word: 'runs, watched', shape: '◉', tone: 'wait' },
  kept: { word: 'kept', shape: '✓', tone: 'good' },
  undone: { word: 'taken back', shape: '↶', tone: 'stop' },
  refused: { word: 'refused', shape: '✕', tone: 'bad' },
}
/** Of a change of the system's own code. `decidedBy`: somebody agreed already, so nobody is asked any more. */
export function changeLabelOf({ state, decidedBy }: { state: ChangeState; decidedBy?: string | null }): Label {
  return state === 'review' && decidedBy ? { word: 'lands now', shape: '▶', tone: 'run' } : CHANGE_LABELS[state]
}

const LESSON_LABELS: Readonly<Record<LessonState, Label>> = {
  found: { word: 'found', shape: '◌', tone: 'idle' },
  untested: { word: 'draft, untested', shape: '◌', tone: 'you' },
  judging: { word: 'being tried', shape: '▶', tone: 'run' },
  better: { word: 'better: waits for you', shape: '⚑', tone: 'you' },
  no_better: { word: 'not better beyond chance', shape: '‖', tone: 'stop' },
  kept: { word: 'kept', shape: '✓', tone: 'good' },
  declined: { word: 'declined', shape: '⊘', tone: 'stop' },
  undone: { word: 'taken back', shape: '↶', tone: 'stop' },
}
export const lessonLabelOf = (state: LessonState): Label => LESSON_LABELS[state]
