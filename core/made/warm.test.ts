/** Processes that wait for calls of made tools: quicker, and nothing else is different. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import type { MadePermission } from '../contract/made-tool.ts'
import { openMachine } from './fixture/machine.ts'

// Every call is a process behind walls, and CI has two cores.
vi.setConfig({ testTimeout: 90_000 })

const PATIENCE = { timeout: 30_000 }
const signal = new AbortController().signal
let serial = 0
const code = (source: string, permission: MadePermission = 'pure') => ({ sha: `warm-${++serial}`, source, tests: '', permission })
/** Processes of this machine whose command line holds the text. */
const alive = (text: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(text)
    } catch {
      return false // it ended meanwhile
    }
  })

/** Whether a process of Node runs below one whose command line holds the text. */
const hasNode = (text: string): boolean => {
  const above = new Set(alive(text))
  const parents = new Map<string, string>()
  const programs = new Map<string, string>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      parents.set(pid, /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!)
      programs.set(pid, readlinkSync(`/proc/${pid}/exe`))
    } catch {
      // it ended meanwhile
    }
  const below = (pid: string | undefined): boolean => pid !== undefined && (above.has(pid) || below(parents.get(pid)))
  return [...programs].some(([pid, program]) => program.endsWith('node') && !above.has(pid) && below(pid))
}

describe.skipIf(!need('bubblewrap'))('the process for the next call of a made tool', async () => {
  const machine = await openMachine()
  afterAll(() => machine.stop())

  test('has started before that call, with nothing of the tool loaded, and serves it alone', async () => {
    const runner = machine.runner()
    const tool = code(`const loaded = Date.now()
let calls = 0
export default async () => {
  const g = globalThis as { left?: number }
  const seen = { started: performance.timeOrigin, loaded, calls: ++calls, left: g.left ?? null }
  g.left = calls
  return seen
}
`)
    type Seen = { started: number; loaded: number; calls: number; left: number | null }
    const call = async () => (await runner.call(tool, {}, null, signal)) as { kind: 'result'; value: Seen }
    let before = Date.now()
    const first = (await call()).value
    expect(first.started).toBeGreaterThan(before - 2)
    for (let i = 0; i < 2; i++) {
      expect(runner.waiting()).toBe(1)
      await expect.poll(() => hasNode(tool.sha), PATIENCE).toBe(true)
      before = Date.now()
      const next = (await call()).value
      expect(next).toMatchObject({ calls: 1, left: null })
      expect(next.started).toBeLessThan(before)
      expect(next.loaded).toBeGreaterThan(before - 2)
    }
    await runner.close()
    expect(runner.waiting()).toBe(0)
    expect(alive(tool.sha)).toEqual([])
  })

  test.for([
    ['runs for ever', 'for (;;) {}', /still running after 3 s/],
    ['eats memory', 'const all: any[] = []; for (;;) all.push(new Array(2e6).fill(1.5))', /more memory/],
    ['answers too much', `return 'x'.repeat(300_000)`, /more than the 200000/],
  ] as const)('is held to the same bounds when the tool %s', async ([, act, words]) => {
    const runner = machine.runner({ limits: { callMs: act === 'for (;;) {}' ? 3_000 : 60_000 } })
    const tool = code(`export default async (input: any) => { if (input.well) return 'well'; ${act} }\n`)
    expect(await runner.call(tool, { well: true }, null, signal)).toEqual({ kind: 'result', value: 'well' })
    expect(runner.waiting()).toBe(1)
    const ran = await runner.call(tool, {}, null, signal)
    expect(ran).toMatchObject({ kind: 'broken', why: expect.stringMatching(words) })
    expect(await runner.call(tool, { well: true }, null, signal)).toEqual({ kind: 'result', value: 'well' })
    await runner.close()
  })

  test('ends with a call that is stopped, and nobody waits then', async () => {
    const runner = machine.runner()
    const tool = code('export default async (input: any) => { if (input.well) return 1; await new Promise(() => {}) }\n')
    await runner.call(tool, { well: true }, null, signal)
    const stop = new AbortController()
    const call = runner.call(tool, {}, null, stop.signal)
    stop.abort()
    expect(await call).toEqual({ kind: 'stopped' })
    expect(runner.waiting()).toBe(0)
    await vi.waitFor(() => expect(alive(tool.sha)).toEqual([]), PATIENCE)
  })

  test('is one of a few: the one that waited longest goes, and each goes after a while', async () => {
    const runner = machine.runner({ warm: { most: 2, idleMs: 4_000 } })
    for (let i = 0; i < 3; i++) {
      await runner.call(code('export default async () => 1\n'), {}, null, signal)
      expect(runner.waiting()).toBe(Math.min(i + 1, 2))
    }
    await expect.poll(() => runner.waiting(), PATIENCE).toBe(0)
    await runner.close()
  })

  test('sees the folder of the task as it is at the call, and never one that was there before', async () => {
    const runner = machine.runner()
    const place = join(machine.data, 'workspaces', 'one')
    const make = async (words: string) => {
      await mkdir(place, { recursive: true })
      if (machine.runAs) await chown(place, machine.runAs.uid, machine.runAs.gid)
      await writeFile(join(place, 'a.txt'), words)
    }
    const tool = code(
      `import { readFileSync } from 'node:fs'\nexport default async (_: any, ctx: any) => readFileSync(ctx.workspace + '/a.txt', 'utf8')\n`,
      'read_workspace',
    )
    const call = () => runner.call(tool, {}, place, signal)
    await make('first')
    expect(await call()).toEqual({ kind: 'result', value: 'first' })
    await writeFile(join(place, 'a.txt'), 'second')
    expect(await call()).toEqual({ kind: 'result', value: 'second' })
    await rm(place, { recursive: true })
    await make('third')
    expect(await call()).toEqual({ kind: 'result', value: 'third' })
    await runner.close()
  })

  test('does not outlive a runtime that is killed', async () => {
    const sha = `killed-${randomUUID()}`
    const runtime = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'fixture/killed.ts'), sha], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [said] = (await once(runtime.stdout!, 'data')) as [Buffer]
    const { waiting, data } = JSON.parse(said.toString()) as { waiting: number; data: string }
    expect(waiting).toBe(1)
    const others = () => alive(sha).filter((pid) => pid !== String(runtime.pid))
    await vi.waitFor(() => expect(others()).not.toEqual([]), PATIENCE)
    runtime.kill('SIGKILL')
    await once(runtime, 'exit')
    await vi.waitFor(() => expect(others()).toEqual([]), PATIENCE)
    await rm(dirname(data), { recursive: true, force: true })
  })
})
