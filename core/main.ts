/** The composition root: puts HTTP, MCP and the keeper's line around the runtime, and says how it stops. */
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { inspect } from 'node:util'
import { openLogins } from './auth/logins.ts'
import { openPeople } from './auth/people.ts'
import { providersOf } from './auth/providers.ts'
import type { ReadyConfig } from './config.ts'
import { isOver } from './contract/task.ts'
import { type AppParts, app } from './http/app.ts'
import { openAuth } from './http/auth.ts'
import { type Live, openLive } from './http/live.ts'
import { listen } from './http/server.ts'
import { openEndpoint } from './mcp/endpoint.ts'
import { checkWebhook, openWebhooks, webhookSecret } from './mcp/webhooks.ts'
import { workerSurface } from './mcp/worker.ts'
import type { Lender } from './models/sampling.ts'
import { openAlertWebhook } from './observe/alert-webhook.ts'
import { openDiskGuard } from './observe/disk-guard.ts'
import { openRetention } from './observe/retention.ts'
import { openRuntime, packageVersion, type RuntimeOptions } from './runtime.ts'
import { openBackups, restoredWords, restoreIfAsked } from './store/backups.ts'
import { SCHEMA } from './store/migrate.ts'
import type { Store } from './store/store.ts'

/** The engine's side of the keeper, where one started it. */
export type KeeperLine = {
  /** A real step of the boot is done; each name once. It buys time for the next. */
  progress(step: string): void
  /** It can be asked for its health. Resolves when the keeper has looked, and work may begin; `token` lets it look at the review queue and the way back. */
  ready(
    info: { url: string; schema: number; oldestCode: number; token: string },
    tasks: () => { ended: number; failed: number },
  ): Promise<void>
  /** Something was added to the keeper's list of what happened. */
  onEvent(listener: () => void): void
  /** It leaves: new work is not begun any more. */
  stopping(how: 'stop' | 'restart'): Promise<void>
}

/** What the process that runs it sees. */
export type Engine = {
  url: string
  /** Logs a browser in, once. */
  loginUrl: string
  /** One sentence: what drives the agents. */
  models: string
  /** `graceful`: running turns finish or park first, for at most ten seconds. */
  stop(how: 'graceful' | 'now'): Promise<void>
  ended: Promise<'stop' | 'restart'>
  /** For measurements, which write facts as workers do. */
  store: Store
}

/** Turns under way have this long to finish before they are cut off and given back. */
const DRAIN_MS = 10_000

export async function start(config: ReadyConfig, keeper?: KeeperLine, options: Pick<RuntimeOptions, 'web'> = {}): Promise<Engine> {
  let live: Live | undefined
  let lender: () => Lender | null = () => null
  const runtime = await openRuntime(config, {
    ...options,
    lender: () => lender(),
    onDelta: (taskId, text) => live?.delta(taskId, text),
    ...(keeper ? { onStep: keeper.progress } : {}),
    self: { isKept: () => keeper !== undefined },
  })
  keeper?.onEvent(() => runtime.changes.wake())
  const log = (words: string, cause: unknown) => {
    console.error(runtime.secrets.redact(`banyan: ${words}: ${inspect(cause)}`))
    runtime.monitor.write('error', `${words}: ${inspect(cause)}`)
  }
  const revision = config.revision ?? revisionOf(config.code)
  let port = config.port
  const auth = openAuth({
    store: runtime.store,
    host: config.host,
    port: () => port,
    publicUrl: config.publicUrl ?? null,
    adminToken: config.adminToken,
    secretKey: runtime.systemSecretKey,
  })
  live = openLive({ store: runtime.store, auth, revision, log })
  const opened = live
  const submitGoal: AppParts['submitGoal'] = ({ by, ...goal }) => runtime.submitGoal(goal, by)
  const version = packageVersion(config.code)
  const secretOf = (agent: string) => webhookSecret(runtime.systemSecretKey, agent)
  const closeWebhooks = openWebhooks({ store: runtime.store, outside: runtime.tasks.outside, secret: secretOf, log })
  const mcp = openEndpoint({
    store: runtime.store,
    tasks: runtime.tasks,
    registry: runtime.registry,
    submitGoal,
    ask: (ask, by) => runtime.ask(ask, by),
    baseUrl: auth.baseUrl,
    version,
    secretKey: runtime.systemSecretKey,
    mayStill: (principal, scope) => auth.mayStill(principal, scope),
    log,
    worker: workerSurface(
      {
        store: runtime.store,
        tasks: runtime.tasks,
        briefs: runtime.briefs,
        tools: runtime.tools,
        checkWebhook,
        webhookSecret: secretOf,
      },
      version,
    ),
  })
  lender = mcp.lender
  const telemetry = config.otlp
    ? await import('./observe/telemetry.ts').then(({ openTelemetry }) =>
        openTelemetry({ ...config.otlp!, store: runtime.store, monitor: runtime.monitor, redact: runtime.secrets.redact, version }),
      )
    : null
  const closeAlertWebhook = config.alertWebhook
    ? await openAlertWebhook({ ...config.alertWebhook, store: runtime.store, now: Date.now, log: runtime.monitor.write })
    : null
  let finish: (how: 'stop' | 'restart') => void = () => undefined
  const ended = new Promise<'stop' | 'restart'>((resolve) => {
    finish = resolve
  })
  const backups = await openBackups({
    databaseUrl: config.databaseUrl,
    dataDir: config.dataDir,
    schema: SCHEMA,
    copy: runtime.store.backup,
    path: config.commandPath,
    everyHours: config.backupIntervalHours,
    keep: config.backupKeep,
    now: Date.now,
    onError: (error) => log('a backup was not made', error),
  })
  const retention = openRetention({
    store: runtime.store,
    dataDir: config.dataDir,
    days: config.safeMode ? null : config.retentionDays,
    keep: config.retentionExport,
    foldersOf: (treeId) => [runtime.workspaces.path({ treeId, workspace: '' }), join(config.dataDir, 'history', treeId)],
    counted: async () => (await runtime.monitor.metrics()).catchUp(),
    now: Date.now,
    log: runtime.monitor.write,
  })
  const routes = app({
    store: runtime.store,
    tasks: runtime.tasks,
    files: {
      history: runtime.history,
      folder: (treeId) => runtime.workspaces.of({ treeId, workspace: '' }),
      protectedPaths: [config.dataDir],
    },
    uploads: runtime.uploads,
    web: runtime.web,
    worktrees: runtime.changed,
    plans: { outlook: runtime.outlook },
    models: { models: runtime.models, keys: runtime.keys },
    registry: runtime.registry,
    made: runtime.made,
    editors: runtime.editors,
    trials: runtime.trials,
    changes: runtime.changes,
    lessons: runtime.lessons,
    settings: {
      policy: runtime.settings,
      list: runtime.settingsList.list,
      save: async (name, value, by) => {
        const saved = await runtime.settingsList.save(name, value, by, () => void runtime.models.pick('default'))
        runner?.wake()
        return saved
      },
    },
    secrets: { ...runtime.secrets, rotate: runtime.rotateSecretKey },
    hub: runtime.hub,
    auth,
    people: openPeople(runtime.store, Date.now, config.login),
    logins: openLogins(runtime.store, Date.now, config.systemSecretKey, providersOf(config.login)),
    live: opened,
    monitor: runtime.monitor,
    retention,
    backups,
    mcp,
    version,
    revision,
    nodeVersion: process.version,
    uptime: () => process.uptime(),
    describe: async () => {
      const { provider, model } = runtime.models.pick('default')
      const [newest] = await backups.list()
      const sample = runtime.monitor.resources.newest()
      return {
        provider: {
          name: provider.name,
          model: provider.judges ? model : null,
          judges: provider.judges,
          detail: runtime.models.describe(),
        },
        isolation: runtime.exec.isolation,
        isolationChoice: config.isolation,
        isolationDetail: runtime.isolation,
        reviewExpiry: config.reviewExpiry,
        defaultLimits: (await runtime.settings.policy()).policy.limits,
        dataBytes: (sample?.databaseBytes ?? 0) + (sample?.walBytes ?? 0),
        safeMode: config.safeMode,
        backup: newest ? { id: newest.file, ...newest } : null,
      }
    },
    submitGoal,
    ask: (ask, by) => runtime.ask(ask, by),
    examples: runtime.examples,
    shutdown: (how) => void stop('graceful', how).catch((error: unknown) => log('stopping failed', error)),
    pageFolder: join(config.code, 'web', 'dist'),
    log,
  })
  const server = await listen(routes, opened, { host: config.host, port: config.port }).catch(async (error: unknown) => {
    await runtime.close()
    throw error
  })
  port = server.port
  // What could not begin because another task failed says nothing of this revision.
  const ends = { ended: 0, failed: 0 }
  const uncounted = runtime.store.onCommit((events) => {
    for (const event of events) {
      if (event.type !== 'task.moved' || !isOver(event.to)) continue
      ends.ended++
      if (event.to === 'dead' || (event.to === 'failed' && event.reason !== 'dependency_failed')) ends.failed++
    }
  })
  const { adminToken: token, databaseUrl } = config
  const oldestCode = await runtime.store.oldestCode()
  await keeper?.ready({ url: localUrl(config.host, port), schema: SCHEMA, oldestCode, token }, () => ends)
  const diskGuard = await openDiskGuard({
    folders: [config.dataDir, ...(databaseUrl.startsWith('sqlite:') ? [dirname(databaseUrl.slice('sqlite:'.length))] : [])],
    ballast: join(config.dataDir, 'ballast'),
    reserveBytes: config.diskReserveMb * 1024 * 1024,
    halt: runtime.tasks.halt,
    log: runtime.monitor.write,
  })
  runtime.onRestart(() => void stop('graceful', 'restart'))
  // Nothing is claimed in safe mode; what was changed can be taken back.
  if (config.safeMode) runtime.changes.start({ onlyBack: true })
  if (!config.safeMode) void retention.sweep()
  const runner = config.safeMode ? null : runtime.run()
  runtime.monitor.write('info', `Started: revision ${revision}, ${runtime.models.describe()}`)

  let stopping: Promise<void> | undefined
  async function stop(how: 'graceful' | 'now', then: 'stop' | 'restart' = 'stop'): Promise<void> {
    if (how === 'now') void runner?.stop(0) // cuts turns off that a graceful stop still waits for
    stopping ??= (async () => {
      void keeper?.stopping(then)
      runtime.monitor.write('info', how === 'now' ? 'Stopping at once' : 'Stopping: running turns finish or park first')
      await runner?.stop(how === 'now' ? 0 : DRAIN_MS)
      uncounted()
      await diskGuard.close()
      await opened.close()
      await mcp.close()
      await closeWebhooks()
      await telemetry?.close()
      await closeAlertWebhook?.()
      await server.close()
      await backups.close()
      await retention.close()
      await runtime.close()
      // Here and not at the next start, which the keeper compares with what was before it. One that was cut off is done then.
      await restoreIfAsked(databaseUrl, config.dataDir, Date.now()).then(
        (restored) => restored && console.error(restoredWords(restored)),
        (error: Error) => console.error(`banyan: ${error.message}`),
      )
      finish(then)
    })()
    return stopping
  }
  return { url: auth.baseUrl(), loginUrl: auth.loginLink(), models: runtime.models.describe(), stop, ended, store: runtime.store }
}

/** Where this machine itself reaches it. */
function localUrl(host: string, port: number): string {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`
}

/** The commit that runs, short; `unversioned` outside a git checkout. */
function revisionOf(root: string): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unversioned' // no git, or no repository: everything but the label works without
  }
}
