/** Which kills a run makes. Pure: what the recorded run passed goes in, cases come out. */
import type { Kill } from './child.ts'

/** `kills[i]` is for the i-th life of the folder; `at random`: SIGKILL from outside that share of the recorded time after the job began. */
export type Case = { scenario: string; kills: (Kill | null)[]; random: number[] }
/** How often each fail point was passed, for each life of the recorded run. */
export type Recorded = { scenario: string; lives: Record<string, number>[]; ms: number; picture: string }

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** At most `most` of 1..count, spread evenly, the first and the last among them. */
export function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i + 1)
  if (most === 1) return [Math.ceil(count / 2)]
  return [...new Set(Array.from({ length: most }, (_, i) => 1 + Math.round((i * (count - 1)) / (most - 1))))]
}

/** One death at each hit of each fail point (at most `hitsPerPoint` of each; half as many where the scenario had died by itself before). */
export function exhaustive(recorded: Recorded, hitsPerPoint: number): Case[] {
  return recorded.lives.flatMap((life, n) =>
    Object.entries(life).flatMap(([point, count]) =>
      spread(count, n === 0 ? hitsPerPoint : Math.ceil(hitsPerPoint / 2)).map((hit) => ({
        scenario: recorded.scenario,
        kills: [...Array.from({ length: n }, () => null), { point, hit }],
        random: [],
      })),
    ),
  )
}

/** Deaths during recovery: after a first one anywhere, each point's first hits of the next life, then of the one after it. */
export function inRecovery(recorded: Recorded, most: number, random: () => number): Case[] {
  const points = Object.entries(recorded.lives[0] ?? {})
  const first = (): Kill => {
    const [point, count] = points[Math.floor(random() * points.length)]!
    return { point, hit: 1 + Math.floor(random() * count) }
  }
  const early = (): Kill => ({ ...first(), hit: 1 + Math.floor(random() * 3) })
  return Array.from({ length: points.length === 0 ? 0 : most }, (_, i) => ({
    scenario: recorded.scenario,
    kills: [first(), ...Array.from({ length: 1 + (i % 2) }, early)],
    random: [],
  }))
}

/** One to four deaths from outside, at most `most`, in a run of one of the scenarios. */
export function oneAtRandom(all: readonly Recorded[], most: number, random: () => number): Case {
  const { scenario } = all[Math.floor(random() * all.length)]!
  return { scenario, kills: [], random: Array.from({ length: Math.min(most, 1 + Math.floor(random() * 4)) }, random) }
}
