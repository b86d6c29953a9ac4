/** What is sent to an OTLP receiver: traces and metrics, behind one door. Loaded only where somebody set a receiver. */
import type { Store } from '../store/store.ts'
import type { Monitor } from './monitor.ts'
import { openTraces } from './traces.ts'

export async function openTelemetry(parts: {
  store: Store
  monitor: Pick<Monitor, 'metrics' | 'write'>
  endpoint: string
  headers: Readonly<Record<string, string>>
  content: boolean
  redact: (text: string) => string
  version: string
}) {
  const { endpoint, headers } = parts
  const traces = await openTraces({ ...parts, log: parts.monitor.write })
  const endMetrics = (await parts.monitor.metrics()).send({ endpoint, headers: { ...headers } })
  return {
    async close(): Promise<void> {
      await Promise.all([traces.close(), endMetrics()])
    },
  }
}
