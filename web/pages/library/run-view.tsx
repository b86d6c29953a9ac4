/** A test run as it happens: how it stands, its tasks, its result, and the ways on. */
import { ExternalLink, Flag, Square } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import { isOver } from '../../../core/contract/task.ts'
import { useNow } from '../../banyan.ts'
import type { TreeRow, TreeStore } from '../../data/tree-store.ts'
import { useReviews } from '../../data/use-reviews.ts'
import { useTask } from '../../data/use-task.ts'
import { useNode, useTree } from '../../data/use-tree.ts'
import { duration } from '../../format.ts'
import { useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Markdown } from '../../ui/markdown.tsx'
import { Money } from '../../ui/money.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Status } from '../../ui/status.tsx'
import { StatusIcon } from '../../ui/status-icon.tsx'
import { library } from '../../words/library.ts'
import { reviewPath } from '../reviews/queue.ts'

const words = library.run

export function RunView({ treeId, title }: { treeId: string; title: string }) {
  const { state, fault, rows, store, again } = useTree(treeId)
  const root = useNode(store, treeId)
  const { task } = useTask(treeId)
  const stop = useWrite(ROUTES.abort)
  const toast = useToast()
  const asked = useReviews().reviews.find((one) => one.treeId === treeId && one.state === 'open')?.id ?? null
  const over = root !== undefined && isOver(root.node.status)
  const now = useNow(!over)
  if (state === 'missing') return <p className="empty">{words.missing}</p>
  if (state === 'failed') return <ErrorState title={library.readFailed} cause={fault ?? ''} retry={again} />
  if (!root) return <Skeleton lines={4} label={words.loading} />
  const result = task?.result ?? task?.note ?? null
  const asks = root.total.needsYou > 0
  return (
    <section className="run card" aria-label={`${title}, ${library.tryAgent.label}`}>
      <header className="run-head">
        <h2>{title}</h2>
        <Badge tone="wait">{library.tryAgent.label}</Badge>
        <Status task={root.node} />
        <span className="facts">
          {duration((over ? root.node.updatedAt : now) - root.node.createdAt)} <Money spend={root.total.spend} />
        </span>
        <span className="grow" />
        {!over && (
          <Button
            small
            className="with-icon"
            disabled={stop.isPending}
            onClick={() =>
              stop.mutate(
                { params: { id: treeId }, body: {} },
                { onSuccess: () => toast(words.stopped), onError: (cause) => toast(cause.message, { tone: 'bad' }) },
              )
            }
          >
            <Square aria-hidden="true" /> {words.stop}
          </Button>
        )}
        <Link to={treePath(treeId)} className="button small">
          <ExternalLink aria-hidden="true" /> {words.open}
        </Link>
      </header>
      {asks && (
        <p className="run-asks">
          <Flag aria-hidden="true" /> {words.needsYou} <Link to={reviewPath(asked)}>{words.decide}</Link>
        </p>
      )}
      <ul className="run-tasks" aria-label={words.tasks}>
        {rows.map((row) => (
          <Line key={row.id} row={row} store={store} />
        ))}
      </ul>
      <div className="run-result">
        <h3>{words.result}</h3>
        {result === null ? <p className="dim">{words.noResult}</p> : <Markdown text={result} />}
      </div>
    </section>
  )
}

function Line({ row, store }: { row: TreeRow; store: TreeStore }) {
  const view = useNode(store, row.id)
  if (!view) return null
  return (
    <li className={`run-task level-${Math.min(row.level, 6)}`}>
      <StatusIcon task={view.node} />
      <span className="run-title">{view.node.title}</span>
      <span className="facts">{view.node.agent}</span>
    </li>
  )
}
