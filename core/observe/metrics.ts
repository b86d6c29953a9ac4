/**
 * Metrics for Prometheus and for an OTLP receiver, from the same instruments. Facts are read when somebody collects, from where the last
 * one stopped: who never collects pays nothing, and a restart neither forgets nor counts twice.
 */
import { type HrTime, ValueType } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  MeterProvider,
  type MetricData,
  type MetricProducer,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions'
import type { Store } from '../store/store.ts'
import { savedPlace, savePlace } from './cursor.ts'
import type { Gauge } from './gauges.ts'
import { agentAskedFor, COUNTERS, countFact, GAUGES, HISTOGRAMS, type Labels, SECONDS } from './instruments.ts'
import { openTotals, type SavedTotals } from './totals.ts'

const READER = 'metrics'
/** Facts of one read. */
const BATCH = 500
/** Between two reports to an OTLP receiver. */
const EVERY_MS = 60_000
const SCOPE = { name: 'banyan' }

export type Metrics = ReturnType<typeof openMetrics>

export function openMetrics(parts: {
  store: Store
  version: string
  /** How things stand now. */
  gauges: () => Promise<Gauge[]>
  now: () => number
}) {
  const { store, now } = parts
  const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: 'banyan', [ATTR_SERVICE_VERSION]: parts.version })
  const serializer = new PrometheusSerializer()
  let place: { seq: number; since: number; totals: ReturnType<typeof openTotals> } | undefined
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    if (!place) {
      const saved = await savedPlace<{ since: number; totals: SavedTotals }>(store, READER)
      place = { seq: saved?.seq ?? 0, since: saved?.state.since ?? now(), totals: openTotals(saved?.state.totals) }
    }
    const from = place.seq
    for (;;) {
      const events = await store.eventsAfter(place.seq, { limit: BATCH })
      if (events.length === 0) break
      const ids = [...new Set(events.flatMap((event) => agentAskedFor(event) ?? []))]
      const rows = ids.length === 0 ? [] : await store.db.selectFrom('tasks').select(['id', 'agent']).where('id', 'in', ids).execute()
      const agents = new Map(rows.map((row) => [row.id, row.agent]))
      for (const event of events) countFact(event, place.totals, (id) => agents.get(id) ?? 'unknown')
      place.seq = events.at(-1)!.seq
    }
    if (place.seq !== from) await savePlace(store, READER, place.seq, { since: place.since, totals: place.totals.saved() })
  }
  /** Counts every fact that there is. Called also before facts are removed. */
  function catchUp(): Promise<void> {
    reading ??= read()
      .catch((error: unknown) => {
        place = undefined // what was counted and not saved is counted again from the row
        throw error
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }

  async function collect(): Promise<CollectionResult> {
    await catchUp()
    const gauges = await parts.gauges()
    const { totals, since } = place!
    const [startTime, endTime] = [timeOf(since), timeOf(now())]
    const metrics: MetricData[] = []
    const descriptor = (name: string, about: { unit: string; description: string }) => ({ name, ...about, valueType: ValueType.DOUBLE })
    const point = <V>({ labels = {}, value }: { labels?: Labels; value: V }) => ({ startTime, endTime, attributes: { ...labels }, value })
    for (const [name, about] of Object.entries(COUNTERS)) {
      const dataPoints = [...totals.sums(name as keyof typeof COUNTERS)].map(point)
      if (dataPoints.length === 0) continue
      metrics.push({
        descriptor: descriptor(name, about),
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints,
      })
    }
    for (const [name, about] of Object.entries(HISTOGRAMS)) {
      const dataPoints = [...totals.histograms(name as keyof typeof HISTOGRAMS)].map(({ labels, value: { counts, sum, count } }) =>
        point({ labels, value: { buckets: { boundaries: [...SECONDS], counts: [...counts] }, sum, count } }),
      )
      if (dataPoints.length === 0) continue
      metrics.push({
        descriptor: descriptor(name, about),
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints,
      })
    }
    for (const [name, about] of Object.entries(GAUGES)) {
      const dataPoints = gauges.filter((one) => one.name === name).map(point)
      if (dataPoints.length === 0) continue
      metrics.push({
        descriptor: descriptor(name, about),
        aggregationTemporality: AggregationTemporality.CUMULATIVE,
        dataPointType: DataPointType.GAUGE,
        dataPoints,
      })
    }
    return { resourceMetrics: { resource, scopeMetrics: [{ scope: SCOPE, metrics }] }, errors: [] }
  }
  const producer: MetricProducer = { collect }

  return {
    catchUp,
    /** In the text format of Prometheus. */
    text: async (): Promise<string> => serializer.serialize((await collect()).resourceMetrics),
    /** Reports to a receiver from now on; answers what ends it, after one last report. */
    send(to: { endpoint: string; headers: Record<string, string>; everyMs?: number }): () => Promise<void> {
      const exporter = new OTLPMetricExporter({ url: `${to.endpoint}/v1/metrics`, headers: to.headers })
      const everyMs = to.everyMs ?? EVERY_MS
      const reader = new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: everyMs,
        exportTimeoutMillis: Math.min(everyMs, 10_000),
        metricProducers: [producer],
      })
      const provider = new MeterProvider({ resource, readers: [reader] })
      return () => provider.shutdown({ timeoutMillis: 2_000 }).catch(() => undefined) // a receiver that is gone holds up no stop
    },
  }
}

const timeOf = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)]
