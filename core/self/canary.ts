/**
 * The two trials of a candidate that runs. On a copy of the data: it boots, works a goal, is killed in the middle, boots again and ends it, and
 * what it leaves must be whole. On empty data: acts that no revision may allow must still be refused.
 */
import { chown, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { Owner } from '../exec/local.ts'
import { type CanaryEngine, openCanary } from './canary-engine.ts'
import { attemptAll, FORBIDDEN_ENV, MARKER, MARKER_FILE } from './forbidden.ts'
import type { Ended, Walls } from './walls.ts'

export type Canary = {
  walls: Walls
  /** Source of the candidate, laid out, and the packages that it runs with. */
  source: string
  packages: string
  /** Source of the revision that runs, laid out, and its packages: what judges. */
  judge: string
  judgePackages: string
  /** A folder of the system's own, for this trial alone. */
  place: string
  /** Copies the database; null where that is not one file. */
  copy: ((to: string) => Promise<void>) | null
  /** The database may be too large to try on. */
  size: number
  runAs: Owner | undefined
  signal: AbortSignal | undefined
}
export type CanarySaid = { fault: string | null; summary: string; log: string }

/** Beyond this a copy costs more than it tells. */
export const MOST_COPIED = 4 * 2 ** 30
const JUDGE_MS = 5 * 60_000
const FIRST = 'canary-one'
/** The second line is under way when everything is killed, and begins again. */
const GOAL = `1. Run \`echo ${FIRST}\`\n2. Then run \`sleep 2; echo canary-two\``

type Fields = Record<string, unknown>
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {})

/** Boots it on a copy of the data, with a kill in the middle of a goal. Rejects with a Fault that says what went wrong. */
export async function tryBoot(parts: Canary): Promise<CanarySaid> {
  const { data, notes } = await layOut(parts)
  const copied = parts.copy !== null && parts.size <= MOST_COPIED
  if (parts.copy !== null && copied) await parts.copy(join(data, 'agent_system.db'))
  await own(parts, data)
  await judged(parts, ['prepare', '/canary', '/notes/before.json'], data, notes)
  let engine = await openCanary({ ...parts, bridge: bridgeOf(parts), folder: data })
  let treeId = ''
  let before: Fields[] = []
  try {
    const made = await engine.ask('/api/goals', { method: 'POST', body: { goal: GOAL } })
    treeId = String(fields(made.json).treeId ?? '')
    if (made.status !== 201) throw new Fault('unprocessable', `It took no goal: ${made.status} ${made.text.slice(0, 200)}`)
    before = await engine.until('the goal was under way', async () => {
      const tasks = await tasksOf(engine, treeId)
      const below = tasks.filter((task) => task.id !== treeId)
      const [first, second] = [below.find(isFirst), below.find((task) => !isFirst(task))]
      return first?.status === 'done' && second?.status === 'active' ? tasks : null
    })
  } finally {
    await engine.kill()
  }
  engine = await openCanary({ ...parts, bridge: bridgeOf(parts), folder: data })
  let ended: Ended
  try {
    const after = await engine.until('the goal was resumed and done', async () => {
      const tasks = await tasksOf(engine, treeId)
      return tasks.some((task) => task.id === treeId && ['done', 'failed', 'cancelled', 'dead'].includes(String(task.status)))
        ? tasks
        : null
    })
    const lost = before.find((task) => !after.some((one) => one.id === task.id && one.parentId === task.parentId))
    if (lost) throw new Fault('unprocessable', `After the kill the task ${String(lost.title)} has lost its place in the tree.`)
    if (after.length !== before.length)
      throw new Fault('unprocessable', `The goal had ${before.length} tasks before the kill and ${after.length} after it.`)
    ended = await engine.stop()
  } finally {
    await engine.kill()
  }
  if (ended.code !== 0) throw new Fault('unprocessable', `Asked to stop, it ended with ${ended.code ?? 'a signal'}.`)
  await judged(parts, ['check', '/canary', '/notes/before.json', treeId], data, notes)
  const where = copied
    ? 'a copy of the data'
    : parts.copy === null
      ? 'empty data (PostgreSQL is not copied)'
      : 'empty data (the database is too large to copy)'
  return {
    fault: null,
    summary: `On ${where} it boots, survives a kill in the middle of a goal, and leaves everything whole.`,
    log: ended.log,
  }
}
const isFirst = (task: Fields): boolean => String(task.title).includes(FIRST)

async function tasksOf(engine: CanaryEngine, treeId: string): Promise<Fields[]> {
  const { status, json, text } = await engine.ask(`/api/trees/${treeId}`)
  if (status !== 200) throw new Fault('unprocessable', `It does not show its goal: ${status} ${text.slice(0, 200)}`)
  const { tasks } = fields(json)
  return Array.isArray(tasks) ? tasks.map(fields) : []
}

/** Does to it what must be refused. */
export async function tryForbidden(parts: Canary): Promise<CanarySaid> {
  const { data, notes } = await layOut(parts)
  await writeFile(join(data, MARKER_FILE), `${MARKER}\n`)
  await own(parts, data, MARKER_FILE)
  await judged(parts, ['plant', '/canary'], data, notes)
  const engine = await openCanary({ ...parts, bridge: bridgeOf(parts), folder: data, env: FORBIDDEN_ENV })
  let told: Awaited<ReturnType<typeof attemptAll>>
  try {
    told = await attemptAll(engine)
  } finally {
    await engine.kill()
  }
  const log = told
    .map(({ name, fault }) => `${fault === null ? 'refused' : 'NOT REFUSED'}  ${name}${fault === null ? '' : `: ${fault}`}`)
    .join('\n')
  const faults = told.flatMap(({ name, fault }) => (fault === null ? [] : [`${name}: ${fault}`]))
  if (faults.length === 0) return { fault: null, summary: `${told.length} forbidden acts are refused.`, log }
  return {
    fault: `${faults.length} of ${told.length} forbidden acts are not refused: ${faults.join('; ')}`.slice(0, 600),
    summary: '',
    log,
  }
}

const bridgeOf = (parts: Canary): string => join(parts.judge, 'core/self')

export async function layOut(parts: Canary): Promise<{ data: string; notes: string }> {
  await rm(parts.place, { recursive: true, force: true })
  const [data, notes] = [join(parts.place, 'data'), join(parts.place, 'notes')]
  for (const folder of [parts.place, data, notes]) await mkdir(folder, { recursive: true, mode: 0o711 })
  return { data, notes }
}
/** The user inside must be able to write them. */
export async function own(parts: Canary, data: string, ...more: string[]): Promise<void> {
  if (!parts.runAs) return
  const { uid, gid } = parts.runAs
  for (const place of [data, join(dirname(data), 'notes'), ...['agent_system.db', ...more].map((name) => join(data, name))])
    if (await stat(place).catch(() => null)) await chown(place, uid, gid) // an empty trial has no database yet
}
/** Runs the judge of the code that runs now; a Fault with its words when it has a complaint. */
export async function judged(parts: Canary, args: readonly string[], data: string, notes: string): Promise<void> {
  const ended = await parts.walls.run({
    source: parts.judge,
    packages: parts.judgePackages,
    argv: ['node', '--disable-warning=ExperimentalWarning', 'core/self/canary-data.ts', ...args],
    timeoutMs: JUDGE_MS,
    binds: [
      { from: data, to: '/canary', write: true },
      { from: notes, to: '/notes', write: true },
    ],
    signal: parts.signal,
  })
  if (ended.code !== 0) {
    const words = ended.log.trim().slice(0, 500) || 'no word'
    throw new Fault(
      'unprocessable',
      /^(?:check|schema-up|schema-down)$/.test(args[0] ?? '')
        ? `What it left is not whole: ${words}`
        : `The data could not be prepared: ${words}`,
    )
  }
}
