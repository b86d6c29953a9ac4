/** The same door as in docker.test.ts, at an engine that is no test's own. See NEEDS in scripts/needs.ts for why no machine must have one. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { NEEDS, need } from '../../scripts/needs.ts'
import { type DockerExec, INSTANCE_LABEL, openDocker } from './docker.ts'
import { dockerApi, socketOf } from './docker-api.ts'
import { openContainers } from './docker-probe.ts'
import type { Command } from './exec.ts'

const socket = need('docker')
const image = process.env.CONTAINER_IMAGE ?? ''
/** Of this run alone: others use the engine too. */
const instance = `test${process.pid}`
const user = { uid: process.getuid!(), gid: process.getgid!() }
const LIMITS = { memoryBytes: 64 * 2 ** 20, pids: 30, cpus: 0.5 }

describe.skipIf(socket === null)(NEEDS.docker.title, () => {
  let folder: string
  let workspace: string
  let exec: DockerExec
  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-engine-')))
    workspace = join(folder, 'work')
    mkdirSync(workspace)
    const found = await openContainers({ image, dockerHost: process.env.DOCKER_HOST, dataDir: join(folder, 'data'), host: {}, instance })
    expect(found.report).toMatchObject({ ok: true, image })
    if ('why' in found.exec) throw new Error(found.exec.why)
    exec = found.exec
  }, 120_000)
  afterAll(async () => {
    await exec?.stop()
    expect(await mine()).toEqual([])
    rmSync(folder, { recursive: true, force: true })
  })
  const api = () => {
    const path = socketOf(process.env.DOCKER_HOST)
    if ('why' in path) throw new Error(path.why)
    return dockerApi(path.path)
  }
  const mine = async (): Promise<unknown> =>
    api().call('GET', `/containers/json?all=1&filters=${encodeURIComponent(JSON.stringify({ label: [`${INSTANCE_LABEL}=${instance}`] }))}`)
  const small = (more: Partial<Parameters<typeof openDocker>[0]> = {}) =>
    openDocker({ api: api(), image, instance, environment: {}, user, limits: LIMITS, hidden: [], ...more })
  const commandOf = (command: string | string[], more: Partial<Command> = {}): Command => ({
    run: typeof command === 'string' ? { shell: command } : { argv: command },
    cwd: workspace,
    timeoutMs: 60_000,
    outputBytes: 10_000,
    ...more,
  })
  const run = (command: string | string[], more: Partial<Command> = {}, signal = new AbortController().signal) =>
    exec.run(commandOf(command, more), signal)

  test('keeps a command from the network, from other files and from rights', async () => {
    const result = await run(
      'cat; echo err >&2; grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; ls /sys/class/net; touch /usr/x; touch here /tmp/there && exit 7',
      { stdin: 'in\n' },
    )
    expect(result).toMatchObject({ exitCode: 7, isolation: 'container', oomKilled: false })
    expect(result.stdout).toMatch(/^in\n/)
    expect(result.stdout).toMatch(/CapEff:\t0{16}\nCapBnd:\t0{16}\nNoNewPrivs:\t1\nSeccomp:\t2/)
    expect(result.stdout).toMatch(/\nlo\n$/)
    expect(result.stderr).toMatch(/err\n[\s\S]*Read-only/)
    expect(existsSync(join(workspace, 'here'))).toBe(true)
  }, 60_000)

  test('runs it as the owner of the workspace, who sees nothing beside it and no other process', async () => {
    writeFileSync(join(folder, 'beside'), 'secret')
    const { stdout } = await run(`id -u; ls -A ${folder}; ls -d /proc/[0-9]* | wc -l; cat /var/run/docker.sock 2>&1 | head -1; hostname`)
    expect(stdout).toMatch(new RegExp(`^${user.uid}\\nwork\\n[1-6]\\n.*No such file.*\\nsandbox\\n$`))
  }, 60_000)

  test('of megabytes that come at once keeps head and tail, and counts each byte', async () => {
    const result = await run(`head -c 5000000 /dev/zero | tr '\\0' x; echo; echo end`, { outputBytes: 100 })
    expect(result.stdoutBytes).toBe(5_000_005)
    expect(result.stdout).toMatch(/^x{50}\n\[… 4999905 bytes left out …\]\n[x\n]+end\n$/)
  }, 60_000)

  test('takes a long input to its end', async () => {
    const text = 'a line of the input\n'.repeat(50_000)
    expect((await run('cat > copy; wc -c < copy', { stdin: text })).stdout.trim()).toBe(String(text.length))
    expect(readFileSync(join(workspace, 'copy'), 'utf8')).toBe(text)
  }, 60_000)

  test('tells what a command used', async () => {
    // The engine tells once a second.
    const { usage } = await run('while [ ! -e used ]; do :; done', { timeoutMs: 4_000 })
    expect(usage.cpuMs).toBeGreaterThan(100)
    expect(usage.peakMemoryBytes).toBeGreaterThan(0)
  }, 60_000)

  test('ends one at its time, politely and then not, and with an abort', async () => {
    expect(await run('trap "echo bye; exit 0" TERM; touch waits; while :; do sleep 0.05; done', { timeoutMs: 3_000 })).toMatchObject({
      timedOut: true,
      exitCode: null,
      stdout: 'bye\n',
    })
    expect(await run('trap "" TERM; while :; do sleep 0.05; done', { timeoutMs: 1_000 })).toMatchObject({
      timedOut: true,
      signal: 'SIGKILL',
    })
    const stop = new AbortController()
    const aborted = run('touch begun; exec sleep 60', {}, stop.signal)
    await vi.waitFor(() => expect(existsSync(join(workspace, 'begun'))).toBe(true), { timeout: 15_000 })
    stop.abort()
    expect(await aborted).toMatchObject({ aborted: true, signal: 'SIGTERM' })
  }, 60_000)

  test('ends what a command leaves behind with it', async () => {
    await run('(while :; do date > beat; sleep 0.05; done) & while [ ! -s beat ]; do sleep 0.05; done')
    expect(await mine()).toEqual([])
  }, 60_000)

  test('holds memory and the number of processes for all of a command together', async () => {
    const tight = await small()
    const hungry = await tight.run(commandOf('head -c 200000000 /dev/zero | tail > /dev/null; echo $?'), new AbortController().signal)
    expect(hungry.oomKilled).toBe(true)
    const many = await tight.run(commandOf('for i in $(seq 60); do sleep 5 & done; wait'), new AbortController().signal)
    expect(many.stderr).toMatch(/fork|Resource temporarily unavailable/i)
    await tight.stop()
  }, 60_000)

  test('says what is missing: a program, an image', async () => {
    await expect(run(['no-such-program'])).rejects.toThrow(/There is no program "no-such-program" in the container's image/)
    await expect(run(['/bin/sh', '-c', 'x'.repeat(200_000)])).rejects.toThrow(/longer than this machine takes/)
    const gone = await small({ image: 'banyan-test-no-such-image:1' })
    await expect(gone.run(commandOf('true'), new AbortController().signal)).rejects.toThrow(
      /no image banyan-test-no-such-image:1; "docker pull/,
    )
    const { report } = await openContainers({
      image: 'banyan-test-no-such-image:1',
      dockerHost: process.env.DOCKER_HOST,
      dataDir: join(folder, 'data'),
      host: {},
    })
    expect(report).toMatchObject({ ok: false, why: 'The Docker engine has no image banyan-test-no-such-image:1.' })
  }, 60_000)

  test('a start removes what a runtime that was killed left running', async () => {
    const script = join(folder, 'killed.mjs')
    writeFileSync(
      script,
      `import { openDocker } from ${JSON.stringify(join(import.meta.dirname, 'docker.ts'))}
import { dockerApi } from ${JSON.stringify(join(import.meta.dirname, 'docker-api.ts'))}
const exec = await openDocker({ api: dockerApi(${JSON.stringify(socket)}), image: ${JSON.stringify(image)}, instance: ${JSON.stringify(instance)},
  environment: {}, user: ${JSON.stringify(user)}, limits: ${JSON.stringify(LIMITS)}, hidden: [] })
await exec.run({ run: { shell: 'touch left; exec sleep 600' }, cwd: ${JSON.stringify(workspace)}, timeoutMs: 600_000, outputBytes: 100 }, new AbortController().signal)
`,
    )
    const other = spawn(process.execPath, [script], { stdio: 'inherit' })
    const ended = new Promise<void>((resolve) => other.once('close', () => resolve()))
    await vi.waitFor(() => expect(existsSync(join(workspace, 'left'))).toBe(true), { timeout: 30_000 })
    expect(await exec.sweep()).toBe(0)
    other.kill('SIGKILL')
    await ended
    expect(await exec.sweep()).toBe(1)
    expect(await mine()).toEqual([])
  }, 90_000)
})
