/** When a task was there, as a bar on the time of the whole goal. */
import { labelOf } from '../../../core/contract/label.ts'
import type { TaskNode } from '../../../core/contract/node.ts'
import { isOver } from '../../../core/contract/task.ts'
import { duration } from '../../format.ts'
import { tree } from '../../words/tree.ts'
import { barIn, type Span, ticksIn } from './time-span.ts'

export function TimeBar({ node, span, now, lasted }: { node: TaskNode; span: Span; now: number; lasted: string }) {
  const { tone } = labelOf(node)
  const { left, width } = barIn(span, node.createdAt, isOver(node.status) ? node.updatedAt : now)
  // The words stand in a bar that is long enough for them, else behind it, or before one that ends at the right.
  const place = width > 22 ? 'inside' : left + width > 78 ? 'before' : 'behind'
  const at = place === 'before' ? { right: `${100.5 - left}%` } : { left: `${place === 'inside' ? left : left + width + 0.5}%` }
  return (
    <span className="time-lane" title={tree.time.bar(duration(node.createdAt - span.from), lasted)}>
      <span className={`time-bar tone-${tone}`} style={{ left: `${left}%`, width: `${width}%` }} />
      <span className={`time-words ${place}`} style={at}>
        {lasted}
      </span>
    </span>
  )
}

export function TimeAxis({ span }: { span: Span }) {
  return (
    <div className="time-axis" aria-hidden="true">
      <span className="time-lane">
        {ticksIn(span).map((tick) => (
          <span key={tick} className="time-tick" style={{ left: `${(tick / (span.to - span.from)) * 100}%` }}>
            {tick === 0 ? '0' : short(tick)}
          </span>
        ))}
      </span>
    </div>
  )
}

/** A round length of time in one unit. */
function short(ms: number): string {
  const seconds = ms / 1_000
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
