/** Puts the filter of the address upon the tree; what only the server knows is asked there. */
import { useEffect, useMemo } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { TreeStore } from '../../data/tree-store.ts'
import { useRead } from '../../read.ts'
import type { TreeAsk } from './address.ts'
import { needsServer, predicateOf } from './filter.ts'

/** `cut`: how many tasks the server found when there were more than it tells; null: it told all. */
export function useFilter(store: TreeStore, ask: TreeAsk): { any: boolean; cut: number | null; asking: boolean } {
  const { f, agent, tool, cost, since } = ask
  const asks = needsServer(ask)
  const { data, isLoading } = useRead(
    ROUTES.searchTree,
    {
      params: { id: store.treeId },
      query: { limit: '200', ...(tool ? { tool } : {}), ...(since ? { changedSince: since } : {}) },
    },
    { when: asks, follow: asks },
  )
  const among = useMemo(() => (data ? new Set(data.items.map((hit) => hit.taskId)) : null), [data])
  useEffect(() => {
    const words = Object.fromEntries(Object.entries({ f, agent, tool, cost, since }).filter(([, word]) => word))
    store.filter(predicateOf(words, among))
  }, [store, f, agent, tool, cost, since, among])
  useEffect(() => () => store.filter(null), [store])
  return {
    any: Boolean(f || agent || tool || cost || since),
    cut: asks && data && !data.complete ? data.items.length : null,
    asking: asks && isLoading,
  }
}
