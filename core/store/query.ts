/**
 * The door to what agents ask of the database. Queries run in child processes, because a query that runs away can be stopped by nothing
 * but SIGKILL (a terminated worker thread waits for its native code: 12.7 s measured, a killed process 5 ms). On SQLite a read-only
 * connection whose authorizer allows the readable tables, on PostgreSQL a read-only transaction over views of them (see query-child.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Fault } from '../contract/fault.ts'
import type { QueryResult } from '../contract/readable.ts'
import type { Question, Reply } from './query-child.ts'

export type QueryLimits = { maxRows: number; maxBytes: number; timeoutMs: number }
export type Query = {
  /** One SELECT. Rejects with a Fault that says what to write instead. A stop, or `timeoutMs` of running, kills the query. */
  query(sql: string, limits: QueryLimits, signal: AbortSignal): Promise<QueryResult>
  /** Kills what runs. */
  close(): Promise<void>
}

/** Queries side by side; more wait. */
const CHILDREN = 3
/** One child is kept for the next query; after this time without one it goes too. */
const IDLE_MS = 60_000
const START_MS = 15_000
const CELL_CHARS = 4_000
/** On PostgreSQL the server ends a query in time; the kill is for when it does not answer. */
const SERVER_GRACE_MS = 1_000

export function openQuery(databaseUrl: string): Query {
  const grace = databaseUrl.startsWith('sqlite:') ? 0 : SERVER_GRACE_MS
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  const waiting: (() => void)[] = []
  let busy = 0
  let closed = false
  let idleTimer: NodeJS.Timeout | undefined

  async function start(): Promise<ChildProcess> {
    const child = spawn(
      process.execPath,
      ['--no-warnings', '--max-old-space-size=192', fileURLToPath(new URL('query-child.ts', import.meta.url))],
      {
        cwd: '/',
        env: {}, // neither keys nor settings of the runtime
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'ipc'],
      },
    )
    all.add(child)
    child.once('exit', () => {
      all.delete(child)
      const at = idle.indexOf(child)
      if (at >= 0) idle.splice(at, 1)
    })
    child.on('error', () => child.kill('SIGKILL')) // a message to a child that is gone; its exit is what is waited for
    await once(child, 'spawn')
    hold(child, false)
    return child
  }

  /** Only a query under way keeps the runtime alive. */
  function hold(child: ChildProcess, held: boolean): void {
    const pipe = child.stdio[3] as unknown as { ref(): void; unref(): void } | null
    for (const end of [child, child.channel, pipe]) {
      if (held && end !== pipe) end?.ref()
      else end?.unref()
    }
  }

  function put(child: ChildProcess): void {
    if (closed || idle.length > 0 || !child.connected) {
      child.kill('SIGKILL')
      return
    }
    hold(child, false)
    idle.push(child)
    clearTimeout(idleTimer)
    idleTimer = setTimeout(() => {
      for (const one of idle.splice(0)) one.kill('SIGKILL')
    }, IDLE_MS)
    idleTimer.unref()
  }

  async function ask(child: ChildProcess, question: Question, signal: AbortSignal): Promise<Reply | 'late' | 'stopped' | 'died'> {
    hold(child, true)
    let timer: NodeJS.Timeout | undefined
    let settle: (value: Reply | 'late' | 'stopped' | 'died') => void = () => undefined
    const died = () => settle('died')
    const stopped = () => settle('stopped')
    const replied = (reply: Reply) => settle(reply)
    const end = new Promise<Reply | 'late' | 'stopped' | 'died'>((resolve) => {
      settle = resolve
    })
    child.once('message', replied).once('exit', died)
    signal.addEventListener('abort', stopped, { once: true })
    try {
      if (signal.aborted) return 'stopped'
      timer = setTimeout(() => settle('late'), question.timeoutMs + grace)
      child.send(question)
      return await end
    } finally {
      clearTimeout(timer)
      child.off('message', replied).off('exit', died)
      signal.removeEventListener('abort', stopped)
    }
  }

  async function turn(): Promise<void> {
    if (busy >= CHILDREN) await new Promise<void>((resolve) => waiting.push(resolve))
    else busy++
  }
  function next(): void {
    const first = waiting.shift()
    if (first) first()
    else busy--
  }

  return {
    async query(sql, limits, signal) {
      if (closed) throw new Fault('unavailable', 'The system is stopping; try again when it is back.')
      await turn()
      let child: ChildProcess | undefined
      try {
        child = idle.pop() ?? (await ready(start))
        const reply = await ask(child, { url: databaseUrl, sql, cellChars: CELL_CHARS, ...limits }, signal)
        if (typeof reply === 'object') {
          put(child)
          if ('result' in reply) return reply.result
          throw new Fault(reply.code, reply.problem)
        }
        child.kill('SIGKILL')
        if (reply === 'late')
          throw new Fault(
            'limited',
            `The query took longer than ${limits.timeoutMs / 1_000} s and was stopped; narrow it with WHERE, or count in the query.`,
          )
        if (reply === 'stopped') throw new Fault('unavailable', 'The query was stopped.')
        throw new Fault('limited', 'The query ended its process, most likely by the memory it needed; read fewer or shorter columns.')
      } finally {
        next()
      }
    },
    async close() {
      closed = true
      clearTimeout(idleTimer)
      const gone = [...all].map((child) => once(child, 'exit'))
      for (const child of all) child.kill('SIGKILL')
      await Promise.all(gone)
    },
  }
}

/** The time that a process takes to start on a busy machine is not the query's. */
async function ready(start: () => Promise<ChildProcess>): Promise<ChildProcess> {
  const child = await start()
  const begun = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), START_MS)
    const end = (value: boolean) => {
      clearTimeout(timer)
      resolve(value)
    }
    child.once('message', () => end(true))
    child.once('exit', () => end(false))
  })
  if (begun) return child
  child.kill('SIGKILL')
  throw new Fault('unavailable', 'The process that reads the database could not be started; try again in a minute.')
}
