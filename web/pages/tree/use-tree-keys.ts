/** Keys and palette entries of the page of a goal: walking, jumping, folding, and every act on the chosen task. */
import { useActions } from '../../actions.ts'
import type { Predicate, TreeRow, TreeStore } from '../../data/tree-store.ts'
import { useToast } from '../../toasts.ts'
import { tree } from '../../words/tree.ts'
import type { TreeAsk, useTreeAddress } from './address.ts'
import { hasFailed } from './filter.ts'
import type { Acts } from './use-acts.ts'

export function useTreeKeys(at: {
  store: TreeStore
  rows: readonly TreeRow[]
  chosen: string
  ask: TreeAsk
  set: ReturnType<typeof useTreeAddress>['set']
  acts: Acts
  choose: (id: string) => void
  show: (id: string) => void
  toDetail: () => void
  copyLink: () => void
}): void {
  const { store, rows, chosen, ask, set, acts, choose, show } = at
  const toast = useToast()
  const place = rows.findIndex((row) => row.id === chosen)
  const walk = (step: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, place + step))]
    if (row) choose(row.id)
  }
  const jump = (wanted: Predicate, none: string) => {
    const id = store.next(chosen, wanted)
    if (id === null) toast(none)
    else show(id)
  }
  const open = rows[place]?.open
  const parent = store.view(chosen)?.node.parentId ?? null
  const group = tree.act.tree
  const pause = acts.act('pause').why === null
  useActions([
    { id: 'tree.next', label: tree.keys.nextRow, group, keys: 'j', keyOnly: true, run: () => walk(1) },
    { id: 'tree.last', label: tree.keys.lastRow, group, keys: 'k', keyOnly: true, run: () => walk(-1) },
    { id: 'tree.failure', label: tree.keys.nextFailure, group, keys: '.', run: () => jump(hasFailed, tree.keys.none.failed) },
    { id: 'tree.ask', label: tree.keys.nextAsk, group, keys: '!', run: () => jump((_, needs) => needs > 0, tree.keys.none.you) },
    {
      id: 'tree.fold',
      label: tree.keys.fold,
      group,
      keys: 'z',
      run: () => (open === null || open === undefined ? parent && (store.fold(parent, false), choose(parent)) : store.fold(chosen, !open)),
    },
    {
      id: 'tree.siblings',
      label: tree.keys.siblings,
      group,
      keys: '*',
      run: () => {
        for (const id of parent === null ? [chosen] : store.below(parent)) store.fold(id, true)
      },
    },
    { id: 'tree.follow', label: tree.follow, group, keys: 'f', run: () => set({ follow: ask.follow === '1' ? undefined : '1' }) },
    { id: 'tree.foldAll', label: tree.foldAll, group, run: () => store.foldAll(false) },
    { id: 'tree.unfoldAll', label: tree.unfoldAll, group, run: () => store.foldAll(true) },
    { id: 'tree.viewTree', label: `${tree.view}: ${tree.views.tree}`, group, keys: 'v t', run: () => set({ view: undefined }, 'push') },
    { id: 'tree.viewTime', label: `${tree.view}: ${tree.views.time}`, group, keys: 'v l', run: () => set({ view: 'time' }, 'push') },
    { id: 'tree.viewGraph', label: `${tree.view}: ${tree.views.graph}`, group, keys: 'v g', run: () => set({ view: 'graph' }, 'push') },
    {
      id: 'tree.root',
      label: ask.root ? tree.wholeTree : tree.act.focus,
      group,
      keys: 'o',
      run: () => set({ root: ask.root ? undefined : chosen }, 'push'),
    },
    { id: 'tree.detail', label: tree.keys.toDetail, group, keys: 'enter', keyOnly: true, run: at.toDetail },
    {
      id: 'task.pin',
      label: ask.pin ? tree.act.unpin : tree.act.pin,
      group: tree.act.group,
      keys: 'i',
      run: () => set({ pin: ask.pin ? undefined : chosen }),
    },
    { id: 'task.copyLink', label: tree.keys.copyLink, group: tree.act.group, keys: 'y', run: at.copyLink },
    ...acts.all
      .filter((act) => act.why === null)
      .map(({ move, label, keys, run }) => ({
        id: `task.${move}`,
        label,
        group: tree.act.group,
        keys: move === 'resume' && pause ? undefined : keys,
        run,
      })),
  ])
}
