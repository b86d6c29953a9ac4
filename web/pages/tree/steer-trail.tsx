/** What people said to an agent and whether it has read it. */
import { CircleCheck, Clock } from 'lucide-react'
import type { MessagePreview } from '../../../core/contract/live.ts'
import { isOver, type TaskStatus } from '../../../core/contract/task.ts'
import { useTask } from '../../data/use-task.ts'
import { preview } from '../../format.ts'
import { tree } from '../../words/tree.ts'

export type Steered = { n: number; text: string; delivered: boolean }

/**
 * Messages of people after the task began to work. One is delivered when a turn that began after it has answered; a turn that was under way
 * when it was written has not read it.
 */
export function steeredIn(messages: readonly MessagePreview[]): Steered[] {
  const answers = messages.flatMap((one) => (one.role === 'assistant' ? [{ n: one.n, began: Date.parse(one.at) - one.latencyMs }] : []))
  return messages.flatMap((one) => {
    if (one.role !== 'user' || one.from !== 'person' || one.rewindTo !== undefined || one.n <= 2) return []
    const written = Date.parse(one.at)
    return [{ n: one.n, text: one.text, delivered: answers.some((answer) => answer.n > one.n && answer.began >= written) }]
  })
}

/** All that wait, and the newest one that was read. */
export function SteerTrail({ taskId, status }: { taskId: string; status: TaskStatus }) {
  const { messages } = useTask(taskId)
  if (isOver(status)) return null
  const steered = steeredIn(messages)
  const read = steered.findLast((one) => one.delivered)
  const shown = [...(read ? [read] : []), ...steered.filter((one) => !one.delivered)].slice(-3)
  if (shown.length === 0) return null
  return (
    <div role="status">
      <ul className="steer-trail">
        {shown.map((one) => (
          <li key={one.n} className={one.delivered ? 'tone-good' : 'tone-wait'}>
            {one.delivered ? <CircleCheck aria-hidden="true" /> : <Clock aria-hidden="true" />}
            <span className="steer-words">{preview(one.text, 120)}</span>
            <span>{one.delivered ? tree.act.delivered : tree.act.queued}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
