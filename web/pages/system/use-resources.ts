/** The history of the machine, kept up by asking only for the samples that came since. */
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ResourceSample } from '../../../core/contract/api-system.ts'
import type { Answer, ApiFault } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'

export type Window = '1h' | '24h'
export type Resources = Answer<typeof ROUTES.resources>

/** Milliseconds between two looks. */
export const everyOf = (window: Window): number => (window === '1h' ? 5_000 : 60_000)
const SPAN_MS: Record<Window, number> = { '1h': 3_600_000, '24h': 86_400_000 }

export function useResources(window: Window): UseQueryResult<Resources, ApiFault> {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const key = [ROUTES.resources.path, window] as const
  return useQuery<Resources, ApiFault>({
    queryKey: key,
    async queryFn({ signal }) {
      const before = queries.getQueryData<Resources>(key)?.items ?? []
      // The last sample of a day stands for a minute that goes on, so it is asked for again.
      const after = before.at(window === '1h' ? -1 : -2)?.at
      const fresh = await api.call(ROUTES.resources, { query: { window, after }, signal })
      return { ...fresh, items: joined(before, fresh.items, SPAN_MS[window]) }
    },
    refetchInterval: everyOf(window),
  })
}

/** Old samples, then the new ones, in order of time, none twice, none older than the span before the newest. */
export function joined(old: readonly ResourceSample[], fresh: readonly ResourceSample[], spanMs: number): ResourceSample[] {
  const first = fresh[0]?.at
  const all = first === undefined ? [...old] : [...old.filter((one) => one.at < first), ...fresh]
  const from = Date.parse(all.at(-1)?.at ?? '') - spanMs
  return all.filter((one) => Date.parse(one.at) >= from)
}
