/**
 * `npm run proof -- canaries [NAME]`: each weakened candidate alone in the trials that the gates run, and the source as it is. It prints what the
 * gates say and ends with 1 if one of them was let through.
 */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Fault } from '../../core/contract/fault.ts'
import { NOBODY } from '../../core/exec/local.ts'
import { type Canary, type CanarySaid, tryBoot, tryForbidden } from '../../core/self/canary.ts'
import { openWalls } from '../../core/self/walls.ts'
import { layOutWeakened, UNWHOLE, WEAKENED, type Weakened } from './weakened.ts'

const ROOT = dirname(dirname(import.meta.dirname))

export type Trials = {
  /** What a trial says of a candidate; a Fault is its words too. */
  said(act: (canary: Canary) => Promise<CanarySaid>, edits: Weakened['edits'], copy?: Canary['copy']): Promise<string>
  end(): void
}

export async function openTrials(): Promise<Trials> {
  const home = mkdtempSync(join(tmpdir(), 'banyan-canaries-'))
  await chmod(home, 0o711)
  const runAs = process.getuid?.() === 0 ? NOBODY : undefined
  const packages = realpathSync(join(ROOT, 'node_modules'))
  const walls = await openWalls({
    folder: join(home, 'walls'),
    path: '/usr/local/bin:/usr/bin:/bin',
    node: process.execPath,
    runAs,
    packages,
  })
  if ('why' in walls) throw new Error(walls.why)
  const judge = layOutWeakened(join(home, 'judge'), [])
  let n = 0
  return {
    async said(act, edits, copy = null) {
      const place = join(home, `${++n}`)
      const source = edits.length === 0 ? judge : layOutWeakened(join(home, `${n}-source`), edits)
      const canary = { walls, source, packages, judge, judgePackages: packages, place, copy, size: 0, runAs, signal: undefined }
      try {
        const { fault, summary } = await act(canary)
        return fault ?? `passed: ${summary}`
      } catch (error) {
        if (error instanceof Fault) return error.message
        throw error
      }
    },
    end: () => rmSync(home, { recursive: true, force: true }),
  }
}

if (import.meta.main) {
  const only = process.argv[2]
  const trials = await openTrials()
  let bad = 0
  const tell = (good: boolean, name: string, said: string) => {
    if (!good) bad++
    console.log(`${good ? 'as it must be' : 'NOT AS IT MUST BE'}: ${name}\n  ${said}`)
  }
  try {
    for (const [name, act] of [
      ['boot', tryBoot],
      ['forbidden acts', tryForbidden],
    ] as const)
      if (only === undefined) {
        const said = await trials.said(act, [])
        tell(said.startsWith('passed'), `the source as it is: ${name}`, said)
      }
    for (const { name, edits } of WEAKENED.filter((one) => only === undefined || one.name.includes(only))) {
      const said = await trials.said(tryForbidden, edits)
      tell(said.includes(`${name}: `), name, said)
    }
    for (const { name, edits, says } of UNWHOLE.filter((one) => only === undefined || one.name.includes(only))) {
      const said = await trials.said(tryBoot, edits)
      tell(says.test(said) && !said.startsWith('passed'), name, said)
    }
  } finally {
    trials.end()
  }
  process.exitCode = bad > 0 ? 1 : 0
}
