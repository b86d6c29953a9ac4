/** One goal: its tasks as a tree that grows while one looks, and beside it the story of the task that is selected. */
import { getRouteApi } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, useState } from 'react'
import type { TreeHead } from '../../core/contract/event.ts'
import { isOver, type Task, titleOf } from '../../core/contract/task.ts'
import { useBanyan, useLive, useNow } from '../banyan.ts'
import { rowsOf } from '../fold.ts'
import { counted, dollars, duration, money } from '../format.ts'
import { TaskDetail } from '../parts/task-detail.tsx'
import { TaskTree } from '../parts/task-tree.tsx'
import { treePath } from '../route.ts'
import { useTitle } from '../title.ts'
import { Link } from '../ui/link.tsx'
import { LongText } from '../ui/long-text.tsx'
import { Fault, Loading } from '../ui/notice.tsx'
import { Status } from '../ui/status.tsx'

const route = getRouteApi('/trees/$id')

export function Tree() {
  const { id } = route.useParams()
  const { task } = route.useSearch()
  return <Goal key={id} treeId={id} taskId={task ?? null} />
}

function Goal({ treeId, taskId }: { treeId: string; taskId: string | null }) {
  const { live } = useBanyan()
  const open = useLive((state) => (state.tree?.id === treeId ? state.tree : null))
  useEffect(() => {
    live.open(treeId)
    return () => live.open(null)
  }, [live, treeId])

  const head = open?.view.trees[treeId]
  const root = open?.view.tasks[treeId]
  useTitle(head ? titleOf(head.goal) : null)
  if (open?.state === 'missing') {
    return (
      <div className="notice">
        <h1>There is no goal {treeId}</h1>
        <p>
          It may have been in another data folder. <Link to="/">Go to the goals</Link>
        </p>
      </div>
    )
  }
  if (!open || !head || !root) {
    return (
      <div className="column">
        {open?.state === 'failed' ? <Fault again={() => live.reload()}>{open.fault}</Fault> : <Loading what="the goal" />}
      </div>
    )
  }
  return (
    <>
      {open.state === 'failed' && <Fault again={() => live.reload()}>This may be out of date: {open.fault}</Fault>}
      <Panes head={head} root={root} tasks={open.view.tasks} taskId={taskId} />
    </>
  )
}

function Panes(props: { head: TreeHead; root: Task; tasks: Readonly<Record<string, Task>>; taskId: string | null }) {
  const { head, root, tasks, taskId } = props
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set())
  const rows = useMemo(() => rowsOf(tasks, folded), [tasks, folded])
  const all = useMemo(() => rowsOf(tasks), [tasks])
  const selected = tasks[taskId ?? root.id]
  const pane = useRef<HTMLElement>(null)
  const before = useRef(taskId)
  // Another task is read from its beginning: in a pane of its own on a wide screen, on a narrow one in place of the tree.
  useEffect(() => {
    if (before.current === taskId || !pane.current) return
    before.current = taskId
    pane.current.scrollTop = 0
    if (taskId !== null && getComputedStyle(pane.current).position !== 'sticky') scrollTo(0, 0)
  }, [taskId])
  const total = all.find((row) => row.task.id === selected?.id)?.total
  return (
    <div className={taskId === null ? 'panes' : 'panes with-task'}>
      <section className="pane-tree" aria-label="Tasks of the goal">
        <GoalHead head={head} root={root} tasks={tasks} />
        <TaskTree
          rows={rows}
          selected={selected?.id ?? root.id}
          folded={folded}
          fold={(id, shut) =>
            setFolded((now) => {
              const next = new Set(now)
              if (shut) next.add(id)
              else next.delete(id)
              return next
            })
          }
        />
      </section>
      <section className="pane-task" ref={pane} aria-label="The selected task">
        <Link to={treePath(head.id)} className="back narrow-only">
          ← All tasks
        </Link>
        {selected && total ? (
          <TaskDetail key={selected.id} task={selected} total={total} tasks={tasks} />
        ) : (
          <p className="empty">
            There is no task {taskId} in this goal. <Link to={treePath(head.id)}>Show the goal itself</Link>
          </p>
        )}
      </section>
    </div>
  )
}

function GoalHead({ head, root, tasks }: { head: TreeHead; root: Task; tasks: Readonly<Record<string, Task>> }) {
  const over = isOver(root.status)
  const now = useNow(!over)
  const list = Object.values(tasks)
  const tally = [
    [list.filter((task) => task.status === 'done').length, 'done'],
    [list.filter((task) => task.status === 'active' || task.status === 'assigned').length, 'running'],
    [list.filter((task) => task.status === 'failed' || task.status === 'dead').length, 'failed'],
  ] as const
  const cost = money(head.spend)
  const title = titleOf(head.goal)
  return (
    <header className="goal-head">
      <Link to="/" className="back">
        ← Goals
      </Link>
      <h1>{title}</h1>
      <p className="facts">
        <Status task={root} />
        <span>
          {counted(head.taskCount, 'task')}
          {tally.filter(([n]) => n > 0).map(([n, word]) => ` · ${n} ${word}`)}
        </span>
        <span title="What the goal cost, of what it may cost">
          {cost || '$0'} of {dollars(head.limits.costMicros)}
        </span>
        <span>{duration((over ? Date.parse(root.updatedAt) : now) - Date.parse(head.createdAt))}</span>
        {head.mode === 'step' && <span>step by step</span>}
      </p>
      {head.goal.trim() !== title && (
        <details className="whole">
          <summary>The goal in full</summary>
          <LongText text={head.goal} />
        </details>
      )}
      {head.pausedReason && <p className="why tone-you">Held: {head.pausedReason}</p>}
    </header>
  )
}
