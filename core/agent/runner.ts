/** Keeps up to `slots` tasks moving. A task that waits holds no slot, no promise and no memory. */
import { isDiskFull, type Store } from '../store/store.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { LEASE_MS, type Lease } from '../tasks/turns.ts'

export type RunnerParts = {
  store: Store
  tasks: Tasks
  /** Works one claimed task until its claim is over. */
  work(lease: Lease, signal: AbortSignal): Promise<void>
  /** Turns that may run at the same time; asked each time. */
  slots: () => number
  worker: string
  now(): number
  /** A bug or a broken disk; the task is tried again a little later, three times. */
  onError(error: unknown, lease: Lease | null): void
  leaseMs?: number
  /** Milliseconds between two thorough sweeps. */
  thoroughMs?: number
}

export type Runner = {
  /** Looks for work now. */
  wake(): void
  active(): number
  /** Turns under way here, and since when. */
  turns(): { taskId: string; since: number }[]
  /** No new claims; resolves when all turns under way have ended or parked, at the latest after `graceMs`, when they are cut off. */
  stop(graceMs: number): Promise<void>
}

/** A turn that broke, until that is written down. */
type Fall = { lease: Lease; words: string; blameless: boolean }

const QUICK_MS = 1_000
const THOROUGH_MS = 60_000

export function startRunner(parts: RunnerParts): Runner {
  const { store, tasks } = parts
  const running = new Map<string, { lease: Lease; cut: AbortController; done: Promise<void>; since: number }>()
  const unwritten = new Set<Fall>()
  let stopping = false
  let looking = false
  let again = false

  const runningAlone = (): boolean => running.values().some(({ lease }) => lease.alone)

  async function look(): Promise<void> {
    if (looking) {
      again = true
      return
    }
    looking = true
    try {
      do {
        again = false
        // Most looks find nothing, and a transaction that claims nothing is dearer than a read.
        while (!stopping && running.size < parts.slots() && !runningAlone() && (await tasks.turns.ready())) {
          const leases = await tasks.turns.lease(parts.worker, parts.slots() - running.size, running.size === 0)
          if (leases.length === 0) break
          for (const lease of leases) begin(lease)
        }
      } while (again && !stopping)
    } catch (error) {
      parts.onError(error, null)
    } finally {
      looking = false
    }
  }

  /** If even this cannot be written, as on a full disk, it is tried each second; at the latest the lease runs out and the sweep finds the task. */
  async function stumbled(fall: Fall): Promise<void> {
    try {
      await tasks.turns.stumble(fall.lease, fall.words, fall)
      unwritten.delete(fall)
    } catch (again) {
      if (!unwritten.has(fall)) parts.onError(again, fall.lease)
      unwritten.add(fall)
    }
  }

  function begin(lease: Lease): void {
    const cut = new AbortController()
    const done = parts
      .work(lease, cut.signal)
      .catch((error: unknown) => {
        parts.onError(error, lease)
        return stumbled({ lease, words: error instanceof Error ? error.message : String(error), blameless: isDiskFull(error) })
      })
      .finally(() => {
        if (running.get(lease.taskId)?.lease === lease) running.delete(lease.taskId)
        void look()
      })
    running.set(lease.taskId, { lease, cut, done, since: parts.now() })
  }

  const unsubscribe = store.onCommit((events) => {
    if (
      running.size < parts.slots() &&
      events.some(
        (e) =>
          e.type === 'system.resumed' ||
          (e.type === 'task.moved' && e.to === 'pending') ||
          (e.type === 'task.created' && e.task.status === 'pending'),
      )
    )
      void look()
  })
  const uncut = tasks.onCut((taskId) => running.get(taskId)?.cut.abort())

  async function sweep(kind: 'quick' | 'thorough'): Promise<void> {
    try {
      for (const fall of unwritten) await stumbled(fall)
      await tasks.sweep(kind, parts.now())
      await look()
    } catch (error) {
      if (!stopping) parts.onError(error, null)
    }
  }
  const quick = setInterval(() => void sweep('quick'), QUICK_MS)
  const thorough = setInterval(() => void sweep('thorough'), parts.thoroughMs ?? THOROUGH_MS)
  const renewing = setInterval(
    () => {
      for (const { lease, cut } of running.values())
        tasks.turns.renew(lease).then(
          (mine) => {
            if (!mine && running.get(lease.taskId)?.lease === lease) cut.abort()
          },
          (error: unknown) => parts.onError(error, lease),
        )
    },
    Math.floor((parts.leaseMs ?? LEASE_MS) / 3),
  )
  void look()

  return {
    wake: () => void look(),
    active: () => running.size,
    turns: () => [...running].map(([taskId, { since }]) => ({ taskId, since })),
    async stop(graceMs) {
      stopping = true
      unsubscribe()
      for (const timer of [quick, thorough, renewing]) clearInterval(timer)
      const all = () => Promise.all([...running.values()].map((r) => r.done))
      let timer: NodeJS.Timeout | undefined
      await Promise.race([all(), new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))])
      clearTimeout(timer)
      for (const { cut } of running.values()) cut.abort()
      await all()
      uncut()
    },
  }
}
