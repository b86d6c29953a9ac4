/**
 * Proof of the watchdog on a clock of its own: tasks that are stuck are found within the interval and helped or held within another, tasks that are
 * healthy but slow are never touched. The rows, facts and verbs are those that agents use; only the time is made. `node scripts/proof/watchdog.ts
 * [seed]`; the tests run the same.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts'
import { noUsage } from '../../core/contract/task.ts'
import { openWatchdog } from '../../core/observe/watchdog/watchdog.ts'
import { openStore } from '../../core/store/store.ts'
import { openTasks } from '../../core/tasks/tasks.ts'
import type { Lease } from '../../core/tasks/turns.ts'
import { type Beat, healthyLives, type Life, stuckLives } from './watchdog-traces.ts'

const INTERVAL_S = 60
/** Between two looks: a tenth of the interval, as the engine has it. */
const LOOK_S = INTERVAL_S / 10
const START = Date.UTC(2026, 0, 1)
/** A life that nobody ends is a failed proof. */
const MOST_BEATS = 400

/** Seconds from the moment at which the sign was complete; null: it never came. `touched`: anything at all was done. */
export type Lived = {
  kind: string
  foundAfter: number | null
  settledAfter: number | null
  touched: string[]
  ended: string
  done: number
  of: number
}

/** Lives them all on one database, one after another, and says what the watchdog did to each. */
export async function live(all: readonly Life[]): Promise<Lived[]> {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-watchdog-'))
  let now = START
  const store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`, { now: () => now })
  try {
    const tasks = openTasks(store, { leaseMs: 10 * 365 * 86_400_000 })
    const watchdog = openWatchdog({
      store,
      now: () => now,
      judges: () => true,
      otherModel: async () => null,
      supervisor: async () => null,
      intervalMs: () => INTERVAL_S * 1_000,
      patience: () => 1,
      onError(error) {
        throw error
      },
    })
    await watchdog.look()
    const lived: Lived[] = []
    for (const life of all) lived.push(await one(life))
    return lived

    /** Lets time pass, with the looks that fall into it; of long waits only the end is looked at closely. */
    async function pass(seconds: number): Promise<void> {
      const until = now + seconds * 1_000
      while (now < until) {
        const left = (until - now) / 1_000
        now = Math.min(until, now + (left > 30 ? left / 3 : LOOK_S) * 1_000)
        await watchdog.look()
      }
    }

    async function one(life: Life): Promise<Lived> {
      const limits = { ...DEFAULT_LIMITS, turns: 100_000, wallSeconds: 31_536_000, fanOut: 100, tasks: 1_000 }
      const goal = {
        goal: life.kind,
        agent: 'generalist',
        mode: 'auto',
        limits,
        priority: 0,
        workspace: 'shared',
        submittedBy: 'proof',
        origin: 'person',
      } as const
      const { treeId: id } = await tasks.createGoal(goal)
      const from = await store.lastSeq()
      let lease: Lease | null = null
      let complete: number | null = null
      let done = 0
      const loop = life.loop ?? []
      for (let i = 0; i < (life.loop ? MOST_BEATS : life.beats.length); i++) {
        const beat = life.beats[i] ?? loop[(i - life.beats.length) % loop.length]!
        lease = await claimed(id, lease)
        if (lease === null) break
        if (!(await happen(lease, beat))) lease = null
        done += 1
        if (life.after !== undefined && i - life.beats.length + 1 === life.after) complete = now
      }
      if (life.loop === undefined) await pass(120)
      const events = (await store.eventsAfter(from, { limit: 100_000, treeId: id })).filter(
        (event) => 'taskId' in event && event.taskId === id,
      )
      const seen = events.filter((event) => event.type === 'task.watched')
      const settled = events.findLast((event) => event.type === 'task.moved' && (event.to === 'paused' || event.to === 'failed'))
      const task = await tasks.task(id)
      const since = (at: string | undefined) => (at === undefined || complete === null ? null : (Date.parse(at) - complete) / 1_000)
      const touched = seen.map((event) => (event.type === 'task.watched' ? (event.watch?.rung ?? event.words) : ''))
      // Ends it, so that the next look has less to read and the next life is alone.
      if (!['done', 'failed', 'cancelled', 'dead'].includes(task.status)) await tasks.control(id, { verb: 'abort', by: 'proof' })
      await watchdog.look()
      return {
        kind: life.kind,
        foundAfter: since(seen[0]?.at ?? settled?.at),
        settledAfter: since(settled?.at),
        touched,
        done,
        of: life.beats.length,
        ended: `${task.status}${task.reason ? ` (${task.reason})` : ''}`,
      }
    }

    /** The lease of the task, waiting for whatever it waits for; null: it was held or is over. */
    async function claimed(id: string, lease: Lease | null): Promise<Lease | null> {
      if (lease !== null) return lease
      const task = await tasks.task(id)
      if (task.status !== 'pending') return null
      return (await tasks.turns.lease('proof', 100)).find((one) => one.taskId === id) ?? null
    }

    /** False: the lease is over. */
    async function happen(lease: Lease, beat: Beat): Promise<boolean> {
      const { turns } = tasks
      if (beat.do === 'job') {
        const job = { taskId: lease.taskId, job: beat.name }
        await store.transact(async (tx) =>
          tx.record(
            lease.treeId,
            beat.event === 'started'
              ? { type: 'job.started', ...job, command: 'make', isolation: 'sandbox' }
              : { type: 'job.ended', ...job, exitCode: 0, ending: 'exit' },
          ),
        )
        return true
      }
      if (beat.do === 'smaller' && beat.how !== 'overflow') {
        await turns.note(lease, { role: 'compaction', how: beat.how, upTo: 1, text: 'notes', dropped: { messages: 3, tokens: 1_000 } })
        return true
      }
      const started = await turns.begin(lease, { provider: 'proof', model: 'proof', tokens: 10, costMicros: 0, maxTurns: 100_000 })
      if (started.kind === 'gone') return false
      const told = { provider: 'proof', model: 'proof', usage: noUsage, costMicros: 0, latencyMs: 1 }
      if (beat.do === 'smaller' || beat.do === 'quota') {
        const isQuota = beat.do === 'quota'
        const retryAt = now + (isQuota ? beat.seconds * 1_000 : 0)
        await turns.fault(
          lease,
          started.call,
          { ...told, kind: isQuota ? 'later' : 'overflow', message: isQuota ? '429' : 'too large' },
          retryAt,
        )
        await pass(isQuota ? beat.seconds + 2 : LOOK_S)
        await tasks.sweep('quick', now)
        return false
      }
      if (beat.do === 'talk') {
        await pass(beat.seconds)
        return (await turns.reply(lease, started.call, { ...told, text: beat.text, calls: [] })).end === 'again'
      }
      if (beat.do === 'turn') {
        await pass(beat.seconds)
        const saved = await turns.reply(lease, started.call, { ...told, text: '', calls: beat.calls })
        for (const call of saved.calls) await turns.beginCall(lease, call.id, call.tool, 'idempotent')
        await pass(Math.max(0, ...beat.calls.map((call) => call.seconds ?? 0)))
        const ended = saved.calls.map((call, i) => ({ id: call.id, text: beat.calls[i]!.answer, isError: beat.calls[i]!.isError ?? false }))
        return (await turns.finish(lease, ended)) === 'again'
      }
      const saved = await turns.reply(lease, started.call, { ...told, text: '', calls: [{ tool: beat.do, input: { at: now } }] })
      const call = saved.calls[0]!.id
      if (beat.do === 'person') {
        const review = await turns.askPerson(lease, call, { kind: 'question', title: 'Which one?', action: {}, risk: 'low' })
        await turns.finish(lease, [])
        await pass(beat.seconds)
        await tasks.decide(review, { decision: 'answer', comment: `the one of ${now}` }, 'owner')
        return false
      }
      const specs = Array.from({ length: beat.count }, (_, i) => ({ instruction: `part ${i} at ${now}`, agent: 'generalist' }))
      const made = await turns.spawn(lease, call, specs, { wait: true })
      if (made.kind !== 'started') throw new Error(`no children: ${JSON.stringify(made)}`)
      await turns.finish(lease, [])
      const children = await turns.lease('proof', 1_000)
      for (const [i, child] of children.entries()) {
        for (let n = 0; n < 3; n++)
          await happen(child, {
            do: 'turn',
            seconds: beat.seconds / beat.count / 3,
            calls: [{ tool: 'read_file', input: { i, n }, answer: `part ${i} page ${n}` }],
          })
        await turns.begin(child, { provider: 'proof', model: 'proof', tokens: 10, costMicros: 0, maxTurns: 100_000 })
        const last = await turns.reply(child, 4, { ...told, text: '', calls: [{ tool: 'end_task', input: {} }] })
        await tasks.end(
          child,
          last.calls[0]!.id,
          { status: 'success', result: `found ${i}`, evidence: [] },
          { kind: 'computed', verdict: { passed: true, reasons: '' }, summary: `found ${i}` },
        )
      }
      return false
    }
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What is wrong with how a stuck life was met; null: nothing. */
export function stuckProblem(lived: Lived): string | null {
  const { kind, foundAfter, settledAfter, ended } = lived
  if (foundAfter === null) return `${kind}: never found (${ended})`
  if (foundAfter > INTERVAL_S) return `${kind}: found only after ${foundAfter} s`
  if (settledAfter === null || settledAfter - Math.max(0, foundAfter) > INTERVAL_S)
    return `${kind}: found after ${foundAfter} s and not settled within ${INTERVAL_S} s more (${settledAfter}, ${ended})`
  return null
}
export const healthyProblem = ({ kind, touched, ended, done, of }: Lived): string | null =>
  touched.length > 0 || /stuck|failed/.test(ended) || done < of
    ? `${kind}: ${done} of ${of} beats, touched (${touched.join(', ')}; ${ended})`
    : null

if (import.meta.main) {
  const seed = Number(process.argv[2] ?? 1)
  const begun = performance.now()
  const stuck = await live(stuckLives(seed))
  const well = await live(healthyLives(seed))
  const wrong = [...stuck.map(stuckProblem), ...well.map(healthyProblem)].filter((one) => one !== null)
  for (const one of wrong) console.log(`BROKEN ${one}`)
  const worst = (pick: (lived: Lived) => number | null) => Math.max(...stuck.map((one) => pick(one) ?? Number.POSITIVE_INFINITY))
  console.log(
    `seed ${seed}: ${stuck.length} stuck lives, found after at most ${worst((one) => one.foundAfter)} s, settled after at most ${worst((one) => one.settledAfter)} s of their clock; ${well.length} healthy lives, ${well.filter((one) => one.touched.length > 0).length} touched; ${wrong.length} broken (${Math.round((performance.now() - begun) / 1_000)} s)`,
  )
  process.exitCode = wrong.length > 0 ? 1 : 0
}
