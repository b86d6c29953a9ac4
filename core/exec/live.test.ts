import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import type { Command, Input } from './exec.ts'
import { handOver, localExec, NOBODY } from './local.ts'
import { openIsolation } from './probe.ts'

const path = '/usr/local/bin:/usr/bin:/bin'
const runAs = process.getuid?.() === 0 ? NOBODY : undefined
/** The machine may be busy. */
const PATIENCE = { timeout: 15_000 }
let root: string
let stop: AbortController
const open: (() => Promise<void>)[] = []
beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-live-')))
  if (runAs) await handOver(root, runAs)
  stop = new AbortController()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((end) => end()))
  rmSync(root, { recursive: true, force: true })
})

/** Where each level of this machine begins a command; a conversation with it is a list of what came and a way to answer. */
async function talk(
  level: 'plain' | 'sandbox',
  shell: string,
  more: Partial<Command> & { terminal?: { columns: number; rows: number } } = {},
) {
  const { terminal, ...rest } = more
  const kept = mkdtempSync(join(tmpdir(), 'banyan-walls-'))
  const isolation =
    level === 'sandbox'
      ? await openIsolation({ folder: join(kept, 'sandbox'), path, hidden: [kept], node: process.execPath, ...(runAs ? { runAs } : {}) })
      : null
  const exec = localExec({
    environment: { PATH: path },
    ...(isolation ? { sandbox: isolation.sandbox, cgroups: isolation.cgroups } : {}),
    ...(runAs ? { runAs } : {}),
  })
  open.push(async () => {
    await exec.stop()
    rmSync(kept, { recursive: true, force: true })
  })
  let said = ''
  const begun = Promise.withResolvers<Input>()
  const result = exec.run(
    {
      run: { shell },
      cwd: root,
      isolation: level,
      timeoutMs: 30_000,
      outputBytes: 10_000,
      live: { onOutput: (chunk) => (said += chunk.toString()), onStart: begun.resolve, ...(terminal ? { terminal } : {}) },
      ...rest,
    },
    stop.signal,
  )
  result.catch(begun.reject)
  return { input: await begun.promise, result, said: () => said }
}

const LEVELS = need('bubblewrap') ? (['plain', 'sandbox'] as const) : (['plain'] as const)
describe.for(LEVELS)('a command that is spoken with, %s', { timeout: 60_000 }, (level) => {
  test('reads what is written while it runs and is heard at once', async () => {
    const { input, result, said } = await talk(level, 'while read -r line; do echo "got $line"; done; echo over >&2')
    input.write('one\n')
    await vi.waitFor(() => expect(said()).toBe('got one\n'), PATIENCE)
    input.write('two\n')
    input.end()
    expect(await result).toMatchObject({ exitCode: 0, isolation: level, stdout: 'got one\ngot two\n', stderr: 'over\n' })
    expect(said()).toBe('got one\ngot two\nover\n')
    expect(() => input.write('three')).toThrow(/reads nothing any more/)
  })

  test('has a terminal of the size that was asked for, and its keys', async () => {
    const { input, result, said } = await talk(
      level,
      'test -t 0 && test -t 1 && test -t 2 && stty size && stty -echo && echo ready && read -r a && echo "<$a>" && : </dev/tty && echo own',
      {
        terminal: { columns: 97, rows: 31 },
      },
    )
    await vi.waitFor(() => expect(said()).toMatch(/ready/), PATIENCE)
    input.write('typed\r')
    expect(await result).toMatchObject({ exitCode: 0, isolation: level, stderr: '' })
    expect(said()).toBe('31 97\r\nready\r\n<typed>\r\nown\r\n')
  })

  test('is interrupted by Ctrl-C in its terminal, as by a person', async () => {
    const { input, result, said } = await talk(level, 'trap "echo interrupted; exit 3" INT; echo ready; while :; do sleep 0.05; done', {
      terminal: { columns: 80, rows: 24 },
    })
    await vi.waitFor(() => expect(said()).toMatch(/ready/), PATIENCE)
    input.write('\x03')
    expect(await result).toMatchObject({ exitCode: 3 })
    expect(said()).toMatch(/interrupted/)
  })

  test('ends with its terminal when it is aborted, though it ignores polite signals', async () => {
    const { result, said } = await talk(level, 'trap "" TERM HUP INT; echo ready; while :; do sleep 0.05; done', {
      terminal: { columns: 80, rows: 24 },
    })
    await vi.waitFor(() => expect(said()).toMatch(/ready/), PATIENCE)
    stop.abort()
    expect(await result).toMatchObject({ exitCode: null, aborted: true, signal: 'SIGKILL' })
  })
})
