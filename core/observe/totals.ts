/** Sums and histograms by name and labels, in a form that is kept in a row and read back. Bounded: a name that grows without end falls into one. */
import type { Count, CounterName, HistogramName, Labels } from './instruments.ts'
import { SECONDS } from './instruments.ts'

/** Different label values of one instrument; what comes after them is counted together. */
const SERIES = 500
/** Characters of one label's value. */
const LABEL = 120
/** The word of OpenTelemetry for what is counted together. */
const OVERFLOW: Labels = { 'otel.metric.overflow': 'true' }

export type HistogramValue = { counts: number[]; sum: number; count: number }
type Series<V> = Map<string, { labels: Labels; value: V }>

export type Totals = Count & {
  sums(name: CounterName): Iterable<{ labels: Labels; value: number }>
  histograms(name: HistogramName): Iterable<{ labels: Labels; value: HistogramValue }>
  /** What `openTotals` takes. */
  saved(): SavedTotals
}
export type SavedTotals = {
  sums: Record<string, [Labels, number][]>
  histograms: Record<string, [Labels, HistogramValue][]>
}

export function openTotals(saved: SavedTotals = { sums: {}, histograms: {} }): Totals {
  const sums = read(saved.sums)
  const histograms = read(saved.histograms)

  function place<V>(all: Map<string, Series<V>>, name: string, labels: Labels, empty: () => V): { labels: Labels; value: V } {
    const series: Series<V> = all.get(name) ?? new Map()
    all.set(name, series)
    const cut = Object.fromEntries(Object.entries(labels).map(([key, text]) => [key, text.slice(0, LABEL)]))
    const known = series.get(keyOf(cut))
    if (known) return known
    const own = series.size < SERIES ? cut : OVERFLOW
    const one = series.get(keyOf(own)) ?? { labels: own, value: empty() }
    series.set(keyOf(own), one)
    return one
  }

  return {
    add(name, value, labels) {
      place(sums, name, labels, () => 0).value += value
    },
    record(name, seconds, labels) {
      const { value } = place(histograms, name, labels, () => ({ counts: Array<number>(SECONDS.length + 1).fill(0), sum: 0, count: 0 }))
      const bucket = SECONDS.findIndex((bound) => seconds <= bound)
      value.counts[bucket < 0 ? SECONDS.length : bucket]! += 1
      value.sum += seconds
      value.count += 1
    },
    sums: (name) => sums.get(name)?.values() ?? [],
    histograms: (name) => histograms.get(name)?.values() ?? [],
    saved: () => ({ sums: written(sums), histograms: written(histograms) }),
  }
}

const keyOf = (labels: Labels): string => JSON.stringify(Object.entries(labels))

function read<V>(saved: Record<string, [Labels, V][]>): Map<string, Series<V>> {
  return new Map(
    Object.entries(saved).map(([name, series]) => [name, new Map(series.map(([labels, value]) => [keyOf(labels), { labels, value }]))]),
  )
}

function written<V>(all: Map<string, Series<V>>): Record<string, [Labels, V][]> {
  return Object.fromEntries([...all].map(([name, series]) => [name, [...series.values()].map(({ labels, value }) => [labels, value])]))
}
