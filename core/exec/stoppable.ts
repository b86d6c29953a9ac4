/** Commands under way, so that a runtime that stops can end them all and begin none. */
import { Fault } from '../contract/fault.ts'
import type { Command, CommandResult, Exec } from './exec.ts'

export type Stoppable = Pick<Exec, 'run'> & {
  /** Ends what runs, as an abort does, waits for it, and refuses what comes later. */
  stop(): Promise<void>
}

export function stoppable(start: (command: Command, signal: AbortSignal) => Promise<CommandResult>): Stoppable {
  const running = new Map<Promise<CommandResult>, () => void>()
  let stopped = false
  return {
    run(command, signal) {
      if (stopped)
        return Promise.reject(
          new Fault('unavailable', 'The system is stopping and starts no more commands; run it again after the restart.'),
        )
      const stop = new AbortController()
      const result = start(command, AbortSignal.any([signal, stop.signal]))
      running.set(result, () => stop.abort())
      const done = () => {
        running.delete(result)
      }
      result.then(done, done)
      return result
    },
    async stop() {
      stopped = true
      for (const abort of running.values()) abort()
      await Promise.allSettled(running.keys())
    },
  }
}
