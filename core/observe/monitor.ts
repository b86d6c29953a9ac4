/** The system as its owner sees it: resources, workers, queue, what is stuck, breakers, log and checks, behind one door. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReadyConfig } from '../config.ts'
import type { System } from '../contract/api.ts'
import type { BreakerItem, Check } from '../contract/api-system.ts'
import { Fault } from '../contract/fault.ts'
import { type HoldKind, heldText } from '../contract/holds.ts'
import type { Models } from '../models/choose.ts'
import type { Secrets } from '../secrets/secrets.ts'
import { SCHEMA } from '../store/migrate.ts'
import type { Store } from '../store/store.ts'
import { quotaWaits } from '../tasks/dead.ts'
import type { Holds } from '../tasks/holds.ts'
import { keepAlerts, keptAlerts } from './alerts.ts'
import {
  commandChecks,
  diskCheck,
  fail,
  folderCheck,
  keyChecks,
  loginCheck,
  nodeCheck,
  ok,
  settingsCheck,
  tokenCheck,
  unknown,
  warn,
} from './checks.ts'
import { lineOf } from './fact-lines.ts'
import { gaugesOf } from './gauges.ts'
import { type About, openLog } from './log.ts'
import type { Metrics } from './metrics.ts'
import { openResources } from './resources.ts'
import { deadOf, queueOf, type Turn, workersOf } from './work.ts'

/** Without what waits for it. */
export type BreakerState = Omit<BreakerItem, 'waiting' | 'resumesAt' | 'hold'>

const MB = 1024 * 1024
/** A write-ahead log larger than this was not checkpointed for long: some reader holds it open. */
const WAL_BYTES = 256 * MB

export type Monitor = Awaited<ReturnType<typeof openMonitor>>

export type MonitorParts = {
  store: Store
  models: Pick<Models, 'providers' | 'breakerOf' | 'describe' | 'pick'>
  holds: Pick<Holds, 'list'>
  secrets: Pick<Secrets, 'redact' | 'unreadable'>
  config: Pick<
    ReadyConfig,
    | 'dataDir'
    | 'databaseUrl'
    | 'warnings'
    | 'adminToken'
    | 'anthropicApiKey'
    | 'anthropicBaseUrl'
    | 'openaiApiKey'
    | 'openaiBaseUrl'
    | 'openrouterApiKey'
    | 'login'
    | 'publicUrl'
    | 'host'
  > &
    Partial<Pick<ReadyConfig, 'alertPercent'>>
  /** What runs, for whoever collects metrics and traces of several. */
  version?: string
  isolation: Pick<System, 'isolation' | 'isolationChoice' | 'isolationDetail'>
  /** Turns that this process has under way, and how many it may have. */
  turns: () => readonly Turn[]
  slots: () => number
  now?: () => number
  sampleMs?: number
}

export async function openMonitor(parts: MonitorParts) {
  const { store, models, config } = parts
  const now = parts.now ?? Date.now
  const log = await openLog({ folder: join(config.dataDir, 'logs'), redact: parts.secrets.redact, now })
  const forget = store.onCommit((events) => {
    for (const event of events) {
      const line = lineOf(event)
      if (line) log.write(line.level, line.text, line.about)
    }
  })
  let telling: Promise<void> = Promise.resolve()
  const databaseFile = config.databaseUrl.startsWith('sqlite:') ? config.databaseUrl.slice('sqlite:'.length) : null
  const resources = await openResources({
    store,
    dataDir: config.dataDir,
    databaseFile,
    turns: () => parts.turns().length,
    now,
    raised: await keptAlerts(store),
    ...(config.alertPercent === undefined ? {} : { alertPercent: config.alertPercent }),
    onAlert(alert, over) {
      // The disk may be why there is an alert; then only the log and the page tell of it.
      telling = telling
        .then(() => keepAlerts(store, alert, over))
        .catch((error: unknown) => log.write('error', `An alert could not be kept: ${alert.words} ${String(error)}`))
    },
    onError: (error) => log.write('error', `Resources could not be sampled: ${error instanceof Error ? error.message : String(error)}`),
    ...(parts.sampleMs === undefined ? {} : { sampleMs: parts.sampleMs }),
  })

  function breaker(name: string): BreakerState {
    const provider = models.providers.find((one) => one.name === name)
    if (!provider)
      throw new Fault(
        'not_found',
        `There is no provider ${JSON.stringify(name)}; there are ${models.providers.map((one) => one.name).join(', ')}.`,
      )
    const { state, failuresInARow, why, until } = models.breakerOf(provider).view()
    return {
      id: name,
      state,
      failuresInARow,
      why: why === null ? null : parts.secrets.redact(why),
      until: until === null ? null : new Date(until).toISOString(),
    }
  }
  const breakers = () => models.providers.map(({ name }) => breaker(name))
  async function holds(): Promise<Map<string, NonNullable<BreakerItem['hold']>>> {
    const rows = await parts.holds.list()
    return new Map(
      rows.map(({ provider, kind, why, since, until, probe }) => [
        provider,
        {
          kind: kind as HoldKind,
          why: parts.secrets.redact(why),
          since: new Date(Number(since)).toISOString(),
          until: new Date(Number(until)).toISOString(),
          trying: probe !== null,
        },
      ]),
    )
  }

  let opened: Promise<Metrics> | undefined
  /** Loaded when somebody collects: the libraries take a fifth of a second. */
  const metrics = (): Promise<Metrics> => {
    opened ??= import('./metrics.ts').then(({ openMetrics }) =>
      openMetrics({
        store,
        version: parts.version ?? 'unknown',
        now,
        gauges: async () =>
          gaugesOf({
            store,
            now: now(),
            resources,
            breakers: breakers(),
            held: new Set((await holds()).keys()),
            turns: parts.turns().length,
            slots: parts.slots(),
          }),
      }),
    )
    return opened
  }

  async function databaseCheck(): Promise<Check> {
    try {
      const seq = await store.lastSeq()
      const { databaseBytes = 0, walBytes = null } = resources.newest() ?? {}
      const words = `opens, schema ${SCHEMA}, ${Math.ceil(databaseBytes / MB).toLocaleString('en')} MB, ${seq.toLocaleString('en')} facts`
      return (walBytes ?? 0) > WAL_BYTES
        ? warn(
            'database',
            `${words}; its write-ahead log is ${Math.round(walBytes! / MB)} MB: close programs that hold the database open, or restart.`,
          )
        : ok('database', words)
    } catch (error) {
      return fail('database', error instanceof Fault ? error.message : 'cannot be read; the log says why.')
    }
  }
  function modelCheck(): Check {
    try {
      return (models.pick('default').provider.judges ? ok : warn)('model', models.describe())
    } catch (error) {
      if (error instanceof Fault) return fail('model', models.describe())
      throw error
    }
  }
  async function stuckChecks(): Promise<Check[]> {
    const notClosed = breakers().filter((one) => one.state !== 'closed')
    const held = [...(await holds())]
    const dead = (await deadOf(store, { limit: 200 })).items.filter((task) => task.status !== 'failed')
    const sealed = parts.secrets.unreadable()
    return [
      held.length === 0
        ? ok('quota', 'no provider is held because of its limits')
        : warn(
            'quota',
            `${held.map(([provider, hold]) => `${heldText({ provider, ...hold })} (${hold.why})`).join('; ')}: work goes on by itself; \`banyan breakers reset\` asks now, FALLBACK_MODEL answers meanwhile.`,
          ),
      notClosed.length === 0
        ? ok('providers', 'no circuit breaker is open')
        : warn(
            'providers',
            `${notClosed.map((one) => `${one.id} failed several times in a row (${one.why})`).join('; ')}: mend the cause, then reset the breaker.`,
          ),
      dead.length === 0
        ? ok('tasks', 'none is set aside')
        : warn(
            'tasks',
            `${dead.length} ${dead.length === 1 ? 'is' : 'are'} set aside and ${dead.length === 1 ? 'needs' : 'need'} a look: see the review queue.`,
          ),
      sealed.length === 0
        ? ok('secrets', 'all can be read')
        : warn('secrets', `sealed with another SYSTEM_SECRET_KEY: ${sealed.join(', ')}; put the earlier key back, or set them again.`),
      ...resources.alerts().map((alert) => warn(alert.what, alert.words)),
    ]
  }

  return {
    resources,
    log,
    metrics,
    /** For the runtime's own troubles and turns of events. */
    write: (level: Parameters<typeof log.write>[0], text: string, about?: About) => log.write(level, text, about),
    workers: () => workersOf(store, parts.turns()),
    queue: () => queueOf(store, now(), { slots: parts.slots(), active: parts.turns().length }),
    dead: (query: { cursor?: string | undefined; limit: number }) => deadOf(store, query),
    /** With the tasks that wait for each. */
    async providers(): Promise<BreakerItem[]> {
      const [waits, held] = await Promise.all([quotaWaits(store), holds()])
      return breakers().map((one) => {
        const own = waits.filter((wait) => wait.provider === one.id)
        const hold = held.get(one.id) ?? null
        const resumesAt = hold?.until ?? (own[0] ? new Date(own[0].wakeAt).toISOString() : null)
        return { ...one, hold, waiting: own.length, resumesAt: own.length > 0 ? resumesAt : null }
      })
    },
    /** Closes a provider's breaker. A Fault where there is no such provider. */
    resetBreaker(name: string, by: string): BreakerState {
      const before = breaker(name)
      models.breakerOf(models.providers.find((one) => one.name === name)!).reset()
      log.write('info', `Breaker of ${name} reset by ${by}; it was ${before.state}`)
      return breaker(name)
    },
    /** Every check, each with its mend. `online`: providers are asked whether their keys are good. */
    async doctor(online: boolean): Promise<{ ok: boolean; checks: Check[] }> {
      const token = join(config.dataDir, 'admin-token')
      // A token that was made at the start lies in its file; one without a file was set.
      const tokenFile = await stat(token).catch(() => null) // none was made, which is told
      const checks = [
        nodeCheck(process.version),
        settingsCheck(config),
        loginCheck(config),
        await folderCheck(config.dataDir),
        await diskCheck(config.dataDir),
        tokenFile ? await tokenCheck({ adminToken: undefined }, token, true) : await tokenCheck(config, token, true),
        await databaseCheck(),
        modelCheck(),
        ...commandChecks(parts.isolation),
        ...(await stuckChecks()),
        ...(online
          ? await keyChecks(config)
          : [unknown('keys', 'not asked: only the checks that also ask the providers tell whether they are good')]),
      ]
      return { ok: !checks.some((one) => one.state === 'fail'), checks }
    },
    async close(): Promise<void> {
      forget()
      await resources.close()
      await telling
      await log.close()
    },
  }
}
