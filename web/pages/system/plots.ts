/** What is plotted of a sample, in which unit, and the same as a table and as CSV. Pure. */
import type { ResourceSample } from '../../../core/contract/api-system.ts'
import { duration, size } from '../../format.ts'
import { system } from '../../words/system.ts'
import { wholeNumber } from '../../words/words.ts'

const words = system.plots
export type Unit = 'percent' | 'bytes' | 'ms' | 'count'
/** `colour`: a variable of tokens.css. A second line is dashed, a third dotted, so that colour is never needed alone. */
export type Line = { name: string; colour: string; value: (one: ResourceSample) => number | null }
export type PlotSpec = {
  id: (typeof PLOT_IDS)[number]
  title: string
  unit: Unit
  lines: readonly Line[]
  /** Top of the scale; left out: what is there decides. */
  most?: (one: ResourceSample) => number
}
export const PLOT_IDS = ['work', 'cpu', 'memory', 'loop', 'database', 'disk'] as const

/** `cores`: a process may use all of them; its share is shown of the whole machine, as the machine's is. */
export const plotsFor = (cores: number): readonly PlotSpec[] => [
  {
    id: 'work',
    title: words.work,
    unit: 'count',
    lines: [
      { name: words.turns, colour: '--run', value: (one) => one.turns },
      { name: words.ready, colour: '--you', value: (one) => one.ready },
      { name: words.waiting, colour: '--wait', value: (one) => one.waiting },
    ],
  },
  {
    id: 'cpu',
    title: words.cpu,
    unit: 'percent',
    most: () => 100,
    lines: [
      { name: words.machine, colour: '--run', value: (one) => one.cpuPercent },
      { name: words.banyan, colour: '--good', value: (one) => one.processCpuPercent / Math.max(1, cores) },
    ],
  },
  {
    id: 'memory',
    title: words.memory,
    unit: 'bytes',
    most: (one) => one.memoryTotalBytes,
    lines: [
      { name: words.machine, colour: '--run', value: (one) => one.memoryUsedBytes },
      { name: words.banyan, colour: '--good', value: (one) => one.processBytes },
    ],
  },
  {
    id: 'loop',
    title: words.loop,
    unit: 'ms',
    lines: [
      { name: words.p99, colour: '--run', value: (one) => one.loopP99Ms },
      { name: words.max, colour: '--you', value: (one) => one.loopMaxMs },
    ],
  },
  {
    id: 'database',
    title: words.database,
    unit: 'bytes',
    lines: [
      { name: words.file, colour: '--run', value: (one) => one.databaseBytes },
      { name: words.wal, colour: '--wait', value: (one) => one.walBytes },
    ],
  },
  {
    id: 'disk',
    title: words.disk,
    unit: 'bytes',
    most: (one) => one.diskTotalBytes,
    lines: [{ name: words.used, colour: '--run', value: (one) => one.diskTotalBytes - one.diskFreeBytes }],
  },
]

export function amount(unit: Unit, value: number | null): string {
  if (value === null) return '–'
  if (unit === 'percent') return `${value.toFixed(value < 10 ? 1 : 0)} %`
  if (unit === 'bytes') return size(value)
  return unit === 'ms' ? duration(value) : wholeNumber(value)
}

/** Columns of numbers: times in seconds, then one for each line. A hole in time is a hole in the lines, not a slope. */
export function columnsOf(spec: PlotSpec, samples: readonly ResourceSample[], holeSeconds: number): (number | null)[][] {
  const times: number[] = []
  const values: (number | null)[][] = spec.lines.map(() => [])
  for (const one of samples) {
    const at = Date.parse(one.at) / 1_000
    const before = times.at(-1)
    if (before !== undefined && at - before > holeSeconds) {
      times.push(before + (at - before) / 2)
      for (const column of values) column.push(null)
    }
    times.push(at)
    for (const [i, line] of spec.lines.entries()) values[i]!.push(line.value(one))
  }
  return [times, ...values]
}

/** Heads and rows with plain numbers, for a file. Lines that were never known are left out. */
export function rowsOf(specs: readonly PlotSpec[], samples: readonly ResourceSample[]): (string | number | null)[][] {
  const units: Record<Unit, string> = { percent: ' (%)', bytes: ' (bytes)', ms: ' (ms)', count: '' }
  const columns = specs.flatMap((spec) => spec.lines.map((line) => ({ spec, line })))
  const head = columns.map(({ spec, line }) => `${spec.title}: ${line.name}${units[spec.unit]}`)
  return [[words.time, ...head], ...samples.map((one) => [one.at, ...columns.map(({ line }) => line.value(one))])]
}

/** About so many of them, evenly spread, the newest first and always there. */
export function thinned<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, Math.ceil(all.length / most))
  return [...all].reverse().filter((_, i) => i % step === 0)
}

/** What somebody who does not see the plot is told of it. */
export function summaryOf(spec: PlotSpec, samples: readonly ResourceSample[], since: string): string {
  const lines = spec.lines.flatMap((line) => {
    const values = samples.map(line.value).filter((value) => value !== null)
    const now = values.at(-1)
    return now === undefined ? [] : [words.line(line.name, amount(spec.unit, now), amount(spec.unit, Math.max(...values)))]
  })
  return words.summary(spec.title, lines.join('; '), since)
}
