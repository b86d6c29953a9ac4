/** The chosen task: its details, and below them, in reach of a thumb, what can be done with it. */
import { ArrowLeft } from 'lucide-react'
import { type RefObject, useCallback, useRef } from 'react'
import { titleOf } from '../../../core/contract/task.ts'
import type { Goal, TreeRow, TreeStore } from '../../data/tree-store.ts'
import { useNodePart } from '../../data/use-tree.ts'
import { useToast } from '../../toasts.ts'
import type { MenuItem } from '../../ui/dropdown-menu.tsx'
import { Link } from '../../ui/link.tsx'
import { kit } from '../../words/kit.ts'
import { tree } from '../../words/tree.ts'
import { TaskDetail } from '../detail/task-detail.tsx'
import type { TreeAsk, useTreeAddress } from './address.ts'
import { TaskDialogs } from './task-dialogs.tsx'
import { TaskDock } from './task-dock.tsx'
import { type Subject, useActs } from './use-acts.ts'
import { useTreeKeys } from './use-tree-keys.ts'

type Props = {
  store: TreeStore
  goal: Goal
  rows: readonly TreeRow[]
  taskId: string
  ask: TreeAsk
  set: ReturnType<typeof useTreeAddress>['set']
  /** Where "all tasks" leads; null: they stand beside it. */
  back: string | null
  choose: (id: string) => void
  show: (id: string) => void
  focus: RefObject<HTMLDivElement | null>
}

export function TaskPane(props: Props) {
  const { store, taskId } = props
  const node = useNodePart(store, taskId, (view) => view?.node)
  const children = useNodePart(store, taskId, (view) => view?.children ?? 0)
  const paused = useNodePart(store, taskId, (view) => view?.total.counts.paused ?? 0)
  if (!node) {
    return (
      <p className="empty">
        {tree.noTask(props.taskId)} <Link to={props.back ?? `/trees/${encodeURIComponent(props.goal.id)}`}>{tree.showGoal}</Link>
      </p>
    )
  }
  return <Pane {...props} subject={{ node, children, paused }} />
}

function Pane({ store, goal, rows, taskId, ask, set, back, choose, show, focus, subject }: Props & { subject: Subject }) {
  const tasks = useNodePart(store, taskId, (view) => view?.total.tasks ?? 1)
  const steer = useRef<HTMLTextAreaElement>(null)
  const acts = useActs(
    goal,
    subject,
    useCallback(() => steer.current?.focus(), []),
  )
  const copy = useCopy()
  const copyLink = () => copy(`${location.origin}/t/${encodeURIComponent(taskId)}`)
  const toDetail = useCallback(() => focus.current?.focus(), [focus])
  useTreeKeys({ store, rows, chosen: taskId, ask, set, acts, choose, show, toDetail, copyLink })
  const more: MenuItem[] = [
    ...(back === null
      ? ([
          {
            kind: 'act',
            label: ask.root ? tree.wholeTree : tree.act.focus,
            keys: 'o',
            run: () => set({ root: ask.root ? undefined : taskId }, 'push'),
          },
          { kind: 'act', label: ask.pin ? tree.act.unpin : tree.act.pin, keys: 'i', run: () => set({ pin: ask.pin ? undefined : taskId }) },
        ] as const)
      : []),
    { kind: 'act', label: tree.act.copyLink, keys: 'y', run: copyLink },
    { kind: 'act', label: tree.act.copyCli, run: () => copy(`npx banyan show ${taskId}`) },
    {
      kind: 'act',
      label: tree.act.copyHttp,
      run: () => copy(`curl -H "Authorization: Bearer $BANYAN_TOKEN" ${location.origin}/api/tasks/${encodeURIComponent(taskId)}`),
    },
  ]
  return (
    <div className="task-pane">
      {back !== null && (
        <>
          <h1 className="hidden">{titleOf(goal.goal)}</h1>
          <Link to={back} className="task-back">
            <ArrowLeft aria-hidden="true" /> {tree.back}
          </Link>
        </>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section className="task-scroll" ref={focus} tabIndex={0} aria-label={tree.detail}>
        <TaskDetail treeId={goal.id} taskId={taskId} />
      </section>
      <TaskDock subject={subject} acts={acts} more={more} steer={steer} />
      <TaskDialogs goal={goal} node={subject.node} tasks={tasks} acts={acts} />
    </div>
  )
}

function useCopy() {
  const toast = useToast()
  return (text: string) => {
    // Missing where the page is served over plain HTTP from another machine.
    const written = navigator.clipboard ? navigator.clipboard.writeText(text) : Promise.reject(new Error(kit.notCopied))
    written.then(
      () => toast(tree.act.copied, { tone: 'good' }),
      () => toast(kit.notCopied, { tone: 'bad' }),
    )
  }
}
