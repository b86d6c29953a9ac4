/**
 * A disk that fills up. First every way in which Banyan writes is tried with so many bytes left, page by page, on a small disk of its own; then
 * a whole runtime works goals there while the disk is filled to the last byte and emptied again. Nothing that was acknowledged may be lost or
 * half there, work pauses before damage, and goes on by itself.
 *
 *   npm run proof -- disk [--tries N] [--rounds N]
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Tried } from './disk-paths.ts'
import type { Round } from './disk-rounds.ts'

export type Outcome = { paths: Tried[]; rounds: Round[]; broken: string[] }

const SIZE = 96 * 1024 * 1024

/** `untried`: why it cannot be tried here. */
export async function proveDisk(tries: number, rounds: number): Promise<Outcome | { untried: string }> {
  const place = mkdtempSync(join(tmpdir(), 'banyan-disk-'))
  // A sandbox's own disk needs no rights; it is gone with its last process.
  const args = ['--dev-bind', '/', '/', '--size', String(SIZE), '--tmpfs', place, '--die-with-parent', process.execPath]
  const flags = ['--disable-warning=ExperimentalWarning', import.meta.filename, '--inside', place]
  const child = spawn('bwrap', [...args, ...flags, '--tries', String(tries), '--rounds', String(rounds)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const [out, err] = ['', '']
    const said = { out, err }
    child.stdout.on('data', (chunk) => {
      said.out += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      said.err += String(chunk)
    })
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
    const answer = said.out.split('\n').find((line) => line.startsWith('{'))
    if (answer !== undefined) return JSON.parse(answer) as Outcome
    if (/bwrap: /.test(said.err)) return { untried: `a sandbox with a disk of its own cannot be made here: ${said.err.trim()}` }
    throw new Error(`the proof ended with ${code}: ${said.err.slice(-4_000)}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { untried: 'bubblewrap is not installed' }
    throw error
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { tries: { type: 'string', default: '4000' }, rounds: { type: 'string', default: '40' }, inside: { type: 'string' } },
  })
  const [tries, rounds] = [Number(values.tries), Number(values.rounds)]
  if (values.inside !== undefined) {
    const [{ tryPaths }, { tryRounds }] = await Promise.all([import('./disk-paths.ts'), import('./disk-rounds.ts')])
    const paths = await tryPaths(values.inside, tries)
    rmSync(join(values.inside, 'data'), { recursive: true })
    rmSync(join(values.inside, 'filler'))
    const { rounds: done, broken } = await tryRounds(values.inside, rounds)
    process.stdout.write(`${JSON.stringify({ paths, rounds: done, broken: [...paths.flatMap(({ damage }) => damage), ...broken] })}\n`)
    process.exit(0)
  }
  const began = performance.now()
  const outcome = await proveDisk(tries, rounds)
  if ('untried' in outcome) console.log(`Not tried: ${outcome.untried}`)
  else {
    for (const { way, tries, done, refused } of outcome.paths)
      console.log(`${String(tries).padStart(6)}  ${way}: ${done} done, ${refused} refused`)
    const longest = (of: (round: Round) => number) => Math.round(Math.max(0, ...outcome.rounds.map(of)))
    console.log(
      `${outcome.rounds.length} times full under load: paused after ${longest((one) => one.pausedMs)} ms at most, on again after ${longest((one) => one.resumedMs)} ms at most`,
    )
    console.log(`${outcome.broken.length} broken, ${((performance.now() - began) / 1_000).toFixed(0)} s`)
    for (const line of outcome.broken.slice(0, 50)) console.log(`- ${line.slice(0, 300)}`)
    process.exitCode = outcome.broken.length > 0 ? 1 : 0
  }
}
