/** What was decided, the last decision first, page by page. */
import { useCallback, useMemo, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { WaitingReview } from '../../../core/contract/live.ts'
import { useBanyan } from '../../banyan.ts'
import { sentence } from '../../live.ts'
import { useRead } from '../../read.ts'

const PAGE = '50'
const QUERY = { state: 'decided', order: 'decided', limit: PAGE } as const

export function useDone(when: boolean) {
  const { api } = useBanyan()
  const { data, error } = useRead(ROUTES.reviews, { query: QUERY }, { when, follow: true })
  const [more, setMore] = useState<{ items: readonly WaitingReview[]; cursor: string | null } | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const items = useMemo(() => {
    const all = [...(data?.items ?? []), ...(more?.items ?? [])] as WaitingReview[]
    return [...new Map(all.map((one) => [one.id, one])).values()]
  }, [data, more])
  const older = more ? more.cursor : (data?.nextCursor ?? null)
  const load = useCallback(async () => {
    if (older === null) return
    try {
      const page = await api.call(ROUTES.reviews, { query: { ...QUERY, cursor: older } })
      setMore((known) => ({ items: [...(known?.items ?? []), ...(page.items as WaitingReview[])], cursor: page.nextCursor }))
      setFailed(null)
    } catch (fault) {
      setFailed(sentence(fault))
    }
  }, [api, older])
  return { items, older, more: load, loaded: data !== undefined, fault: failed ?? (error ? sentence(error) : null) }
}
