import { expect, test } from 'vitest'
import type { ResourceSample } from '../../../core/contract/api-system.ts'
import { amount, columnsOf, plotsFor, rowsOf, summaryOf, thinned } from './plots.ts'
import { joined } from './use-resources.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const sample = (second: number, cpuPercent = 10): ResourceSample => ({
  at: at(second),
  cpuPercent,
  processCpuPercent: 80,
  memoryUsedBytes: 2e9,
  memoryTotalBytes: 8e9,
  processBytes: 2e8,
  heapBytes: 1e8,
  diskFreeBytes: 3e9,
  diskTotalBytes: 1e10,
  databaseBytes: 5e6,
  walBytes: null,
  loopP99Ms: 1.2,
  loopMaxMs: 30,
  turns: 1,
  ready: 2,
  waiting: 3,
})
const [, cpu] = plotsFor(2)

test('a process on two cores that uses 80 % of one shows as 40 % of the machine', () => {
  expect(columnsOf(cpu!, [sample(0)], 60)).toEqual([[Date.parse(at(0)) / 1000], [10], [40]])
})

test('a hole in time breaks the line', () => {
  expect(columnsOf(cpu!, [sample(0), sample(5), sample(500)], 60)[1]).toEqual([10, 10, null, 10])
})

test('what was never known is a hole in the file and left out of the words', () => {
  const database = plotsFor(2)[4]!
  expect(rowsOf([database], [sample(0)])).toEqual([
    ['Time', 'Database: database (bytes)', 'Database: write-ahead log (bytes)'],
    [at(0), 5e6, null],
  ])
  expect(summaryOf(database, [sample(0)], 'last hour')).toBe(
    'Database, last hour. database: now 5.0 MB, at most 5.0 MB. The table has the numbers.',
  )
})

test('new samples follow the old ones, replace those of the same time, and push out what is too old', () => {
  const times = (all: ResourceSample[]) => all.map((one) => `${one.at.slice(17, 19)}:${one.cpuPercent}`)
  expect(times(joined([sample(0), sample(5)], [sample(5, 99), sample(10)], 60_000))).toEqual(['00:10', '05:99', '10:10'])
  expect(times(joined([sample(0), sample(5)], [sample(20)], 15_000))).toEqual(['05:10', '20:10'])
  expect(times(joined([sample(0)], [], 60_000))).toEqual(['00:10'])
})

test('a thinned table keeps the newest and about as many as asked for', () => {
  const all = Array.from({ length: 720 }, (_, i) => i)
  expect(thinned(all, 60).slice(0, 2)).toEqual([719, 707])
  expect(thinned(all, 60)).toHaveLength(60)
  expect(thinned([1, 2], 60)).toEqual([2, 1])
})

test('amounts have their unit, and the unknown is no number', () => {
  expect([
    amount('percent', 4.26),
    amount('percent', 42.6),
    amount('bytes', 2e9),
    amount('ms', 3),
    amount('count', 1234),
    amount('ms', null),
  ]).toEqual(['4.3 %', '43 %', '2.0 GB', '3 ms', '1,234', '–'])
})
