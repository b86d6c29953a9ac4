/**
 * What the machine and this process use, sampled every few seconds. An hour is kept as sampled, in memory; a day by the minute, in a file that
 * a restart reads back. Nothing here touches the database file but its size.
 */
import { appendFile, readFile, rename, stat, statfs, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { sql } from 'kysely'
import si from 'systeminformation'
import type { ResourceAlert, ResourceSample } from '../contract/api-system.ts'
import type { Store } from '../store/store.ts'

export const SAMPLE_SECONDS = 5
const HOUR = 3_600 / SAMPLE_SECONDS
const DAY = 24 * 60
const DAY_MS = 24 * 3_600_000
const MINUTE_MS = 60_000
/** Lines of the file beyond which it is written anew. */
const FILE_LINES = 2 * DAY
/** Resolution of the loop's delay, which its histogram counts in. */
const LOOP_MS = 20
/** Use above this is told to people, where nobody set another line. */
export const ALERT_PERCENT = 90
/** An alert ends this far below its line, so that a use that swings around it is told once. */
const HYSTERESIS = 5

export type Resources = Awaited<ReturnType<typeof openResources>>

export async function openResources(parts: {
  store: Store
  dataDir: string
  /** File of an SQLite database; null otherwise. */
  databaseFile: string | null
  turns: () => number
  /** The line of all uses, in percent. */
  alertPercent?: number
  /** What was above the line before a restart. */
  raised?: readonly ResourceAlert['what'][]
  /** Told when a use goes above its line, and when it is below again. */
  onAlert?: (alert: ResourceAlert, over: boolean) => void
  onSample?: (sample: ResourceSample) => void
  onError?: (error: unknown) => void
  sampleMs?: number
  now?: () => number
}) {
  const now = parts.now ?? Date.now
  const file = join(parts.dataDir, 'resources.jsonl')
  const fine: ResourceSample[] = []
  let day = await readDay(file, now())
  let lines = day.length
  let minute: ResourceSample[] = []
  const loop = monitorEventLoopDelay({ resolution: LOOP_MS })
  loop.enable()
  let used = { cpu: process.cpuUsage(), at: performance.now() }
  let size = { bytes: 0, at: Number.NEGATIVE_INFINITY }
  let last: Promise<void> = Promise.resolve()
  const limit = parts.alertPercent ?? ALERT_PERCENT
  let alerts: ResourceAlert[] = []
  let raised: ReadonlySet<ResourceAlert['what']> = new Set(parts.raised)
  let busy = false
  let times = cpuTimes()

  async function sample(): Promise<ResourceSample> {
    const before = times
    times = cpuTimes()
    const [memory, disk, database, counts] = await Promise.all([si.mem(), statfs(parts.dataDir), databaseSize(), tasksCounted(parts.store)])
    const cpu = process.cpuUsage(used.cpu)
    const wallMs = performance.now() - used.at
    used = { cpu: process.cpuUsage(), at: performance.now() }
    const { rss, heapUsed } = process.memoryUsage()
    const delay = (ns: number) => tenth(Math.max(0, ns / 1e6 - LOOP_MS))
    const [loopP99Ms, loopMaxMs] = loop.count === 0 ? [0, 0] : [delay(loop.percentile(99)), delay(loop.max)]
    loop.reset()
    return {
      at: new Date(now()).toISOString(),
      cpuPercent: tenth(times.all > before.all ? ((times.busy - before.busy) / (times.all - before.all)) * 100 : 0),
      processCpuPercent: tenth(wallMs < 1 ? 0 : ((cpu.user + cpu.system) / 1_000 / wallMs) * 100),
      memoryUsedBytes: memory.total - memory.available,
      memoryTotalBytes: memory.total,
      processBytes: rss,
      heapBytes: heapUsed,
      diskFreeBytes: disk.bavail * disk.bsize,
      diskTotalBytes: disk.blocks * disk.bsize,
      databaseBytes: database.bytes,
      walBytes: database.wal,
      loopP99Ms,
      loopMaxMs,
      turns: parts.turns(),
      ...counts,
    }
  }

  async function databaseSize(): Promise<{ bytes: number; wal: number | null }> {
    if (parts.databaseFile !== null) {
      const sizeOf = (path: string) =>
        stat(path).then(
          (found) => found.size,
          () => 0, // a WAL comes and goes
        )
      return { bytes: await sizeOf(parts.databaseFile), wal: await sizeOf(`${parts.databaseFile}-wal`) }
    }
    if (now() - size.at > MINUTE_MS) {
      const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(parts.store.db)
      size = { bytes: Number(rows[0]?.bytes ?? 0), at: now() }
    }
    return { bytes: size.bytes, wal: null }
  }

  async function take(): Promise<void> {
    if (busy) return
    busy = true
    try {
      const one = await sample()
      const before = minute[0]
      if (before && Math.floor(Date.parse(before.at) / MINUTE_MS) !== Math.floor(Date.parse(one.at) / MINUTE_MS)) {
        keepMinute(minuteOf(minute))
        minute = []
      }
      minute.push(one)
      fine.push(one)
      if (fine.length > HOUR) fine.shift()
      watch()
      parts.onSample?.(one)
    } catch (error) {
      parts.onError?.(error)
    } finally {
      busy = false
    }
  }

  function keepMinute(one: ResourceSample): void {
    day.push(one)
    if (day.length > DAY) day = day.slice(-DAY)
    lines += 1
    const all = lines > FILE_LINES ? day.map((each) => JSON.stringify(each)).join('\n') : null
    if (all !== null) lines = day.length
    last = last
      .then(async () => {
        if (all === null) return appendFile(file, `${JSON.stringify(one)}\n`, { mode: 0o600 })
        await writeFile(`${file}.new`, `${all}\n`, { mode: 0o600 })
        await rename(`${file}.new`, file)
      })
      .catch((error: unknown) => parts.onError?.(error))
  }

  function watch(): void {
    const uses = usesOf(fine)
    alerts = alertsOf(uses, limit, raised)
    const before = raised
    const unmeasured = [...before].filter((what) => !uses.some((use) => use.what === what))
    raised = new Set([...alerts.map((alert) => alert.what), ...unmeasured])
    for (const alert of alerts) if (!before.has(alert.what)) parts.onAlert?.(alert, true)
    for (const what of before) {
      const use = uses.find((one) => one.what === what)
      if (use && !raised.has(what)) parts.onAlert?.(alertOf(use), false)
    }
  }

  await take()
  const timer = setInterval(() => void take(), parts.sampleMs ?? SAMPLE_SECONDS * 1_000)
  timer.unref()

  return {
    /** The newest sample; null only when none could be taken. */
    newest: (): ResourceSample | null => fine.at(-1) ?? null,
    /** Use above the line now. */
    alerts: (): readonly ResourceAlert[] => alerts,
    /** Oldest first; with `after` (milliseconds since 1970) only what came then. Of the hour before a restart what was kept by the minute is told. */
    history(window: '1h' | '24h', after = 0): ResourceSample[] {
      const from = Math.max(now() - (window === '1h' ? DAY_MS / 24 : DAY_MS), after + 1)
      const kept = day.filter((one) => Date.parse(one.at) >= from)
      if (window === '24h') return minute.length > 0 && Date.parse(minute.at(-1)!.at) >= from ? [...kept, minuteOf(minute)] : kept
      const first = fine[0] ? Date.parse(fine[0].at) : Number.POSITIVE_INFINITY
      return [...kept.filter((one) => Date.parse(one.at) < first), ...fine.filter((one) => Date.parse(one.at) >= from)]
    },
    cores: cpus().length,
    /** Takes a sample now. */
    take,
    /** Stops sampling; the minute under way is kept. */
    async close(): Promise<void> {
      clearInterval(timer)
      loop.disable()
      if (minute.length > 0) keepMinute(minuteOf(minute))
      minute = []
      await last
    },
  }
}

/**
 * Milliseconds of all cores since the machine started. By `node:os`, because the library starts a shell for it and waits, which held every
 * other work of this process for 20 to 100 ms, every five seconds.
 */
function cpuTimes(): { busy: number; all: number } {
  let [busy, all] = [0, 0]
  for (const { times } of cpus()) {
    const working = times.user + times.nice + times.sys + times.irq
    busy += working
    all += working + times.idle
  }
  return { busy, all }
}
const tenth = (n: number): number => Math.round(n * 10) / 10
const mean = (all: readonly number[]): number => all.reduce((sum, n) => sum + n, 0) / all.length

async function tasksCounted(store: Store): Promise<{ ready: number; waiting: number }> {
  // Written out, so that the partial indexes of both are used.
  const of = (status: 'pending' | 'waiting') =>
    store.db
      .selectFrom('tasks')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('status', '=', sql.lit(status))
      .executeTakeFirstOrThrow()
  const [ready, waiting] = await Promise.all([of('pending'), of('waiting')])
  return { ready: Number(ready.count), waiting: Number(waiting.count) }
}

/** One sample for a minute: means of what is shared, the worst of the loop, the newest of what is counted. */
export function minuteOf(samples: readonly ResourceSample[]): ResourceSample {
  const newest = samples.at(-1)!
  const over = (pick: (one: ResourceSample) => number) => samples.map(pick)
  return {
    ...newest,
    cpuPercent: tenth(mean(over((one) => one.cpuPercent))),
    processCpuPercent: tenth(mean(over((one) => one.processCpuPercent))),
    memoryUsedBytes: Math.round(mean(over((one) => one.memoryUsedBytes))),
    loopP99Ms: Math.max(...over((one) => one.loopP99Ms)),
    loopMaxMs: Math.max(...over((one) => one.loopMaxMs)),
  }
}

type Use = { what: ResourceAlert['what']; percent: number; mend: string }

/** Memory and disk by the newest sample; CPU as a mean of the last minute, because a short peak is its use, and not before there is one. */
export function usesOf(samples: readonly ResourceSample[]): Use[] {
  const newest = samples.at(-1)
  if (!newest) return []
  const minute = samples.slice(-MINUTE_MS / (SAMPLE_SECONDS * 1_000))
  const uses: (Use | null)[] = [
    minute.length < 12
      ? null
      : {
          what: 'cpu',
          percent: mean(minute.map((one) => one.cpuPercent)),
          mend: 'set MAX_CONCURRENT_AGENTS lower, or look at what else runs here',
        },
    {
      what: 'memory',
      percent: (newest.memoryUsedBytes / newest.memoryTotalBytes) * 100,
      mend: 'end other programs, or set MAX_CONCURRENT_AGENTS lower',
    },
    {
      what: 'disk',
      percent: 100 - (newest.diskFreeBytes / newest.diskTotalBytes) * 100,
      mend: 'free space on the disk that holds DATA_DIR',
    },
  ]
  return uses.filter((use) => use !== null)
}

const NAMES = { cpu: 'CPU', memory: 'Memory', disk: 'The disk' } as const
const alertOf = ({ what, percent, mend }: Use): ResourceAlert => ({
  what,
  percent: tenth(percent),
  words: `${NAMES[what]} is used to ${Math.round(percent)} %: ${mend}.`,
})

/** What is above the line, and what was and is not clearly below it. What is not measured yet stays as it was. */
export function alertsOf(uses: readonly Use[], limit: number, raised: ReadonlySet<ResourceAlert['what']>): ResourceAlert[] {
  return uses.filter((use) => use.percent > (raised.has(use.what) ? limit - HYSTERESIS : limit)).map(alertOf)
}

/** What the file holds of the last day. A line that a kill left half written is passed over. */
async function readDay(file: string, now: number): Promise<ResourceSample[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const samples = text.split('\n').flatMap((line): ResourceSample[] => {
    try {
      const one = JSON.parse(line) as ResourceSample
      return Date.parse(one.at) > now - DAY_MS && typeof one.cpuPercent === 'number' ? [one] : []
    } catch {
      return [] // half a line
    }
  })
  if (samples.length > 0 || text !== '') await writeFile(file, samples.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: 0o600 })
  return samples.slice(-DAY)
}
