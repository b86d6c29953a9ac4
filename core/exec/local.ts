/**
 * Runs commands as processes of this machine, plain or within the walls of a sandbox. What is promised at either level: a built environment;
 * a process group of its own that ends with the command, its time-out, its abort, and with the runtime, also one killed with -9; limits on
 * CPU time, file size, open files and core dumps; output in fixed memory. With control groups (cgroups.ts) there are limits on memory,
 * processes and CPU of all its processes together, and nobody outlives the command.
 *
 * What `plain` cannot promise: a command sees the machine as its user sees it. With `runAs` that user is not the runtime's, so files that
 * only the runtime's user may read (0600: keys, tokens, the database) are closed to it. Without it (a runtime that is not root cannot
 * change the user) the same user can read them; `deny` then refuses commands that name them, which stops accidents, not intent. Without
 * control groups a process that leaves its group (setsid) outlives the command. Walls against all of these are the sandbox's work.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, type FileHandle, lchown, opendir, stat } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { Cgroups, Limits } from './cgroups.ts'
import { type Door, type Egress, egressEnvironment } from './egress.ts'
import { workspaceEnvironment } from './environment.ts'
import { isCode, isMissing } from './errno.ts'
import type { Command, CommandResult, Exec, Input, Isolation } from './exec.ts'
import { guardian } from './guardian.ts'
import { keepEnds } from './output.ts'
import { type Sandbox, STATUS_FD } from './sandbox.ts'
import { stoppable } from './stoppable.ts'
import { openTerminal, type Terminal } from './terminal.ts'

export type Owner = { uid: number; gid: number }
/** The user that commands run as when the runtime is root, so that the mode of a file keeps its secrets from them. */
export const NOBODY: Owner = { uid: 65_534, gid: 65_534 }
export type LocalExecOptions = {
  /** What every command finds in its environment; HOME and TMPDIR are added (see environment.ts). */
  environment: Record<string, string>
  /** Absolute paths that no command may name or start in. A tripwire, not a wall. */
  deny?: readonly string[]
  /** User that commands run as, when the runtime is root. The workspace must have been handed to it (`handOver`). */
  runAs?: Owner
  /** Commands run in it unless they are to run plain. `why` none is there, as a sentence with the mend. */
  sandbox?: Sandbox | { why: string }
  /** Limits on all processes of a command together; without it, weaker ones on each process. */
  cgroups?: Cgroups | null
  /** The way out for commands that may reach hosts; without it none starts. */
  egress?: Egress
  limits?: Partial<Limits>
  /** Named points at which a crash test kills the process. */
  failPoint?: (name: string) => void
}

/** From the polite signal to the one that nobody can ignore. */
const GRACE_MS = 2_000
/** After the command itself has ended, this long what it left behind may write its last words. */
const LAST_WORDS_MS = 200
const FILE_BYTES = 2 * 2 ** 30
const OPEN_FILES = 4_096
/** Longest time that a timer of Node holds. */
const LONGEST_MS = 2 ** 31 - 1

/** Half of the memory of this machine, 1024 processes and threads, all processors. */
export const COMMAND_LIMITS = (): Limits => ({ memoryBytes: Math.max(2 ** 30, Math.floor(totalmem() / 2)), pids: 1_024, cpus: null })

const MAKE_TMP = '[ -d "$TMPDIR" ] || mkdir -p "$TMPDIR"'
/** What one process may hold is no limit on what many hold together; it is what there is without control groups. */
const memoryOfEach = ({ memoryBytes }: Limits): string => `ulimit -d ${Math.floor(memoryBytes / 1_024)}`
/**
 * dash says -p, bash says -u. Within walls only: the kernel counts by user, and outside of them that is everything a person has open.
 */
const processesOfUser = ({ pids }: Limits): string => `ulimit -p ${pids} || ulimit -u ${pids}`
/** A shell that does what comes first and becomes the command then. */
const andBecome = (steps: string[]): string => `{ ${steps.join('; ')}; } 2>/dev/null\nexec "$@"`

/**
 * Waits until the runtime says that the guardian knows this group, and becomes the command then; a runtime that died in between closes the
 * pipe and nothing runs. `ulimit` of the shell sets the limits, so no other program is needed; a lower limit of the machine stays.
 */
const gate = (steps: string[], terminal: Terminal | null): string => `
read -r go <&3 || exit 125
exec 3<&-
${terminal?.attach ?? ':'}
${andBecome([...steps, ':'])}
`
const ownLimits = (cpuSeconds: number): string[] => [
  'ulimit -c 0',
  `ulimit -t ${cpuSeconds}`,
  `ulimit -f ${FILE_BYTES / 512}`,
  `ulimit -n ${OPEN_FILES}`,
]

export function localExec(options: LocalExecOptions): Exec & { stop(): Promise<void> } {
  const watcher = guardian()
  const { failPoint = () => undefined } = options

  const sandbox = options.sandbox && 'enclose' in options.sandbox ? options.sandbox : null
  const why =
    options.sandbox && 'why' in options.sandbox
      ? options.sandbox.why
      : 'There is no sandbox for commands here; this runtime was given none.'
  const limits = { ...COMMAND_LIMITS(), ...options.limits }

  /** At the level that was asked for, or the best; a sandbox that could not be built has run nothing, so plain may follow if nobody forbade it. */
  async function start(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const hosts = typeof command.network === 'object' ? command.network : null
    if (command.network === 'none' && command.isolation === 'plain')
      throw new Fault('invalid', 'A command without a sandbox cannot be kept from the network.')
    const isolated = command.isolation !== 'plain' && (command.isolation === 'sandbox' || command.network !== undefined)
    if ((command.readOnly || command.tool !== undefined) && command.isolation !== 'sandbox')
      throw new Fault('invalid', 'Only a sandbox can hold a command to reading; run it with isolation "sandbox".')
    if (command.isolation === 'plain') return attempt(command, signal, null, null)
    if (!sandbox) {
      if (isolated) throw new Fault('unavailable', `The command must run in a sandbox and was not started. ${why}`)
      return attempt(command, signal, null, why)
    }
    if (hosts && !options.egress) throw new Fault('unavailable', 'This runtime has no proxy, so no command can be given a network.')
    const door = hosts ? await options.egress!.open(hosts) : null
    try {
      return await attempt(command, signal, sandbox, null, door)
    } catch (error) {
      if (isolated || !(error instanceof NotEnclosed)) throw error
      return attempt(command, signal, null, error.message)
    } finally {
      await door?.close()
    }
  }

  async function attempt(
    command: Command,
    signal: AbortSignal,
    walls: Sandbox | null,
    unsandboxed: string | null,
    door: Door | null = null,
  ): Promise<CommandResult> {
    const isolation: Isolation = walls ? 'sandbox' : 'plain'
    const workspace = command.workspace ?? command.cwd
    const env = workspaceEnvironment(workspace, { ...options.environment, ...command.env, ...(door ? egressEnvironment(door.token) : {}) })
    // Within walls none of these can be reached, so a name alone is no harm.
    if (!walls) refuseDenied(command, options.deny ?? [])
    await mustBeFolder(command.cwd)
    if (!walls && options.runAs) await mustReach(command.cwd, options.runAs)
    const argv =
      'shell' in command.run
        ? ['/bin/sh', '-c', '--', command.run.shell]
        : [
            await programPath(
              command.run.argv[0],
              env.PATH ?? '',
              command.cwd,
              (place) => !walls || [workspace, ...(command.folders ?? []).map((one) => one.path)].some((room) => walls.shows(place, room)),
            ),
            ...command.run.argv.slice(1),
          ]
    if (signal.aborted) return notStarted(isolation, unsandboxed)

    const began = performance.now()
    const stdout = keepEnds(command.outputBytes)
    const stderr = keepEnds(command.outputBytes)
    const timeoutMs = Math.min(command.timeoutMs, LONGEST_MS)
    const cpuSeconds = Math.ceil(timeoutMs / 1_000) * availableParallelism() + 5
    const group = await options.cgroups?.group(limits)
    const first = [
      ...(group ? [] : [memoryOfEach(limits), ...(walls ? [processesOfUser(limits)] : [])]),
      ...((await hasFolder(env.TMPDIR)) ? [] : [MAKE_TMP]),
    ]
    const { live } = command
    let terminal: Terminal | null = null
    let launched: Launched
    let pid: number
    try {
      // Within walls it is opened before the step down to another user.
      if (live?.terminal) terminal = await openTerminal(live.terminal, walls ? undefined : options.runAs)
      launched = walls
        ? await launchWithin(walls, { command, workspace, argv, env, steps: ownLimits(cpuSeconds), first, door, terminal })
        : launch([gate([...ownLimits(cpuSeconds), ...first], terminal), 'banyan', ...argv], command, {
            env,
            cwd: command.cwd,
            files: [],
            ...options.runAs,
          })
      pid = await launched.pid
    } catch (error) {
      terminal?.close()
      await group?.close()
      throw error
    }
    const { child, begun } = launched
    for (const [stream, ends, from] of [
      [child.stdout, stdout, 'stdout'],
      [child.stderr, stderr, 'stderr'],
    ] as const) {
      stream?.on('data', ends.add)
      if (live) stream?.on('data', (chunk: Buffer) => live.onOutput(chunk, from))
    }
    terminal?.onData((chunk) => {
      stdout.add(chunk)
      live?.onOutput(chunk, 'stdout')
    })

    const ended = Promise.withResolvers<{ code: number | null; signal: string | null }>()
    const closed = Promise.withResolvers<void>()
    child.once('exit', (code, by) => ended.resolve({ code, signal: by }))
    child.once('close', () => {
      terminal?.letGo()
      ;(terminal?.over ?? Promise.resolve()).then(closed.resolve)
    })

    const kill = (by: NodeJS.Signals) => {
      try {
        process.kill(-pid, by)
      } catch (error) {
        // ESRCH: nobody of the group is left, which is what was wanted. EPERM: it took another user's rights (sudo) and cannot be ended by us.
        if (!isCode(error, 'ESRCH') && !isCode(error, 'EPERM')) throw error
      }
    }
    let cause: 'timeout' | 'abort' | null = null
    let force: NodeJS.Timeout | undefined
    let over = false
    const end = (why: 'timeout' | 'abort') => {
      if (cause || over) return
      cause = why
      kill('SIGTERM')
      force = setTimeout(() => {
        kill('SIGKILL')
        // What cannot be killed is not waited for.
        force = setTimeout(() => ended.resolve({ code: null, signal: null }), GRACE_MS)
      }, GRACE_MS)
    }
    const onAbort = () => end('abort')
    const timer = setTimeout(() => end('timeout'), timeoutMs)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) end('abort')
    try {
      await Promise.all([watcher.watch(pid), group?.join(pid)])
      failPoint('exec.before-go')
      say(child, 3, 'go\n')
      failPoint('exec.after-go')
      if (live) {
        const input = terminal ? inputOfTerminal(terminal, () => over) : inputOf(child)
        if (command.stdin !== undefined) input.write(command.stdin)
        live.onStart(input)
      } else if (command.stdin !== undefined) say(child, 0, command.stdin)
      const how = await ended.promise
      failPoint('exec.after-exit')
      over = true
      // What it left in the background may still write, politely ended or not; then nothing of the group stays.
      await within(cause ? GRACE_MS : LAST_WORDS_MS, closed.promise)
      kill('SIGKILL')
      const usage = await group?.usage()
      await group?.close()
      // Somebody who left the group may hold the pipes open for ever.
      await within(GRACE_MS, closed.promise)
      if (walls && cause === null && how.signal === null && !begun()) throw new NotEnclosed((terminal ? stdout : stderr).text())
      return {
        exitCode: cause ? null : how.code,
        signal: how.signal,
        timedOut: cause === 'timeout',
        aborted: cause === 'abort',
        stdout: stdout.text(),
        stderr: stderr.text(),
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
        wallMs: performance.now() - began,
        isolation,
        unsandboxed,
        usage: { cpuMs: usage?.cpuMs ?? null, peakMemoryBytes: usage?.peakMemoryBytes ?? null },
        oomKilled: (usage?.oomKills ?? 0) > 0,
        network: door?.use() ?? null,
      }
    } finally {
      clearTimeout(timer)
      clearTimeout(force)
      signal.removeEventListener('abort', onAbort)
      kill('SIGKILL')
      watcher.forget(pid)
      await group?.close()
      for (const stream of child.stdio) stream?.destroy()
      terminal?.close()
    }
  }

  const commands = stoppable(start)
  return {
    isolation: sandbox ? 'sandbox' : 'plain',
    run: commands.run,
    /** Ends what runs, as an abort does, and refuses what comes later. */
    async stop() {
      await commands.stop()
      watcher.stop()
    },
  }
}

/** The walls could not be built, so nothing of the command ran. */
class NotEnclosed extends Fault {
  constructor(said: string) {
    const reason =
      said
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^bwrap: /, '') || 'it did not say why'
    super('unavailable', `The sandbox for a command could not be built (${reason}); "banyan doctor" looks for the cause.`)
  }
}

/**
 * Gives a workspace, with all that is in it, to the user that commands run as. Links are handed over, never followed. Whether that user gets
 * there is another question: a sandbox brings it there, a plain command is refused with the mend.
 */
export async function handOver(folder: string, to: Owner): Promise<void> {
  await lchown(folder, to.uid, to.gid)
  for await (const entry of await opendir(folder, { recursive: true })) await lchown(join(entry.parentPath, entry.name), to.uid, to.gid)
}

async function mustReach(folder: string, who: Owner): Promise<void> {
  for (let above = folder; above !== dirname(above); ) {
    above = dirname(above)
    if (!maySearch(await stat(above), who)) {
      throw new Fault(
        'unavailable',
        `Plain commands cannot run as user ${who.uid} in ${folder}: ${above} does not let other users pass; "chmod o+x ${above}" or another DATA_DIR mends it.`,
      )
    }
  }
}

function maySearch(folder: { uid: number; gid: number; mode: number }, who: Owner): boolean {
  if (folder.uid === who.uid) return (folder.mode & 0o100) !== 0
  if (folder.gid === who.gid) return (folder.mode & 0o010) !== 0
  return (folder.mode & 0o001) !== 0
}

type Launched = { child: ChildProcess; pid: Promise<number>; begun(): boolean }
type Launch = { env: Record<string, string>; cwd: string; files: readonly FileHandle[] } & Partial<Owner>

function launch(script: string[], command: Command, { files, ...how }: Launch): Launched {
  try {
    const input = command.stdin === undefined && !command.live ? 'ignore' : 'pipe'
    const streams = command.live?.terminal ? (['ignore', 'ignore', 'ignore'] as const) : ([input, 'pipe', 'pipe'] as const)
    const walls = files.length === 0 ? [] : (['pipe', ...files.map((file) => file.fd)] as const)
    const child = spawn('/bin/sh', ['-c', ...script], { ...how, detached: true, stdio: [...streams, 'pipe', ...walls] })
    const pid = started(child)
    let status = ''
    const told = child.stdio[STATUS_FD]
    if (told && 'on' in told) told.on('data', (chunk: Buffer) => (status += chunk.toString()))
    // bubblewrap tells the exit code only of a command that it began.
    return { child, pid, begun: () => status.includes('"exit-code"') }
  } catch (error) {
    throw couldNotStart(error)
  }
}

/** Polite signals are for the command, not for bubblewrap, whose end would be everybody's at once. */
async function launchWithin(
  walls: Sandbox,
  parts: {
    command: Command
    workspace: string
    argv: string[]
    env: Record<string, string>
    steps: string[]
    first: string[]
    door: Door | null
    terminal: Terminal | null
  },
): Promise<Launched> {
  const { command, workspace, argv, env, steps, first, door, terminal } = parts
  const enclosure = {
    workspace,
    cwd: command.cwd,
    inner: argv,
    ...(command.folders ? { folders: command.folders } : {}),
    ...(first.length > 0 ? { script: andBecome(first) } : {}),
    ...(door ? { door: door.socket } : {}),
    ...(command.readOnly ? { readOnly: true } : {}),
    ...(command.tool === undefined ? {} : { tool: command.tool }),
  }
  const { argv: enclosed, files } = await walls.enclose(enclosure)
  try {
    return launch([gate([...steps, "trap '' TERM INT HUP"], terminal), 'banyan', ...enclosed], command, { env, cwd: '/', files })
  } finally {
    await Promise.all(files.map((file) => file.close()))
  }
}
function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(couldNotStart(error)))
    child.once('spawn', () => resolve(child.pid!))
  })
}
function couldNotStart(error: unknown): unknown {
  if (isCode(error, 'E2BIG')) {
    return new Fault('too_large', 'The command is longer than this machine takes; put the text into a file or into stdin.', {
      cause: error,
    })
  }
  if (isCode(error, 'ERR_INVALID_ARG_VALUE')) return new Fault('invalid', 'A command must not contain a NUL character.', { cause: error })
  if (isCode(error, 'EAGAIN') || isCode(error, 'ENOMEM') || isCode(error, 'EMFILE')) {
    return new Fault('unavailable', 'This machine has no room for another process just now; try again later.', { cause: error })
  }
  return error
}

/** Writes and closes. A command that never reads its input, or has ended, closes the pipe: that is no failure of ours. */
function say(child: ChildProcess, to: 0 | 3, text: string): void {
  const stream = child.stdio[to]
  if (!stream || !('end' in stream)) return
  stream.on('error', () => undefined)
  stream.end(text)
}

/** Characters that may wait for a command to read them. */
const UNREAD = 1_000_000
const ENDED = 'The command reads nothing any more: it has ended, or its input was ended.'
const NOT_READ = 'The command has not read what it was given before; wait until it does, or stop it.'
function inputOf(child: ChildProcess): Input {
  const { stdin } = child
  stdin?.on('error', () => undefined) // it closed its input, or has ended: the next write tells
  return {
    write(text) {
      if (!stdin?.writable) throw new Fault('conflict', ENDED)
      if (stdin.writableLength > UNREAD) throw new Fault('conflict', NOT_READ)
      stdin.write(text)
    },
    end: () => void stdin?.end(),
  }
}
function inputOfTerminal(terminal: Terminal, over: () => boolean): Input {
  const write = (text: string) => {
    if (over()) throw new Fault('conflict', ENDED)
    if (terminal.write(text) > UNREAD) throw new Fault('conflict', NOT_READ)
  }
  return { write, end: () => write('\x04') }
}

function refuseDenied(command: Command, deny: readonly string[]): void {
  const words = 'shell' in command.run ? command.run.shell.split(/[\s'"`;&|<>()=$]+/) : command.run.argv.flatMap((word) => word.split('='))
  const named = [command.cwd, ...words.filter(Boolean).map((word) => resolve(command.cwd, word))]
  const hit = deny.find((path) => named.some((name) => name === path || name.startsWith(path + sep)))
  if (hit) throw new Fault('forbidden', `A command may not touch ${hit}: it belongs to the system itself.`)
}

async function mustBeFolder(path: string): Promise<void> {
  if (path.includes('\0')) throw new Fault('invalid', 'The folder of a command must not contain a NUL character.')
  const found = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return null
    throw error
  })
  if (!found?.isDirectory()) throw new Fault('invalid', `There is no folder ${path} to run the command in; make it first.`)
}

/** Where PATH has the program. Looked up beforehand, because a shell would only say 127, which a program may say too. */
async function programPath(name: string | undefined, path: string, cwd: string, shown: (place: string) => boolean): Promise<string> {
  if (!name) throw new Fault('invalid', 'A command needs at least the name of a program.')
  if (name.includes('\0')) throw new Fault('invalid', 'A command must not contain a NUL character.')
  const places = name.includes('/') ? [resolve(cwd, name)] : path.split(':').map((folder) => resolve(cwd, folder, name))
  for (const place of places.filter(shown)) {
    const runs = await access(place, constants.X_OK).then(
      () => stat(place).then((found) => found.isFile()),
      () => false, // not there, or not to be run: the next place
    )
    if (runs) return place
  }
  throw new Fault(
    'not_found',
    `There is no program "${name}" ${name.includes('/') ? 'at that path' : 'on PATH'}; check the name, or install it first.`,
  )
}

const hasFolder = (path: string | undefined): Promise<boolean> =>
  path === undefined
    ? Promise.resolve(false)
    : stat(path).then(
        (found) => found.isDirectory(),
        () => false, // not there yet
      )
const notStarted = (isolation: Isolation, unsandboxed: string | null): CommandResult => ({
  exitCode: null,
  signal: null,
  timedOut: false,
  aborted: true,
  stdout: '',
  stderr: '',
  stdoutBytes: 0,
  stderrBytes: 0,
  wallMs: 0,
  isolation,
  unsandboxed,
  usage: { cpuMs: null, peakMemoryBytes: null },
  oomKilled: false,
  network: null,
})
function within(ms: number, event: Promise<void>): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms)
    event.then(() => {
      clearTimeout(timer)
      done()
    })
  })
}
