import { mkdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type Briefs, openBriefs } from './agent/brief.ts'
import { HELPERS } from './agent/capabilities.ts'
import { type Editors, openEditors } from './agent/editors.ts'
import { liveRuns } from './agent/live-runs.ts'
import { openOutlook } from './agent/outlook.ts'
import { type Runner, startRunner } from './agent/runner.ts'
import { loadTools } from './agent/tools.ts'
import { openTrials, type Trials } from './agent/trials.ts'
import { UniversalAgent } from './agent/universal-agent.ts'
import { openUploads, type Uploads } from './agent/uploads.ts'
import { watchdogMeans } from './agent/watchdog-means.ts'
import { type Workspaces, workspaces } from './agent/workspaces.ts'
import type { ReadyConfig } from './config.ts'
import { Fault } from './contract/fault.ts'
import type { Approval } from './contract/goal.ts'
import type { Habits } from './contract/learning.ts'
import { type Budget, withBudget } from './contract/limits.ts'
import type { GoalRule } from './contract/policy.ts'
import { isOver, type Task } from './contract/task.ts'
import { type ContainerReport, instanceId, openContainers } from './exec/docker-probe.ts'
import { builtEnvironment } from './exec/environment.ts'
import type { Exec } from './exec/exec.ts'
import { workspaceFiles } from './exec/files.ts'
import type { History } from './exec/history/shapes.ts'
import { openHistory } from './exec/history.ts'
import { type JobLimits, openJobs } from './exec/jobs.ts'
import { ladder } from './exec/ladder.ts'
import { localExec, NOBODY } from './exec/local.ts'
import { type IsolationReport, openIsolation } from './exec/probe.ts'
import { openRepositories } from './git/git.ts'
import type { Repositories, WorktreeChanges } from './git/shapes.ts'
import { type Driven, openArm } from './learn/arm.ts'
import { readGoalSet } from './learn/goal-set.ts'
import { type Lessons, openLessons } from './learn/lessons.ts'
import { type MadeTools, openMadeTools } from './made/made.ts'
import { openMadeRunner } from './made/run.ts'
import { type Hub, type HubLimits, openHub } from './mcp/hub.ts'
import { chooseModels, type Models } from './models/choose.ts'
import { external } from './models/external.ts'
import { type Keys, openKeys } from './models/keys.ts'
import { playbook } from './models/playbook.ts'
import { readPlaybooks } from './models/playbook-steps.ts'
import type { Provider } from './models/provider.ts'
import { type Lender, sampling } from './models/sampling.ts'
import { typedCall } from './models/typed-call.ts'
import { type Monitor, openMonitor } from './observe/monitor.ts'
import { openSettingsList, type SettingsList } from './observe/settings-list.ts'
import { openWatchdog, type Watchdog } from './observe/watchdog/watchdog.ts'
import { type ExampleGoal, readGoals } from './registry/read-goals.ts'
import { readSeeds } from './registry/read-seeds.ts'
import { openRegistry, type Registry } from './registry/registry.ts'
import { openSettings, type Settings } from './registry/settings.ts'
import { rotateKey, settledKey } from './secrets/rotate.ts'
import { openSecrets, type Secrets } from './secrets/secrets.ts'
import type { Changes } from './self/change.ts'
import { openSelf } from './self/self.ts'
import { restoredWords, restoreIfAsked } from './store/backups.ts'
import { openQuery } from './store/query.ts'
import { openStore, type Store } from './store/store.ts'
import type { AskedBy } from './tasks/ask-acts.ts'
import { unread } from './tasks/outside.ts'
import { openTasks, type Tasks } from './tasks/tasks.ts'
import { LEASE_MS } from './tasks/turns.ts'
import type { Tool } from './tool.ts'
import { openEgress } from './web/egress.ts'
import { openWeb, type Web, type WebParts } from './web/web.ts'

export type SubmitGoal = {
  goal: string
  agent?: string | undefined
  priority?: number | undefined
  mode?: 'auto' | 'step' | undefined
  budget?: Budget | undefined
  workspace?: 'task' | 'shared' | undefined
  /** Name of an example goal whose folders are copied into the workspace. */
  example?: string | undefined
  idempotencyKey?: string | undefined
  model?: string | undefined
  approval?: Approval | undefined
  /** Narrowing rules of this goal alone. */
  rules?: readonly GoalRule[] | undefined
  plan?: boolean | undefined
  /** Ids of files that were sent before. */
  attachments?: readonly string[] | undefined
  /** What counts as done. */
  criteria?: readonly string[] | undefined
  forkedFrom?: string | undefined
  /** It is a word to the system itself. */
  ask?: { conversation?: string } | undefined
  /** The ask by which it was begun. */
  asked?: AskedBy | undefined
}

/** Everything below HTTP: what benchmarks, crash tests and the server share. */
export type Runtime = {
  store: Store
  tasks: Tasks
  registry: Registry
  secrets: Secrets
  /** Other people's MCP servers. */
  hub: Hub
  /** The key that counts; it signs sessions too. */
  systemSecretKey: string
  /** Seals every secret with a new key; sessions go on with the old one until a restart. */
  rotateSecretKey(by: string): Promise<number>
  models: Models
  exec: Exec
  /** How commands can be isolated here, as tried out at the start. */
  isolation: IsolationReport & { container: ContainerReport }
  examples: readonly ExampleGoal[]
  workspaces: Workspaces
  history: History
  monitor: Monitor
  /** Looks for tasks that do not get on; runs by itself while workers do. */
  watchdog: Watchdog
  editors: Editors
  /** What outside agents are told of tasks. */
  briefs: Briefs
  /** All tools, as they are now. */
  tools: ReadonlyMap<string, Tool>
  uploads: Uploads
  web: Web
  /** What the git work trees of a task hold beyond where they began. */
  changed(task: Pick<Task, 'id' | 'treeId' | 'workspace' | 'agent'>): Promise<WorktreeChanges[]>
  /** Keys of providers that people gave. */
  keys: Keys
  /** Tools that agents made. */
  made: MadeTools
  /** What is known of carrying out a plan. */
  outlook: ReturnType<typeof openOutlook>
  trials: Trials
  /** Changes of Banyan's own code. */
  changes: Changes
  lessons: Lessons
  /** What ends this process so that it is started again; without it nothing does. */
  onRestart(act: () => void): void
  settings: Settings
  /** Settings of the instance: as they are now, and those that change while it runs. */
  settingsList: SettingsList
  submitGoal(goal: SubmitGoal, by: string): Promise<{ treeId: string; created: boolean }>
  /** Gives a person's word to the agent that people speak to. */
  ask(
    ask: { words: string; conversation?: string | undefined; idempotencyKey?: string | undefined },
    by: string,
  ): Promise<{ treeId: string; created: boolean }>
  /** Starts the workers; nothing is claimed before. */
  run(): Runner
  close(): Promise<void>
}

export type RuntimeOptions = {
  /** Providers besides those of the settings; one named as `config.model` then drives the agents. */
  providers?: Provider[]
  /** Tools besides those in `tools/`. */
  tools?: Tool[]
  onDelta?: (taskId: string, text: string) => void
  /** Named points at which a crash test kills the process. */
  failPoint?: (name: string) => void
  /** Told of each step of the start that is done. */
  onStep?: (step: string) => void
  now?: () => number
  /** For tests, which have no internet. */
  web?: Partial<WebParts>
  leaseMs?: number
  /** A connected MCP client that lends its model. */
  lender?: () => Lender | null
  /** How long an outside agent may be silent. */
  outsideLeaseMs?: number
  /** For other people's MCP servers. */
  hubLimits?: Partial<HubLimits>
  /** Which goals of the built-in set judge a lesson, and how often each; for tests, which have no minutes. */
  learning?: { goals: readonly string[]; tries: number }
  /** Commands in the background, at most. */
  jobLimits?: Partial<JobLimits>
  /** Another source than this checkout to change, and whether a keeper watches. */
  self?: { checkout?: string; registry?: string; isKept?: () => boolean }
}

/** What a tool that an agent made may use, all its processes together. */
const MADE_LIMITS = { memoryBytes: 768 * 2 ** 20, pids: 256, cpus: 1 }

/** Where a goal starts when nobody says otherwise, and whom people speak to about the system itself. */
const FIRST_AGENT = 'agent_selector'
const DESK_AGENT = 'interface'

export async function openRuntime(config: ReadyConfig, options: RuntimeOptions = {}): Promise<Runtime> {
  const now = options.now ?? Date.now
  mkdirSync(config.dataDir, { recursive: true, mode: 0o711 })
  const runAs = process.getuid?.() === 0 ? NOBODY : undefined
  // Tried out while the rest is opened; it starts a process or two.
  const isolating = openIsolation({
    folder: join(config.dataDir, 'sandbox'),
    path: config.commandPath ?? '',
    hidden: [config.dataDir],
    node: process.execPath,
    ...(runAs ? { runAs } : {}),
  })
  const containing = instanceId(config.dataDir).then((instance) =>
    openContainers({
      image: config.containerImage,
      dockerHost: config.dockerHost,
      dataDir: config.dataDir,
      host: { LANG: config.commandLang },
      instance,
      ...(runAs ? { runAs } : {}),
      ...(options.failPoint ? { failPoint: options.failPoint } : {}),
    }),
  )
  containing.catch(() => undefined) // as the next one
  isolating.catch(() => undefined) // awaited below; an earlier failure must not leave it unhandled
  const seeds = join(config.code, 'seeds')
  const [read, playbooks, examples, tools] = await Promise.all([
    readSeeds(seeds),
    readPlaybooks(join(seeds, 'playbooks')),
    readGoals(join(seeds, 'goals')),
    loadTools(join(config.code, 'tools')),
  ])
  for (const tool of options.tools ?? []) tools.set(tool.name, tool)
  const step = options.onStep ?? (() => undefined)
  const restored = await restoreIfAsked(config.databaseUrl, config.dataDir, now())
  if (restored) console.error(restoredWords(restored))
  step('read the seeds and tools')
  const store = await openStore(config.databaseUrl, { now, ...(options.failPoint ? { failPoint: options.failPoint } : {}) })
  step('opened and migrated the database')
  const registry = openRegistry(store)
  const settings = openSettings(store)
  const list = await openSettingsList(config, settings)
  await registry.seed(read)
  step('seeded the registry')
  const { systemSecretKeyOld: old } = config
  const { key: systemSecretKey, sealedAnew } = await settledKey(store, config.systemSecretKey, {
    file: config.secretKeyFile,
    old: old === undefined ? [] : [old],
  })
  if (sealedAnew > 0)
    console.error(`banyan: ${sealedAnew} of the secrets were sealed with an older SYSTEM_SECRET_KEY and now are with the present one.`)
  const vault = await openSecrets({
    store,
    key: systemSecretKey,
    own: {
      SYSTEM_SECRET_KEY: systemSecretKey,
      SYSTEM_SECRET_KEY_OLD: old,
      ADMIN_TOKEN: config.adminToken,
      ANTHROPIC_API_KEY: config.anthropicApiKey,
      OPENAI_API_KEY: config.openaiApiKey,
      OPENROUTER_API_KEY: config.openrouterApiKey,
      GOOGLE_CLIENT_SECRET: config.googleClientSecret,
      GITHUB_CLIENT_SECRET: config.login.github?.clientSecret,
      ...Object.fromEntries(Object.entries(config.otlp?.headers ?? {}).map(([name, value]) => [`OTLP ${name}`, value])),
      ALERT_WEBHOOK: config.alertWebhook?.url,
      ALERT_WEBHOOK_SECRET: config.alertWebhook?.secret ?? undefined,
      OIDC_CLIENT_SECRET: config.login.oidc?.clientSecret ?? undefined,
    },
  })
  const sealed = vault.unreadable()
  if (sealed.length > 0)
    console.error(
      `banyan: these secrets were sealed with another SYSTEM_SECRET_KEY and cannot be used: ${sealed.join(', ')}. Put the earlier key back, or set them again with \`banyan secret set NAME\`; nothing was lost.`,
    )
  const query = openQuery(config.databaseUrl)
  const modelSettings = {
    ...config,
    get model() {
      return list.current.model
    },
    get fallbackModel() {
      return list.current.fallbackModel
    },
  }
  const models = chooseModels(
    modelSettings,
    playbook({ playbooks }),
    [typedCall(), external((taskId) => unread(store, taskId)), ...(options.providers ?? []), sampling(options.lender ?? (() => null))],
    now,
  )
  const keys = openKeys({ store, vault, models, config })
  await keys.load()
  models.pick('default') // a wrong MODEL is said at the start, not by the first goal
  const tasks = openTasks(store, {
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    ...(config.reviewExpirySeconds === null ? {} : { expiry: { policy: config.reviewExpiry, seconds: config.reviewExpirySeconds } }),
    dailyMicros: () => list.current.dailyMicros,
    accounts: () => new Map(models.providers.flatMap(({ name, account }) => (account === undefined ? [] : [[name, account]]))),
    ...(options.outsideLeaseMs === undefined ? {} : { outsideLeaseMs: options.outsideLeaseMs }),
    checks: { edit: (name, input) => tools.get(name)?.problemIn(input) ?? null },
  })
  const folders = workspaces(config.dataDir, runAs, options.failPoint)
  const secrets = ['secret-key', 'secret-key.next', 'secret-key.old', 'admin-token', 'owner.db'].map((name) => join(config.dataDir, name))
  const database = config.databaseUrl.startsWith('sqlite:') ? [config.databaseUrl.slice('sqlite:'.length)] : []
  const isolation = await isolating
  step('tried the isolation of commands')
  const { resolve, route } = options.web ?? {}
  const egress = await openEgress({
    folder: join(config.dataDir, 'egress'),
    ...(resolve ? { resolve } : {}),
    ...(route ? { route } : {}),
  })
  const containers = await containing
  const local = localExec({
    sandbox: isolation.sandbox,
    egress,
    cgroups: isolation.cgroups,
    environment: builtEnvironment({ PATH: config.commandPath, LANG: config.commandLang }),
    deny: [...secrets, ...database],
    ...(runAs ? { runAs } : {}),
    ...(options.failPoint ? { failPoint: options.failPoint } : {}),
  })
  const toolExec = localExec({
    sandbox: isolation.sandbox,
    cgroups: isolation.cgroups,
    environment: builtEnvironment({ PATH: config.commandPath, LANG: config.commandLang }),
    limits: MADE_LIMITS,
    ...(runAs ? { runAs } : {}),
  })
  const madeRunner = openMadeRunner({ exec: toolExec, folder: join(config.dataDir, 'made-tools'), ...(runAs ? { runAs } : {}) })
  const made = await openMadeTools({
    store,
    registry,
    runner: madeRunner,
    tools,
    why: 'why' in isolation.sandbox ? isolation.sandbox.why : null,
    onError: (error) => console.error(vault.redact(`banyan: tools that agents made: ${inspect(error)}`)),
  })
  const exec = ladder({ choice: config.isolation, local, container: containers.exec })
  const history = openHistory({
    store,
    dataDir: config.dataDir,
    folderOf: (treeId) => folders.path({ treeId, workspace: '' }),
    protectedPaths: [config.dataDir],
  })
  const jobs = openJobs({
    store,
    exec,
    redactStream: vault.redactStream,
    redact: vault.redact,
    now,
    onError: (error) => console.error(vault.redact(`banyan: a job: ${inspect(error)}`)),
    ...(options.jobLimits ? { limits: options.jobLimits } : {}),
    ...(options.failPoint ? { failPoint: options.failPoint } : {}),
  })
  const repositories = openRepositories({ dataDir: config.dataDir, path: config.commandPath ?? '/usr/local/bin:/usr/bin:/bin', runAs, now })
  const uploads = openUploads({
    store,
    dataDir: config.dataDir,
    folderOf: (treeId) => folders.path({ treeId, workspace: '' }),
    now,
    ...(runAs ? { runAs } : {}),
    ...(options.failPoint ? { failPoint: options.failPoint } : {}),
  })
  const hub = await openHub({
    store,
    registry,
    secrets: vault,
    exec,
    tools,
    folder: join(config.dataDir, 'servers'),
    why: 'why' in isolation.sandbox ? isolation.sandbox.why : 'the setting ISOLATION says that commands run plain',
    version: packageVersion(config.code),
    now,
    log: (words, cause) => console.error(vault.redact(`banyan: ${words}: ${inspect(cause)}`)),
    ...(runAs ? { runAs } : {}),
    ...(resolve ? { resolve } : {}),
    ...(route ? { route } : {}),
    ...(options.hubLimits ? { limits: options.hubLimits } : {}),
  })
  const web = openWeb({ store, now, searxngUrl: config.searxngUrl, ...options.web })
  const outlook = openOutlook({ store, registry, models, tools })
  let restart: (() => void) | undefined
  const changes = openSelf({
    config,
    store,
    settings,
    redact: vault.redact,
    cgroups: isolation.cgroups,
    runAs,
    now,
    checkout: options.self?.checkout ?? config.root,
    ...(options.self?.registry ? { registry: options.self.registry } : {}),
    isKept: options.self?.isKept ?? (() => false),
    restart: () => restart?.(),
    onError: (error) => console.error(vault.redact(`banyan: a change of its own: ${inspect(error)}`)),
    ...(options.failPoint ? { failPoint: options.failPoint } : {}),
  })
  const editors = openEditors({ store, registry, tools, models, made, system: [FIRST_AGENT, DESK_AGENT, ...Object.values(HELPERS)] })
  const trials = openTrials({ store, tasks, registry, tools, editors })
  const lessons = openLessons({
    store,
    registry,
    goals: (await readGoalSet(join(seeds, 'goal_set'))).filter(({ name }) => options.learning?.goals.includes(name) ?? true),
    ...(options.learning ? { tries: options.learning.tries } : {}),
    openArm: (habits) => openArm(join(config.dataDir, 'arms'), (folder) => armIn(config, folder, habits)),
    live: liveRuns({ store, tasks, models, trials }),
    clear: () => rm(join(config.dataDir, 'arms'), { recursive: true, force: true }),
    onError: (error) => console.error(vault.redact(`banyan: a lesson could not be judged: ${inspect(error)}`)),
  })
  let draining = false
  let rotation: Promise<number> | undefined
  const submitGoal: Runtime['submitGoal'] = async (goal, by) => {
    const name = goal.agent ?? FIRST_AGENT
    const first = await registry.get('agent', name)
    if (!first?.enabled) {
      const known = (await registry.list('agent')).filter((a) => a.enabled).map((a) => a.name)
      throw new Fault('invalid', `There is no agent "${name}"; choose one of ${known.join(', ')}.`)
    }
    const example = goal.example === undefined ? undefined : examples.find((e) => e.name === goal.example)
    if (goal.example !== undefined && !example)
      throw new Fault('invalid', `There is no example goal "${goal.example}"; choose one of ${examples.map((e) => e.name).join(', ')}.`)
    const model = goal.model === 'default' ? undefined : goal.model
    if (model !== undefined) models.pick(model) // a Fault says what is wrong with it
    const attachments = await uploads.named(goal.attachments ?? [])
    const copy = example?.copy ?? []
    let filled: string | undefined
    const prepare = async (treeId: string): Promise<void> => {
      filled = treeId
      await uploads.begin(treeId)
      const folder = await folders.of({ treeId, workspace: '' })
      if (copy.length > 0) await folders.fill(treeId, config.code, copy)
      await uploads.putInto(folder, attachments)
    }
    const created = tasks.createGoal({
      goal: goal.goal,
      agent: name,
      mode: goal.mode ?? 'auto',
      limits: withBudget((await settings.policy()).policy.limits, goal.budget),
      priority: goal.priority ?? 0,
      workspace: goal.workspace ?? 'task',
      submittedBy: by,
      origin: 'person',
      ...(goal.idempotencyKey === undefined ? {} : { idempotencyKey: goal.idempotencyKey }),
      approval: goal.approval ?? 'ask_risky',
      ...(model === undefined ? {} : { model }),
      ...(goal.plan ? { plan: true } : {}),
      ...(goal.rules?.length ? { rules: goal.rules } : {}),
      ...(goal.criteria?.length ? { criteria: goal.criteria } : {}),
      ...(attachments.length > 0 ? { attachments } : {}),
      ...(goal.forkedFrom === undefined ? {} : { forkedFrom: goal.forkedFrom }),
      ...(name === DESK_AGENT ? { ask: goal.ask ?? {} } : {}),
      ...(goal.asked === undefined ? {} : { asked: goal.asked }),
      ...(attachments.length + copy.length > 0 ? { prepare } : {}),
    })
    return created.finally(() => (filled === undefined ? undefined : uploads.settle(filled)))
  }
  const ask: Runtime['ask'] = ({ words, conversation, idempotencyKey }, by) =>
    submitGoal({ goal: words, agent: DESK_AGENT, idempotencyKey, ask: conversation === undefined ? {} : { conversation } }, by)
  const agent = new UniversalAgent({
    submitGoal,
    history,
    changes,
    jobs,
    repositories,
    made,
    tasks,
    registry,
    exec,
    web,
    query,
    secrets: vault,
    models,
    tools,
    helpers: HELPERS,
    workspaces: folders,
    protectedPaths: [config.dataDir],
    record: (treeId, fact) => store.transact(async (tx) => tx.record(treeId, fact)),
    get defaultTimeoutSeconds() {
      return list.current.defaultTimeoutSeconds
    },
    policy: settings.policy,
    now,
    draining: () => draining,
    ...(options.onDelta ? { onDelta: options.onDelta } : {}),
    ...(options.failPoint ? { failPoint: options.failPoint } : {}),
  })
  let runner: Runner | undefined
  const monitor = await openMonitor({
    holds: tasks.holds,
    store,
    models,
    secrets: vault,
    config,
    isolation: {
      isolation: exec.isolation,
      isolationChoice: config.isolation,
      isolationDetail: { ...isolation.report, container: containers.report },
    },
    turns: () => runner?.turns() ?? [],
    slots: () => list.current.maxConcurrentAgents,
    version: packageVersion(config.code),
    now,
  })
  const watchdog = openWatchdog({
    store,
    now,
    ...watchdogMeans({ registry, models, fallback: () => list.current.fallbackModel }),
    intervalMs: () => config.supervisorCheckInterval * 1_000,
    patience: () => ({ normal: 1, patient: 2, off: null })[list.current.watchdog],
    onError: (error) => {
      const words = `the watchdog: ${inspect(error)}`
      console.error(vault.redact(`banyan: ${words}`))
      monitor.write('error', words)
    },
  })
  // One process owns an embedded database, so every claim found now belongs to a dead one.
  if (store.kind === 'sqlite') {
    await tasks.recover()
    await history.recover()
  }
  await jobs.recover()
  await tasks.outside.recover()
  await lessons.recover()
  await tasks.sweep('thorough', now())
  step('recovered what a crash left')
  const worktrees = tidyWorktrees(store, tasks, repositories)
  const lookForLessons = () =>
    lessons.look().catch((error: unknown) => console.error('banyan: lessons of the history:', vault.redact(inspect(error))))
  const sweepUploads = () => uploads.sweep().catch((error: unknown) => console.error('banyan: files that wait for goals:', error))
  let sweeping: Promise<unknown> = sweepUploads()
  const hourly = setInterval(() => (sweeping = Promise.all([sweepUploads(), lookForLessons()])), 3_600_000).unref()

  return {
    store,
    tasks,
    registry,
    secrets: vault,
    hub,
    systemSecretKey,
    rotateSecretKey(by) {
      if (rotation) return Promise.reject(new Fault('conflict', 'A new key was just made; make the next one after the restart.'))
      rotation = rotateKey({
        secrets: vault,
        file: config.secretKeyFile,
        key: systemSecretKey,
        by,
        ...(options.failPoint ? { failPoint: options.failPoint } : {}),
      })
      rotation.catch(() => {
        rotation = undefined
      })
      return rotation
    },
    models,
    exec,
    isolation: { ...isolation.report, container: containers.report },
    examples,
    workspaces: folders,
    history,
    monitor,
    watchdog,
    editors,
    briefs: openBriefs({ registry, tools, tasks }),
    tools,
    trials,
    settings,
    settingsList: list,
    uploads,
    web,
    changed: ({ id, treeId, workspace, agent }) =>
      repositories
        .forTask({
          treeId,
          taskId: id,
          agent,
          files: workspaceFiles(folders.path({ treeId, workspace }), { protectedPaths: [config.dataDir] }),
          folder: () => folders.of({ treeId, workspace }),
        })
        .changed(),
    keys,
    made,
    outlook,
    changes,
    lessons,
    onRestart(act) {
      restart = act
    },
    submitGoal,
    ask,
    run() {
      runner ??= startRunner({
        store,
        tasks,
        work: (lease, signal) => agent.work(lease, signal),
        slots: () => list.current.maxConcurrentAgents,
        worker: `${process.pid}`,
        now,
        leaseMs: options.leaseMs ?? LEASE_MS,
        thoroughMs: config.supervisorCheckInterval * 1_000,
        onError: (error, lease) => {
          const words = `${lease ? `task ${lease.taskId}` : 'the runner'}: ${inspect(error)}`
          console.error(vault.redact(`banyan: ${words}`))
          monitor.write('error', words, lease ? { treeId: lease.treeId, taskId: lease.taskId } : {})
        },
      })
      const started = runner
      changes.start()
      watchdog.start()
      return {
        ...started,
        stop: (graceMs) => {
          draining = true
          return started.stop(graceMs)
        },
      }
    },
    async close() {
      await watchdog.stop()
      await lessons.stop()
      await changes.stop()
      await monitor.close()
      clearInterval(hourly)
      await sweeping
      await worktrees.stop()
      await jobs.close()
      await hub.close()
      await exec.stop()
      made.close()
      await madeRunner.close()
      await toolExec.stop()
      await egress.close()
      await repositories.stop()
      await query.close()
      await store.close()
    },
  }
}

/** Work trees of tasks that are over: at the start, and whenever a task ends. What stays because of unsaved work is told in the log. */
function tidyWorktrees(store: Store, tasks: Tasks, repositories: Repositories): { stop(): Promise<void> } {
  const isGone = (id: string) =>
    tasks.task(id).then(
      (task) => isOver(task.status),
      (error: unknown) => {
        if (error instanceof Fault && error.code === 'not_found') return true
        throw error
      },
    )
  const failed = (error: unknown) => console.error('banyan: work trees:', error)
  let last: Promise<unknown> = repositories.tidy(isGone).catch(failed)
  const after = async (treeId: string, taskId: string) => {
    const { stay } = await repositories.tidy(isGone, treeId)
    const own = stay.find((one) => one.task === taskId)
    if (!own) return
    const comment = `the work tree ${own.folder} stays: ${own.why}`
    await store.transact(async (tx) => tx.record(treeId, { type: 'task.controlled', taskId, verb: 'worktree', by: 'system', comment }))
  }
  const forget = store.onCommit((events) => {
    for (const event of events) {
      if (event.type !== 'task.moved' || event.treeId === null || !isOver(event.to)) continue
      const { treeId, taskId } = event
      last = last.then(() => after(treeId, taskId)).catch(failed)
    }
  })
  return {
    async stop() {
      forget()
      await last
    },
  }
}

/** A system of its own for a comparison: the embedded database and no model, whatever this one uses. */
async function armIn(config: ReadyConfig, dataDir: string, habits: Habits): Promise<Driven> {
  const arm = await openRuntime({
    ...config,
    dataDir,
    databaseUrl: `sqlite:${join(dataDir, 'arm.db')}`,
    model: 'playbook',
    dailyMicros: null,
  })
  const runner = arm.run()
  const entry = await arm.registry.get('tool', 'use_terminal')
  if (entry) {
    const { version: _version, author: _author, updatedAt: _at, ...body } = entry
    await arm.registry.save('tool', { ...body, habits }, 'arm')
  }
  return {
    store: arm.store,
    tasks: { task: arm.tasks.task, abort: (id) => arm.tasks.control(id, { verb: 'abort', by: 'arm' }) },
    submit: (goal) => arm.submitGoal({ goal }, 'arm'),
    async end() {
      await runner.stop(0)
      await arm.close()
    },
  }
}

export function packageVersion(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}
