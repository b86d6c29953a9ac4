/**
 * Runs commands in containers of a Docker engine: one command, one container, which is gone afterwards. Inside there are the programs of the
 * image, read-only, the workspace at its own path, and an empty /tmp. There is no network but its own loopback, no capability and no way to
 * gain one; memory, processes and CPU are limited for all of its processes together by the kernel, through the engine.
 *
 * What it does not do: pull an image (a person decides what runs here), or fall back to anything else. What a command used is what the engine
 * tells once a second, so a shorter one has no figures. The engine looks the workspace up by its path: that no link leads elsewhere is
 * checked before and after the start, but a command that swaps folders within these milliseconds is not seen; the sandbox has no such gap.
 */
import { randomBytes } from 'node:crypto'
import { readFile, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import type { Limits } from './cgroups.ts'
import { type DockerApi, demultiplexed, EngineError } from './docker-api.ts'
import { workspaceEnvironment } from './environment.ts'
import type { Command, CommandResult, Exec } from './exec.ts'
import { keepEnds } from './output.ts'
import { stoppable } from './stoppable.ts'

export type DockerOptions = {
  api: DockerApi
  /** Name of an image that the engine has. */
  image: string
  /** Names the owner of DATA_DIR, so that what a crash left is told from what others run (`instanceId`). */
  instance: string
  /** What every command finds in its environment; HOME and TMPDIR are added. PATH is the image's, unless a command says otherwise. */
  environment: Readonly<Record<string, string>>
  /** Who a command is inside: the user that owns the workspace. */
  user: { uid: number; gid: number }
  limits: Limits
  /** Absolute folders in which a path must be what it says, without links (DATA_DIR). */
  hidden: readonly string[]
  /** Named points at which a crash test kills the process. */
  failPoint?: (name: string) => void
}
export type DockerExec = Exec & {
  /** Removes what processes of this instance that are gone have left. Answers how many containers. */
  sweep(): Promise<number>
  /** Ends what runs, as an abort does, and refuses what comes later. */
  stop(): Promise<void>
}

export const INSTANCE_LABEL = 'banyan.instance'
const PROCESS_LABEL = 'banyan.process'
const GRACE_MS = 2_000
const LONGEST_MS = 2 ** 31 - 1
const FILE_BYTES = 2 * 2 ** 30
const TMP_BYTES = 512 * 2 ** 20
const OPEN_FILES = 4_096
/** What the kernel takes as one argument, and a line of a shell is one. */
const ARGUMENT_BYTES = 128 * 1024 - 1
/** The engine's own first process starts the command, and only its words tell that there is no such program. Docker's, Podman's. */
const NO_PROGRAM = /^(?:\[FATAL tini \(\d+\)\] exec .* failed: No such file or directory|.*catatonit.*exec.*: No such file or directory)\n$/
/** A name is random, so another try is all that a conflict needs. */
const TRIES = 3

const Created = z.object({ Id: z.string().regex(/^[0-9a-f]{12,64}$/) })
const Waited = z.object({ StatusCode: z.number().int() })
const Inspected = z.object({ State: z.object({ ExitCode: z.number().int(), OOMKilled: z.boolean().default(false) }) })
const Stats = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({ usage: z.number().optional(), max_usage: z.number().optional() }),
})
const Listed = z.array(z.object({ Id: z.string(), Labels: z.record(z.string(), z.string()).nullable().default({}) }))

export async function openDocker(options: DockerOptions): Promise<DockerExec> {
  const { api, instance } = options
  const { failPoint = () => undefined } = options
  const owner = `${process.pid}-${await startOf(process.pid)}`
  /** The engine was away when they were to be removed. */
  const leftOver = new Set<string>()

  async function run(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const workspace = command.workspace ?? command.cwd
    mustBeWhole(command)
    if (command.readOnly || command.tool !== undefined)
      throw new Fault('invalid', 'Only a sandbox can hold a command to reading; run it with isolation "sandbox".')
    if (Array.isArray(command.network))
      throw new Fault(
        'unavailable',
        'A container has no network, so the command was not started; leave "network" out, or a person sets ISOLATION to sandbox.',
      )
    await mustBeItself(command.cwd, workspace, options.hidden)
    if (signal.aborted) return notStarted()
    for (const id of [...leftOver]) await remove(id)
    const began = performance.now()
    const id = await create(command, workspace)
    try {
      failPoint('docker.after-create')
      return await inContainer(id, command, workspace, signal, began)
    } finally {
      await remove(id)
    }
  }

  /** Not there any more is as good; one that the engine could not remove now is tried again before the next command and at the next start. */
  async function remove(id: string): Promise<void> {
    leftOver.add(id)
    try {
      await api.call('DELETE', `/containers/${id}?force=1&v=1`)
    } catch (error) {
      if (error instanceof Fault) return
      if (!(error instanceof EngineError)) throw error
      // 409: the engine is removing it already.
      if (error.status !== 404 && error.status !== 409) return
    }
    leftOver.delete(id)
  }

  async function create(command: Command, workspace: string): Promise<string> {
    const body = containerOf(options, command, workspace, { [INSTANCE_LABEL]: instance, [PROCESS_LABEL]: owner })
    for (let attempt = 1; ; attempt++) {
      try {
        const name = `banyan-${instance}-${randomBytes(6).toString('hex')}`
        return shaped(Created, await api.call('POST', `/containers/create?name=${name}`, { body })).Id
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        if (error.status === 409 && attempt < TRIES) continue
        if (error.status === 404)
          throw new Fault(
            'unavailable',
            `The container for the command could not be made, because the engine has no image ${options.image}; "docker pull ${options.image}" brings it.`,
            { cause: error },
          )
        throw couldNotStart(error)
      }
    }
  }

  async function inContainer(id: string, command: Command, workspace: string, signal: AbortSignal, began: number): Promise<CommandResult> {
    const [stdout, stderr] = [keepEnds(command.outputBytes), keepEnds(command.outputBytes)]
    const streams = await api.attach(`/containers/${id}/attach?stream=1&stdout=1&stderr=1${command.stdin === undefined ? '' : '&stdin=1'}`)
    const { socket } = streams
    const closed = Promise.withResolvers<void>()
    const broken = Promise.withResolvers<never>()
    broken.promise.catch(() => undefined) // awaited beside the exit
    const take = demultiplexed({ stdout: stdout.add, stderr: stderr.add })
    const heard = (chunk: Buffer) => {
      try {
        take(chunk)
      } catch (error) {
        broken.reject(error)
        socket.destroy()
      }
    }
    heard(streams.head)
    socket.on('data', heard)
    // An engine that dies is told by the wait; a closed input is the command's right.
    socket.on('error', () => undefined)
    socket.once('close', () => closed.resolve())
    socket.once('end', () => closed.resolve())

    let cause: 'timeout' | 'abort' | null = null
    let over = false
    let force: NodeJS.Timeout | undefined
    const gone = new AbortController()
    const kill = (by: 'SIGTERM' | 'SIGKILL') =>
      api.call('POST', `/containers/${id}/kill?signal=${by}`).catch((error: unknown) => {
        // It ended meanwhile (409), or the engine is away, which the wait tells.
        if (!(error instanceof EngineError || error instanceof Fault)) broken.reject(error)
      })
    const end = (why: 'timeout' | 'abort') => {
      if (cause || over) return
      cause = why
      void kill('SIGTERM')
      force = setTimeout(() => {
        void kill('SIGKILL')
        // What cannot be killed is not waited for; its container is removed by force.
        force = setTimeout(() => gone.abort(), 2 * GRACE_MS)
      }, GRACE_MS)
    }
    const onAbort = () => end('abort')
    const watching = new AbortController()
    const usage: { cpuMs: number | null; peakMemoryBytes: number | null } = { cpuMs: null, peakMemoryBytes: null }
    let timer: NodeJS.Timeout | undefined
    try {
      await api.call('POST', `/containers/${id}/start`).catch((error: unknown) => {
        throw error instanceof EngineError ? couldNotStart(error, command) : error
      })
      failPoint('docker.after-start')
      timer = setTimeout(() => end('timeout'), Math.min(command.timeoutMs, LONGEST_MS))
      signal.addEventListener('abort', onAbort, { once: true })
      if (signal.aborted) end('abort')
      await mustBeItself(command.cwd, workspace, options.hidden)
      if (command.stdin !== undefined) socket.end(command.stdin)
      const watched = api.follow(`/containers/${id}/stats?stream=1`, (value) => note(usage, value), watching.signal).catch(() => undefined) // a figure less, which is no failure of the command
      const waited = api.call('POST', `/containers/${id}/wait`, { signal: gone.signal, timeoutMs: 0 }).then(
        (answer) => shaped(Waited, answer).StatusCode,
        (error: unknown) => {
          if (gone.signal.aborted) return null
          throw error
        },
      )
      waited.catch(() => undefined) // when the other one is first
      const code = await Promise.race([waited, broken.promise])
      over = true
      failPoint('docker.after-exit')
      watching.abort()
      await Promise.all([watched, within(GRACE_MS, closed.promise)])
      if (code !== 0 && 'argv' in command.run && stdout.bytes === 0 && NO_PROGRAM.test(stderr.text())) throw noProgram(command)
      const state = code === null ? null : shaped(Inspected, await api.call('GET', `/containers/${id}/json`)).State
      const ended = cause === null ? null : code === null || code === 137 ? 'SIGKILL' : code === 143 ? 'SIGTERM' : null
      return {
        exitCode: cause === null ? code : null,
        signal: ended,
        timedOut: cause === 'timeout',
        aborted: cause === 'abort',
        stdout: stdout.text(),
        stderr: stderr.text(),
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
        wallMs: performance.now() - began,
        isolation: 'container',
        unsandboxed: null,
        network: null,
        usage,
        oomKilled: state?.OOMKilled ?? false,
      }
    } catch (error) {
      if (over || !(error instanceof Fault) || error.code !== 'unavailable' || timer === undefined) throw error
      throw new Fault('unavailable', `The command was begun and how it ended is not known. ${error.message}`, { cause: error })
    } finally {
      over = true
      clearTimeout(timer)
      clearTimeout(force)
      signal.removeEventListener('abort', onAbort)
      watching.abort()
      gone.abort()
      socket.destroy()
    }
  }

  const commands = stoppable(run)
  return {
    isolation: 'container',
    run: commands.run,
    async sweep() {
      const filters = encodeURIComponent(JSON.stringify({ label: [`${INSTANCE_LABEL}=${instance}`] }))
      const found = shaped(Listed, await api.call('GET', `/containers/json?all=1&filters=${filters}`))
      let removed = 0
      for (const { Id, Labels } of found) {
        const [pid, start] = (Labels?.[PROCESS_LABEL] ?? '').split('-')
        if (start && (await startOf(Number(pid))) === start) continue
        await remove(Id)
        removed++
      }
      return removed
    },
    async stop() {
      await commands.stop()
    },
  }
}

/** What the engine is asked for. Everything that keeps the command in is here. Pure. */
export function containerOf(
  { image, environment, user, limits }: Pick<DockerOptions, 'image' | 'environment' | 'user' | 'limits'>,
  command: Command,
  workspace: string,
  labels: Record<string, string>,
) {
  const { PATH: _, ...rest } = environment
  const env = workspaceEnvironment(workspace, { ...rest, TMPDIR: '/tmp', ...command.env })
  const input = command.stdin !== undefined
  return {
    Image: image,
    Entrypoint: [],
    Cmd: 'shell' in command.run ? ['/bin/sh', '-c', '--', command.run.shell] : [...command.run.argv],
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    WorkingDir: command.cwd,
    User: `${user.uid}:${user.gid}`,
    Labels: labels,
    Hostname: 'sandbox',
    NetworkDisabled: true,
    Tty: false,
    OpenStdin: input,
    StdinOnce: input,
    AttachStdin: input,
    AttachStdout: true,
    AttachStderr: true,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      IpcMode: 'private',
      // Signals reach the command, and what it leaves behind ends with it.
      Init: true,
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      PidsLimit: limits.pids,
      ...(limits.cpus === null ? { CpuShares: 256 } : { NanoCpus: Math.max(10_000_000, Math.round(limits.cpus * 1e9)) }),
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
        { Name: 'fsize', Soft: FILE_BYTES, Hard: FILE_BYTES },
      ],
      Tmpfs: { '/tmp': `rw,nosuid,nodev,mode=1777,size=${TMP_BYTES}` },
      // Unlike "Binds" it makes no folder where none is.
      Mounts: [{ Type: 'bind', Source: workspace, Target: workspace, ReadOnly: false, BindOptions: { Propagation: 'rprivate' } }],
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
    },
  }
}

/** The folder is there, lies in its workspace, and no link in the runtime's own folders leads to somebody else's files. */
async function mustBeItself(cwd: string, workspace: string, hidden: readonly string[]): Promise<void> {
  const room = await realpath(workspace).catch(() => null) // said in the next line
  const place = room === null ? null : await realpath(cwd).catch(() => null) // said in the next line
  if (room === null || place === null || !(await stat(place)).isDirectory())
    throw new Fault('invalid', `There is no folder ${cwd} to run the command in; make it first.`)
  if (!isWithin(place, room)) throw new Fault('forbidden', `A command in a container starts inside its workspace, not in ${cwd}.`)
  for (const path of hidden) {
    const real = await realpath(path).catch(() => resolve(path)) // not made yet: as it will be
    if (isWithin(real, room))
      throw new Fault('forbidden', `${room} cannot be the workspace of a container: it holds the system's own files.`)
    if (isWithin(workspace, path) ? room !== join(real, relative(path, workspace)) : isWithin(room, real))
      throw new Fault('forbidden', `${workspace} cannot be the workspace of a container: a link leads to it.`)
  }
}
const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

function mustBeWhole({ run, cwd }: Command): void {
  const words = 'shell' in run ? [run.shell] : run.argv
  if (!words[0]) throw new Fault('invalid', 'A command needs at least the name of a program.')
  if ([cwd, ...words].some((word) => word.includes('\0'))) throw new Fault('invalid', 'A command must not contain a NUL character.')
  if (words.some((word) => Buffer.byteLength(word) > ARGUMENT_BYTES)) throw tooLong()
}

function shaped<T>(shape: z.ZodType<T>, answer: unknown): T {
  const told = shape.safeParse(answer)
  if (told.success) return told.data
  throw new Fault('unavailable', 'The Docker engine answered in a form that is not known; use a later version of it.', {
    cause: told.error,
  })
}

function noProgram(command: Command | undefined, cause?: EngineError): Fault {
  const name = command && 'argv' in command.run ? command.run.argv[0] : '/bin/sh'
  const words = `There is no program "${name}" in the container's image; check the name, or set CONTAINER_IMAGE to one that has it.`
  return new Fault('not_found', words, cause ? { cause } : {})
}
const tooLong = (cause?: EngineError): Fault =>
  new Fault('too_large', 'The command is longer than this machine takes; put the text into a file or into stdin.', cause ? { cause } : {})

function couldNotStart(error: EngineError, command?: Command): Fault {
  if (/executable file not found|no such file or directory.*exec|exec.*no such file or directory/i.test(error.message))
    return noProgram(command, error)
  if (/argument list too long/i.test(error.message)) return tooLong(error)
  return new Fault(
    'unavailable',
    `The Docker engine did not start the command (${error.message.replace(/[.\s]+$/, '')}); "banyan doctor" looks for the cause.`,
    {
      cause: error,
    },
  )
}

function note(usage: { cpuMs: number | null; peakMemoryBytes: number | null }, value: unknown): void {
  const told = Stats.safeParse(value)
  if (!told.success) return
  const { cpu_stats, memory_stats } = told.data
  const cpuMs = cpu_stats.cpu_usage.total_usage / 1_000_000
  // After the end the engine tells zeros.
  if (cpuMs > (usage.cpuMs ?? 0)) usage.cpuMs = cpuMs
  const memory = Math.max(memory_stats.max_usage ?? 0, memory_stats.usage ?? 0)
  if (memory > (usage.peakMemoryBytes ?? 0)) usage.peakMemoryBytes = memory
}

const notStarted = (): CommandResult => ({
  exitCode: null,
  signal: null,
  timedOut: false,
  aborted: true,
  stdout: '',
  stderr: '',
  stdoutBytes: 0,
  stderrBytes: 0,
  wallMs: 0,
  isolation: 'container',
  unsandboxed: null,
  network: null,
  usage: { cpuMs: null, peakMemoryBytes: null },
  oomKilled: false,
})

/** When a process began, in the kernel's words: with its number, one that no other has until the machine starts anew. '' for none. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '') // it is over, or this is not Linux
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
function within(ms: number, event: Promise<void>): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms)
    void event.then(() => {
      clearTimeout(timer)
      done()
    })
  })
}
