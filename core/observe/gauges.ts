/** How things stand now, as numbers for the instruments. */
import type { BreakerItem } from '../contract/api-system.ts'
import { ALERT_KINDS } from '../contract/event.ts'
import type { Store } from '../store/store.ts'
import type { GaugeName, Labels } from './instruments.ts'
import type { Resources } from './resources.ts'
import { countDead, queueOf } from './work.ts'

export type Gauge = { name: GaugeName; value: number; labels?: Labels }

const STATES = { closed: 0, 'half-open': 1, open: 2 } as const

export async function gaugesOf(parts: {
  store: Store
  now: number
  resources: Pick<Resources, 'newest' | 'alerts'>
  breakers: readonly Pick<BreakerItem, 'id' | 'state'>[]
  /** Providers that take no calls because of their limits. */
  held: ReadonlySet<string>
  turns: number
  slots: number
}): Promise<Gauge[]> {
  const { store } = parts
  const [queue, counts, facts, paused, stuck] = await Promise.all([
    queueOf(store, parts.now, { slots: parts.slots, active: parts.turns }),
    store.db
      .selectFrom('tasks')
      .select((e) => ['status', e.fn.countAll<number>().as('count')])
      .groupBy('status')
      .execute(),
    store.lastSeq(),
    store.db.selectFrom('meta').select('key').where('key', '=', 'paused').executeTakeFirst(),
    countDead(store),
  ])
  const alerts = parts.resources.alerts().map((one) => one.what)
  const gauges: Gauge[] = [
    ...counts.map((row): Gauge => ({ name: 'banyan.tasks', value: Number(row.count), labels: { status: row.status } })),
    ...queue.waiting.map((one): Gauge => ({ name: 'banyan.tasks.waiting', value: one.count, labels: { reason: one.reason } })),
    { name: 'banyan.tasks.stuck', value: stuck },
    { name: 'banyan.queue.ready', value: queue.ready },
    { name: 'banyan.queue.oldest', value: queue.oldestReadySeconds ?? 0 },
    { name: 'banyan.turns.active', value: parts.turns },
    { name: 'banyan.turns.slots', value: parts.slots },
    { name: 'banyan.reviews.open', value: queue.openReviews },
    { name: 'banyan.paused', value: paused ? 1 : 0 },
    ...parts.breakers.map((one): Gauge => ({ name: 'banyan.breaker.state', value: STATES[one.state], labels: { provider: one.id } })),
    ...parts.breakers.map(
      (one): Gauge => ({ name: 'banyan.provider.held', value: parts.held.has(one.id) ? 1 : 0, labels: { provider: one.id } }),
    ),
    ...ALERT_KINDS.map((what): Gauge => ({ name: 'banyan.alert', value: alerts.includes(what) ? 1 : 0, labels: { what } })),
    { name: 'banyan.facts', value: facts },
  ]
  const sample = parts.resources.newest()
  if (sample === null) return gauges
  return [
    ...gauges,
    { name: 'banyan.database.size', value: sample.databaseBytes },
    ...(sample.walBytes === null ? [] : [{ name: 'banyan.database.wal', value: sample.walBytes } as const]),
    { name: 'banyan.eventloop.delay.p99', value: sample.loopP99Ms / 1_000 },
    { name: 'banyan.eventloop.delay.max', value: sample.loopMaxMs / 1_000 },
    { name: 'banyan.process.memory', value: sample.processBytes },
    { name: 'banyan.process.cpu', value: sample.processCpuPercent / 100 },
    { name: 'banyan.system.cpu', value: sample.cpuPercent / 100 },
    { name: 'banyan.system.memory.used', value: sample.memoryUsedBytes },
    { name: 'banyan.system.memory.total', value: sample.memoryTotalBytes },
    { name: 'banyan.disk.free', value: sample.diskFreeBytes },
    { name: 'banyan.disk.total', value: sample.diskTotalBytes },
  ]
}
