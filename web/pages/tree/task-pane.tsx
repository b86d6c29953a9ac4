/** The chosen task: its details, and below them, in reach of a thumb, what can be done with it. */
import { ArrowLeft } from 'lucide-react'
import { type RefObject, useCallback, useRef } from 'react'
import type { TreeHead } from '../../../core/contract/event.ts'
import { titleOf } from '../../../core/contract/task.ts'
import type { NodeView, TreeRow, TreeStore } from '../../data/tree-store.ts'
import { useNode } from '../../data/use-tree.ts'
import { useToast } from '../../toasts.ts'
import type { MenuItem } from '../../ui/dropdown-menu.tsx'
import { Link } from '../../ui/link.tsx'
import { kit } from '../../words/kit.ts'
import { tree } from '../../words/tree.ts'
import { TaskDetail } from '../detail/task-detail.tsx'
import type { TreeAsk, useTreeAddress } from './address.ts'
import { TaskDialogs } from './task-dialogs.tsx'
import { TaskDock } from './task-dock.tsx'
import { useActs } from './use-acts.ts'
import { useTreeKeys } from './use-tree-keys.ts'

type Props = {
  store: TreeStore
  head: TreeHead
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
  const view = useNode(props.store, props.taskId)
  if (!view) {
    return (
      <p className="empty">
        {tree.noTask(props.taskId)} <Link to={props.back ?? `/trees/${encodeURIComponent(props.head.id)}`}>{tree.showGoal}</Link>
      </p>
    )
  }
  return <Pane {...props} view={view} />
}

function Pane({ store, head, rows, taskId, ask, set, back, choose, show, focus, view }: Props & { view: NodeView }) {
  const steer = useRef<HTMLTextAreaElement>(null)
  const acts = useActs(
    head,
    view,
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
          <h1 className="hidden">{titleOf(head.goal)}</h1>
          <Link to={back} className="task-back">
            <ArrowLeft aria-hidden="true" /> {tree.back}
          </Link>
        </>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section className="task-scroll" ref={focus} tabIndex={0} aria-label={tree.detail}>
        <TaskDetail treeId={head.id} taskId={taskId} />
      </section>
      <TaskDock view={view} acts={acts} more={more} steer={steer} />
      <TaskDialogs head={head} view={view} acts={acts} />
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
