/** The tasks of a goal as an indented tree. Arrow keys walk it, left and right fold it; what is selected is in the address. */
import { type KeyboardEvent, memo, useEffect, useRef, useState } from 'react'
import { labelOf } from '../../core/contract/label.ts'
import { isOver, type Task } from '../../core/contract/task.ts'
import { useNow } from '../banyan.ts'
import type { Row } from '../fold.ts'
import { duration, money } from '../format.ts'
import { treePath, useGo } from '../route.ts'
import { Drawn } from '../ui/shape.tsx'

/** Rows drawn at once; a browser is quick with these and slow with ten thousand. */
const SHOWN = 500

export function TaskTree(props: {
  rows: readonly Row[]
  selected: string
  folded: ReadonlySet<string>
  fold: (id: string, shut: boolean) => void
}) {
  const { rows, selected, folded, fold } = props
  const [most, setMost] = useState(SHOWN)
  const go = useGo()
  const tree = useRef<HTMLDivElement>(null)
  const now = useNow(rows.some((row) => !isOver(row.task.status)))
  const at = rows.findIndex((row) => row.task.id === selected)
  const shown = rows.slice(0, Math.max(most, at + 1))
  /** The row that the Tab key reaches. */
  const entry = at < 0 ? 0 : at

  const walk = (to: number) => {
    const row = rows[Math.max(0, Math.min(to, shown.length - 1))]
    if (!row) return
    go(pathOf(row.task), 'replace')
    tree.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(row.task.id)}"]`)?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const here = rows[entry]
    if (!here) return
    const moves: Record<string, () => void> = {
      ArrowDown: () => walk(entry + 1),
      ArrowUp: () => walk(entry - 1),
      Home: () => walk(0),
      End: () => walk(shown.length - 1),
      ArrowRight: () => {
        if (here.children > 0 && folded.has(here.task.id)) fold(here.task.id, false)
        else if (here.children > 0) walk(entry + 1)
      },
      ArrowLeft: () => {
        if (here.children > 0 && !folded.has(here.task.id)) fold(here.task.id, true)
        else walk(rows.findIndex((row) => row.task.id === here.task.parentId))
      },
    }
    const move = moves[event.key]
    if (!move) return
    event.preventDefault()
    move()
  }

  return (
    <>
      <div className="task-tree" role="tree" aria-label="Tasks" ref={tree} onKeyDown={onKeyDown}>
        {shown.map((row, i) => (
          <Line
            key={row.task.id}
            task={row.task}
            level={row.level}
            cost={row.total.costMicros === 0 && row.total.unpricedCalls === 0 ? '' : money(row.total)}
            hasChildren={row.children > 0}
            shut={folded.has(row.task.id)}
            chosen={row.task.id === selected}
            entry={i === entry}
            now={isOver(row.task.status) ? 0 : now}
            fold={fold}
          />
        ))}
      </div>
      {rows.length > shown.length && (
        <button type="button" className="quiet" onClick={() => setMost(shown.length + SHOWN * 2)}>
          Show more of {rows.length} tasks
        </button>
      )}
    </>
  )
}

type LineProps = {
  task: Task
  level: number
  cost: string
  hasChildren: boolean
  shut: boolean
  chosen: boolean
  entry: boolean
  now: number
  fold: (id: string, shut: boolean) => void
}
const Line = memo(
  function Line({ task, level, cost, hasChildren, shut, chosen, entry, now, fold }: LineProps) {
    const go = useGo()
    const { word, shape, tone } = labelOf(task)
    const over = isOver(task.status)
    const line = useRef<HTMLDivElement>(null)
    useEffect(() => {
      if (chosen) line.current?.scrollIntoView({ block: 'nearest' })
    }, [chosen])
    const lasted = duration((over ? Date.parse(task.updatedAt) : now) - Date.parse(task.createdAt))
    const why = over ? null : task.note
    return (
      <div
        ref={line}
        role="treeitem"
        data-row={task.id}
        aria-level={level + 1}
        aria-selected={chosen}
        aria-expanded={hasChildren ? !shut : undefined}
        aria-label={`${task.title}, ${word}, ${task.agent}${cost ? `, ${cost}` : ''}${why ? `, ${why}` : ''}`}
        tabIndex={entry ? 0 : -1}
        className="task-line"
        onClick={() => go(pathOf(task))}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== ' ') return
          event.preventDefault()
          go(pathOf(task))
        }}
      >
        <span className="indent" style={{ width: `${Math.min(level, 8) * 1.1}rem` }} />
        {/* Left and right arrows do the same for the keyboard. */}
        <span
          className={hasChildren ? 'fold can' : 'fold'}
          aria-hidden="true"
          onClick={(event) => {
            if (!hasChildren) return
            event.stopPropagation()
            fold(task.id, !shut)
          }}
        >
          {hasChildren ? (shut ? '▸' : '▾') : ''}
        </span>
        <span className={`status tone-${tone}`} aria-hidden="true">
          <span className="shape">
            <Drawn shape={shape} />
          </span>
        </span>
        <span className="what">
          <span className="title">{task.title}</span>
          <span className="facts">
            <span className={`word tone-${tone}`}>{word}</span>
            {task.agent && ` · ${task.agent}`}
            {task.attempt > 1 && ` · attempt ${task.attempt}`}
            {why && ` · ${why}`}
          </span>
        </span>
        <span className="figures">
          {cost && <span>{cost}</span>}
          <span className="dim">{lasted}</span>
        </span>
      </div>
    )
  },
  (a, b) =>
    a.task === b.task &&
    a.level === b.level &&
    a.cost === b.cost &&
    a.hasChildren === b.hasChildren &&
    a.shut === b.shut &&
    a.chosen === b.chosen &&
    a.entry === b.entry &&
    a.now === b.now,
)
/** The root is named too when it is chosen, so that a narrow screen shows it instead of the tree. */
const pathOf = (task: Task): string =>
  task.parentId === null ? `${treePath(task.treeId)}?task=${encodeURIComponent(task.id)}` : treePath(task.treeId, task.id)
