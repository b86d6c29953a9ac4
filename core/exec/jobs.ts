/**
 * Commands in the background of a task: started, looked at, written to and stopped in calls of their own. A job runs as any other command
 * does (same walls, limits and environment), belongs to its task and ends with it. Its row says what it is and what it put out; the process
 * itself lives no longer than the runtime, and after a restart the row says so.
 *
 * Output is kept without secrets, from the first byte on: a value that comes in two pieces is held back until it is whole.
 */
import type { Event } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { isOver, type TaskStatus } from '../contract/task.ts'
import type { StreamRedactor } from '../secrets/stream.ts'
import type { Store } from '../store/store.ts'
import type { Command, CommandResult, Exec, Input, Isolation } from './exec.ts'
import { type JobOutput, jobOutput } from './job-output.ts'
import { beginJob, type JobMoment, type JobRow, jobsOf } from './job-rows.ts'

export type JobLimits = { perTask: number; perSystem: number }
export const JOB_LIMITS: JobLimits = { perTask: 4, perSystem: 16 }
/** What a call is told of a job. */
export type JobNews = {
  name: string
  command: string
  state: 'running' | 'ended'
  isolation: string
  exitCode: number | null
  /** What ended it. */
  ending: string | null
  /** New since the last look, plain; all of it when the job was lost with a restart. */
  output: string
  outputBytes: number
  /** `output` is all that was kept, because nobody knows what was told before. */
  whole: boolean
  wallMs: number
  cpuMs: number | null
  peakMemoryBytes: number | null
}
export type LiveJob = {
  name: string
  run: Command['run']
  command: string
  cwd: string
  isolation: Isolation
  terminal: boolean
  secrets: readonly string[]
  /** That it may reach. */
  hosts: readonly string[]
}
export type JobStart = Omit<Command, 'live' | 'workspace'> & {
  workspace: string
  /** Relative to the workspace, for people. */
  place: string
  line: string
  terminal?: { columns: number; rows: number }
  secrets: readonly string[]
  hosts: readonly string[]
}
/** Until when a look waits: for new output and a moment of quiet, or for the end; never longer than `ms`. */
export type JobWait = { until: 'output' | 'end'; ms: number }

export type Jobs = {
  /** Starts a job, or answers the one that this very call started before. `around` is called with what runs as long as the job does. */
  start(
    at: JobMoment,
    given: JobStart,
    around: (act: () => Promise<CommandResult>) => Promise<CommandResult>,
    signal: AbortSignal,
  ): Promise<JobNews>
  /** A job of this task that runs in this process. */
  live(taskId: string, name: string): LiveJob | null
  /** What is new. Asking again in the name of the same call tells the same and what came since. */
  poll(taskId: string, name: string, callId: string, wait: JobWait, signal: AbortSignal): Promise<JobNews>
  /** Types a text; a Fault when it is over. */
  write(taskId: string, name: string, given: { text: string; end: boolean }): void
  /** Politely, then by force, with all that it started; resolves when it is over. */
  stop(taskId: string, name: string): Promise<void>
  /** All of a task, the newest last. */
  of(taskId: string): Promise<JobRow[]>
  /** At the start: jobs of a process that is gone are over. Answers how many. */
  recover(): Promise<number>
  close(): Promise<void>
}

type Held = LiveJob & {
  id: string
  at: JobMoment
  startedAt: number
  output: JobOutput
  input: Input | null
  stop: AbortController
  /** Why it was stopped, in words for its row. */
  why: string | null
  done: Promise<void>
  over: boolean
  /** Row as it was last written. */
  ended: JobRow | null
}

const OUTPUT_BYTES = 30_000
const SAVE_MS = 500
/** Nothing new for this long, and a look that waits for output has it all. */
const QUIET_MS = 300
/** From the start of a job to its first answer: long enough for a program that fails at once. */
const FIRST_LOOK_MS = 700
/** A process says this often that its jobs still run; on a shared database one that was silent for longer is gone. */
const BEAT_MS = 20_000
const SILENT_MS = 90_000
/** Jobs that are over are kept this many a task with what was not told yet; of older ones the row is left. */
const KEPT = 20
const RESTART = 'ended by a restart of the system'

export function openJobs(parts: {
  store: Store
  exec: Exec
  redactStream(): StreamRedactor
  redact(text: string): string
  now(): number
  limits?: Partial<JobLimits>
  onError(error: unknown): void
  failPoint?: (name: string) => void
}): Jobs {
  const { store, exec, now, failPoint = () => undefined } = parts
  const limits = { ...JOB_LIMITS, ...parts.limits }
  const held = new Map<string, Held>()
  let closing = false
  const forget = store.onCommit((events) => {
    for (const event of events) for (const job of endedBy(event)) void end(job, 'its task is over').then(() => drop(job))
  })
  const beat = setInterval(() => {
    const all = [...held.values()].filter((job) => !job.over).map(save)
    if (store.kind === 'postgres') all.push(lose().then(() => undefined))
    Promise.all(all).catch(parts.onError)
  }, BEAT_MS)
  beat.unref()

  /** One process owns an embedded database: whatever runs in its rows and not here, runs nowhere. */
  const lose = (): Promise<number> =>
    store.transact(async (tx) => {
      const rows = await tx.db
        .updateTable('jobs')
        .set({ state: 'ended', ending: RESTART, ended_at: tx.now })
        .where('state', '=', 'running')
        .where('seen_at', '<=', store.kind === 'sqlite' ? tx.now : tx.now - SILENT_MS)
        .returningAll()
        .execute()
      for (const row of rows)
        tx.record(row.tree_id, { type: 'job.ended', taskId: row.task_id, job: row.name, exitCode: null, ending: RESTART })
      return rows.length
    })
  const drop = (job: Held): void => {
    if (held.get(key(job.at.taskId, job.name)) === job) held.delete(key(job.at.taskId, job.name))
  }

  /** A task that is over, was begun anew from an earlier message, or gave its work away has no use for what it had started. */
  function endedBy(event: Event): Held[] {
    if (event.type === 'task.moved' && isOver(event.to)) return ofTask(event.taskId)
    if (event.type === 'task.controlled' && event.verb === 'rerun') return ofTask(event.taskId)
    if (event.type === 'task.moved' && event.to === 'waiting') for (const job of ofTask(event.taskId)) void endIfHandedOver(job)
    return []
  }
  const ofTask = (taskId: string): Held[] => [...held.values()].filter((job) => job.at.taskId === taskId)
  async function endIfHandedOver(job: Held): Promise<void> {
    const task = await store.db.selectFrom('tasks').select('handover').where('id', '=', job.at.taskId).executeTakeFirst()
    if (task?.handover === 1) await end(job, 'its task gave its work away')
  }
  async function end(job: Held, why: string): Promise<void> {
    job.why ??= why
    job.stop.abort()
    await job.done
  }
  const key = (taskId: string, name: string): string => `${taskId}/${name}`

  async function save(job: Held): Promise<void> {
    const { text, bytes } = job.output.all()
    await store.transact(async (tx) => {
      await tx.db
        .updateTable('jobs')
        .set({ output: text, output_bytes: bytes, seen_at: tx.now })
        .where('id', '=', job.id)
        .where('state', '=', 'running')
        .execute()
    })
  }

  async function finish(job: Held, how: { result: CommandResult } | { error: unknown }): Promise<void> {
    job.output.end()
    const { text, bytes } = job.output.all()
    const result = 'result' in how ? how.result : null
    const restart = job.why === null && closing
    const ending =
      result === null && !job.stop.signal.aborted
        ? `not run: ${how && 'error' in how && how.error instanceof Fault ? how.error.message : 'the system failed; its log says why'}`
        : restart
          ? RESTART
          : result === null
            ? (job.why ?? 'stopped') // so early that it had not begun
            : endingOf(result, job.why)
    await store.transact(async (tx) => {
      const row = await tx.db
        .updateTable('jobs')
        .set({
          state: 'ended',
          ending: parts.redact(ending),
          exit_code: result?.exitCode ?? null,
          isolation: result?.isolation ?? job.isolation,
          output: text,
          output_bytes: bytes,
          cpu_ms: rounded(result?.usage.cpuMs),
          peak_memory_bytes: rounded(result?.usage.peakMemoryBytes),
          ended_at: tx.now,
          seen_at: tx.now,
        })
        .where('id', '=', job.id)
        .where('state', '=', 'running')
        .returningAll()
        .executeTakeFirst()
      if (!row) return
      tx.record(row.tree_id, { type: 'job.ended', taskId: row.task_id, job: row.name, exitCode: row.exit_code, ending: row.ending ?? '' })
      tx.afterCommit(() => (job.ended = row))
    })
  }

  async function find(taskId: string, name: string): Promise<JobRow> {
    const row = await store.db.selectFrom('jobs').selectAll().where('task_id', '=', taskId).where('name', '=', name).executeTakeFirst()
    if (row) return row
    const names = (await of(taskId)).map((one) => `${one.name} (${one.state})`)
    throw new Fault('not_found', `This task has no job "${name.slice(0, 64)}". Its jobs: ${names.join(', ') || 'none'}.`)
  }
  const of = (taskId: string) => jobsOf(store, taskId)

  function newsOf(job: Held, callId: string): JobNews {
    const { ended } = job
    const { text, bytes } = job.output.since(callId)
    return {
      ...(ended ? storedNews(ended) : runningNews(job, now())),
      output: text,
      outputBytes: bytes,
      whole: false,
    }
  }

  return {
    live: (taskId, name) => {
      const job = held.get(key(taskId, name))
      return job && !job.over ? job : null
    },
    of,

    async start(at, given, around, signal) {
      const same = [...held.values()].find((job) => job.id === at.callId)
      if (same) return newsOf(same, at.callId)
      if (closing) throw new Fault('unavailable', 'The system is stopping and starts no more commands; run it again after the restart.')
      const row = await beginJob(
        store,
        at,
        { ...given, line: parts.redact(given.line), isolation: given.isolation ?? exec.isolation },
        limits,
      )
      failPoint('job.after-row')
      const begun = Promise.withResolvers<void>()
      const job: Held = {
        id: row.id,
        name: row.name,
        at,
        run: given.run,
        command: row.command,
        cwd: given.place,
        isolation: given.isolation ?? exec.isolation,
        terminal: given.terminal !== undefined,
        secrets: given.secrets,
        hosts: given.hosts,
        startedAt: now(),
        output: jobOutput({ redactor: parts.redactStream(), keep: OUTPUT_BYTES, plain: true }),
        input: null,
        stop: new AbortController(),
        why: null,
        done: Promise.resolve(),
        over: false,
        ended: null,
      }
      held.set(key(at.taskId, row.name), job)
      let saving: NodeJS.Timeout | undefined
      let saved: Promise<void> = Promise.resolve()
      const forgetOutput = job.output.onNew(() => {
        saving ??= setTimeout(() => {
          saving = undefined
          saved = save(job).catch(parts.onError)
        }, SAVE_MS)
      })
      const { place: _, line: __, secrets: ___, hosts: ____, terminal, ...command } = given
      const live = {
        onOutput: job.output.add,
        onStart: (input: Input) => {
          job.input = input
          begun.resolve()
        },
        ...(terminal ? { terminal } : {}),
      }
      const run = () => around(() => exec.run({ ...command, outputBytes: 1_000, live }, job.stop.signal))
      job.done = run()
        .then(
          (result) => ({ result }),
          (error: unknown) => ({ error }),
        )
        .then(async (how) => {
          job.over = true
          forgetOutput()
          clearTimeout(saving)
          await saved
          failPoint('job.before-end')
          await finish(job, how)
          failPoint('job.after-end')
          for (const old of ofTask(at.taskId)
            .filter((one) => one.over)
            .slice(0, -KEPT))
            drop(old)
          begun.resolve()
          if ('error' in how) {
            begun.promise.catch(() => undefined) // the same error is thrown here
            throw how.error
          }
        })
      job.done.catch((error: unknown) => {
        begun.reject(error)
        if (!(error instanceof Fault) && !job.stop.signal.aborted) parts.onError(error)
      })
      job.done = job.done.catch(() => undefined) // told to whoever started it, and kept in its row
      // Its task may have ended while it was started.
      const task = await store.db.selectFrom('tasks').select('status').where('id', '=', at.taskId).executeTakeFirst()
      if (!task || isOver(task.status as TaskStatus)) void end(job, 'its task is over')
      await begun.promise
      if (!job.over) await job.output.wait({ until: 'output', ms: FIRST_LOOK_MS, quietMs: QUIET_MS }, job.done, signal)
      if (job.over) await job.done
      const news = newsOf(job, at.callId)
      if (news.ending?.startsWith('not run: ')) throw new Fault('invalid', news.ending.slice('not run: '.length))
      return news
    },

    async poll(taskId, name, callId, wait, signal) {
      const job = held.get(key(taskId, name))
      if (!job) return { ...storedNews(await find(taskId, name)), whole: true }
      if (!job.over) await job.output.wait({ ...wait, quietMs: QUIET_MS }, job.done, signal)
      if (job.over) await job.done
      return newsOf(job, callId)
    },

    write(taskId, name, { text, end: ends }) {
      const job = held.get(key(taskId, name))
      if (!job || job.over || !job.input) throw new Fault('conflict', `${name} does not run and reads nothing.`)
      if (text !== '') job.input.write(text)
      if (ends) job.input.end()
    },

    async stop(taskId, name) {
      const job = held.get(key(taskId, name))
      if (job) await end(job, 'stopped by its agent')
      else await find(taskId, name)
    },

    async recover() {
      const lost = await lose()
      failPoint('job.after-recover')
      return lost
    },

    async close() {
      closing = true
      clearInterval(beat)
      forget()
      for (const job of held.values()) job.stop.abort()
      await Promise.all([...held.values()].map((job) => job.done))
    },
  }
}

const rounded = (value: number | null | undefined): number | null => (value == null ? null : Math.round(value))

function endingOf(result: CommandResult, why: string | null): string {
  const oom = result.oomKilled ? ', for want of memory' : ''
  if (result.timedOut) return 'its time was over'
  if (result.aborted) return why ?? 'stopped'
  if (result.exitCode !== null) return `exit code ${result.exitCode}${oom}`
  return result.signal === null ? 'it could not be ended' : `killed by ${result.signal}${oom}`
}

function runningNews(job: Held, now: number) {
  return {
    name: job.name,
    command: job.command,
    state: 'running' as const,
    isolation: job.isolation,
    exitCode: null,
    ending: null,
    wallMs: now - job.startedAt,
    cpuMs: null,
    peakMemoryBytes: null,
  }
}
function storedNews(row: JobRow) {
  return {
    name: row.name,
    command: row.command,
    state: row.state as 'running' | 'ended',
    isolation: row.isolation,
    exitCode: row.exit_code === null ? null : Number(row.exit_code),
    ending: row.ending,
    output: row.output,
    outputBytes: Number(row.output_bytes),
    wallMs: Number(row.ended_at ?? row.seen_at) - Number(row.started_at),
    cpuMs: row.cpu_ms === null ? null : Number(row.cpu_ms),
    peakMemoryBytes: row.peak_memory_bytes === null ? null : Number(row.peak_memory_bytes),
  }
}
