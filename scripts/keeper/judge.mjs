/**
 * Judges how a revision on trial works by what its heartbeats tell, against what the revision before it told. Each limit has room for a
 * system that is busy or warms up: a change is undone for what it does, not for what is asked of it.
 */

/** Ended tasks before their share counts, and how much larger than usual it may be. */
const FAILING = { tasks: 10, more: 0.25 }
/** Milliseconds for which the event loop hangs at its worst in most seconds of so many, and how many times the usual that must be. */
const SLOW = { beats: 30, fewest: 5, ms: 500, times: 4 }
/** Memory grows in each eighth of the window after its first quarter, and as fast at its end as at its beginning. */
const LEAK = { parts: 8, warm: 2, bytes: 64 * 2 ** 20, part: 0.25, late: 0.4 }

const middle = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

/** `usual`: what `usual()` answered for the revision before; null: nothing is known of it. `scale`: of the seconds. */
export function openJudge(usual, scale = 1) {
  const beats = Math.max(SLOW.fewest, SLOW.beats * scale)
  const memory = []
  const lags = []
  let tasks = { ended: 0, failed: 0 }

  return {
    /** What is usual from now on; a few tasks say less than those of before. */
    usual: () => ({ ...(tasks.ended < FAILING.tasks && usual ? usual : tasks), lag: middle(lags) }),
    /** What is wrong after one more heartbeat, or null. What a heartbeat does not tell is not judged. */
    wrong(beat) {
      const [ended, failed, lag, rss] = ['ended', 'failed', 'lag', 'rss'].map((name) => (Number.isFinite(beat[name]) ? beat[name] : 0))
      tasks = { ended, failed }
      memory.push(rss)
      lags.push(lag)
      if (lags.length > beats) lags.shift()
      // Without a past half of the tasks count as usual; with a long one that is what counts.
      const share = ((usual?.failed ?? 0) + 2) / ((usual?.ended ?? 0) + 4)
      if (ended >= FAILING.tasks && failed / ended > share + FAILING.more)
        return `${failed} of ${ended} tasks failed, where ${Math.round(share * 100)} of 100 are usual`
      const slow = middle(lags)
      if (lags.length >= beats && slow > Math.max(SLOW.ms, SLOW.times * (usual?.lag ?? 0)))
        return `its event loop hangs for ${Math.round(slow)} ms in most seconds`
      return null
    },
    /** What the whole window shows, or null. */
    leak() {
      const size = memory.length / LEAK.parts
      if (size < 1) return null
      const parts = Array.from({ length: LEAK.parts }, (_, n) => memory.slice(Math.floor(n * size), Math.floor((n + 1) * size)))
      const floors = parts.slice(LEAK.warm).map((some) => Math.min(...some))
      const grown = (from) => floors.at(-1) - floors[from]
      const steady = floors.every((floor, n) => n === 0 || floor > floors[n - 1])
      if (!steady || grown(0) < Math.max(LEAK.bytes, LEAK.part * floors[0]) || grown(2) < LEAK.late * grown(0)) return null
      return `its memory grew without a pause, by ${Math.round(grown(0) / 2 ** 20)} MB`
    },
  }
}
