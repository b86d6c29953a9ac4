/** One goal's tree: its state and rows for who draws the list, one node at a time for each row. */
import { useCallback, useEffect, useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import type { NodeView, TreeState, TreeStore } from './tree-store.ts'

/** Follows the goal while the caller is shown. The store stays the same for the same goal. */
export function useTree(treeId: string): TreeState & { store: TreeStore; again(): void } {
  const { data } = useBanyan().live
  const { store, again } = data.tree(treeId)
  const subscribe = useCallback(
    (listener: () => void) => {
      const { use } = data.tree(treeId)
      const stops = [use(), store.subscribe(listener)]
      return () => {
        for (const stop of stops) stop()
      }
    },
    [data, treeId, store],
  )
  const state = useSyncExternalStore(subscribe, store.state)
  return { ...state, store, again }
}

/** One node; undefined: the tree has none of that id. Draws again only when something of this node or below it changed. */
export function useNode(store: TreeStore, id: string): NodeView | undefined {
  const subscribe = useCallback((listener: () => void) => store.subscribeNode(id, listener), [store, id])
  return useSyncExternalStore(subscribe, () => store.view(id))
}

const key = (treeId: string) => `seen:${treeId}`
/** Number of the last fact of a goal that a person saw in this browser, for `since`; null: never looked. */
export function lastSeen(treeId: string, storage: Pick<Storage, 'getItem'> = localStorage): number | null {
  const seen = Number(storage.getItem(key(treeId)))
  return Number.isSafeInteger(seen) && seen > 0 ? seen : null
}
export function markSeen(treeId: string, seq: number): void {
  if (seq > 0) localStorage.setItem(key(treeId), String(seq))
}
/** Remembers, when the page is left or hidden, up to where the goal was seen. `treeId` may be `home`. */
export function useSeen(treeId: string, seq: () => number): void {
  useEffect(() => {
    const keep = () => markSeen(treeId, seq())
    const hidden = () => {
      if (document.hidden) keep()
    }
    document.addEventListener('visibilitychange', hidden)
    return () => {
      document.removeEventListener('visibilitychange', hidden)
      keep()
    }
  }, [treeId, seq])
}
