/** What the page of a goal keeps in its address: which task, which view, which filters. Other words there (those of the details) stay. */
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { useCallback } from 'react'
import { useGo } from '../../route.ts'
import { writeSearch } from '../../search.ts'

export const VIEWS = ['tree', 'time', 'graph'] as const
export type View = (typeof VIEWS)[number]
export type TreeWord = 'task' | 'view' | 'f' | 'q' | 'root' | 'follow' | 'agent' | 'tool' | 'cost' | 'since' | 'pin' | 'result'
export type TreeAsk = Partial<Record<TreeWord, string>>

const route = getRouteApi('/trees/$id')

/** `to`: the address with some words changed (undefined takes one away). `set` goes there; only opening something is a step for "back". */
export function useTreeAddress(treeId: string) {
  const ask: TreeAsk = route.useSearch()
  const router = useRouter()
  const go = useGo()
  const to = useCallback(
    (change: { [W in TreeWord]?: string | undefined }): string => {
      // What is in the address now, not at the last drawing: two changes may come before the next one.
      const known = router.state.location.search as Record<string, unknown>
      return `/trees/${encodeURIComponent(treeId)}${writeSearch({ ...known, ...change })}`
    },
    [router, treeId],
  )
  const set = useCallback(
    (change: { [W in TreeWord]?: string | undefined }, how: 'push' | 'replace' = 'replace') => go(to(change), how),
    [go, to],
  )
  return { ask, to, set }
}
