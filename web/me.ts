/** Who looks at the page, and what the server lets them do. It refuses the rest itself; this only keeps from offering what would be refused. */
import type { Scope } from '../core/contract/access.ts'
import { ROUTES } from '../core/contract/api.ts'
import { useRead } from './read.ts'

/** True until it is known: an offer that is refused says why, one that is missing says nothing. */
export function useMay(): (scope: Scope) => boolean {
  const { data } = useRead(ROUTES.me)
  return (scope) => data === undefined || data.scopes.includes(scope)
}
