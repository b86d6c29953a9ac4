/** One child after another: hands it jobs, kills it when asked, starts the next one when it died. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Job, Said } from './child.ts'

export type Done = Extract<Said, { said: 'done' }>
/** `died`: by SIGKILL, by whomever. */
/** `words`: the last that the process said of errors. */
export type LaneEnd = { kind: 'done'; done: Done; words: string } | { kind: 'died' } | { kind: 'broke'; why: string }

export type Lane = {
  /** `killAfterMs`: SIGKILL from outside that long after the job began. */
  run(job: Job, killAfterMs?: number): Promise<LaneEnd>
  close(): void
}

/** Jobs that one process takes: enough to share the cost of its start, few enough to begin afresh often. */
const JOBS = 40
/** A child notices by itself when a scenario does not come to rest; this is for one that cannot even do that. */
const HUNG_MS = 60_000

export function openLane(root: string, compileCache: string): Lane {
  let child: ChildProcess | undefined
  let jobs = 0
  let hear: (line: string) => void = () => undefined
  let words = ''

  function start(): ChildProcess {
    jobs = 0
    words = ''
    const started = spawn(process.execPath, [join(root, 'scripts', 'crash', 'child.ts')], {
      cwd: root,
      // Nothing else of this environment: no key of the person who runs it is spent.
      env: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: compileCache },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    started.stdin?.on('error', () => undefined) // it died; the exit tells
    createInterface({ input: started.stdout! }).on('line', (line) => hear(line))
    started.stderr!.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-4_000)))
    child = started
    return started
  }
  function retire(): void {
    child?.stdin?.end()
    child = undefined
  }

  return {
    run: (job, killAfterMs) =>
      new Promise((resolve) => {
        if (jobs >= JOBS) retire()
        const by = child ?? start()
        jobs += 1
        let hung = false
        let timer = setTimeout(() => {
          hung = true
          by.kill('SIGKILL')
        }, HUNG_MS)
        const end = (how: LaneEnd) => {
          clearTimeout(timer)
          by.off('exit', exited)
          resolve(how)
        }
        const exited = (code: number | null, signal: string | null) => {
          child = undefined
          if (signal === 'SIGKILL' && !hung) return end({ kind: 'died' })
          end({ kind: 'broke', why: hung ? `it hung for ${HUNG_MS / 1_000} s` : `it ended with ${code ?? signal}: ${words.trim()}` })
        }
        by.once('exit', exited)
        hear = (line) => {
          const said = JSON.parse(line) as Said
          if (said.said === 'done') return end({ kind: 'done', done: said, words })
          if (killAfterMs === undefined) return
          clearTimeout(timer)
          timer = setTimeout(() => by.kill('SIGKILL'), killAfterMs)
        }
        by.stdin!.write(`${JSON.stringify(job)}\n`)
      }),
    close: retire,
  }
}

/** Processes that work in a folder; none must be left of a run that was killed. Empty where there is no /proc. */
export function processesIn(folder: string): { pid: number; cwd: string }[] {
  const found: { pid: number; cwd: string }[] = []
  for (const name of readable('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const cwd = readlinkSync(`/proc/${name}/cwd`)
      if (cwd.startsWith(`${folder}/`)) found.push({ pid: Number(name), cwd })
    } catch {
      // It ended meanwhile, or is another user's.
    }
  }
  return found
}
function readable(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // no /proc on this system
  }
}
