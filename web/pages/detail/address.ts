/** What of a task is shown, as it stands in the address: after `?` the part and what is chosen in it, after `#e:` one event. */
import { useRouterState } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { useGo } from '../../route.ts'
import { parseSearch, writeSearch } from '../../search.ts'

export const TABS = ['timeline', 'call', 'diff', 'artifacts', 'context', 'cost', 'raw'] as const
export type DetailTab = (typeof TABS)[number]
/** Names after `?` that belong to the detail of a task; the routes that show one let them through. */
export const DETAIL_SEARCH = ['tab', 'k', 'call', 'path', 'n', 'm', 'scope', 'raw'] as const
export type DetailSearch = { [K in (typeof DETAIL_SEARCH)[number]]?: string | undefined }

export type DetailAddress = {
  tab: DetailTab
  search: DetailSearch
  /** `12`: message 12; `f345`: fact 345. */
  event: string | null
  /** Changes what is named and leaves the rest. */
  set: (change: DetailSearch & { event?: string }, how?: 'push' | 'replace') => void
  /** A whole link to an event of this task, for somebody else. */
  linkTo: (event: string) => string
}

export function useDetailAddress(taskId: string): DetailAddress {
  const go = useGo()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const text = useRouterState({ select: (state) => state.location.searchStr })
  const hash = useRouterState({ select: (state) => state.location.hash })
  const search = useMemo(() => parseSearch(text), [text])
  const set = useCallback(
    ({ event, ...change }: DetailSearch & { event?: string }, how: 'push' | 'replace' = 'replace') => {
      go(`${path}${writeSearch({ ...search, ...change })}${event === undefined ? '' : `#e:${event}`}`, how)
    },
    [go, path, search],
  )
  const linkTo = useCallback((event: string) => `${location.origin}/t/${encodeURIComponent(taskId)}#e:${event}`, [taskId])
  const tab = TABS.find((one) => one === search.tab) ?? 'timeline'
  const event = /^e:(f?\d{1,15})$/.exec(hash)?.[1] ?? null
  return { tab, search, event, set, linkTo }
}
