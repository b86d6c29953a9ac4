/** A status as shape and colour, with its word for those who listen or hover; `withWord` prints it too. */
import { labelOf } from '../../core/contract/label.ts'
import type { Task } from '../../core/contract/task.ts'
import { Drawn } from './shape.tsx'

export function StatusIcon({ task, withWord }: { task: Pick<Task, 'status' | 'reason' | 'attempt'>; withWord?: boolean }) {
  const { word, shape, tone } = labelOf(task)
  return (
    <span className={`status tone-${tone}`} title={withWord ? undefined : word}>
      {withWord ? (
        <span className="shape" aria-hidden="true">
          <Drawn shape={shape} />
        </span>
      ) : (
        <span className="shape" role="img" aria-label={word}>
          <Drawn shape={shape} />
        </span>
      )}
      {withWord && <span className="word">{word}</span>}
    </span>
  )
}
