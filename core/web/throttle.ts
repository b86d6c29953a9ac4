/** Keeps requests to one host apart. Per process: several workers each keep their own pace. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../contract/fault.ts'

export type Throttle = {
  /** Resolves when it is this caller's turn; a Fault when that would be too long from now. `gapMs`: until the next one may go. */
  turn(host: string, signal: AbortSignal, gapMs?: number): Promise<void>
}

const MOST_HOSTS = 1_000

export function openThrottle({ gapMs, longestWaitMs, now }: { gapMs: number; longestWaitMs: number; now(): number }): Throttle {
  const free = new Map<string, number>()
  return {
    async turn(host, signal, gap = gapMs) {
      const present = now()
      if (free.size > MOST_HOSTS) for (const [name, at] of free) if (at <= present) free.delete(name)
      const at = Math.max(present, free.get(host) ?? 0)
      const wait = at - present
      if (wait > longestWaitMs)
        throw new Fault(
          'limited',
          `Too many requests to ${host} are waiting; it is asked again in ${Math.ceil(wait / 1_000)} s. Do something else until then.`,
        )
      free.set(host, at + gap)
      if (wait > 0) await sleep(wait, undefined, { signal })
    },
  }
}
