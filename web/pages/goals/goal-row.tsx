/** One goal in a list: what it is, how it stands, how far it is, what it cost. */
import { type FocusEventHandler, memo, type ReactNode } from 'react'
import type { TreeItem } from '../../../core/contract/api.ts'
import { isOver, TASK_STATUSES, type TaskStatus } from '../../../core/contract/task.ts'
import { ago, duration, preview } from '../../format.ts'
import { treePath } from '../../route.ts'
import { Link } from '../../ui/link.tsx'
import { Money } from '../../ui/money.tsx'
import { Status } from '../../ui/status.tsx'
import { goals as words } from '../../words/goals.ts'
import { dayAndTime } from '../../words/words.ts'

/** `now` in milliseconds; give 0 for a goal that is over, so that it is drawn once. `ago`: how long since it began, in words. */
export const GoalRow = memo(function GoalRow(props: {
  tree: TreeItem
  now: number
  ago: string
  menu?: ReactNode
  onFocus?: FocusEventHandler
}) {
  const { tree, now } = props
  const over = isOver(tree.status)
  const waits = tree.needsYou > 0 && !over
  const said = over ? (tree.summary ?? tree.result ?? tree.note) : (tree.pausedReason ?? tree.note)
  const took = (over ? Date.parse(tree.updatedAt) : now) - Date.parse(tree.createdAt)
  return (
    <li className="goal-line" {...(props.onFocus ? { onFocus: props.onFocus } : {})}>
      <Link to={treePath(tree.id)} className="goal" data-goal={tree.id}>
        <span className="title">{preview(tree.goal, 200)}</span>
        <Status task={waits ? { status: 'waiting', reason: 'review', attempt: 0 } : tree} />
        {said && <span className="words">{preview(said)}</span>}
        <Progress counts={tree.counts} asked={over ? 0 : tree.needsYou} />
        <span className="facts">
          <span>{duration(took)}</span>
          <Money spend={tree.spend} />
          <span title={dayAndTime(tree.createdAt)}>{props.ago}</span>
        </span>
      </Link>
      {props.menu}
    </li>
  )
})

const RUNNING: readonly TaskStatus[] = ['assigned', 'active']
const FAILED: readonly TaskStatus[] = ['failed', 'dead']

/** Counts, never a made-up share of the work: a plan may grow. */
function Progress({ counts, asked }: { counts: TreeItem['counts']; asked: number }) {
  const of = (statuses: readonly TaskStatus[]) => statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0)
  const [all, done, failed, running, stopped] = [of(TASK_STATUSES), of(['done']), of(FAILED), of(RUNNING), of(['cancelled'])]
  const parts = [
    ['good', done],
    ['bad', failed],
    ['stop', stopped],
    ['run', running],
  ] as const
  return (
    <span className="goal-progress">
      <span className="bar" aria-hidden="true">
        <svg viewBox={`0 0 ${Math.max(all, 1)} 1`} preserveAspectRatio="none" role="presentation">
          {parts.map(([tone, n], i) => (
            <rect
              key={tone}
              className={`bar-${tone}`}
              x={parts.slice(0, i).reduce((sum, [, before]) => sum + before, 0)}
              y="0"
              width={n}
              height="1"
            />
          ))}
        </svg>
      </span>
      <span>{words.tasks(done, all)}</span>
      {failed > 0 && <span className="tone-bad">{words.countFailed(failed)}</span>}
      {running > 0 && <span className="tone-run">{words.countRunning(running)}</span>}
      {asked > 0 && <span className="tone-you">{words.countAsked(asked)}</span>}
    </span>
  )
}

/** The row as a list shows it that is drawn every second. */
export const rowTimes = (tree: TreeItem, now: number): { now: number; ago: string } => ({
  now: isOver(tree.status) ? 0 : now,
  ago: ago(tree.createdAt, now),
})
