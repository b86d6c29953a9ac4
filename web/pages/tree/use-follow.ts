/** Follow mode: while it is on, the task that began to run last is the one that is shown. */
import { useEffect } from 'react'
import type { TreeStore } from '../../data/tree-store.ts'
import { isRunning } from './filter.ts'

/** A look over the whole tree, so not with every fact. */
const LOOK_MS = 400

export function useFollow(store: TreeStore, rootId: string, on: boolean, follow: (id: string) => void): void {
  useEffect(() => {
    if (!on) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const look = () => {
      timer = undefined
      let newest: { id: string; updatedAt: number } | null = null
      for (const node of store.all()) if (isRunning(node) && (!newest || node.updatedAt >= newest.updatedAt)) newest = node
      if (newest) follow(newest.id)
    }
    // The root hears of everything below it.
    const soon = () => {
      timer ??= setTimeout(look, LOOK_MS)
    }
    soon()
    const stop = store.subscribeNode(rootId, soon)
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [store, rootId, on, follow])
}
