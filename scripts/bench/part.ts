/** One measurement in a process of its own; prints one JSON object. `node scripts/bench/part.ts NAME FOLDER [N]` */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ReadyConfig, readConfig } from '../../core/config.ts'
import type { Rule } from '../../core/contract/policy.ts'
import { isOver } from '../../core/contract/task.ts'
import type { ModelRequest } from '../../core/models/provider.ts'
import { caseOf, judge } from '../../core/policy/policy.ts'
import { openRuntime, type Runtime } from '../../core/runtime.ts'
import { openReview } from '../../core/tasks/review.ts'
import { answersIn, endWith, type Scripted, scripted } from '../testing/scripted.ts'
import { floorOf } from './floor-part.ts'
import { benchTool, PROMPT, treeOf, twoTurns, WORDS } from './load.ts'

const [name = '', folder = '', count = '0'] = process.argv.slice(2)
const N = Number(count)
const LIMITS = { tasks: 100_000, turns: 1_000_000, tokens: 1_000_000_000, fanOut: 1_000 }

async function open(decide: (request: ModelRequest) => Scripted, slots = 8): Promise<Runtime> {
  mkdirSync(folder, { recursive: true })
  const base = readConfig(
    { DATA_DIR: folder, MODEL: 'scripted', PATH: '/usr/bin:/bin', MAX_CONCURRENT_AGENTS: String(slots) },
    '/nonexistent',
  )
  const config: ReadyConfig = {
    ...base,
    root: dirname(dirname(import.meta.dirname)),
    code: dirname(dirname(import.meta.dirname)),
    systemSecretKey: 'bench-secret-key-0123',
    secretKeyFile: null,
    adminToken: 'bench-token',
  }
  const runtime = await openRuntime(config, { providers: [scripted(decide)], tools: [benchTool] })
  await runtime.registry.save('tool', { name: 'bench_echo', description: 'Answers at once.', core: false, enabled: true }, 'bench')
  await runtime.registry.save(
    'agent',
    { name: 'bench', description: 'For benchmarks.', instruction: PROMPT('bench'), tools: ['bench_echo'], max_turns: 10_000 },
    'bench',
  )
  return runtime
}
const submit = (runtime: Runtime, goal: string) => runtime.submitGoal({ goal, agent: 'bench', budget: LIMITS }, 'bench')
/** Resolves when this many tasks of any tree have ended. */
const ended = (runtime: Runtime, wanted: number): Promise<void> =>
  new Promise((resolve) => {
    let over = 0
    const stop = runtime.store.onCommit((events) => {
      for (const e of events) if (e.type === 'task.moved' && isOver(e.to)) over += 1
      if (over < wanted) return
      stop()
      resolve()
    })
  })
async function measured(work: () => Promise<void>): Promise<{ cpuMs: number; wallMs: number }> {
  const cpu = process.cpuUsage()
  const wall = performance.now()
  await work()
  const used = process.cpuUsage(cpu)
  return { cpuMs: (used.user + used.system) / 1_000, wallMs: performance.now() - wall }
}
const tell = (figures: object) => console.log(JSON.stringify(figures))
const database = (): string => join(folder, 'agent_system.db')
const rssMb = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().rss / 2 ** 20
}

const parts: Record<string, () => Promise<void>> = {
  async flat() {
    const runtime = await open(twoTurns)
    const done = ended(runtime, N)
    const runner = runtime.run()
    const figures = await measured(async () => {
      await Promise.all(Array.from({ length: N }, (_, i) => submit(runtime, PROMPT(i))))
      await done
    })
    await runner.stop(5_000)
    await runtime.close()
    tell({ ...figures, tasks: N, disk: statSync(database()).size })
  },
  async tree() {
    const runtime = await open(treeOf)
    const done = ended(runtime, 1_111)
    const runner = runtime.run()
    const figures = await measured(async () => {
      await submit(runtime, 'tree 10 10 10')
      await done
    })
    await runner.stop(5_000)
    await runtime.close()
    tell({ ...figures, tasks: 1_111 })
  },
  async floor() {
    tell(floorOf(database(), folder, N))
  },
  /** A history of N turns, one worker: CPU per turn early and late, the building of the request apart. */
  async history() {
    const marks: number[] = []
    let building = 0
    const runtime = await open((request) => {
      marks.push(process.cpuUsage().user + process.cpuUsage().system)
      const begun = process.cpuUsage()
      const n = answersIn(request).length
      const used = process.cpuUsage(begun)
      building += used.user + used.system
      return n < N ? { text: WORDS, calls: [{ tool: 'bench_echo', input: { q: 'x' } }] } : endWith(WORDS)
    }, 1)
    const done = ended(runtime, 1)
    const runner = runtime.run()
    await submit(runtime, PROMPT('history'))
    await done
    await runner.stop(5_000)
    const content = await runtime.store.db
      .selectFrom('messages')
      .select((e) => e.fn.sum<number>(e.fn('length', ['body'])).as('bytes'))
      .executeTakeFirstOrThrow()
    await runtime.close()
    const per = marks.slice(1).map((mark, i) => (mark - marks[i]!) / 1_000)
    const median = (from: number, to: number) => per.slice(from, to).sort((a, b) => a - b)[Math.floor((to - from) / 2)]!
    tell({
      early: median(5, 35),
      late: median(N - 40, N - 10),
      building: building / 1_000,
      disk: statSync(database()).size,
      content: Number(content.bytes),
    })
  },
  /** N tasks that wait for a person; then a fresh process looks at what they cost it. */
  async park() {
    const runtime = await open(() => ({ calls: [{ tool: 'flag_for_review', input: { issue: 'Which colour?', question: true } }] }))
    const runner = runtime.run()
    const parked = new Promise<void>((resolve) => {
      let n = 0
      runtime.store.onCommit((events) => {
        for (const e of events) if (e.type === 'task.moved' && e.to === 'waiting') n += 1
        if (n >= N) resolve()
      })
    })
    for (let i = 0; i < N; i += 500)
      await Promise.all(Array.from({ length: Math.min(500, N - i) }, (_, k) => submit(runtime, PROMPT(i + k))))
    await parked
    await runner.stop(5_000)
    await runtime.close()
    tell({ disk: statSync(database()).size })
  },
  async parked() {
    const runtime = await open(() => endWith(WORDS))
    const runner = runtime.run()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    const rss = rssMb()
    const idle = await measured(() => new Promise((resolve) => setTimeout(resolve, 5_000)))
    let wakeMs = 0
    if (N > 0) {
      const { items } = await runtime.tasks.reviews({ state: 'open', limit: 100 })
      const done = ended(runtime, items.length)
      const woken = await measured(async () => {
        await Promise.all(items.map((item) => runtime.tasks.decide(item.id, { decision: 'answer', comment: 'blue' }, 'bench')))
        await done
      })
      wakeMs = woken.wallMs
    }
    await runner.stop(5_000)
    await runtime.close()
    tell({ rss, idleCpuPerSecond: idle.cpuMs / 5, wakeMs })
  },
  /** Works until it is killed. */
  async work() {
    const runtime = await open(twoTurns)
    runtime.run()
    await Promise.all(Array.from({ length: N }, (_, i) => submit(runtime, PROMPT(i))))
    tell({ ready: true })
    await new Promise(() => setInterval(() => undefined, 1_000))
  },
  /** Start on a database that a killed process left: milliseconds from process start to the first claim. */
  async resume() {
    const runtime = await open(twoTurns)
    const first = new Promise<number>((resolve) => {
      runtime.store.onCommit((events) => {
        if (events.some((e) => e.type === 'task.moved' && e.to === 'assigned')) resolve(performance.now())
      })
    })
    const runner = runtime.run()
    const firstClaimMs = await first
    await runner.stop(0)
    await runtime.close()
    tell({ firstClaimMs })
  },
  /** What the policy costs a call: facts read and judged against ten rules, over lines of all kinds. */
  async policy() {
    const lines = [
      'ls -l src',
      'git log --oneline -n 5',
      'npm run build && npm test',
      'cat a.txt | grep -n foo | sort > out.txt',
      'curl -sS x.example/y',
      'echo "$(date)"',
    ]
    const rules: Rule[] = Array.from({ length: 10 }, (_, i) => ({
      id: `r${i}`,
      verdict: i < 5 ? 'allow' : 'deny',
      scope: i < 5 ? 'command' : 'program',
      signature: `none-${i}`,
      label: 'bench',
      treeId: null,
      agent: null,
      tainted: false,
      createdBy: 'bench',
      createdAt: '2026-01-01T00:00:00.000Z',
      expiresAt: null,
      hits: 0,
      lastHitAt: null,
      revokedAt: null,
    }))
    const once = (i: number): void => {
      const command = lines[i % lines.length]!
      const action = { tool: 'use_terminal', command, cwd: '.' }
      const about = {
        tool: 'use_terminal',
        permission: 'exec',
        effect: 'once',
        asks: true,
        action,
        risk: 'low',
        treeId: 't',
        agent: 'a',
      } as const
      judge(caseOf({ ...about, by: 'agent', run: { shell: command }, cwd: '.' }), ['web'], rules, 0)
    }
    for (let i = 0; i < 2_000; i++) once(i)
    const { wallMs, cpuMs } = await measured(async () => {
      for (let i = 0; i < N; i++) once(i)
    })
    tell({ wallMicros: (wallMs * 1_000) / N, cpuMicros: (cpuMs * 1_000) / N })
  },
  /** N open items, listed as the page and the command line list them. */
  async queue() {
    const runtime = await open(() => endWith(WORDS))
    const { treeId } = await submit(runtime, PROMPT('queue'))
    await runtime.store.transact(async (tx) => {
      for (let i = 0; i < N; i++) {
        const action = { command: `ls ${i}`, cwd: '.' }
        const policy = {
          reason: 'an agent thought of this command',
          signature: 's',
          taint: [],
          offers: [{ scope: 'exact' as const, signature: 'x', label: `exactly this: ls ${i}` }],
        }
        const taskId = `${treeId}.3a.5b`
        await openReview(tx, {
          id: `${taskId}/${i}`,
          kind: 'permission',
          treeId,
          taskId,
          callId: null,
          title: `Run ls ${i}`,
          action,
          risk: 'low',
          policy,
        })
      }
    })
    const listMs: number[] = []
    for (let i = 0; i < 20; i++) {
      const { wallMs } = await measured(async () => {
        const { items } = await runtime.tasks.reviews({ state: 'open', limit: N })
        if (items.length !== N || JSON.stringify({ items }).length < N) throw new Error('the list is not whole')
      })
      listMs.push(wallMs)
    }
    await runtime.close()
    tell({ listMs: listMs.sort((a, b) => a - b)[10] })
  },
  async cold() {
    const runtime = await open(twoTurns)
    const done = ended(runtime, 1)
    const runner = runtime.run()
    await submit(runtime, PROMPT('cold'))
    await done
    const wallMs = performance.now()
    const used = process.cpuUsage()
    const rss = process.memoryUsage().rss / 2 ** 20
    await runner.stop(5_000)
    await runtime.close()
    tell({ wallMs, cpuMs: (used.user + used.system) / 1_000, rss })
  },
}

const part = parts[name]
if (!part) throw new Error(`no such measurement: ${name}; there are ${Object.keys(parts).join(', ')}`)
await part()
process.exit(0)
