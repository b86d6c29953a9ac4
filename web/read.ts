/** Reads that the live line does not carry, kept by react-query: shared between parts of the page, read again when they may have changed. */
import { keepPreviousData, type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import type { Route } from '../core/contract/api.ts'
import type { Answer, Api, ApiFault, Asked } from './api.ts'
import { useBanyan } from './banyan.ts'

/** How often a read that follows the facts is made again at most. */
const FOLLOW_MS = 1_000

/**
 * The answer of a GET route: `useRead(ROUTES.agents)`, `useRead(ROUTES.agent, { params: { id } })`. `follow`: read again when facts came
 * in since, at most once a second. `every`: read again after so many milliseconds while the page is seen. `when`: false waits. `keep`:
 * while the answer to another question is on its way, the one before stands.
 */
export function useRead<const R extends Route & { method: 'GET' }>(
  route: R,
  asked?: Asked<R>,
  how: { follow?: boolean; every?: number; when?: boolean; keep?: boolean } = {},
): UseQueryResult<Answer<R>, ApiFault> {
  const { api, live } = useBanyan()
  const queries = useQueryClient()
  const follow = how.follow ?? false
  const key = [route.path, asked?.params ?? null, asked?.query ?? null] as const
  const hash = JSON.stringify(key)
  const seen = useRef<string>(undefined)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  // Listened to beside React: that facts came is no reason to draw, only what is read then may be.
  const stamp = () => `${follow ? live.state().seq : 0}/${live.state().reads}`
  seen.current ??= stamp()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `stamp` is made of what is named
  useEffect(() => {
    const look = () => {
      const now = stamp()
      if (seen.current === now) return
      seen.current = now
      timer.current ??= setTimeout(() => {
        timer.current = undefined
        void queries.invalidateQueries({ queryKey: JSON.parse(hash) as unknown[] })
      }, FOLLOW_MS)
    }
    look()
    return live.subscribe(look)
  }, [live, follow, hash, queries])
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
    },
    [],
  )
  return useQuery<Answer<R>, ApiFault>({
    queryKey: key,
    queryFn: ({ signal }) => send(api, route, { ...asked, signal }),
    enabled: how.when ?? true,
    refetchInterval: how.every ?? false,
    ...(how.keep ? { placeholderData: keepPreviousData } : {}),
  })
}

/**
 * A call that changes something: `const save = useWrite(ROUTES.saveAgent, [ROUTES.agents, ROUTES.agent])`, then `save.mutate({ params, body })`.
 * What was read from the routes in `stale` is read again after it.
 */
export function useWrite<const R extends Route>(route: R, stale: readonly Route[] = []) {
  const { api } = useBanyan()
  const queries = useQueryClient()
  return useMutation<Answer<R>, ApiFault, Asked<R>>({
    mutationFn: (asked) => send(api, route, asked),
    onSuccess: () => Promise.all(stale.map(({ path }) => queries.invalidateQueries({ queryKey: [path] }))),
  })
}

/** `call` with its last argument always there; TypeScript cannot see through the condition of a route that is not known yet. */
const send = <R extends Route>(api: Api, route: R, asked: object): Promise<Answer<R>> =>
  (api.call as (route: Route, asked: object) => Promise<Answer<R>>)(route, asked)
