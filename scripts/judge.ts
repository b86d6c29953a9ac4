/**
 * Judges how a revision on trial works, against what the revision before it told. Each limit has room for a system that is busy or warms up:
 * a change is undone for what it does, not for what is asked of it. It judges the process that it runs in, so it cannot see through one that
 * lies; crashes, silence, health and the way back are the keeper's own to see.
 */

/** Ended tasks before their share counts, and how much larger than usual it may be. */
const FAILING = { tasks: 10, more: 0.25 }
/** Milliseconds for which the event loop hangs at its worst in most seconds of so many, and how many times the usual that must be. */
const SLOW = { beats: 30, fewest: 5, ms: 500, times: 4 }
/** Memory grows in each eighth of the window after its first quarter, and as fast at its end as at its beginning. */
const LEAK = { parts: 8, warm: 2, bytes: 64 * 2 ** 20, part: 0.25, late: 0.4 }
/** So many lowest values of memory are held; then two become one, so that a long life costs no more than a short one. */
const MOST_FLOORS = 1_024

/** What one second was like: tasks that ended and that failed since the start, milliseconds that the event loop hung at most, bytes in use. */
export type Second = { ended: number; failed: number; lag: number; rss: number }
/** What the revision before was like. */
export type Usual = { ended: number; failed: number; lag: number }
/** What a heartbeat says of it. `wrong`: it should go now; `leak`: it should not be kept. */
export type Verdict = { wrong: string | null; leak: string | null; usual: Usual }

const middle = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

/** `known`: the `usual` of the revision before, as its keeper kept it; anything else: nothing is known. `scale`: of the seconds. */
export function openJudge(known: unknown, scale = 1): (second: Second) => Verdict {
  const before = usualOf(known)
  const beats = Math.max(SLOW.fewest, SLOW.beats * scale)
  const lags: number[] = []
  const floors: number[] = []
  let [each, pending] = [1, [] as number[]]

  function remember(rss: number) {
    pending.push(rss)
    if (pending.length < each) return
    floors.push(Math.min(...pending))
    pending = []
    if (floors.length < MOST_FLOORS) return
    each *= 2
    for (let n = 0; n < MOST_FLOORS / 2; n++) floors[n] = Math.min(floors[2 * n]!, floors[2 * n + 1]!)
    floors.length = MOST_FLOORS / 2
  }

  return ({ ended, failed, lag, rss }) => {
    remember(rss)
    lags.push(lag)
    if (lags.length > beats) lags.shift()
    const slow = middle(lags)
    // A few tasks say less than those of before.
    const usual = { ...(ended < FAILING.tasks && before ? before : { ended, failed }), lag: slow }
    // Without a past half of the tasks count as usual; with a long one that is what counts.
    const share = ((before?.failed ?? 0) + 2) / ((before?.ended ?? 0) + 4)
    const hangs = lags.length >= beats && slow > Math.max(SLOW.ms, SLOW.times * (before?.lag ?? 0))
    const wrong =
      ended >= FAILING.tasks && failed / ended > share + FAILING.more
        ? `${failed} of ${ended} tasks failed, where ${Math.round(share * 100)} of 100 are usual`
        : hangs
          ? `its event loop hangs for ${Math.round(slow)} ms in most seconds`
          : null
    return { wrong, leak: leakIn(floors), usual }
  }
}

function leakIn(memory: readonly number[]): string | null {
  const size = memory.length / LEAK.parts
  if (size < 1) return null
  const parts = Array.from({ length: LEAK.parts }, (_, n) => memory.slice(Math.floor(n * size), Math.floor((n + 1) * size)))
  const floors = parts.slice(LEAK.warm).map((some) => Math.min(...some))
  const grown = (from: number) => floors.at(-1)! - floors[from]!
  const steady = floors.every((floor, n) => n === 0 || floor > floors[n - 1]!)
  if (!steady || grown(0) < Math.max(LEAK.bytes, LEAK.part * floors[0]!) || grown(2) < LEAK.late * grown(0)) return null
  return `its memory grew without a pause, by ${Math.round(grown(0) / 2 ** 20)} MB`
}

function usualOf(known: unknown): Usual | null {
  if (typeof known !== 'object' || known === null) return null
  const [ended, failed, lag] = ['ended', 'failed', 'lag'].map((name) => (known as Record<string, unknown>)[name])
  return [ended, failed, lag].every(Number.isFinite) ? ({ ended, failed, lag } as Usual) : null
}
