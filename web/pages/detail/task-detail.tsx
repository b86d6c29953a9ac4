/** One task taken apart: how it stands, what it asks, what came of it, and the parts that one can look at. */
import './detail.css'
import { Link2 } from 'lucide-react'
import { lazy, type ReactNode, Suspense, useMemo } from 'react'
import { isOver, type Task } from '../../../core/contract/task.ts'
import { useActions } from '../../actions.ts'
import { useNow } from '../../banyan.ts'
import type { TreeStore } from '../../data/tree-store.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useReviews } from '../../data/use-reviews.ts'
import { useTask } from '../../data/use-task.ts'
import { useNode, useNodePart, useTreeStore } from '../../data/use-tree.ts'
import { duration } from '../../format.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Link } from '../../ui/link.tsx'
import { Money } from '../../ui/money.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Status } from '../../ui/status.tsx'
import { Tabs } from '../../ui/tabs.tsx'
import { visible } from '../../visible.ts'
import { detail } from '../../words/detail.ts'
import { kit } from '../../words/kit.ts'
import { relativeTime } from '../../words/words.ts'
import { Decision } from '../reviews/decision.tsx'
import { type DetailAddress, type DetailTab, TABS, useDetailAddress } from './address.ts'
import { Outcome } from './outcome.tsx'
import { Timeline } from './timeline.tsx'
import { useHistory } from './use-history.ts'

const Call = lazy(() => import('./call.tsx').then((file) => ({ default: file.Call })))
const Changes = lazy(() => import('./changes.tsx').then((file) => ({ default: file.Changes })))
const Artifacts = lazy(() => import('./artifacts.tsx').then((file) => ({ default: file.Artifacts })))
const Context = lazy(() => import('./context.tsx').then((file) => ({ default: file.Context })))
const Cost = lazy(() => import('./cost.tsx').then((file) => ({ default: file.Cost })))
const Raw = lazy(() => import('./raw.tsx').then((file) => ({ default: file.Raw })))

/** `alone`: the page shows nothing of the tree beside it, so the way there is offered. */
export function TaskDetail({ treeId, taskId, alone = false }: { treeId: string; taskId: string; alone?: boolean }) {
  return <OneTask key={taskId} treeId={treeId} taskId={taskId} alone={alone} />
}

function OneTask({ treeId, taskId, alone }: { treeId: string; taskId: string; alone: boolean }) {
  const state = useTask(taskId)
  const { store } = useTreeStore(treeId)
  const history = useHistory(taskId, state)
  const address = useDetailAddress(taskId)
  useTabKeys(address)
  const { task } = state
  if (state.missing)
    return (
      <EmptyState title={detail.missing(taskId)} act={<Link to="/goals">{detail.toGoals}</Link>}>
        {detail.missingWhy}
      </EmptyState>
    )
  if (!task)
    return state.fault ? (
      <ErrorState title={detail.failed} cause={state.fault} effect={detail.failedEffect} />
    ) : (
      <Skeleton lines={8} label={detail.reading} />
    )
  const later = (part: ReactNode) => <Suspense fallback={<Skeleton lines={5} label={detail.reading} />}>{part}</Suspense>
  const bodies: Record<DetailTab, () => ReactNode> = {
    timeline: () => (
      <>
        <Outcome task={task} />
        <Timeline taskId={taskId} state={state} history={history} address={address} />
      </>
    ),
    call: () => later(<Call taskId={taskId} state={state} history={history} address={address} />),
    diff: () => later(<Changes taskId={taskId} address={address} />),
    artifacts: () => later(<Artifacts treeId={treeId} address={address} />),
    context: () => later(<Context taskId={taskId} history={history} address={address} />),
    cost: () => later(<Cost taskId={taskId} />),
    raw: () => later(<Raw taskId={taskId} state={state} history={history} address={address} />),
  }
  return (
    <article className="detail" aria-label={visible(task.title)}>
      <Head task={task} store={store} alone={alone} />
      <Asked treeId={treeId} task={task} />
      <Tabs
        label={detail.tabs}
        value={address.tab}
        choose={(tab) => address.set({ tab: tab === 'timeline' ? '' : tab }, 'push')}
        tabs={TABS.map((tab) => ({ value: tab, label: detail.tab[tab], body: tab === address.tab ? bodies[tab]() : null }))}
      />
    </article>
  )
}

function useTabKeys(address: DetailAddress): void {
  const show = (tab: DetailTab) => address.set({ tab: tab === 'timeline' ? '' : tab }, 'push')
  const beside = (step: number) => show(TABS[(TABS.indexOf(address.tab) + step + TABS.length) % TABS.length]!)
  const { group, next, last, show: label } = detail.acts
  useActions([
    { id: 'detail.next', label: next, group, keys: ']', run: () => beside(1) },
    { id: 'detail.last', label: last, group, keys: '[', run: () => beside(-1) },
    ...TABS.map((tab) => ({ id: `detail.tab.${tab}`, label: label(detail.tab[tab]), group, run: () => show(tab) })),
  ])
}

function Head({ task, store, alone }: { task: Task; store: TreeStore; alone: boolean }) {
  const over = isOver(task.status)
  const now = useNow(!over)
  const { stale } = useConnection()
  const toast = useToast()
  const parent = useNodePart(store, task.parentId ?? '', (view) => view?.node)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${location.origin}/t/${encodeURIComponent(task.id)}`)
      toast(kit.copied)
    } catch {
      toast(kit.notCopied, { tone: 'bad' }) // not allowed, or served over plain HTTP
    }
  }
  return (
    <header className="detail-head">
      <div className="detail-title">
        <h2>{visible(task.title)}</h2>
        <IconButton icon={Link2} label={detail.copyLink} onClick={() => void copy()} />
      </div>
      <p className="facts">
        <Status task={task} />
        <span>
          {task.agent}
          {detail.kind[task.kind] && <span className="dim"> {detail.kind[task.kind]}</span>}
        </span>
        <span>{duration((over ? Date.parse(task.updatedAt) : now) - Date.parse(task.createdAt))}</span>
        <Took store={store} task={task} />
        {task.attempt > 1 && <span>{detail.attempt(task.attempt)}</span>}
        {parent && (
          <span>
            {detail.below} <Link to={treePath(task.treeId, parent.id)}>{visible(parent.title)}</Link>
          </span>
        )}
        {alone && <Link to={treePath(task.treeId, task.id)}>{detail.inGoal}</Link>}
      </p>
      {stale && <p className="why tone-you">{detail.stale}</p>}
      {task.taint.length > 0 && <p className="why">{detail.taint(task.taint.map((one) => detail.taints[one]).join(detail.and))}</p>}
      {task.watch && (
        <p className="why tone-you">
          {detail.watch(task.watch)} {task.note?.includes(task.watch.words) ? '' : task.watch.words}
        </p>
      )}
      {task.note && <p className={`why ${over ? '' : 'tone-you'}`}>{task.note}</p>}
      {!over && task.after.length > 0 && <After ids={task.after} treeId={task.treeId} store={store} />}
      {task.wakeAt && !over && Date.parse(task.wakeAt) > now && <p className="why">{detail.goesOn(relativeTime(task.wakeAt, now))}</p>}
    </header>
  )
}

function Took({ store, task }: { store: TreeStore; task: Task }) {
  return <Money spend={useNode(store, task.id)?.total.spend ?? task.spend} />
}

function After({ ids, treeId, store }: { ids: readonly string[]; treeId: string; store: TreeStore }) {
  const open = ids.map((id) => store.view(id)?.node).filter((node) => node !== undefined && node.status !== 'done')
  if (open.length === 0) return null
  return (
    <p className="why">
      {detail.waitsFor}{' '}
      {open.map((node, i) => (
        <span key={node!.id}>
          {i > 0 && ', '}
          <Link to={treePath(treeId, node!.id)}>{node!.title}</Link>
        </span>
      ))}
    </p>
  )
}

/** What waits for a person: of this task, and at the root of everything below it. */
function Asked({ treeId, task }: { treeId: string; task: Task }) {
  const { reviews } = useReviews()
  const mine = useMemo(
    () =>
      reviews.filter(
        (review) => review.state === 'open' && review.treeId === treeId && (review.taskId === task.id || task.parentId === null),
      ),
    [reviews, treeId, task.id, task.parentId],
  )
  if (mine.length === 0) return null
  return (
    <section className="stack" aria-label={detail.asks}>
      {mine.map((review) => (
        <Decision key={review.id} review={review} place={review.taskId === task.id ? 'task' : 'page'} />
      ))}
    </section>
  )
}
