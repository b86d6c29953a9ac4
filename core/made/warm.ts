/**
 * Processes that have started before they are needed. Each waits behind its walls with nothing of the tool's code loaded, serves one command and
 * ends: what it is later given is all that it ever knew, so no call sees anything of another. Nothing of it is remembered.
 */
import type { Command, CommandResult, Exec, Input } from '../exec/exec.ts'

export type WarmLimits = {
  /** Waiting at the same time. */
  most: number
  /** Without being used, until one is ended. */
  idleMs: number
}
export const WARM_LIMITS: WarmLimits = { most: 4, idleMs: 60_000 }

/** A command whose input comes later. */
export type Waiting = Omit<Command, 'live' | 'stdin'>
type Entry = { input: Promise<Input | null>; result: Promise<CommandResult | null>; stop: AbortController; idle: NodeJS.Timeout }
export type Warm = ReturnType<typeof openWarm>

export function openWarm(parts: { exec: Pick<Exec, 'run'>; limits: WarmLimits }) {
  const { most, idleMs } = parts.limits
  const entries = new Map<string, Entry>()
  let closed = false

  function leave(key: string, entry: Entry): void {
    clearTimeout(entry.idle)
    if (entries.get(key) === entry) entries.delete(key)
  }
  async function end(key: string, entry: Entry): Promise<void> {
    leave(key, entry)
    entry.stop.abort()
    await entry.result
  }

  return {
    /** Starts one for this key, unless one waits already. What cannot be started is not: the call then says why. */
    prepare(key: string, command: Waiting): void {
      if (closed || entries.has(key)) return
      const [oldest] = entries.size >= most ? entries : []
      if (oldest) void end(...oldest)
      const stop = new AbortController()
      const begun = Promise.withResolvers<Input | null>()
      const live = { onStart: begun.resolve, onOutput: () => undefined }
      // It lives as long as it may wait and as the call may take.
      const run = parts.exec.run({ ...command, live, timeoutMs: idleMs + command.timeoutMs }, stop.signal)
      const entry: Entry = {
        input: begun.promise,
        result: run.catch(() => null), // it could not be started; the call starts its own and tells
        stop,
        idle: setTimeout(() => void end(key, entry), idleMs).unref(),
      }
      entries.set(key, entry)
      void entry.result.then(() => {
        begun.resolve(null)
        leave(key, entry)
      })
    },
    /**
     * Gives the one that waits its input and answers how it ended, within the time of the command counted from now. Null: none waits, and
     * nothing was done.
     */
    async serve(key: string, { timeoutMs }: Waiting, stdin: string, signal: AbortSignal): Promise<CommandResult | null> {
      const entry = entries.get(key)
      if (!entry) return null
      leave(key, entry)
      let timedOut = false
      const timer = setTimeout(() => {
        timedOut = true
        entry.stop.abort()
      }, timeoutMs)
      const abort = () => entry.stop.abort()
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      try {
        const input = await entry.input
        if (input === null) return null
        try {
          input.write(stdin)
          input.end()
        } catch {
          await entry.result
          return null // it has ended before it was asked
        }
        const result = await entry.result
        return result === null ? null : { ...result, timedOut, aborted: result.aborted && !timedOut }
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      }
    },
    waiting: (): number => entries.size,
    /** Ends all and starts no more. Resolves when they have ended. */
    async close(): Promise<void> {
      closed = true
      await Promise.all([...entries].map(([key, entry]) => end(key, entry)))
    },
  }
}
