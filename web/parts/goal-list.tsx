/** All goals, newest first, as they are now. */
import { memo, type ReactNode } from 'react'
import type { TreeHead } from '../../core/contract/event.ts'
import { isOver, type Task } from '../../core/contract/task.ts'
import { useBanyan, useLive, useNow } from '../banyan.ts'
import { ago, counted, duration, money, preview } from '../format.ts'
import { treePath } from '../route.ts'
import { useAct } from '../ui/act.ts'
import { Link } from '../ui/link.tsx'
import { Fault } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'

/** `keep`: which goals are shown; without it, all. */
export function GoalList({ keep, none }: { keep?: (tree: TreeHead, root: Task, asks: boolean) => boolean; none?: ReactNode }) {
  const { live } = useBanyan()
  const trees = useLive((state) => state.lists.trees)
  const tasks = useLive((state) => state.lists.tasks)
  const reviews = useLive((state) => state.lists.reviews)
  const older = useLive((state) => state.older !== null)
  const { busy, fault, act } = useAct()
  const now = useNow()
  const newest = Object.values(trees).sort((a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id))
  const asking = new Set(
    Object.values(reviews)
      .filter((review) => review.state === 'open')
      .map((review) => review.treeId),
  )
  const shown = keep
    ? newest.filter((tree) => {
        const root = tasks[tree.id]
        return root !== undefined && keep(tree, root, asking.has(tree.id))
      })
    : newest
  if (newest.length === 0) return none ?? <p className="empty">No goals yet. Type one above, or start an example.</p>
  return (
    <>
      {shown.length === 0 && none}
      <ul className="goals" hidden={shown.length === 0}>
        {shown.map((tree) => {
          const root = tasks[tree.id]
          return (
            root && (
              <Goal
                key={tree.id}
                tree={tree}
                root={root}
                asks={asking.has(tree.id)}
                now={isOver(root.status) ? 0 : now}
                ago={ago(tree.createdAt, now)}
              />
            )
          )
        })}
      </ul>
      {older && (
        <button type="button" disabled={busy} onClick={() => void act(() => live.loadOlder())}>
          {busy ? 'Reading…' : 'Show older goals'}
        </button>
      )}
      {fault && <Fault>{fault}</Fault>}
    </>
  )
}

/** `now` is 0 once the goal is over, so that a finished line is drawn once. */
const Goal = memo(function Goal(props: { tree: TreeHead; root: Task; asks: boolean; now: number; ago: string }) {
  const { tree, root, asks, now } = props
  const over = isOver(root.status)
  const waits = asks && !over
  const words = over ? (root.summary ?? root.result ?? root.note) : (tree.pausedReason ?? root.note)
  const cost = money(tree.spend)
  const took = (over ? Date.parse(root.updatedAt) : now) - Date.parse(tree.createdAt)
  return (
    <li>
      <Link to={treePath(tree.id)} className="goal">
        <span className="title">{preview(tree.goal, 200)}</span>
        <Status task={waits ? { status: 'waiting', reason: 'review', attempt: 0 } : root} />
        {words && <span className="words">{preview(words)}</span>}
        <span className="facts">
          {counted(tree.taskCount, 'task')} · {duration(took)}
          {cost && ` · ${cost}`} · {props.ago}
        </span>
      </Link>
    </li>
  )
})
