import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readCommand } from '../core/contract/answers.ts'
import { commandOf } from '../core/contract/goal-text.ts'
import { workspaceFiles } from '../core/exec/files.ts'
import { localExec } from '../core/exec/local.ts'
import type { Call, Capabilities } from '../core/tool.ts'
import tool from './use_terminal.ts'

let root: string
let exec: ReturnType<typeof localExec>
let stop: AbortController
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-terminal-')))
  mkdirSync(join(root, 'sub'))
  exec = localExec({ environment: { PATH: '/usr/local/bin:/usr/bin:/bin' } })
  stop = new AbortController()
})
afterEach(async () => {
  await exec.stop()
  rmSync(root, { recursive: true, force: true })
})

/** What the tool is handed for a task whose instruction a person typed. */
const capabilities = (instruction = '') => {
  const own = commandOf(instruction)
  return {
    files: workspaceFiles(root),
    exec: {
      isolation: exec.isolation,
      run: (command: Parameters<Capabilities['exec']['run']>[0]) => exec.run({ cwd: root, ...command }, stop.signal),
    },
    origin: { typedByPerson: (command: string) => ({ typed: own?.command === command, once: own?.once ?? false }) },
  } as unknown as Capabilities
}
const call = (attempt = 1) => ({ id: 'c1', attempt, signal: stop.signal }) as Call
const run = async (raw: Record<string, unknown>, all = capabilities(), attempt = 1) => {
  const outcome = await tool.call(raw, call(attempt), all)
  if (outcome.kind !== 'answer') throw new Error(`not an answer: ${outcome.kind}`)
  return outcome
}

describe('use_terminal', () => {
  test('runs a line in the workspace and tells all of it in the form that others read back', async () => {
    const { text, isError } = await run({ command: 'pwd; echo problem >&2; exit 4' })
    expect(isError).toBeUndefined()
    expect(readCommand(text)).toEqual({ exitCode: 4, ending: '', isolation: 'plain', stdout: root, stderr: 'problem' })
  })

  test('runs an argument vector without a shell, in a folder below, with input', async () => {
    expect(readCommand((await run({ argv: ['echo', '$HOME', '*'] })).text)?.stdout).toBe('$HOME *')
    expect(readCommand((await run({ command: 'pwd; echo $HOME; cat', cwd: 'sub', stdin: 'given' })).text)?.stdout).toBe(
      `${root}/sub\n${root}\ngiven`,
    )
  })

  test('says what ended a command that has no exit code', async () => {
    expect((await run({ command: 'sleep 600', timeout_seconds: 1 })).text).toMatch(/^exit code: none \(timed out after 1 s\)\n/)
    expect((await run({ command: 'kill -9 $$' })).text).toMatch(/^exit code: none \(killed by SIGKILL\)\n/)
    const stopped = run({ command: 'touch begun; exec sleep 600' })
    await vi.waitFor(() => expect(existsSync(join(root, 'begun'))).toBe(true))
    stop.abort()
    expect((await stopped).text).toMatch(/^exit code: none \(stopped\)\n/)
  })

  test('shows when a command is run again after a restart', async () => {
    expect((await run({ command: 'true' }, capabilities(), 2)).text).toMatch(/\(run again from its start after a restart\)/)
    expect((await run({ command: 'true' })).text).not.toMatch(/restart/)
  })

  test('tells a model what was wrong with its call', async () => {
    for (const [raw, words] of [
      [{}, /exactly one of "command".*and "argv"/],
      [{ command: 'ls', argv: ['ls'] }, /exactly one of/],
      [{ command: 'ls', timeout_seconds: 4_000 }, /timeout_seconds/],
      [{ argv: ['no-such-program'] }, /no program "no-such-program" on PATH/],
      [{ command: 'ls', cwd: '../..' }, /leaves the workspace/],
      [{ command: 'ls', cwd: 'none' }, /no "none" in the workspace/],
    ] as const) {
      const outcome = await run(raw)
      expect(outcome.isError, JSON.stringify(raw)).toBe(true)
      expect(outcome.text).toMatch(words)
    }
  })

  test('refuses at once, without asking anybody, what cannot work', async () => {
    for (const command of ['vim notes.md', 'sudo touch x', 'cd sub && nano a']) {
      expect(tool.permit({ command }, call(), capabilities()), command).toBe('allow')
      expect(await run({ command }), command).toMatchObject({ isError: true, text: expect.stringMatching(/edit_file|flag_for_review/) })
    }
  })
})

describe('who must allow a command', () => {
  test('nobody, when a person typed exactly it; begun and cut off, it may run again', () => {
    const all = capabilities('Run `echo hi | tee out`')
    expect(tool.permit({ command: 'echo hi | tee out' }, call(), all)).toBe('allow')
    expect(tool.effect({ command: 'echo hi | tee out' }, call(), all)).toBe('idempotent')
    expect(tool.permit({ argv: ['npm', 'test'] }, call(), capabilities('Run `npm test`'))).toBe('allow')
  })

  test('nobody, but only once, when the person said so', () => {
    const all = capabilities('Run `./deploy.sh` (once)')
    expect(tool.permit({ command: './deploy.sh' }, call(), all)).toBe('allow')
    expect(tool.effect({ command: './deploy.sh' }, call(), all)).toBe('once')
  })

  test('a person, for everything that an agent thought of or changed', () => {
    const all = capabilities('Run `rm -rf build`')
    for (const raw of [
      { command: 'rm -rf build2' },
      { command: 'rm -rf build', cwd: 'sub' },
      { command: 'rm -rf build', stdin: 'yes' },
      { command: 'ls' },
      { argv: ['rm', '-rf build'] },
    ]) {
      expect(tool.permit(raw, call(), all), JSON.stringify(raw)).toMatchObject({
        ask: { title: expect.stringMatching(/^Run a command: /) },
      })
      expect(tool.effect(raw, call(), all), JSON.stringify(raw)).toBe('once')
    }
  })

  test('and that person sees all of it, with its risk', () => {
    const permit = (raw: Record<string, unknown>) => tool.permit(raw, call(), capabilities())
    expect(permit({ command: 'curl https://example.org/x', cwd: 'sub', stdin: 'in', timeout_seconds: 60 })).toEqual({
      ask: {
        title: 'Run a command: curl https://example.org/x',
        action: {
          tool: 'use_terminal',
          command: 'curl https://example.org/x',
          cwd: 'sub',
          stdin: 'in',
          isolation: 'plain',
          timeoutSeconds: 60,
        },
        risk: 'high',
      },
    })
    expect(permit({ argv: ['ls', 'a b'] })).toMatchObject({
      ask: { title: "Run a command: ls 'a b'", action: { argv: ['ls', 'a b'], cwd: '.', timeoutSeconds: 120 }, risk: 'low' },
    })
    expect(permit({ command: `echo ${'x'.repeat(200)}\nnpm test` })).toMatchObject({
      ask: { title: expect.stringMatching(/^Run a command: .{79}…$/), risk: 'medium' },
    })
  })
})

test('a typed command may change files, which the file tools then see', async () => {
  await run({ command: 'echo done > result.txt' }, capabilities('Run `echo done > result.txt`'))
  expect(readFileSync(join(root, 'result.txt'), 'utf8')).toBe('done\n')
})

describe('use_terminal and the network', () => {
  const facts = (network: string[], isolation: 'plain' | 'sandbox' | 'container') => {
    const all = { ...capabilities(), exec: { ...capabilities().exec, isolation } } as Capabilities
    return {
      facts: tool.facts({ command: 'npm ci', network }, call(), all),
      permit: tool.permit({ command: 'npm ci', network }, call(), all),
    }
  }

  test('shows a person the hosts in one spelling, and says them to the policy without ports', () => {
    const { facts: declared, permit } = facts(['Registry.npmjs.org:443', '*.example.org'], 'sandbox')
    expect(permit).toMatchObject({ ask: { action: { network: ['*.example.org', 'registry.npmjs.org:443'] } } })
    expect(declared).toMatchObject({
      hosts: ['*.example.org', 'registry.npmjs.org'],
      network: ['*.example.org', 'registry.npmjs.org:443'],
      external: true,
      online: true,
      idle: false,
    })
  })

  test('says that nothing holds a plain command to its hosts, before and after', async () => {
    expect(facts(['example.org'], 'plain').permit).toMatchObject({
      ask: { action: { network: 'whatever this machine reaches; there is no sandbox here that could hold it to example.org' } },
    })
    const { text } = await run({ command: 'true', network: ['example.org'] })
    expect(text).toMatch(/\nnetwork: not held to the hosts it named, because it ran without a sandbox\n/)
    expect(readCommand(text)).toMatchObject({ exitCode: 0, isolation: 'plain' })
  })

  test('refuses what is no host, and any in a container, without asking anybody', () => {
    expect(facts(['https://example.org'], 'sandbox')).toMatchObject({ facts: { idle: true }, permit: 'allow' })
    expect(facts(['example.org'], 'container')).toMatchObject({ facts: { idle: true }, permit: 'allow' })
  })
})
