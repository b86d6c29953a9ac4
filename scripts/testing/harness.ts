/** A whole runtime on a fresh folder, driven by a function instead of a model. For tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type ReadyConfig, readConfig } from '../../core/config.ts'
import { isOver, type Task } from '../../core/contract/task.ts'
import type { ModelRequest } from '../../core/models/provider.ts'
import { openRuntime, type Runtime, type RuntimeOptions } from '../../core/runtime.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { type Scripted, scripted } from './scripted.ts'

export type Harness = {
  runtime: Runtime
  dataDir: string
  config: ReadyConfig
  /** Submits a goal and resolves with the tree's id. */
  goal(text: string, more?: object): Promise<string>
  /** Resolves with the task as soon as it is as wanted; looks again after each commit. */
  until(taskId: string, wanted: (task: Task) => boolean): Promise<Task>
  over(taskId: string): Promise<Task>
  /** Resolves when no task of the tree is claimed or could be. */
  quiet(treeId: string): Promise<void>
  /** Looks for violations, stops, removes the folder. */
  end(): Promise<string[]>
}

export async function harness(
  decide: (request: ModelRequest) => Scripted | Promise<Scripted>,
  options: RuntimeOptions & {
    judges?: boolean
    window?: number
    slots?: number
    dataDir?: string
    paused?: boolean
    databaseUrl?: string
    /** Settings as in the environment. */
    env?: Readonly<Record<string, string>>
    /** `plain`: as on a machine without a sandbox. */
    isolation?: ReadyConfig['isolation']
  } = {},
): Promise<Harness> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'banyan-')))
  const root = dirname(dirname(import.meta.dirname))
  const base = readConfig(
    { DATA_DIR: dataDir, MODEL: 'scripted', PATH: '/usr/bin:/bin', MAX_CONCURRENT_AGENTS: String(options.slots ?? 4), ...options.env },
    '/nonexistent',
  )
  const config: ReadyConfig = {
    ...base,
    root,
    code: root,
    systemSecretKey: 'test-secret-key-0123',
    secretKeyFile: null,
    adminToken: 'test-token',
    databaseUrl: options.databaseUrl ?? base.databaseUrl,
    isolation: options.isolation ?? base.isolation,
  }
  const runtime = await openRuntime(config, { ...options, providers: [scripted(decide, options), ...(options.providers ?? [])] })
  const runner = options.paused ? undefined : runtime.run()
  const until = (taskId: string, wanted: (task: Task) => boolean): Promise<Task> =>
    new Promise((resolve, reject) => {
      const look = () =>
        runtime.tasks.task(taskId).then((task) => {
          if (!wanted(task)) return
          stop()
          resolve(task)
        }, fail)
      const fail = (error: unknown) => {
        stop()
        reject(error)
      }
      const stop = runtime.store.onCommit((events) => {
        if (events.some((e) => 'taskId' in e && e.taskId === taskId)) void look()
      })
      void look()
    })
  return {
    runtime,
    dataDir,
    config,
    goal: async (text, more = {}) => (await runtime.submitGoal({ goal: text, agent: 'generalist', ...more }, 'owner')).treeId,
    until,
    quiet: (treeId) =>
      new Promise((resolve, reject) => {
        const look = async () => {
          const { tasks } = await runtime.tasks.tree(treeId)
          if (tasks.some((t) => ['pending', 'assigned', 'active'].includes(t.status))) return
          stop()
          resolve()
        }
        const stop = runtime.store.onCommit(() => void look().catch(reject))
        void look().catch(reject)
      }),
    over: (taskId) => until(taskId, (task) => isOver(task.status)),
    async end() {
      await runner?.stop(5_000)
      const found = await violations(runtime.store)
      await runtime.close()
      await rm(dataDir, { recursive: true, force: true })
      return found
    },
  }
}
