/** Whether the page is live, since when it is not, and whether a newer page is there. */
import { useLive } from '../banyan.ts'
import type { Connection } from '../live.ts'

export type ConnectionState = {
  connection: Connection
  /** When the page last knew everything, in milliseconds; null while it is live. */
  lostAt: number | null
  /** What is shown may be out of date: say so, and let nobody act on it. */
  stale: boolean
  revision: string | null
  /** The server runs another revision than the page began with: offer to reload. */
  newVersion: boolean
}
export function useConnection(): ConnectionState {
  const connection = useLive((state) => state.connection)
  const lostAt = useLive((state) => state.lostAt)
  const revision = useLive((state) => state.revision)
  const newVersion = useLive((state) => state.firstRevision !== null && state.revision !== state.firstRevision)
  return { connection, lostAt, stale: connection !== 'live', revision, newVersion }
}
