/**
 * A circuit breaker per provider: after several failures in a row nobody calls for a while, then one call tries. Pure but for its
 * counters, and the clock is an argument. Own code because cockatiel wraps the call itself and reads its own clock; here the call is a
 * stream, the verdict comes minutes later as an event, and the caller parks the task until `retryAt` instead of catching an exception.
 */
import type { ModelFault } from './provider.ts'

export type Breaker = {
  /** Asked before each call. In the half-open state one caller gets `ok`; the others are told when to ask again. */
  mayCall(): { ok: true } | { ok: false; retryAt: number }
  succeeded(): void
  failed(fault: ModelFault): void
  state(): 'closed' | 'open' | 'half-open'
  /** How it stands, for a person. `until`: when the next call may try, milliseconds since 1970. `why`: the newest fault that counted. */
  view(): { state: 'closed' | 'open' | 'half-open'; failuresInARow: number; why: string | null; until: number | null }
  /** A person says that the cause is mended: the next call is made at once. */
  reset(): void
}

/**
 * Opens after `failures` faults of kind `later` in a row. A fault with a retry-after does not count: a provider that says when is
 * alive, and each task waits as told. `bad`, `refused` and `overflow` are answers, so they close it.
 */
export function breaker(options: { failures?: number; openMs?: number; now: () => number }): Breaker {
  const { failures = 5, openMs = 30_000, now } = options
  let inARow = 0
  let why: string | null = null
  let openUntil: number | undefined
  /** When the probe's caller is given up: it may have died without a word. */
  let probeUntil: number | undefined

  const close = () => {
    inARow = 0
    why = null
    openUntil = probeUntil = undefined
  }
  const state = () => (openUntil === undefined ? 'closed' : now() < openUntil ? 'open' : 'half-open')
  const open = (until: number) => {
    openUntil = until
    probeUntil = undefined
  }
  return {
    mayCall() {
      if (openUntil === undefined) return { ok: true }
      const at = now()
      if (at < openUntil) return { ok: false, retryAt: openUntil }
      if (probeUntil !== undefined && at < probeUntil) return { ok: false, retryAt: probeUntil }
      probeUntil = at + openMs
      return { ok: true }
    },
    succeeded: close,
    failed(fault) {
      // A limit has a hold of its own (`core/tasks/holds.ts`); here it shows that somebody is there.
      if (fault.kind !== 'later' || fault.limit !== undefined) return close()
      why = fault.message
      const probing = probeUntil !== undefined
      // Calls that began before it opened end one by one; they must not push the next probe away.
      if (openUntil !== undefined && !probing) return
      if (probing) return open(now() + (fault.retryAfterMs ?? openMs))
      if (fault.retryAfterMs !== undefined) return
      inARow += 1
      if (inARow >= failures) open(now() + openMs)
    },
    state,
    view: () => ({
      state: state(),
      failuresInARow: inARow,
      why,
      until: openUntil === undefined ? null : now() < openUntil ? openUntil : (probeUntil ?? openUntil),
    }),
    reset: close,
  }
}
