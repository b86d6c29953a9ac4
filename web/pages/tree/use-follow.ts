/** Follow mode: while it is on, the task that began to run last is the one that is shown. */
import { useEffect } from 'react'
import type { NodeView, TreeStore } from '../../data/tree-store.ts'
import { isRunning } from './filter.ts'

/** A look over the whole tree, so not with every fact. */
const LOOK_MS = 400

export function useFollow(store: TreeStore, root: NodeView | undefined, on: boolean, follow: (id: string) => void): void {
  // The root's view is another object whenever anything below it changed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `root` says when to look, not what at
  useEffect(() => {
    if (!on) return
    const timer = setTimeout(() => {
      let newest: { id: string; updatedAt: number } | null = null
      for (const node of store.all()) if (isRunning(node) && (!newest || node.updatedAt >= newest.updatedAt)) newest = node
      if (newest) follow(newest.id)
    }, LOOK_MS)
    return () => clearTimeout(timer)
  }, [store, root, on, follow])
}
