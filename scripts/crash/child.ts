/**
 * The process that a crash run kills. Takes jobs, one JSON object a line, from its standard input: opens the runtime on a folder, works the
 * scenario until nothing can go on, checks what must be true, and says what it found. A job may name a fail point and a hit of it at
 * which the process kills itself. A folder that an earlier life left is taken up where it was.
 */
import { appendFileSync, mkdirSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type ReadyConfig, readConfig } from '../../core/config.ts'
import { openRuntime, type Runtime } from '../../core/runtime.ts'
import { violations } from '../../core/tasks/invariants.ts'
import { scripted } from '../testing/scripted.ts'
import { judgeOutside, OUTSIDE_LEASE_MS, openOutsiders } from './outsider.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { judge, picture, see } from './verdict.ts'
import { openWorld } from './world.ts'

export type Kill = { point: string; hit: number }
export type Job =
  | { kind: 'seed'; folder: string }
  | { kind: 'work'; folder: string; scenario: string; kill: Kill | null; lives: number; record: boolean }
export type Said = { said: 'begun' } | { said: 'done'; violations: string[]; picture: string; hits: Record<string, number>; ms: number }

/** Longest that a scenario may take to come to rest. */
const PATIENCE_MS = 30_000
/** The sweep of the runner looks once a second; here waits are short. */
const SWEEP_MS = 25

const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`)

function settings(folder: string, model: string): ReadyConfig {
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir, { recursive: true, mode: 0o711 })
  const root = dirname(dirname(import.meta.dirname))
  const read = readConfig({ DATA_DIR: dataDir, MODEL: model, PATH: '/usr/bin:/bin', MAX_CONCURRENT_AGENTS: '4' }, '/nonexistent')
  return { ...read, root, code: root, systemSecretKey: 'crash-secret-key-0123', secretKeyFile: null, adminToken: 'crash-token' }
}

async function work(job: Extract<Job, { kind: 'work' }>): Promise<Said> {
  const began = performance.now()
  const scenario = SCENARIOS.find(({ name }) => name === job.scenario)!
  const hits: Record<string, number> = {}
  const die = (): never => {
    if (job.record) appendFileSync(join(job.folder, 'hits.jsonl'), `${JSON.stringify(hits)}\n`)
    process.kill(process.pid, 'SIGKILL')
    throw new Error('nobody survives this')
  }
  const failPoint = (point: string): void => {
    hits[point] = (hits[point] ?? 0) + 1
    if (job.kill?.point === point && job.kill.hit === hits[point]) die()
  }
  const world = openWorld(job.folder, die)
  const { decide, judges = false, account } = scenario
  const providers = decide
    ? [
        scripted(
          (request) => {
            world.note({ what: 'asked', task: request.task.id, tree: request.task.treeId })
            return decide(request, world)
          },
          { judges, ...(account === undefined ? {} : { account }) },
        ),
      ]
    : []
  const runtime = await openRuntime(settings(job.folder, decide ? 'scripted' : 'playbook'), {
    failPoint,
    providers,
    ...(scenario.outside ? { outsideLeaseMs: OUTSIDE_LEASE_MS } : {}),
  })
  const outsiders = scenario.outside ? openOutsiders(runtime, job.folder, world.note, scenario.outside) : null
  await noteDoubts(runtime, world)
  const runner = runtime.run()
  const sweeping = setInterval(() => void runtime.tasks.sweep('quick', Date.now()).catch(() => undefined), SWEEP_MS) // closing; told by the runner
  const restless = await rest(runtime, scenario, world, outsiders).finally(() => clearInterval(sweeping))
  await runner.stop(restless ? 0 : 5_000)
  const found = [
    ...restless,
    ...(await violations(runtime.store, { settled: restless.length === 0 })),
    ...(await judge(runtime, scenario, world, job)),
    ...(outsiders ? await judgeOutside(runtime, world.noted()) : []),
  ]
  const said: Said = {
    said: 'done',
    violations: found,
    picture: await picture(runtime, scenario, job.folder),
    hits,
    ms: performance.now() - began,
  }
  await runtime.close()
  return said
}

/** Plays the person after each commit, and resolves when nothing can go on any more; with a sentence if that takes too long. */
function rest(
  runtime: Runtime,
  scenario: Scenario,
  world: ReturnType<typeof openWorld>,
  outsiders: ReturnType<typeof openOutsiders> | null,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let looking = false
    let again = false
    const look = async (): Promise<void> => {
      if (looking) {
        again = true
        return
      }
      looking = true
      try {
        do {
          again = false
          if (await atRest(runtime, scenario, world)) return end([])
          await outsiders?.step(world.noted().some((one) => one.what === 'silent'))
        } while (again)
      } catch (error) {
        end(null, error)
      } finally {
        looking = false
      }
    }
    const end = (found: string[] | null, error?: unknown) => {
      stop()
      clearTimeout(timer)
      clearInterval(watch)
      if (found) resolve(found)
      else reject(error as Error)
    }
    const stop = runtime.store.onCommit(() => void look())
    // A person may wait for what a command did, which no commit tells.
    const watch = setInterval(() => void look(), SWEEP_MS)
    const timer = setTimeout(async () => {
      const tasks = (await see(runtime, world, 0)).tasks.map((task) => `${task.title}: ${task.status} ${task.reason ?? ''}`)
      end([`it did not come to rest in ${PATIENCE_MS / 1_000} s: ${tasks.join('; ')}`])
    }, PATIENCE_MS)
    void look()
  })
}

async function atRest(runtime: Runtime, scenario: Scenario, world: ReturnType<typeof openWorld>): Promise<boolean> {
  for (const [n, { goal, budget, mode, plan }] of scenario.goals.entries()) {
    const tree = `goal-${n}`
    const known = await runtime.store.db.selectFrom('trees').select('id').where('idempotency_key', '=', `owner:${tree}`).executeTakeFirst()
    if (known) continue
    const { treeId } = await runtime.submitGoal(
      {
        goal,
        idempotencyKey: tree,
        ...(scenario.decide || scenario.outside ? { agent: 'generalist' } : {}),
        ...(scenario.outside ? { model: 'external' } : {}),
        ...(budget ? { budget } : {}),
        ...(mode ? { mode } : {}),
        ...(plan ? { plan } : {}),
      },
      'owner',
    )
    world.note({ what: 'goal', tree: treeId })
  }
  const sees = await see(runtime, world, 0)
  const act = scenario.person?.(sees) ?? { kind: 'rest' }
  switch (act.kind) {
    case 'decide':
      await runtime.tasks.decide(act.id, act.decision, 'owner')
      world.note({ what: 'decided', review: act.id, decision: act.decision.decision })
      return atRest(runtime, scenario, world)
    case 'control':
      if (act.ask.verb === 'step') world.note({ what: 'step' })
      await runtime.tasks.control(act.taskId, { ...act.ask, by: 'owner' })
      world.note({ what: 'controlled', task: act.taskId, verb: act.ask.verb })
      return atRest(runtime, scenario, world)
    case 'wait':
      return false
    case 'rest':
      return !sees.tasks.some(
        (task) =>
          ['pending', 'assigned', 'active'].includes(task.status) ||
          (task.status === 'waiting' && (task.reason === 'quota' || task.reason === 'timer')),
      )
  }
}

/** `once` calls that the last life had begun and not ended: each must come before a person. */
async function noteDoubts(runtime: Runtime, world: ReturnType<typeof openWorld>): Promise<void> {
  const calls = await runtime.store.db
    .selectFrom('calls')
    .innerJoin('tasks', 'tasks.id', 'calls.task_id')
    .select('calls.id')
    .where('calls.state', '=', 'begun')
    .where('calls.effect', '=', 'once')
    .where('calls.attempts', '>', 0)
    .where('calls.waits', 'is', null)
    .where('calls.approved', '=', 0)
    .where('tasks.status', 'not in', ['done', 'failed', 'cancelled', 'dead'])
    .execute()
  for (const { id } of calls) world.note({ what: 'doubt', call: id })
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line) as Job
  say({ said: 'begun' })
  if (job.kind === 'work') say(await work(job))
  else {
    await (await openRuntime(settings(job.folder, 'playbook'))).close()
    say({ said: 'done', violations: [], picture: '', hits: {}, ms: 0 })
  }
  // Node writes down what it compiled when a process ends by itself, and hardly one of these does.
  flushCompileCache()
}
