/** The system monitor: what the machine, the workers and the queue do, what is stuck, and the runtime's log. */
import type { Monitor } from '../../observe/monitor.ts'
import { SAMPLE_SECONDS } from '../../observe/resources.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

type Names = 'resources' | 'workers' | 'queue' | 'dead' | 'breakers' | 'resetBreaker' | 'logs' | 'doctor' | 'metrics' | 'discardDead'

export function monitorRoutes(monitor: Monitor, tasks: Pick<Tasks, 'discard' | 'wakeQuota' | 'holds'>): Pick<Handlers, Names> {
  const { resources } = monitor
  return {
    resources: ({ query }) => ({
      now: resources.newest(),
      cores: resources.cores,
      stepSeconds: query.window === '1h' ? SAMPLE_SECONDS : 60,
      items: resources.history(query.window, query.after === undefined ? undefined : Date.parse(query.after)),
      alerts: [...resources.alerts()],
    }),
    workers: async () => ({ items: await monitor.workers(), nextCursor: null }),
    queue: () => monitor.queue(),
    dead: ({ query }) => monitor.dead(query),
    breakers: async () => ({ items: await monitor.providers(), nextCursor: null }),
    async resetBreaker({ param, by }) {
      const id = param('id')
      monitor.resetBreaker(id, by.name)
      await tasks.holds.tryNow(id)
      await tasks.wakeQuota(id)
      return (await monitor.providers()).find((one) => one.id === id)!
    },
    async discardDead({ param, by }) {
      const { id, status } = await tasks.discard(param('id'), by.name)
      return { id, status }
    },
    logs({ query }) {
      const items = monitor.log.list(query)
      const last = items.at(-1)?.n ?? query.after
      return { items, nextCursor: last === undefined ? null : String(last) }
    },
    metrics: async () =>
      new Response(await (await monitor.metrics()).text(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } }),
    doctor: ({ query }) => monitor.doctor(query.online === '1'),
  }
}
