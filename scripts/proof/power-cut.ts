/**
 * Proof that a power cut after any step of a change costs a repetition and nothing else: a process is killed with -9 at each named point, and the
 * next one must bring the same change to its end, once, in a clean checkout. At the points of its hand-over the real keeper runs between two
 * lives, and both a good and a bad revision are tried; the keeper itself is cut off after each of its writes. `node scripts/proof/power-cut.ts`; some of them run with the tests.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Checkout, checkout } from '../testing/checkout.ts'
import { GREETING, loud } from '../testing/self.ts'
import { keepable, served, settle, tableOf } from '../testing/small-keeper.ts'
import { cutWrites } from './keeper-writes.ts'

export const POINTS = [
  ...['change.after-take', 'change.after-proposed', 'change.after-gating', 'change.before-verdict', 'change.after-review'],
  ...['change.after-decision', 'change.before-land', 'change.after-land', 'change.after-merged'],
]
/** With a keeper; the last is reached by a bad revision only. */
export const KEPT_POINTS = ['change.before-request', 'change.after-request', 'change.after-restarting', 'change.after-undo']
/** When a person takes back what is watched. */
export const BACK_POINTS = ['change.before-back', 'change.after-back', 'change.after-undo']
/** Lives of one change at most, of which one is cut off. */
const MOST_LIVES = 6

type Told = { restart: boolean; state: string; result: string; violations: string[] }
type Life = { code: number | null; signal: string | null; out: string }
const toldIn = (life: Life): Told => JSON.parse(life.out.trim().split('\n').at(-1)!) as Told

/** What is wrong after a kill at this point and one more start; empty: nothing. */
export async function cut(point: string): Promise<string[]> {
  const source = checkout()
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-cut-'))
  try {
    const first = await life(dataDir, source.folder, `--point=${point}`)
    if (first.signal !== 'SIGKILL') return [`it was not killed at ${point}: ${first.out}`]
    const second = await life(dataDir, source.folder)
    if (second.code !== 0) return [`the next start did not bring it to its end: ${second.out}`]
    const told = toldIn(second)
    return [
      ...(told.state === 'merged' ? [] : [`it is ${told.state}`]),
      ...(told.result.includes('is merged') ? [] : ['its author was not answered']),
      ...told.violations,
      ...faultsOf(source, loud(), 2),
    ]
  } finally {
    for (const path of [dataDir, source.folder]) rmSync(path, { recursive: true, force: true })
  }
}

/** The same with the real keeper, which runs the revision between two lives. `bad`: one that it must undo; `back`: one that a person takes back. */
export async function cutKept(point: string, how: 'good' | 'bad' | 'back'): Promise<string[]> {
  const [undone, back] = [how !== 'good', how === 'back']
  const source = checkout()
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-cut-'))
  const mark = how === 'bad' ? '?' : '!'
  try {
    keepable(source)
    source.commit('It can be kept')
    const before = source.git('rev-parse', 'HEAD^{tree}')
    const home = await settle(dataDir, source, null)
    let killed = false
    let told: Told | null = null
    for (let n = 0; n < MOST_LIVES && (told === null || told.restart); n++) {
      const one = await life(
        dataDir,
        source.folder,
        '--kept',
        ...(back ? ['--back'] : []),
        `--mark=${mark}`,
        ...(killed ? [] : [`--point=${point}`]),
      )
      if (one.signal === 'SIGKILL') killed = true
      else if (one.code === 0) told = toldIn(one)
      else return [`a life ended with ${one.code}: ${one.out}`]
      if (told === null || told.restart) await served(home, dataDir, { watched: back })
    }
    if (!killed) return [`it was not killed at ${point}`]
    if (told === null || told.restart) return ['it came to no end']
    const { active, slots, failed } = tableOf(home)
    const tree = source.git('rev-parse', `${undone ? 'HEAD^' : 'HEAD'}^{tree}`)
    return [
      ...(told.state === (undone ? 'undone' : 'kept') ? [] : [`it is ${told.state}`]),
      ...(told.result.includes(undone ? 'was undone' : 'is kept') ? [] : ['its author was not answered']),
      ...told.violations,
      ...(slots[active]?.tree === (undone ? before : tree) ? [] : [`slot ${active} has tree ${slots[active]?.tree}`]),
      ...(undone === Object.hasOwn(failed, tree) ? [] : ['the keeper does not know what failed']),
      ...faultsOf(source, undone ? null : loud(mark), undone ? 4 : 3),
    ]
  } finally {
    for (const path of [dataDir, source.folder]) rmSync(path, { recursive: true, force: true })
  }
}

function faultsOf(source: Checkout, greeting: string | null, commits: number): string[] {
  const text = source.read(GREETING)
  return [
    ...((greeting === null ? !text.includes('loud') : text === greeting) ? [] : ['the file is not as it should be']),
    ...(source.git('status', '--porcelain') === '' ? [] : ['the checkout is not clean']),
    ...(source.git('rev-list', '--count', 'HEAD') === String(commits)
      ? []
      : [`there are ${source.git('rev-list', '--count', 'HEAD')} commits`]),
  ]
}

function life(...args: string[]): Promise<Life> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'power-cut-child.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    for (const stream of [child.stderr, child.stdout]) stream.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, out }))
  })
}

if (import.meta.main) {
  let bad = 0
  const tell = (point: string, wrong: string[]) => {
    if (wrong.length > 0) bad++
    console.log(`${wrong.length === 0 ? 'ok    ' : 'BROKEN'} ${point}${wrong.length === 0 ? '' : `: ${wrong.join('; ')}`}`)
  }
  const only = new RegExp(process.argv[2] ?? '')
  const tries = [
    ...POINTS.map((point) => ({ name: point, run: () => cut(point) })),
    ...KEPT_POINTS.slice(0, -1).map((point) => ({ name: `${point}, a good revision`, run: () => cutKept(point, 'good') })),
    ...KEPT_POINTS.map((point) => ({ name: `${point}, a bad revision`, run: () => cutKept(point, 'bad') })),
    ...BACK_POINTS.map((point) => ({ name: `${point}, taken back while it is watched`, run: () => cutKept(point, 'back') })),
  ].filter(({ name }) => only.test(name))
  for (const { name, run } of tries) tell(name, await run())
  let writes = 0
  for (const [name, undone] of [
    ['each write of the keeper that takes a revision', false],
    ['each write of the keeper that undoes one', true],
  ] as const) {
    if (!only.test(name)) continue
    const { cuts, wrong } = await cutWrites(1, undone)
    writes += cuts
    tell(`${name} (${cuts})`, wrong)
  }
  console.log(`${tries.length} points and ${writes} writes, ${bad} broken`)
  process.exitCode = bad > 0 ? 1 : 0
}
