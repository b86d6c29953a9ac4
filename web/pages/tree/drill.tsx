/** On a narrow screen: the way from the goal down to where one is, and the rows of that one level. */
import { ChevronRight } from 'lucide-react'
import { useMemo } from 'react'
import type { TreeRow, TreeState, TreeStore } from '../../data/tree-store.ts'
import { useNodePart } from '../../data/use-tree.ts'
import { tree } from '../../words/tree.ts'

/** The task itself, then what is right below it; with a filter only what has something that fits. */
export function useLevel(store: TreeStore, at: string, rows: TreeState['rows'], filtered: boolean): readonly TreeRow[] {
  const children = useNodePart(store, at, (view) => view?.children)
  const matches = useNodePart(store, at, (view) => view?.total.matches)
  // biome-ignore lint/correctness/useExhaustiveDependencies: `rows`, `children` and `matches` say when the store has others below
  return useMemo(() => {
    const below = store.below(at).filter((id) => !filtered || (store.view(id)?.total.matches ?? 0) > 0)
    return [{ id: at, level: 0, open: null }, ...below.map((id) => ({ id, level: 1, open: null }))]
  }, [store, at, rows, children, matches, filtered])
}

export function Crumbs({ store, at, go }: { store: TreeStore; at: string; go: (id: string) => void }) {
  const path = store.path(at).slice(0, -1)
  if (path.length === 0) return null
  return (
    <nav className="crumbs" aria-label={tree.up}>
      {path.map((id) => (
        <span key={id} className="crumb">
          <button type="button" className="quiet small" onClick={() => go(id)}>
            {store.view(id)?.node.title ?? id}
          </button>
          <ChevronRight aria-hidden="true" />
        </span>
      ))}
    </nav>
  )
}
