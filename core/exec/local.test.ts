import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Command } from './exec.ts'
import { handOver, localExec } from './local.ts'

const PATH = '/usr/local/bin:/usr/bin:/bin'
let folder: string
let exec: ReturnType<typeof localExec>
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-exec-')))
  exec = localExec({ environment: { PATH } })
})
afterEach(async () => {
  await exec.stop()
  rmSync(folder, { recursive: true, force: true })
})

const run = (command: string | string[], more: Partial<Command> = {}, signal = new AbortController().signal) =>
  exec.run(
    {
      run: typeof command === 'string' ? { shell: command } : { argv: command },
      cwd: folder,
      timeoutMs: 30_000,
      outputBytes: 10_000,
      ...more,
    },
    signal,
  )
const alive = (pid: number) => {
  try {
    process.kill(pid, 0)
    // A zombie answers signals too; it is over all the same.
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false // no such process: over
  }
}
const pidIn = (file: string) =>
  vi.waitFor(() => {
    const pid = Number(readFileSync(join(folder, file), 'utf8'))
    if (!pid) throw new Error('not written yet')
    return pid
  }, 10_000)
const gone = (pid: number) => vi.waitFor(() => expect(alive(pid)).toBe(false), 10_000)

describe('a command', () => {
  test('gives its streams, its exit code and its time', async () => {
    const result = await run('echo out; echo err >&2; exit 3')
    expect(result).toMatchObject({
      exitCode: 3,
      signal: null,
      timedOut: false,
      aborted: false,
      stdout: 'out\n',
      stderr: 'err\n',
      isolation: 'plain',
      unsandboxed: expect.stringMatching(/no sandbox/),
      oomKilled: false,
      network: null,
    })
    expect(result).toMatchObject({ stdoutBytes: 4, stderrBytes: 4 })
    expect(result.wallMs).toBeGreaterThan(0)
  })

  test('as an argument vector meets no shell', async () => {
    expect((await run(['printf', '%s|', '$HOME', '; rm -rf /', '*', "a'b"])).stdout).toBe("$HOME|; rm -rf /|*|a'b|")
  })

  test('may begin with a dash, as a line and as a word', async () => {
    expect((await run('-x 2>/dev/null; echo after')).stdout).toBe('after\n')
    expect((await run(['printf', '%s', '-n'])).stdout).toBe('-n')
  })

  test('reads what it is given as input, and an empty input otherwise', async () => {
    expect((await run('cat', { stdin: 'grüße' })).stdout).toBe('grüße')
    expect((await run('cat; echo end')).stdout).toBe('end\n')
  })

  test('that never reads its large input ends well', async () => {
    expect((await run('true', { stdin: 'x'.repeat(5_000_000) })).exitCode).toBe(0)
  })

  test('does not hold the pipe that started it', async () => {
    expect((await run('[ -e /proc/$$/fd/2 ] && echo two; [ -e /proc/$$/fd/3 ] && echo three')).stdout).toBe('two\n')
  })

  test('that a signal ended has no exit code and names the signal', async () => {
    expect(await run('kill -9 $$')).toMatchObject({ exitCode: null, signal: 'SIGKILL', timedOut: false, aborted: false })
  })

  test('that a shell cannot find is its exit code 127', async () => {
    expect((await run('no-such-program-here')).exitCode).toBe(127)
  })

  test('that does not exist as a program is a plain sentence', async () => {
    await expect(run(['no-such-program-here'])).rejects.toMatchObject({
      code: 'not_found',
      message: /no program "no-such-program-here" on PATH/,
    })
    await expect(run(['./missing.sh'])).rejects.toMatchObject({ code: 'not_found' })
    await expect(run([])).rejects.toMatchObject({ code: 'invalid' })
    await expect(run(['echo', 'a\0b'])).rejects.toMatchObject({ code: 'invalid' })
  })

  test('needs a folder that exists', async () => {
    await expect(run('true', { cwd: join(folder, 'gone') })).rejects.toMatchObject({ code: 'invalid', message: /no folder .*gone/ })
    writeFileSync(join(folder, 'file'), '')
    await expect(run('true', { cwd: join(folder, 'file') })).rejects.toMatchObject({ code: 'invalid' })
  })

  test('longer than the machine takes is refused with the mend', async () => {
    await expect(run(['echo', 'x'.repeat(200_000)])).rejects.toMatchObject({ code: 'too_large', message: /stdin/ })
  })
})

describe('a level of isolation that this runtime does not have', () => {
  test('is never replaced by a weaker one, unless nobody asked for it', async () => {
    const none = localExec({ environment: { PATH }, sandbox: { why: 'bubblewrap is not installed. Install it.' } })
    const attempt = (more: Partial<Command>) =>
      none.run({ run: { shell: 'touch ran' }, cwd: folder, timeoutMs: 5_000, outputBytes: 100, ...more }, new AbortController().signal)
    for (const asked of [{ isolation: 'sandbox' }, { network: 'none' }, { isolation: 'sandbox', network: 'none' }] as const)
      await expect(attempt(asked), JSON.stringify(asked)).rejects.toMatchObject({
        code: 'unavailable',
        message: /was not started. bubblewrap is/,
      })
    await expect(attempt({ isolation: 'plain', network: 'none' })).rejects.toMatchObject({ code: 'invalid' })
    expect(existsSync(join(folder, 'ran'))).toBe(false)
    expect(none.isolation).toBe('plain')
    expect(await attempt({})).toMatchObject({ exitCode: 0, isolation: 'plain', unsandboxed: 'bubblewrap is not installed. Install it.' })
    expect(await attempt({ isolation: 'plain' })).toMatchObject({ exitCode: 0, isolation: 'plain', unsandboxed: null })
    await none.stop()
  })
})

describe('what a command finds around it', () => {
  test("is the built environment, not the runtime's", async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', 'sk-secret')
    const lines = (await run(['env'], { env: { CI: '1' } })).stdout.trim().split('\n')
    vi.unstubAllEnvs()
    const shellsOwn = /^(PWD|OLDPWD|SHLVL|_)=/
    expect(lines.filter((line) => !shellsOwn.test(line)).sort()).toEqual([
      'CI=1',
      `HOME=${folder}`,
      `PATH=${PATH}`,
      `TMPDIR=${folder}/.tmp`,
    ])
  })

  test('is a place for temporary files in the workspace', async () => {
    expect((await run('f=$(mktemp) && echo "$f"')).stdout).toMatch(new RegExp(`^${folder}/\\.tmp/`))
  })

  test('are limits on core dumps, file size, open files and CPU time', async () => {
    const limits = await run('ulimit -c; ulimit -n; ulimit -t', { timeoutMs: 1_000 })
    const [core, files, cpu] = limits.stdout.trim().split('\n').map(Number)
    expect(core).toBe(0)
    expect(files).toBeLessThanOrEqual(4_096)
    expect(cpu).toBeGreaterThan(0)
    const large = await run('truncate -s 3G large')
    expect(large.exitCode === 0).toBe(false)
    expect(existsSync(join(folder, 'large')) ? lstatSync(join(folder, 'large')).size : 0).toBe(0)
  })
})

describe('output', () => {
  test('of 400 MB is counted, cut to its ends, and costs neither memory nor much time', async () => {
    await run('true')
    global.gc?.()
    const before = process.memoryUsage()
    let most = 0
    const sample = setInterval(() => {
      const now = process.memoryUsage()
      most = Math.max(most, now.heapUsed + now.arrayBuffers - before.heapUsed - before.arrayBuffers)
    }, 5)
    const result = await run("echo first; head -c 400000000 /dev/zero | tr '\\0' x; echo; echo last")
    clearInterval(sample)
    expect(result.stdoutBytes).toBe(400_000_012)
    expect(result.stdout).toMatch(/^first\nx+\n\[… \d+ bytes left out …\]\nx+\nlast\n$/)
    expect(Buffer.byteLength(result.stdout)).toBeLessThan(10_100)
    expect(most).toBeLessThan(150_000_000) // chunks that wait for the collector; far from 400 MB
    expect(result.wallMs).toBeLessThan(20_000)
  }, 60_000)

  test('of both streams at once loses nothing below the cap', async () => {
    const result = await run('i=0; while [ $i -lt 500 ]; do echo out$i; echo err$i >&2; i=$((i+1)); done')
    const expected = (word: string) => Array.from({ length: 500 }, (_, i) => `${word}${i}\n`).join('')
    expect(result.stdout).toBe(expected('out'))
    expect(result.stderr).toBe(expected('err'))
  })
})

describe('the end of a command', () => {
  test('comes with its time-out, for the whole group, also for one that ignores SIGTERM', async () => {
    const result = await run(
      'trap "" TERM; (trap "" TERM; echo $BASHPID >/dev/null; sh -c \'echo $$ > pid; while :; do sleep 1; done\') & echo begun; while :; do sleep 1; done',
      {
        timeoutMs: 500,
      },
    )
    expect(result).toMatchObject({ exitCode: null, timedOut: true, aborted: false, signal: 'SIGKILL', stdout: 'begun\n' })
    expect(result.wallMs).toBeGreaterThan(2_400)
    expect(result.wallMs).toBeLessThan(8_000)
    await gone(await pidIn('pid'))
  }, 20_000)

  test('leaves time to clean up after SIGTERM', async () => {
    const result = await run('trap "echo cleaned; exit 0" TERM; while :; do sleep 0.05; done', { timeoutMs: 1_500 })
    expect(result).toMatchObject({ exitCode: null, timedOut: true, stdout: 'cleaned\n' })
    expect(result.wallMs).toBeLessThan(2_300)
  }, 20_000)

  test('comes with the abort', async () => {
    const stop = new AbortController()
    const result = run('echo $$ > pid; exec sleep 600', {}, stop.signal)
    const pid = await pidIn('pid')
    stop.abort()
    expect(await result).toMatchObject({ exitCode: null, aborted: true, timedOut: false, signal: 'SIGTERM' })
    await gone(pid)
  })

  test('has come when the abort was there first: nothing runs', async () => {
    expect(await run('touch ran', {}, AbortSignal.abort())).toMatchObject({ aborted: true, exitCode: null })
    expect(existsSync(join(folder, 'ran'))).toBe(false)
  })

  test('is the end of what it left in the background', async () => {
    const result = await run('sleep 600 & echo $! > pid; echo done')
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    expect(result.wallMs).toBeLessThan(5_000)
    await gone(await pidIn('pid'))
  })

  test('is not held up by a process that left the group and keeps the pipes', async () => {
    const result = await run("setsid sh -c 'echo $$ > pid; exec sleep 600' & while [ ! -s pid ]; do sleep 0.02; done; echo done")
    expect(result).toMatchObject({ exitCode: 0, stdout: 'done\n' })
    process.kill(await pidIn('pid'), 'SIGKILL')
  }, 20_000)

  test('is not waited for when the machine forbids to end it', async () => {
    const kill = process.kill.bind(process)
    const forbidden = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      if (pid < 0) throw Object.assign(new Error('not permitted'), { code: 'EPERM' })
      return kill(pid, signal)
    })
    const result = await run('echo $$ > pid; exec sleep 600', { timeoutMs: 200 })
    forbidden.mockRestore()
    expect(result).toMatchObject({ timedOut: true, exitCode: null, signal: null })
    process.kill(await pidIn('pid'), 'SIGKILL')
  }, 20_000)

  test('comes for all of them when the runtime stops, and no more start', async () => {
    const one = run('echo $$ > one; exec sleep 600')
    const two = run('echo $$ > two; exec sleep 600')
    const pids = [await pidIn('one'), await pidIn('two')]
    await exec.stop()
    expect([(await one).aborted, (await two).aborted]).toEqual([true, true])
    for (const pid of pids) await gone(pid)
    await expect(run('true')).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('kill -9 of the runtime', () => {
  const runtime = (script: string) => {
    writeFileSync(join(folder, 'runtime.ts'), script)
    return spawn(process.execPath, [join(folder, 'runtime.ts')], { stdio: 'inherit', cwd: folder })
  }
  const commands = (lines: string[]) => `
    import { localExec } from ${JSON.stringify(join(import.meta.dirname, 'local.ts'))}
    const exec = localExec({ environment: { PATH: ${JSON.stringify(PATH)} } })
    const run = (shell) => exec.run({ run: { shell }, cwd: ${JSON.stringify(folder)}, timeoutMs: 600_000, outputBytes: 100 }, new AbortController().signal)
    for (const line of ${JSON.stringify(lines)}) run(line)
  `

  test('ends every command and its children', async () => {
    const parent = runtime(
      commands([
        'echo $$ > one; exec sleep 600',
        'trap "" TERM HUP; sh -c \'trap "" TERM HUP; echo $$ > two; while :; do sleep 1; done\'; true',
      ]),
    )
    const pids = [await pidIn('one'), await pidIn('two')]
    expect(pids.map(alive)).toEqual([true, true])
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    for (const pid of pids) await gone(pid)
  }, 30_000)

  test('ends them also when the one that watches had been killed and replaced', async () => {
    const parent = runtime(`${commands(['echo $$ > one; exec sleep 600'])}
      import { readFileSync } from 'node:fs'
      import { setTimeout as pause } from 'node:timers/promises'
      process.on('SIGUSR2', () => run('echo $$ > two; exec sleep 600'))
    `)
    const one = await pidIn('one')
    const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ').map(Number)
    const watcher = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('banyan-guardian'))!
    process.kill(watcher, 'SIGKILL')
    await gone(watcher)
    parent.kill('SIGUSR2')
    const two = await pidIn('two')
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    await gone(one)
    await gone(two)
  }, 30_000)

  test('leaves a runtime with nothing to do free to end by itself', async () => {
    const parent = runtime(`${commands([])}; await run('true')`)
    const [code] = await once(parent, 'exit')
    expect(code).toBe(0)
  }, 30_000)
})

describe('paths that belong to the system', () => {
  test('are refused when a command names them or starts in them, however they are written', async () => {
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data/secret-key'), 'secret')
    mkdirSync(join(folder, 'ws'))
    const guarded = localExec({ environment: { PATH }, deny: [join(folder, 'data/secret-key')] })
    const attempt = (command: Command['run']) =>
      guarded.run({ run: command, cwd: join(folder, 'ws'), timeoutMs: 5_000, outputBytes: 1_000 }, new AbortController().signal)
    for (const line of [
      `cat ${folder}/data/secret-key`,
      'cat ../data/secret-key',
      'cat <../data/secret-key',
      'x=$(cat "../data/./secret-key")',
    ]) {
      await expect(attempt({ shell: line }), line).rejects.toMatchObject({ code: 'forbidden' })
    }
    await expect(attempt({ argv: ['dd', 'if=../data/secret-key'] })).rejects.toMatchObject({ code: 'forbidden' })
    expect((await attempt({ shell: 'ls ../data' })).stdout).toBe('secret-key\n')
    await guarded.stop()
  })
})

describe.runIf(process.getuid?.() === 0)('as another user', () => {
  const NOBODY = { uid: 65_534, gid: 65_534 }
  let workspace: string
  beforeEach(async () => {
    chmodSync(folder, 0o711)
    workspace = join(folder, 'workspace')
    mkdirSync(join(workspace, 'sub'), { recursive: true })
    writeFileSync(join(folder, 'secret-key'), 'secret', { mode: 0o600 })
    writeFileSync(join(workspace, 'sub/given.txt'), 'given')
    symlinkSync(join(folder, 'secret-key'), join(workspace, 'link'))
    exec = localExec({ environment: { PATH }, runAs: NOBODY })
  })

  test('a command works in its workspace and cannot read what only the runtime may', async () => {
    await handOver(workspace, NOBODY)
    const result = await run('id -u; cat ../secret-key; cat link; ls ..; echo more >> sub/given.txt; mktemp > made; id -G', {
      cwd: workspace,
    })
    expect(result.stdout).toBe('65534\n65534\n')
    expect(result.stderr).toMatch(/secret-key: Permission denied\n.*link: Permission denied\n.*cannot open directory/)
    expect(readFileSync(join(workspace, 'sub/given.txt'), 'utf8')).toBe('givenmore\n')
    expect(lstatSync(join(workspace, 'made')).uid).toBe(65_534)
    expect(readFileSync(join(workspace, 'made'), 'utf8')).toContain(`${workspace}/.tmp/`)
  })

  test('links in a workspace are handed over, what they point to is not', async () => {
    await handOver(workspace, NOBODY)
    expect(lstatSync(join(workspace, 'link')).uid).toBe(65_534)
    expect(lstatSync(join(folder, 'secret-key')).uid).toBe(0)
  })

  test('a time-out still ends it', async () => {
    await handOver(workspace, NOBODY)
    expect(await run('sleep 600', { cwd: workspace, timeoutMs: 300 })).toMatchObject({ timedOut: true })
  })

  test('a folder above that lets nobody pass is named with the mend', async () => {
    chmodSync(folder, 0o700)
    await handOver(workspace, NOBODY)
    await expect(run('true', { cwd: workspace })).rejects.toMatchObject({
      code: 'unavailable',
      message: new RegExp(`chmod o\\+x ${folder}`),
    })
  })
})
