/**
 * `npm run crash`: kills the runtime with SIGKILL at every hit of every fail point of every scenario, during recovery, and at random moments,
 * starts it again on what is left, and checks what must be true. Exits 1 if anything was not, and says where the broken folder is.
 *
 * `--short` (one hit of each point in each scenario, 60 random kills) · `--kills N` random kills · `--seed N` · `--scenario NAME` · `--point NAME` · `--json`
 */
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Kill } from './crash/child.ts'
import { runEngine } from './crash/engine.ts'
import { type Lane, openLane, processesIn } from './crash/lane.ts'
import { type Case, exhaustive, inRecovery, oneAtRandom, type Recorded, randomFrom } from './crash/plan.ts'
import { SCENARIOS, type Scenario } from './crash/scenarios.ts'

/** `hits`: deaths at fail points; `random`: from outside; `kills`: all, with those that a scenario dealt itself. */
type Row = {
  scenario: string
  points: Set<string>
  hits: number
  random: number
  kills: number
  runs: number
  violations: string[]
  seconds: number
}
export type Options = {
  seed: number
  kills: number
  hitsPerPoint: number
  recovery: number
  engineKills: number
  scenario?: string
  point?: string
}
export type Report = { rows: Row[]; kept: string[] }

/** Three at once on the two cores of the checks: a life waits for commands and the disk for a third of its time. */
const LANES = 3
/** A folder that dies more often than this is a loop of its own making. */
const MOST_LIVES = 15
/** Processes of a run that was killed must be gone by then. */
const ORPHAN_MS = 2_000

export async function crash(options: Options, tell: (line: string) => void = () => undefined): Promise<Report> {
  const root = dirname(import.meta.dirname)
  const base = mkdtempSync(join(tmpdir(), 'banyan-crash-'))
  chmodSync(base, 0o711) // commands may run as another user, who passes through
  const wanted = SCENARIOS.filter(({ name }) => options.scenario === undefined || name === options.scenario)
  const withEngine = options.point === undefined && (options.scenario === undefined || options.scenario === 'engine')
  const lanes = Array.from({ length: LANES }, () => openLane(root, join(base, 'compiled')))
  const rows = new Map<string, Row>()
  const rowOf = (scenario: string): Row => {
    const row = rows.get(scenario) ?? {
      scenario,
      points: new Set<string>(),
      hits: 0,
      random: 0,
      kills: 0,
      runs: 0,
      violations: [],
      seconds: 0,
    }
    rows.set(scenario, row)
    return row
  }
  const kept: string[] = []
  let folders = 0
  const fresh = (scenario: Scenario): string => {
    const folder = join(base, `${scenario.name}-${++folders}`)
    mkdirSync(folder, { mode: 0o711 })
    if (!scenario.fromNothing) cpSync(join(base, 'seeded', 'data'), join(folder, 'data'), { recursive: true })
    return folder
  }
  const broken = (scenario: string, folder: string, what: string, found: readonly string[]) => {
    kept.push(folder)
    for (const violation of found) {
      rowOf(scenario).violations.push(`${violation}  [${what}; ${folder}]`)
      tell(`VIOLATION ${scenario}: ${violation}  [${what}; ${folder}]`)
    }
  }

  /** Runs a folder through its deaths to its rest, and judges it. */
  async function live(lane: Lane, { scenario: name, kills, random }: Case, reference: Recorded | null): Promise<Recorded | null> {
    const scenario = SCENARIOS.find((one) => one.name === name)!
    const row = rowOf(name)
    const folder = fresh(scenario)
    const began = performance.now()
    const what =
      random.length > 0
        ? `random kills after ${random.map((share) => Math.round(share * (reference?.ms ?? 0))).join(', ')} ms`
        : `killed at ${kills
            .filter(Boolean)
            .map((kill) => `${kill!.point} ${kill!.hit}`)
            .join(', then ')}`
    row.runs += 1
    for (let lives = 1; lives <= MOST_LIVES; lives++) {
      const kill: Kill | null = kills[lives - 1] ?? null
      const share = random[lives - 1]
      const job = { kind: 'work', folder, scenario: name, kill, lives, record: reference === null } as const
      const end = await lane.run(job, share === undefined ? undefined : share * (reference?.ms ?? 300))
      if (end.kind === 'died') {
        row.kills += 1
        if (kill) {
          row.hits += 1
          row.points.add(kill.point)
        }
        if (share !== undefined) row.random += 1
        const left = await orphans(folder)
        if (left.length > 0) broken(name, folder, what, [`processes outlived the kill: ${left.map(({ pid }) => pid).join(', ')}`])
        continue
      }
      row.seconds += (performance.now() - began) / 1_000
      if (end.kind === 'broke') {
        broken(name, folder, what, [end.why])
        return null
      }
      const { violations, picture, hits, ms } = end.done
      const before = hitsOf(folder)
      // Three deaths in a row may rightly set a task aside; then it ends otherwise.
      const aside = lives > 3 && deadIn(picture) > deadIn(reference?.picture ?? '')
      const differs = reference !== null && !aside && picture !== reference.picture
      if (violations.length > 0) broken(name, folder, what, [...violations, ...(end.words ? [`it said: ${end.words.trim()}`] : [])])
      else if (differs) broken(name, folder, what, [`it came out otherwise than without kills: ${difference(reference.picture, picture)}`])
      else rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      return { scenario: name, lives: [...before, hits], ms, picture }
    }
    broken(name, folder, what, [`it died ${MOST_LIVES} times`])
    return null
  }

  try {
    await lanes[0]!.run({ kind: 'seed', folder: join(base, 'seeded') })
    const recorded: Recorded[] = []
    await share(lanes, wanted, async (lane, scenario) => {
      const one = await live(lane, { scenario: scenario.name, kills: [], random: [] }, null)
      if (one) recorded.push(one)
    })
    recorded.sort((a, b) => a.scenario.localeCompare(b.scenario))
    for (const row of rows.values()) Object.assign(row, { kills: 0, runs: 0, seconds: 0 })
    const only = (one: Case) => options.point === undefined || one.kills.some((kill) => kill?.point === options.point)
    const random = randomFrom(options.seed)
    const cases = [
      ...recorded.flatMap((one) => exhaustive(one, options.hitsPerPoint)).filter(only),
      ...(options.point === undefined ? recorded.flatMap((one) => inRecovery(one, options.recovery, random)) : []),
    ]
    tell(`${cases.length} runs with kills at fail points, of ${recorded.length} scenarios`)
    let done = 0
    const work = async (lane: Lane, one: Case) => {
      await live(lane, one, recorded.find(({ scenario }) => scenario === one.scenario)!)
      if (++done % 100 === 0) tell(`${done} runs`)
    }
    await share(lanes, cases, work)
    // A run may end before the moment that was drawn for its death, so they are drawn until enough have died.
    const landed = () => [...rows.values()].reduce((sum, row) => sum + row.random, 0)
    const drawn = options.point === undefined && recorded.length > 0 ? options.kills : 0
    let draws = drawn * 3
    await Promise.all(
      lanes.map(async (lane) => {
        while (landed() < drawn && draws-- > 0) await work(lane, oneAtRandom(recorded, drawn - landed(), random))
      }),
    )
    if (withEngine && options.engineKills > 0) {
      const row = rowOf('engine')
      const folder = join(base, 'engine')
      mkdirSync(folder, { mode: 0o711 })
      const began = performance.now()
      const found = await runEngine(root, folder, options.engineKills, random)
      Object.assign(row, { kills: options.engineKills, runs: 1, seconds: (performance.now() - began) / 1_000 })
      if (found.length > 0) broken('engine', folder, 'kill -9 of the whole process group', found)
    }
  } finally {
    for (const lane of lanes) lane.close()
    if (kept.length === 0) rmSync(base, { recursive: true, force: true, maxRetries: 5 })
  }
  return { rows: [...rows.values()], kept }
}

/** Hands the items out to the lanes, each lane one after another. */
async function share<T>(lanes: readonly Lane[], items: readonly T[], work: (lane: Lane, item: T) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    lanes.map(async (lane) => {
      while (next < items.length) await work(lane, items[next++]!)
    }),
  )
}

async function orphans(folder: string): Promise<{ pid: number }[]> {
  for (const until = performance.now() + ORPHAN_MS; ; ) {
    const left = processesIn(folder)
    if (left.length === 0 || performance.now() > until) return left
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Hits of the lives that the scenario ended itself. */
function hitsOf(folder: string): Record<string, number>[] {
  const file = join(folder, 'hits.jsonl')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, number>)
}

const deadIn = (picture: string): number => picture.match(/^ +"dead",$/gm)?.length ?? 0

function difference(expected: string, got: string): string {
  const [a, b] = [expected.split('\n'), got.split('\n')]
  const at = a.findIndex((line, i) => line !== b[i])
  return `line ${at + 1}: expected ${a[at]?.trim()}, got ${b[at]?.trim() ?? 'nothing'} (after ${b
    .slice(Math.max(0, at - 6), at)
    .map((line) => line.trim())
    .join(' ')})`
}

export const LONG: Options = { seed: 1, kills: 1_000, hitsPerPoint: Number.POSITIVE_INFINITY, recovery: 40, engineKills: 20 }
export const SHORT: Options = { seed: 1, kills: 60, hitsPerPoint: 1, recovery: 3, engineKills: 3 }

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      seed: { type: 'string' },
      kills: { type: 'string' },
      point: { type: 'string' },
      scenario: { type: 'string' },
    },
  })
  const base = values.short ? SHORT : LONG
  const number = (name: 'seed' | 'kills', value: string | undefined): number => {
    if (value === undefined) return base[name]
    if (/^\d+$/.test(value)) return Number(value)
    console.error(`crash: --${name} must be a whole number, and "${value}" is not.`)
    process.exit(2)
  }
  const { scenario, point } = values
  const known = [...SCENARIOS.map(({ name }) => name), 'engine']
  if (scenario !== undefined && !known.includes(scenario)) {
    console.error(`crash: there is no scenario "${scenario}"; there are ${known.join(', ')}.`)
    process.exit(2)
  }
  const [seed, kills] = [number('seed', values.seed), number('kills', values.kills)]
  const began = performance.now()
  const report = await crash({ ...base, seed, kills, ...(scenario ? { scenario } : {}), ...(point ? { point } : {}) }, (line) =>
    console.error(line),
  )
  if (point !== undefined && report.rows.every((row) => row.hits === 0)) {
    console.error(`crash: no scenario passes a fail point "${point}".`)
    process.exit(2)
  }
  const seconds = Math.round((performance.now() - began) / 1_000)
  const rows = report.rows.map(({ points, ...row }) => ({ ...row, points: points.size, seconds: Math.round(row.seconds) }))
  if (values.json) console.log(JSON.stringify({ seed, seconds, rows, kept: report.kept }, null, 2))
  else {
    const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0)
    const line = (...cells: (string | number)[]) =>
      console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(10) : String(cell).padStart(15))).join(''))
    line('scenario', 'points', 'hits killed at', 'random kills', 'all kills', 'runs', 'violations')
    for (const row of rows) line(row.scenario, row.points, row.hits, row.random, row.kills, row.runs, row.violations.length)
    const names = new Set(report.rows.flatMap((row) => [...row.points]))
    line(
      'all',
      names.size,
      sum((r) => r.hits),
      sum((r) => r.random),
      sum((r) => r.kills),
      sum((r) => r.runs),
      sum((r) => r.violations.length),
    )
    console.log(`seed ${seed}, ${seconds} s`)
    for (const folder of report.kept) console.log(`broken: ${folder}`)
  }
  process.exitCode = report.rows.some((row) => row.violations.length > 0) ? 1 : 0
}
