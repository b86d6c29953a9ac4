/** One goal's tree: its state and rows for who draws the list, one node at a time for each row. */
import { useCallback, useEffect, useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import type { NodeView, TreeState, TreeStore } from './tree-store.ts'

/** Follows the goal while the caller is shown; by itself it never draws again. The store stays the same for the same goal. */
export function useTreeStore(treeId: string): { store: TreeStore; again(): void } {
  const { data } = useBanyan().live
  const { store, again } = data.tree(treeId)
  useEffect(() => data.tree(treeId).use(), [data, treeId])
  return { store, again }
}
/** A part of what is known of the goal as a whole; the caller draws again only when that part is another one. */
export function useTreePart<T>(store: TreeStore, select: (state: TreeState) => T): T {
  return useSyncExternalStore(store.subscribe, () => select(store.state()))
}
/** All of it, for a small part of the page: the counters of a busy goal change with every frame of the screen. */
export function useTree(treeId: string): TreeState & { store: TreeStore; again(): void } {
  const { store, again } = useTreeStore(treeId)
  return { ...useTreePart(store, whole), store, again }
}
const whole = (state: TreeState): TreeState => state

/** One node with its sums; undefined: the tree has none of that id. Draws again when something of this node or below it changed. */
export function useNode(store: TreeStore, id: string): NodeView | undefined {
  return useNodePart(store, id, itself)
}
const itself = (view: NodeView | undefined): NodeView | undefined => view
/** A part of it, such as one count; the caller draws again only when that part is another one. */
export function useNodePart<T>(store: TreeStore, id: string, select: (view: NodeView | undefined) => T): T {
  const subscribe = useCallback((listener: () => void) => store.subscribeNode(id, listener), [store, id])
  return useSyncExternalStore(subscribe, () => select(store.view(id)))
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
