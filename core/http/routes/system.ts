/** The system itself: whether it runs, how it is, what its interface is, and its end. */
import type { System } from '../../contract/api.ts'
import type { ResourceAlert } from '../../contract/api-system.ts'
import type { Changes } from '../../self/change.ts'
import { SCHEMA } from '../../store/migrate.ts'
import type { Store } from '../../store/store.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Auth } from '../auth.ts'
import type { Live } from '../live.ts'
import { openapi } from '../openapi.ts'
import type { Handlers } from '../router.ts'

/** What only the composition root knows. */
export type Description = Pick<
  System,
  'provider' | 'isolation' | 'isolationChoice' | 'isolationDetail' | 'reviewExpiry' | 'defaultLimits' | 'dataBytes' | 'safeMode' | 'backup'
>

export function systemRoutes(parts: {
  store: Store
  tasks: Tasks
  auth: Auth
  live: Live
  version: string
  revision: string
  /** Seconds that the process runs. */
  uptime: () => number
  nodeVersion: string
  describe: () => Description | Promise<Description>
  shutdown: (how: 'stop' | 'restart') => void
  changes: Pick<Changes, 'state'>
  monitor: { resources: { alerts(): readonly ResourceAlert[] } }
}): Pick<Handlers, 'health' | 'system' | 'openapi' | 'shutdown'> {
  const { store, tasks, auth, live, version, revision } = parts
  const uptimeSeconds = () => Math.round(parts.uptime() * 10) / 10
  return {
    health: () => ({ status: 'ok', revision, schema: SCHEMA, uptimeSeconds: uptimeSeconds() }),
    async system() {
      const [description, counts, seq, reviews, paused, selfChange] = await Promise.all([
        parts.describe(),
        tasks.counts(),
        store.lastSeq(),
        store.db
          .selectFrom('reviews')
          .select((e) => e.fn.countAll<number>().as('open'))
          .where('state', '=', 'open')
          .executeTakeFirstOrThrow(),
        tasks.halt.state(),
        parts.changes.state(),
      ])
      return {
        ...description,
        version,
        revision,
        schema: SCHEMA,
        uptimeSeconds: uptimeSeconds(),
        nodeVersion: parts.nodeVersion,
        tasks: counts,
        openReviews: Number(reviews.open),
        paused,
        alerts: [...parts.monitor.resources.alerts()],
        selfChange,
        seq,
        liveConnections: live.load().connections,
      }
    },
    openapi: () => openapi({ version, url: auth.baseUrl() }),
    shutdown({ query }) {
      const restart = query.restart === '1'
      setImmediate(() => parts.shutdown(restart ? 'restart' : 'stop')) // the answer goes out first
      return { status: restart ? 'restarting' : 'stopping' }
    },
  }
}
