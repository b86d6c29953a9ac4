/**
 * Runs the code of made tools: each call in a process of its own, often one that waits already, within the walls of the sandbox and of Node's permission model. It sees its
 * code (read-only), Node, and what it was allowed of the workspace; there is no network, no other program, and bounds on time, memory,
 * processes and output. What it prints is never taken for its answer: that comes marked with a word that the code was not told.
 */
import { randomBytes } from 'node:crypto'
import { chmod, copyFile, lchown, mkdir, mkdtemp, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { MADE_VALUE_LIMIT, type MadeTool, type MadeTrial } from '../contract/made-tool.ts'
import type { CommandResult, Exec } from '../exec/exec.ts'
import type { Owner } from '../exec/local.ts'
import { openWarm, WARM_LIMITS, type Waiting, type WarmLimits } from './warm.ts'

/** `broken`: a fault of the tool, in words. `threw`: it refused, or failed with an error of the language (`bug`). */
export type Ran =
  | { kind: 'result'; value: unknown }
  | { kind: 'threw'; words: string; bug: boolean }
  | { kind: 'broken'; why: string }
  | { kind: 'stopped' }

export type MadeRunner = ReturnType<typeof openMadeRunner>
export type Code = { sha: string } & Pick<MadeTool, 'source' | 'tests' | 'permission'>

/** How long a call may take, and all tests together. */
const LIMITS = { callMs: 20_000, testsMs: 60_000 }
const TEST_MS = 15_000
/** Room for a result at the end of the output, marks included; the middle of what is printed besides is dropped. */
const OUTPUT_BYTES = MADE_VALUE_LIMIT * 8
const HEAP_MB = 256
/** Bytes of one file, where it may write any. */
const FILE_BYTES = 100 * 2 ** 20
/** A tool that does nothing, which no tests may pass with. */
const NOTHING = 'export default async () => undefined\n'
/** Errors of the language, not words to whoever called. */
const BUGS = new Set(['TypeError', 'ReferenceError', 'RangeError', 'SyntaxError', 'EvalError', 'URIError', 'AggregateError'])

const Threw = z.object({ name: z.string(), message: z.string(), stack: z.string() })
const Tests = z.array(z.object({ name: z.string(), ok: z.boolean(), left: z.boolean(), words: z.string() }))

export function openMadeRunner(parts: {
  exec: Pick<Exec, 'run'>
  folder: string
  runAs?: Owner
  limits?: Partial<typeof LIMITS>
  warm?: Partial<WarmLimits>
}) {
  const { exec, folder, runAs } = parts
  const warm = openWarm({ exec, limits: { ...WARM_LIMITS, ...parts.warm } })
  const { callMs, testsMs } = { ...LIMITS, ...parts.limits }
  const empty = join(folder, 'empty')
  const harness = join(import.meta.dirname, 'harness')

  /** Its code as files, made from the rows when they are not there; half-made folders never have this name. */
  async function codeOf({ sha, source, tests }: Code): Promise<string> {
    const place = join(folder, 'code', sha)
    if (await there(join(place, 'package.json'))) return place
    await mkdir(join(folder, 'code'), { recursive: true, mode: 0o755 })
    const half = await mkdtemp(join(folder, 'code', 'half-'))
    await mkdir(join(half, 'nothing'))
    const files: [string, string][] = [
      ['package.json', '{"type":"module"}\n'],
      ['tool.ts', source],
      ['tool.test.ts', tests],
      ['nothing/tool.ts', NOTHING],
      ['nothing/tool.test.ts', tests],
    ]
    for (const [name, text] of files) await writeFile(join(half, name), text, { mode: 0o644 })
    for (const name of ['call.mjs', 'test.mjs']) {
      await copyFile(join(harness, name), join(half, name))
      await chmod(join(half, name), 0o644)
    }
    for (const each of [half, join(half, 'nothing')]) await chmod(each, 0o755)
    await rename(half, place).catch(async (error: unknown) => {
      await rm(half, { recursive: true, force: true })
      if (!(await there(place))) throw error // another call was quicker
    })
    return place
  }

  /** A process behind its walls that runs a script of the harness with the code at hand. It reads what to do from its input. */
  async function enclosed(code: Code, script: string, at: { workspace: string | null; timeoutMs: number }): Promise<Waiting> {
    await mkdir(empty, { recursive: true, mode: 0o755 })
    const place = at.workspace ?? (await realpath(empty))
    const writes = code.permission === 'write_workspace' && at.workspace !== null
    const node = [
      await realpath(process.execPath),
      ...['--permission', '--allow-fs-read=/tool/*'],
      ...(at.workspace === null ? [] : [`--allow-fs-read=${place}`, `--allow-fs-read=${join(place, '*')}`]),
      ...(writes ? [`--allow-fs-write=${place}`, `--allow-fs-write=${join(place, '*')}`] : []),
      ...['--no-warnings', `--max-old-space-size=${HEAP_MB}`, '--disable-wasm-trap-handler', `/tool/${script}`],
    ]
    return {
      run: { argv: ['/bin/sh', '-c', `ulimit -f ${FILE_BYTES / 512}; exec "$@"`, 'tool', ...node] },
      cwd: place,
      workspace: place,
      ...(writes ? {} : { readOnly: true as const }),
      tool: await codeOf(code),
      isolation: 'sandbox',
      network: 'none',
      env: { HOME: '/tmp', TMPDIR: '/tmp', NODE_OPTIONS: '' },
      timeoutMs: at.timeoutMs,
      outputBytes: OUTPUT_BYTES,
    }
  }
  const newNonce = (): string => randomBytes(24).toString('base64url')

  /** One run of its tests, with the tool itself or with one that does nothing. */
  async function tested(
    code: Code,
    file: string,
    signal: AbortSignal,
  ): Promise<{ tests: z.output<typeof Tests> | null; result: CommandResult }> {
    const workspace = code.permission === 'pure' ? null : await scratch()
    try {
      // A tool that may only read has tests that put files there first.
      const may = code.permission === 'pure' ? code : { ...code, permission: 'write_workspace' as const }
      const at = { workspace, timeoutMs: testsMs }
      const nonce = newNonce()
      const command = await enclosed(may, 'test.mjs', at)
      const result = await exec.run({ ...command, stdin: JSON.stringify({ file, timeoutMs: TEST_MS, nonce }) }, signal)
      const said = markedIn(result.stdout, nonce)
      const tests = said?.kind === 'tests' ? Tests.safeParse(said.value) : null
      return { tests: tests?.success ? tests.data : null, result }
    } finally {
      if (workspace !== null) await rm(workspace, { recursive: true, force: true })
    }
  }
  async function scratch(): Promise<string> {
    await mkdir(join(folder, 'scratch'), { recursive: true, mode: 0o711 })
    const place = await mkdtemp(join(folder, 'scratch', 'tests-'))
    if (runAs) await lchown(place, runAs.uid, runAs.gid)
    return realpath(place)
  }

  return {
    /** What a crash left behind of tests and of code that was being written. */
    async sweep(): Promise<void> {
      await rm(join(folder, 'scratch'), { recursive: true, force: true })
      const names = await readdir(join(folder, 'code')).catch(() => []) // nothing was ever made here
      for (const name of names.filter((one) => one.startsWith('half-')))
        await rm(join(folder, 'code', name), { recursive: true, force: true })
    },

    /** Runs the tests. Never rejects for what the code did; a Fault when there is no sandbox, or when it was stopped. */
    async test(code: Code, signal: AbortSignal): Promise<MadeTrial> {
      const began = performance.now()
      const { tests, result } = await tested(code, '/tool/tool.test.ts', signal)
      if (result.aborted) throw new Fault('conflict', 'The tests were stopped before they ended.')
      const ms = Math.round(performance.now() - began)
      if (tests === null)
        return {
          passed: 0,
          failed: 1,
          ms,
          report: `The tests did not end: ${endOf(result, testsMs)}${printed(result.stdout + result.stderr)}`,
        }
      const counted = tests.filter((one) => !one.left)
      const passed = counted.filter((one) => one.ok).length
      const lines = tests.map(
        (one) => `${one.left ? 'left out' : one.ok ? 'ok' : 'FAILED'}: ${one.name}${one.words ? `\n${indent(one.words)}` : ''}`,
      )
      if (counted.length === 0) return { passed: 0, failed: 1, ms, report: ['There is no test that ran.', ...lines].join('\n') }
      if (passed < counted.length)
        return { passed, failed: counted.length - passed, ms, report: `${lines.join('\n')}${printed(result.stderr)}`.slice(0, 12_000) }
      const nothing = await tested(code, '/tool/nothing/tool.test.ts', signal)
      if (nothing.tests?.filter((one) => !one.left).every((one) => one.ok) && nothing.tests.length > 0)
        return {
          passed,
          failed: 1,
          ms,
          report: `FAILED: the same tests pass with a tool that does nothing, so they show nothing; check the results of calls.\n${lines.join('\n')}`,
        }
      return { passed, failed: 0, ms, report: lines.join('\n').slice(0, 12_000) }
    },

    /**
     * One call, in a process that serves no other. Rejects with a Fault when there is no sandbox to run it in. The one for the next call of
     * the same code on the same folder is started when this one has ended.
     */
    async call(code: Code, input: unknown, workspace: string | null, signal: AbortSignal): Promise<Ran> {
      const at = { workspace, timeoutMs: callMs }
      const nonce = newNonce()
      const command = await enclosed(code, 'call.mjs', at)
      const stdin = JSON.stringify({ input, workspace, limit: MADE_VALUE_LIMIT, nonce })
      const key = `${code.sha} ${code.permission} ${workspace === null ? '' : await placeOf(workspace)}`
      const result = (await warm.serve(key, command, stdin, signal)) ?? (await exec.run({ ...command, stdin }, signal))
      if (!result.aborted) warm.prepare(key, command)
      if (result.aborted) return { kind: 'stopped' }
      const said = markedIn(result.stdout, nonce)
      if (said?.kind === 'result') return { kind: 'result', value: said.value }
      if (said?.kind === 'shape' && typeof said.value === 'string') return { kind: 'broken', why: said.value }
      const threw = said?.kind === 'threw' ? Threw.safeParse(said.value) : null
      if (!threw?.success) return { kind: 'broken', why: `It ended without an answer: ${endOf(result, callMs)}` }
      const { name, message, stack } = threw.data
      const where = /tool\.ts:(\d+)/.exec(stack)?.[1]
      const bug = BUGS.has(name) || stack.includes('ERR_ACCESS_DENIED')
      return { kind: 'threw', bug, words: bug ? `${name}: ${message}${where ? ` (line ${where} of its source)` : ''}` : message }
    },
    /** Processes that wait for a call. */
    waiting: warm.waiting,
    close: warm.close,
  }
}

/** The first line with the mark; text that looks like one without it is only print. */
function markedIn(stdout: string, nonce: string): { kind: string; value: unknown } | null {
  const at = stdout.indexOf(`\n${nonce} `)
  if (at < 0) return null
  const line = stdout.slice(at + nonce.length + 2).split('\n', 1)[0]!
  const space = line.indexOf(' ')
  try {
    return { kind: line.slice(0, space), value: JSON.parse(line.slice(space + 1)) as unknown }
  } catch {
    return null // cut off by the end of its process
  }
}

function endOf(result: CommandResult, limitMs: number): string {
  if (result.timedOut) return `it was still running after ${limitMs / 1_000} s and was ended.`
  if (result.oomKilled || /heap out of memory|Allocation failed/.test(result.stderr))
    return `it wanted more memory than it may have (${HEAP_MB} MB).`
  if (result.exitCode === 0) return 'its process ended by itself (process.exit) with code 0.'
  return `its process ended with ${result.exitCode === null ? `the signal ${result.signal}` : `exit code ${result.exitCode}`}.${printed(result.stderr)}`
}
const printed = (text: string): string => (text.trim() === '' ? '' : `\nIt printed:\n${indent(text.trim().slice(-2_000))}`)
const indent = (text: string): string => text.replace(/^/gm, '  ')
/** A folder that was removed and made anew is another: a process that waits still sees the one before. */
async function placeOf(folder: string): Promise<string> {
  const { ino, birthtimeMs } = await stat(folder)
  return `${folder} ${ino} ${birthtimeMs}`
}
const there = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false, // not made yet
  )
