import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { containerOf, type DockerExec, openDocker } from './docker.ts'
import { demultiplexed, dockerApi, socketOf } from './docker-api.ts'
import { instanceId, openContainers } from './docker-probe.ts'
import type { Command } from './exec.ts'
import { type Engine, serveEngine } from './fixture/engine.ts'
import { ladder } from './ladder.ts'
import { localExec, NOBODY } from './local.ts'

const LIMITS = { memoryBytes: 512 * 2 ** 20, pids: 100, cpus: 0.5 }
const user = { uid: process.getuid!(), gid: process.getgid!() }

let folder: string
let socket: string
let workspace: string
let engine: Engine
let exec: DockerExec
beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-docker-')))
  socket = join(folder, 'docker.sock')
  workspace = join(folder, 'work')
  mkdirSync(workspace)
  engine = await serveEngine(socket)
  exec = await open()
})
afterEach(async () => {
  await exec.stop()
  await engine.die()
  rmSync(folder, { recursive: true, force: true })
})
const open = (more: Partial<Parameters<typeof openDocker>[0]> = {}) =>
  openDocker({
    api: dockerApi(socket),
    image: 'tools:1',
    instance: 'i1',
    environment: { LANG: 'C.UTF-8', PATH: '/only/here' },
    user,
    limits: LIMITS,
    hidden: [],
    ...more,
  })
const commandOf = (command: string | string[], more: Partial<Command> = {}): Command => ({
  run: typeof command === 'string' ? { shell: command } : { argv: command },
  cwd: workspace,
  timeoutMs: 30_000,
  outputBytes: 10_000,
  ...more,
})
const run = (command: string | string[], more: Partial<Command> = {}, signal = new AbortController().signal) =>
  exec.run(commandOf(command, more), signal)

describe('a command in a container', () => {
  test('gives its streams, its exit code, its time and what it used, and leaves no container', async () => {
    const result = await run('echo out; echo err >&2; exit 3')
    expect(result).toMatchObject({
      exitCode: 3,
      signal: null,
      timedOut: false,
      aborted: false,
      stdout: 'out\n',
      stderr: 'err\n',
      isolation: 'container',
      unsandboxed: null,
      oomKilled: false,
    })
    expect(result.wallMs).toBeGreaterThan(0)
    expect(engine.containers.size).toBe(0)
  })

  test('tells the highest figures that the engine told, not the zeros of its end', async () => {
    writeFileSync(join(workspace, 'go'), '')
    const result = await run('while [ -e go ]; do :; done & wait; echo done', { timeoutMs: 300 })
    expect(result.usage).toEqual({ cpuMs: 34, peakMemoryBytes: 4_000_000 })
  })

  test('writes in its workspace, has a built environment, and reads its input to the end', async () => {
    const result = await run('cat > copy; env | sort', { stdin: 'two\nlines\n', env: { KEY: 'value' } })
    expect(result.exitCode).toBe(0)
    expect(readFileSync(join(workspace, 'copy'), 'utf8')).toBe('two\nlines\n')
    expect(result.stdout).toMatch(new RegExp(`^HOME=${workspace}$`, 'm'))
    expect(result.stdout).toMatch(/^KEY=value$/m)
    // The image has its own.
    expect(result.stdout).not.toContain('/only/here')
  })

  test('of a megabyte keeps head and tail, wherever frames are cut', async () => {
    const result = await run(`head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end`, { outputBytes: 100 })
    expect(result.stdoutBytes).toBe(1_000_005)
    expect(result.stdout).toMatch(/^x{50}\n\[… 999905 bytes left out …\]\n[x\n]+end\n$/)
  })

  test('as an argument vector meets no shell', async () => {
    expect((await run(['printf', '%s|', '$HOME', '*'])).stdout).toBe('$HOME|*|')
  })

  test('is ended by its time-out, politely first', async () => {
    const result = await run('trap "echo bye; exit 0" TERM; while :; do sleep 0.05; done', { timeoutMs: 1_500 })
    expect(result).toMatchObject({ timedOut: true, exitCode: null, stdout: 'bye\n' })
    expect(engine.asked.filter(({ path }) => path.includes('/kill')).map(({ path }) => path.split('signal=')[1])).toEqual(['SIGTERM'])
    expect(engine.containers.size).toBe(0)
  })

  test('that does not hear is killed', async () => {
    const result = await run('trap "" TERM; while :; do sleep 0.05; done', { timeoutMs: 200 })
    expect(result).toMatchObject({ timedOut: true, exitCode: null, signal: 'SIGKILL' })
  })

  test('is ended by an abort, and by the end of the runtime', async () => {
    const stop = new AbortController()
    const aborted = run('touch begun; exec sleep 60', {}, stop.signal)
    await vi.waitFor(() => expect(existsSync(join(workspace, 'begun'))).toBe(true))
    stop.abort()
    expect(await aborted).toMatchObject({ aborted: true, exitCode: null, signal: 'SIGTERM' })
    const left = run('touch begun2; exec sleep 60')
    await vi.waitFor(() => expect(existsSync(join(workspace, 'begun2'))).toBe(true))
    await exec.stop()
    expect(await left).toMatchObject({ aborted: true })
    await expect(run('true')).rejects.toThrow(/stopping/)
    expect(engine.containers.size).toBe(0)
  })

  test('that names hosts is not started: a container has no network', async () => {
    await expect(run('true', { network: [{ host: 'registry.npmjs.org', below: false, port: 443 }] })).rejects.toThrow(/has no network/)
    expect((await run('echo fine', { network: 'none' })).stdout).toBe('fine\n')
  })

  test('that is aborted before it began runs nothing', async () => {
    const result = await run('touch ran', {}, AbortSignal.abort())
    expect(result).toMatchObject({ aborted: true, isolation: 'container' })
    expect([existsSync(join(workspace, 'ran')), engine.asked.length]).toEqual([false, 0])
  })
})

describe('what the engine is asked for', () => {
  const body = containerOf(
    { image: 'tools:1', environment: {}, user: NOBODY, limits: LIMITS },
    commandOf('true', { cwd: '/w/sub' }),
    '/w',
    { a: 'b' },
  )

  test('has no network, no rights, nothing to write but the workspace and /tmp, and limits', () => {
    expect(body).toMatchObject({ User: '65534:65534', NetworkDisabled: true, WorkingDir: '/w/sub', Labels: { a: 'b' }, OpenStdin: false })
    expect(body.HostConfig).toMatchObject({
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      IpcMode: 'private',
      Memory: LIMITS.memoryBytes,
      MemorySwap: LIMITS.memoryBytes,
      PidsLimit: 100,
      NanoCpus: 500_000_000,
      Tmpfs: { '/tmp': expect.stringMatching(/nosuid,nodev.*size=/) },
      Mounts: [{ Type: 'bind', Source: '/w', Target: '/w', ReadOnly: false }],
    })
    expect(Object.keys(body.HostConfig)).not.toContain('Binds')
    expect(Object.keys(body.HostConfig)).not.toContain('CapAdd')
  })

  test('is one container a command, named and labelled by instance, attached before it starts and removed by force', async () => {
    await run('true')
    const verbs = engine.asked.map(
      ({ method, path }) => `${method} ${path.replace(/[0-9a-f]{64}/, 'ID').replace(/i1-[0-9a-f]{12}$/, 'i1-RANDOM')}`,
    )
    expect(verbs.filter((verb) => !verb.includes('/stats'))).toEqual([
      'GET /version',
      'POST /containers/create?name=banyan-i1-RANDOM',
      'POST /containers/ID/attach?stream=1&stdout=1&stderr=1',
      'POST /containers/ID/start',
      'POST /containers/ID/wait',
      'GET /containers/ID/json',
      'DELETE /containers/ID?force=1&v=1',
    ])
  })
})

describe('an engine that says no', () => {
  test('has no such image: the mend is told and nothing ran', async () => {
    exec = await open({ image: 'gone:2' })
    await expect(run('touch ran')).rejects.toThrow(/no image gone:2; "docker pull gone:2"/)
    expect(existsSync(join(workspace, 'ran'))).toBe(false)
  })

  test('has the name already: another one is taken', async () => {
    engine.instead.push({ method: 'POST', path: /create$/, status: 409, message: 'Conflict. The container name is already in use.' })
    expect((await run('echo yes')).stdout).toBe('yes\n')
    expect(engine.asked.filter(({ path }) => path.startsWith('/containers/create'))).toHaveLength(2)
  })

  test('has not the program', async () => {
    await expect(run(['no-such-program'])).rejects.toThrow(/There is no program "no-such-program" in the container's image/)
    expect(engine.containers.size).toBe(0)
    // What a shell did not find is the command's own matter.
    expect(await run('no-such-program')).toMatchObject({ exitCode: 127, stderr: expect.stringMatching(/not found/) })
  })

  test('is not asked for a command that no kernel takes', async () => {
    await expect(run(`true ${'x'.repeat(200_000)}`)).rejects.toThrow(/longer than this machine takes/)
    expect(engine.asked).toEqual([])
  })

  test('fails at the start for a reason of its own, which is told', async () => {
    engine.instead.push({ method: 'POST', path: /start$/, status: 500, message: 'cgroups: cannot enter.' })
    await expect(run('true')).rejects.toThrow(/did not start the command \(cgroups: cannot enter\)/)
    expect(engine.containers.size).toBe(0)
  })

  test('dies midway: the command is told to be of unknown end, and its container goes when the engine is back', async () => {
    const result = run('touch begun; exec sleep 60')
    await vi.waitFor(() => expect(existsSync(join(workspace, 'begun'))).toBe(true))
    const left = [...engine.containers.keys()]
    await engine.die()
    await expect(result).rejects.toThrow(/begun and how it ended is not known.*broke the connection off/)
    await expect(run('true')).rejects.toThrow(/No Docker engine answers at .*start it/)
    engine = await serveEngine(socket)
    expect((await run('echo back')).stdout).toBe('back\n')
    expect(engine.asked.filter(({ method }) => method === 'DELETE').map(({ path }) => path)).toContain(`/containers/${left[0]}?force=1&v=1`)
  })

  test('cannot remove a container now: it is tried again before the next command', async () => {
    engine.instead.push({ method: 'DELETE', path: /./, status: 500, message: 'device or resource busy' })
    expect((await run('echo one')).stdout).toBe('one\n')
    expect(engine.containers.size).toBe(1)
    expect((await run('echo two')).stdout).toBe('two\n')
    expect(engine.containers.size).toBe(0)
  })
})

test('a start removes what dead processes of the same instance left, and nothing else', async () => {
  const make = (name: string, labels: Record<string, string>) =>
    dockerApi(socket).call('POST', `/containers/create?name=${name}`, {
      body: { ...containerOf({ image: 'tools:1', environment: {}, user, limits: LIMITS }, commandOf('true'), workspace, labels) },
    })
  await make('dead', { 'banyan.instance': 'i1', 'banyan.process': '1-999999999999' })
  await make('other', { 'banyan.instance': 'i2', 'banyan.process': '1-999999999999' })
  await make('stranger', {})
  const mine = run('touch begun; exec sleep 60')
  await vi.waitFor(() => expect(existsSync(join(workspace, 'begun'))).toBe(true))
  expect(await exec.sweep()).toBe(1)
  expect([...engine.containers.values()].map(({ name }) => name.replace(/-i1-.*/, '-mine'))).toEqual(['other', 'stranger', 'banyan-mine'])
  await exec.stop()
  await mine
})

describe('a workspace that is not what it says', () => {
  test("is refused: a link, the system's own folder, a folder outside", async () => {
    const data = join(folder, 'data')
    mkdirSync(join(data, 'workspaces', 't1'), { recursive: true })
    mkdirSync(join(folder, 'secret'))
    symlinkSync(join(folder, 'secret'), join(data, 'workspaces', 't1', 'own'))
    exec = await open({ hidden: [data] })
    const at = (cwd: string, more: Partial<Command> = {}) => run('true', { cwd, ...more })
    await expect(at(join(data, 'workspaces', 't1', 'own'))).rejects.toThrow(/a link leads to it/)
    await expect(at(folder)).rejects.toThrow(/holds the system's own files/)
    await expect(at(workspace, { workspace: join(data, 'workspaces', 't1') })).rejects.toThrow(/starts inside its workspace/)
    await expect(at(join(folder, 'nowhere'))).rejects.toThrow(/make it first/)
    expect((await at(join(data, 'workspaces', 't1'))).exitCode).toBe(0)
  })
})

test('frames are put together from any pieces', () => {
  const frames = Buffer.concat(
    [
      [1, 'one '],
      [2, 'err'],
      [1, ''],
      [1, 'two'],
    ].map(([stream, text]) => {
      const header = Buffer.from([stream as number, 0, 0, 0, 0, 0, 0, (text as string).length])
      return Buffer.concat([header, Buffer.from(text as string)])
    }),
  )
  for (let size = 1; size <= frames.length; size++) {
    const got = { stdout: '', stderr: '' }
    const take = demultiplexed({ stdout: (chunk) => (got.stdout += chunk), stderr: (chunk) => (got.stderr += chunk) })
    for (let i = 0; i < frames.length; i += size) take(frames.subarray(i, i + size))
    expect(got).toEqual({ stdout: 'one two', stderr: 'err' })
  }
  expect(() => demultiplexed({ stdout: () => undefined, stderr: () => undefined })(Buffer.from('HTTP/1.1'))).toThrow(/not known/)
})

describe('at the start', () => {
  const look = (more: Partial<Parameters<typeof openContainers>[0]> = {}) =>
    openContainers({ image: 'tools:1', dockerHost: `unix://${socket}`, dataDir: join(folder, 'data'), host: {}, ...more })

  test('a container is tried out for real', async () => {
    const { report, exec: found } = await look({ instance: 'i1' })
    expect(report).toEqual({ ok: true, version: '20.10.24', image: 'tools:1' })
    expect('run' in found).toBe(true)
    expect(engine.containers.size).toBe(0)
  })

  test.each([
    ['no image is set', { image: null }, /No image is set.*CONTAINER_IMAGE/],
    ['the engine has it not', { image: 'gone:2' }, /has no image gone:2.*docker pull gone:2/],
    ['no engine is there', { dockerHost: 'unix:///nowhere/docker.sock' }, /No Docker engine answers.*DOCKER_HOST/],
    ['the engine is on another machine', { dockerHost: 'tcp://10.0.0.1:2375' }, /does not name a socket of this machine.*unix:/],
  ])('the cause and the mend are told when %s', async (_, more, words) => {
    const { report, exec: found } = await look(more)
    expect(report.ok ? '' : `${report.why} ${report.mend}`).toMatch(words)
    expect('why' in found && found.why).toMatch(words)
  })

  test('an engine that sees other folders is found out', async () => {
    engine.instead.push({
      method: 'POST',
      path: /start$/,
      status: 400,
      message: `invalid mount config for type "bind": bind source path does not exist: /x`,
    })
    const { report } = await look()
    expect(report).toMatchObject({ ok: false, why: expect.stringMatching(/bind source path does not exist/) })
  })

  test('a socket that is not an engine is found out', async () => {
    await engine.die()
    engine = await serveEngine(socket, { version: { hello: 'world' } })
    expect((await look()).report).toMatchObject({ ok: false, why: expect.stringMatching(/not the socket of a Docker engine/) })
  })

  test("commands of an engine without root's rights are user 0 inside, which is that user outside", async () => {
    await engine.die()
    engine = await serveEngine(socket, { securityOptions: ['name=seccomp', 'name=rootless'] })
    await look()
    expect(engine.asked.find(({ path }) => path.startsWith('/containers/create'))?.body).toMatchObject({ User: '0:0' })
  })

  test('the name of the instance is made once', async () => {
    const name = await instanceId(folder)
    expect(name).toMatch(/^[0-9a-f]{12}$/)
    expect(await instanceId(folder)).toBe(name)
  })

  test('DOCKER_HOST is read as Docker reads it', () => {
    expect(socketOf(undefined)).toEqual({ path: '/var/run/docker.sock' })
    expect(socketOf('unix:///run/user/1000/docker.sock')).toEqual({ path: '/run/user/1000/docker.sock' })
    for (const other of ['tcp://1.2.3.4:2375', 'ssh://me@host', 'unix://', 'fd://']) expect('why' in socketOf(other), other).toBe(true)
  })
})

describe('the ladder', () => {
  const why = { why: 'No engine. Start one.' }
  const local = () => localExec({ environment: { PATH: '/usr/bin:/bin' } })

  test.each([
    ['auto', undefined, 'plain'],
    ['auto', 'container', 'container'],
    ['plain', undefined, 'plain'],
    ['plain', 'container', 'container'],
    ['container', undefined, 'container'],
    ['container', 'plain', 'plain'],
  ] as const)('with ISOLATION=%s a command that asks for %s runs at %s', async (choice, isolation, level) => {
    const exec_ = ladder({ choice, local: local(), container: exec })
    const result = await exec_.run(commandOf('echo hi', isolation === undefined ? {} : { isolation }), new AbortController().signal)
    expect([result.isolation, result.stdout]).toEqual([level, 'hi\n'])
    await exec_.stop()
  })

  test.each([
    ['container', undefined, /must run in a container and was not started\. No engine\. Start one\./],
    ['auto', 'container', /must run in a container and was not started/],
    ['sandbox', undefined, /must run in a sandbox and was not started/],
  ] as const)('with ISOLATION=%s and nothing there a command that asks for %s is not started', async (choice, isolation, words) => {
    const exec_ = ladder({ choice, local: local(), container: why })
    const command = commandOf('touch ran', isolation === undefined ? {} : { isolation })
    await expect(exec_.run(command, new AbortController().signal)).rejects.toThrow(words)
    expect(existsSync(join(workspace, 'ran'))).toBe(false)
    await exec_.stop()
  })

  test('with ISOLATION=plain a command that must have no network is still refused without walls', async () => {
    const exec_ = ladder({ choice: 'plain', local: local(), container: why })
    await expect(exec_.run(commandOf('true', { network: 'none' }), new AbortController().signal)).rejects.toThrow(/sandbox/)
    expect([exec_.isolation, ladder({ choice: 'container', local: local(), container: why }).isolation]).toEqual(['plain', 'container'])
    await exec_.stop()
  })
})
