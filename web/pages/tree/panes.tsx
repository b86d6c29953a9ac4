/** The panes of a goal's page and what they share: the chosen task, the filters, the keys. */
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { TaskNode } from '../../../core/contract/node.ts'
import { isOver } from '../../../core/contract/task.ts'
import { useNow } from '../../banyan.ts'
import type { Goal, TreeRow, TreeStore } from '../../data/tree-store.ts'
import { useNodePart } from '../../data/use-tree.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { useNarrow } from '../../ui/narrow.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Splitter } from '../../ui/splitter.tsx'
import { tree } from '../../words/tree.ts'
import { TaskDetail } from '../detail/task-detail.tsx'
import { useTreeAddress, type View } from './address.ts'
import { Announcer } from './announcer.tsx'
import { Away } from './away.tsx'
import { Crumbs, useLevel } from './drill.tsx'
import { GoalHead } from './goal-head.tsx'
import { ResultCard } from './result-card.tsx'
import { TaskPane } from './task-pane.tsx'
import { spanOf } from './time-span.ts'
import { TreeList } from './tree-list.tsx'
import { TreeTools } from './tree-tools.tsx'
import { useChosen } from './use-chosen.ts'
import { useFilter } from './use-filter.ts'
import { useFollow } from './use-follow.ts'

const GraphView = lazy(() => import('./graph-view.tsx').then((file) => ({ default: file.GraphView })))

type Props = { store: TreeStore; goal: Goal; root: TaskNode; rows: readonly TreeRow[]; seen: number | null }

/** It draws again when rows come and go or something is chosen, not with every fact: what counts and sums is in parts of its own. */
export function Panes({ store, goal, root, rows, seen }: Props) {
  const { ask, to, set } = useTreeAddress(goal.id)
  const narrow = useNarrow()
  const view: View = ask.view === 'time' || ask.view === 'graph' ? ask.view : 'tree'
  const { chosen, choose } = useChosen(store.treeId, ask, set, narrow)
  const filter = useFilter(store, ask)
  const [hitIds, setHits] = useState<readonly string[]>([])
  const hits = useMemo(() => new Set(hitIds), [hitIds])
  const scroller = useRef<HTMLDivElement>(null)
  const detail = useRef<HTMLDivElement>(null)

  const at = ask.root && store.view(ask.root) ? ask.root : goal.id
  useEffect(() => store.focus(at === goal.id || narrow ? null : at), [store, at, goal.id, narrow])
  useEffect(() => () => store.focus(null), [store])
  // A link to a task opens the branches above it.
  const task = ask.task
  useEffect(() => {
    if (task && store.view(task)) store.reveal(task)
  }, [store, task])

  const show = useCallback(
    (id: string) => {
      store.reveal(id)
      choose(id, 'now')
    },
    [store, choose],
  )
  const pick = useCallback(
    (id: string) => {
      if (ask.follow) set({ follow: undefined })
      choose(id)
    },
    [choose, set, ask.follow],
  )
  useFollow(store, goal.id, ask.follow === '1', show)
  const drillInto = useCallback((id: string) => set({ root: id === goal.id ? undefined : id }, 'push'), [set, goal.id])
  const toDetail = useCallback(() => requestAnimationFrame(() => detail.current?.focus()), [])

  const level = useLevel(store, at, rows, filter.any)
  const shown = narrow && view !== 'graph' ? level : rows
  const over = isOver(root.status)
  const now = useNow(view === 'time' && !over)
  const span = useMemo(
    () => (view === 'time' ? spanOf(root.createdAt, over ? latest(store, root.updatedAt) : now) : null),
    [view, root, over, now, store],
  )
  const nothing = useNodePart(store, goal.id, (of) => filter.any && of?.total.matches === 0)

  const list = (
    <div className="tree-scroll" ref={scroller}>
      <GoalHead
        store={store}
        goal={goal}
        result={over && <ResultCard treeId={goal.id} open={ask.result === '1'} set={(open) => set({ result: open ? '1' : undefined })} />}
      />
      {seen !== null && (
        <Away
          treeId={goal.id}
          seen={seen}
          jump={show}
          only={() => set({ since: String(seen), f: undefined, agent: undefined, tool: undefined, cost: undefined })}
        />
      )}
      <TreeTools store={store} ask={ask} set={set} view={view} seen={seen} narrow={narrow} show={show} hits={setHits} />
      {narrow ? (
        <Crumbs store={store} at={at} go={drillInto} />
      ) : (
        at !== goal.id && (
          <p className="focused">
            {tree.focusedOn} <strong>{store.view(at)?.node.title}</strong>
            <Link to={to({ root: undefined })} className="chip">
              {tree.wholeTree}
            </Link>
          </p>
        )
      )}
      {filter.cut !== null && <p className="dim focused">{tree.firstOnly(filter.cut)}</p>}
      {nothing ? (
        <EmptyState
          title={filter.asking ? tree.searching : tree.noFit}
          act={
            <Button onClick={() => set({ f: undefined, agent: undefined, tool: undefined, cost: undefined, since: undefined })}>
              {tree.clear}
            </Button>
          }
        >
          {tree.noFitHow}
        </EmptyState>
      ) : view === 'graph' ? (
        <Suspense fallback={<Skeleton lines={6} label={tree.graph.loading} />}>
          <GraphView store={store} rootId={at} chosen={chosen ?? goal.id} choose={pick} />
        </Suspense>
      ) : (
        <TreeList
          store={store}
          rows={shown}
          chosen={chosen}
          hits={hits}
          span={span}
          drill={narrow}
          scroller={scroller}
          choose={pick}
          drillInto={drillInto}
          toDetail={toDetail}
        />
      )}
      <Announcer store={store} rootId={goal.id} />
    </div>
  )
  const pane = chosen !== null && (
    <TaskPane
      key={chosen}
      store={store}
      goal={goal}
      rows={shown}
      taskId={chosen}
      ask={ask}
      set={set}
      back={narrow ? to({ task: undefined }) : null}
      choose={pick}
      show={show}
      focus={detail}
    />
  )
  if (narrow) return pane || list
  const pinned = ask.pin && ask.pin !== chosen && store.view(ask.pin) ? ask.pin : null
  return (
    <Splitter
      name="tree"
      first={52}
      least={28}
      left={list}
      right={
        pinned ? (
          <Splitter
            name="tree-pin"
            first={55}
            least={30}
            left={pane}
            right={
              <section className="task-scroll" aria-label={tree.pinned}>
                <Link to={to({ pin: undefined })} className="chip unpin">
                  {tree.act.unpin}
                </Link>
                <TaskDetail treeId={goal.id} taskId={pinned} />
              </section>
            }
          />
        ) : (
          pane
        )
      }
    />
  )
}

/** Watchers may work on after the goal has its outcome. */
const latest = (store: TreeStore, end: number): number => store.all().reduce((most, node) => Math.max(most, node.updatedAt), end)
