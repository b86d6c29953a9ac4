/**
 * Proof that a power cut after any step of a change costs a repetition and nothing else: a process is killed with -9 at each named point, and the
 * next one must bring the same change to its end, once, in a clean checkout. `node scripts/proof/power-cut.ts`; two of them run with the tests.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Checkout, checkout } from '../testing/checkout.ts'
import { GREETING, loud } from '../testing/self.ts'

export const POINTS = [
  ...['change.after-take', 'change.after-proposed', 'change.after-gating', 'change.before-verdict', 'change.after-review'],
  ...['change.after-decision', 'change.before-land', 'change.after-land', 'change.after-merged'],
]

/** What is wrong after a kill at this point and one more start; empty: nothing. */
export async function cut(point: string): Promise<string[]> {
  const source: Checkout = checkout()
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-cut-'))
  try {
    const first = await life(dataDir, source.folder, point)
    if (first.signal !== 'SIGKILL') return [`it was not killed at ${point}: ${first.out}`]
    const second = await life(dataDir, source.folder)
    if (second.code !== 0) return [`the next start did not bring it to its end: ${second.out}`]
    const told = JSON.parse(second.out.trim().split('\n').at(-1)!) as { state: string; answered: boolean; violations: string[] }
    return [
      ...(told.state === 'merged' ? [] : [`it is ${told.state}`]),
      ...(told.answered ? [] : ['its author was not answered']),
      ...told.violations,
      ...(source.read(GREETING) === loud() ? [] : ['the file is not as proposed']),
      ...(source.git('status', '--porcelain') === '' ? [] : ['the checkout is not clean']),
      ...(source.git('rev-list', '--count', 'HEAD') === '2' ? [] : [`there are ${source.git('rev-list', '--count', 'HEAD')} commits`]),
    ]
  } finally {
    for (const path of [dataDir, source.folder]) rmSync(path, { recursive: true, force: true })
  }
}

function life(...args: string[]): Promise<{ code: number | null; signal: string | null; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'power-cut-child.ts'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (out += text))
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, out }))
  })
}

if (import.meta.main) {
  let bad = 0
  for (const point of POINTS) {
    const wrong = await cut(point)
    if (wrong.length > 0) bad++
    console.log(`${wrong.length === 0 ? 'ok    ' : 'BROKEN'} ${point}${wrong.length === 0 ? '' : `: ${wrong.join('; ')}`}`)
  }
  console.log(`${POINTS.length} points, ${bad} broken`)
  process.exitCode = bad > 0 ? 1 : 0
}
