import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ResourceSample } from '../contract/api-system.ts'
import { openStore, type Store } from '../store/store.ts'
import { alertsOf, minuteOf, openResources, usesOf } from './resources.ts'

let folder: string
let store: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-resources-'))
  store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const clock = { now: Date.parse('2026-01-01T00:00:30Z') }
const open = () =>
  openResources({
    store,
    dataDir: folder,
    databaseFile: join(folder, 'agent_system.db'),
    turns: () => 2,
    now: () => clock.now,
    sampleMs: 3_600_000, // only when asked
  })

test('a sample tells of this machine, this process and this database', async () => {
  const resources = await open()
  const one = resources.newest()!
  expect(one.memoryTotalBytes).toBeGreaterThan(one.memoryUsedBytes)
  expect(one.memoryUsedBytes).toBeGreaterThan(10_000_000)
  expect(one.diskTotalBytes).toBeGreaterThanOrEqual(one.diskFreeBytes)
  expect(one.databaseBytes).toBeGreaterThan(0)
  expect(one.walBytes).not.toBeNull()
  expect(one.processBytes).toBeGreaterThan(one.heapBytes)
  expect(one.cpuPercent).toBeGreaterThanOrEqual(0)
  expect(one.cpuPercent).toBeLessThanOrEqual(100)
  expect(one).toMatchObject({ turns: 2, ready: 0, waiting: 0 })
  await resources.close()
})

test('what the cores do between two samples is told in the second one', async () => {
  const resources = await open()
  const until = performance.now() + 300
  while (performance.now() < until);
  await resources.take()
  expect(resources.newest()!.cpuPercent).toBeGreaterThan(0)
  expect(resources.newest()!.cpuPercent).toBeLessThanOrEqual(100)
  await resources.close()
})

test('a loop that was held up shows in the next sample', async () => {
  const resources = await open()
  const until = performance.now() + 150
  await new Promise((resolve) => setTimeout(resolve, 30))
  while (performance.now() < until + 30);
  await new Promise((resolve) => setImmediate(resolve))
  await resources.take()
  expect(resources.newest()!.loopMaxMs).toBeGreaterThan(50)
  await resources.close()
})

test('the day is kept by the minute and survives a restart and a line cut in half; what is older than a day is dropped', async () => {
  const first = await open()
  clock.now += 60_000
  await first.take()
  expect(first.history('1h')).toHaveLength(2)
  expect(first.history('24h')).toHaveLength(2)
  await first.close()
  await appendFile(join(folder, 'resources.jsonl'), '{"at":"2026-01-0')
  clock.now += 60_000
  const second = await open()
  expect(second.history('1h').map((one) => one.at.slice(11, 16))).toEqual(['00:00', '00:01', '00:02'])
  await second.close()
  clock.now += 25 * 3_600_000
  const third = await open()
  expect(third.history('24h')).toHaveLength(1)
  await third.close()
  expect((await readFile(join(folder, 'resources.jsonl'), 'utf8')).trim().split('\n')).toHaveLength(1)
})

const sample = (more: Partial<ResourceSample>): ResourceSample => ({
  at: '2026-01-01T00:00:00.000Z',
  cpuPercent: 10,
  processCpuPercent: 1,
  memoryUsedBytes: 50,
  memoryTotalBytes: 100,
  processBytes: 1,
  heapBytes: 1,
  diskFreeBytes: 50,
  diskTotalBytes: 100,
  databaseBytes: 1,
  walBytes: 0,
  loopP99Ms: 1,
  loopMaxMs: 1,
  turns: 0,
  ready: 0,
  waiting: 0,
  ...more,
})

test('a minute has the mean of what is used and the worst of the loop', () => {
  const minute = minuteOf([sample({ cpuPercent: 20, loopMaxMs: 90 }), sample({ cpuPercent: 40, loopMaxMs: 3, turns: 4 })])
  expect(minute).toMatchObject({ cpuPercent: 30, loopMaxMs: 90, turns: 4 })
})

const alerts = (samples: ResourceSample[], raised: ('cpu' | 'memory' | 'disk')[] = [], limit = 90) =>
  alertsOf(usesOf(samples), limit, new Set(raised))

test('above the line is an alert with its mend; CPU only when it lasts a minute', () => {
  expect(alerts([sample({})])).toEqual([])
  expect(alerts([sample({ memoryUsedBytes: 95, diskFreeBytes: 4 })]).map(({ what, percent }) => [what, percent])).toEqual([
    ['memory', 95],
    ['disk', 96],
  ])
  expect(alerts([sample({ memoryUsedBytes: 75 })], [], 70).map((one) => one.what)).toEqual(['memory'])
  const busy = sample({ cpuPercent: 97 })
  expect(alerts(Array(11).fill(busy))).toEqual([])
  expect(alerts(Array(12).fill(busy))[0]).toMatchObject({
    what: 'cpu',
    percent: 97,
    words: expect.stringContaining('MAX_CONCURRENT_AGENTS'),
  })
})

test('an alert ends only well below its line, so that a use which swings around it is told once', () => {
  const at = (memoryUsedBytes: number, raised: boolean) => alerts([sample({ memoryUsedBytes })], raised ? ['memory'] : []).length
  expect([at(89, false), at(91, false), at(89, true), at(86, true), at(85, true), at(84, true)]).toEqual([0, 1, 1, 1, 0, 0])
})
