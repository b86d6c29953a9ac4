/** A task's status as shape, word and colour, so that none of the three is needed alone. */
import { labelOf } from '../../core/contract/label.ts'
import type { Task } from '../../core/contract/task.ts'
import { Drawn } from './shape.tsx'

export function Status({ task, title }: { task: Pick<Task, 'status' | 'reason' | 'attempt'>; title?: string }) {
  const { word, shape, tone } = labelOf(task)
  return (
    <span className={`status tone-${tone}`} title={title}>
      <span className="shape" aria-hidden="true">
        <Drawn shape={shape} />
      </span>
      <span className="word">{word}</span>
    </span>
  )
}

/** Only the shape, for a narrow place beside which the word stands; the word is there for those who listen. */
export function Shape({ task }: { task: Pick<Task, 'status' | 'reason' | 'attempt'> }) {
  const { word, shape, tone } = labelOf(task)
  return (
    <span className={`status tone-${tone}`} title={word}>
      <span className="shape" role="img" aria-label={word}>
        <Drawn shape={shape} />
      </span>
    </span>
  )
}
