/** The newest lines of the log, kept up by asking only for those that came since. */
import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query'
import { ROUTES } from '../../../core/contract/api.ts'
import type { LogLine } from '../../../core/contract/api-system.ts'
import type { LogLevel } from '../../../core/contract/log-level.ts'
import type { ApiFault } from '../../api.ts'
import { useBanyan } from '../../banyan.ts'

export const LOG_EVERY_MS = 2_000
/** Lines that the page keeps; the server keeps as many. */
const KEPT = 2_000
const PAGE = 1_000

/** Oldest first. `follow` false: only when somebody asks. */
export function useLog(level: LogLevel, treeId: string | undefined, follow: boolean): UseQueryResult<LogLine[], ApiFault> {
  const { api } = useBanyan()
  const queries = useQueryClient()
  const key = [ROUTES.logs.path, level, treeId ?? null] as const
  return useQuery<LogLine[], ApiFault>({
    queryKey: key,
    async queryFn({ signal }) {
      let lines = queries.getQueryData<LogLine[]>(key) ?? []
      for (;;) {
        const after = lines.at(-1)?.n
        const { items } = await api.call(ROUTES.logs, {
          query: { level, limit: String(PAGE), treeId, after: after === undefined ? undefined : String(after) },
          signal,
        })
        lines = [...lines, ...items].slice(-KEPT)
        // Without a number to go on from, the newest page is all there is to have.
        if (after === undefined || items.length < PAGE) return lines
      }
    },
    refetchInterval: follow ? LOG_EVERY_MS : false,
  })
}
