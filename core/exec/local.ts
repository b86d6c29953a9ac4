/**
 * Runs commands as plain processes of this machine. What is promised: a built environment; a process group of its own that ends with the
 * command, its time-out, its abort, and with the runtime, also one killed with -9; limits on CPU time, file size, open files and core
 * dumps; output in fixed memory.
 *
 * What `plain` cannot promise: a command sees the machine as its user sees it. With `runAs` that user is not the runtime's, so files that
 * only the runtime's user may read (0600: keys, tokens, the database) are closed to it. Without it (a runtime that is not root cannot
 * change the user) the same user can read them; `deny` then refuses commands that name them, which stops accidents, not intent. A process
 * that leaves its group (setsid) outlives the command. Walls against all of these are a sandbox's work.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, lchown, opendir, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { workspaceEnvironment } from './environment.ts'
import type { Command, CommandResult, Exec } from './exec.ts'
import { guardian } from './guardian.ts'
import { keepEnds } from './output.ts'

export type Owner = { uid: number; gid: number }
export type LocalExecOptions = {
  /** What every command finds in its environment; HOME and TMPDIR are added (see environment.ts). */
  environment: Record<string, string>
  /** Absolute paths that no command may name or start in. A tripwire, not a wall. */
  deny?: readonly string[]
  /** User that commands run as, when the runtime is root. The workspace must have been handed to it (`handOver`). */
  runAs?: Owner
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

/**
 * Waits until the runtime says that the guardian knows this group, and becomes the command then; a runtime that died in between closes the
 * pipe and nothing runs. `ulimit` of the shell sets the limits, so no other program is needed; a lower limit of the machine stays.
 */
const gate = (cpuSeconds: number): string => `
read -r go <&3 || exit 125
exec 3<&-
{ ulimit -c 0; ulimit -t ${cpuSeconds}; ulimit -f ${FILE_BYTES / 512}; ulimit -n ${OPEN_FILES}; [ -d "$TMPDIR" ] || mkdir -p "$TMPDIR"; } 2>/dev/null
exec "$@"
`

export function localExec(options: LocalExecOptions): Exec & { stop(): Promise<void> } {
  const watcher = guardian()
  const { failPoint = () => undefined } = options
  const running = new Map<Promise<CommandResult>, () => void>()
  let stopped = false

  async function start(command: Command, signal: AbortSignal): Promise<CommandResult> {
    const env = workspaceEnvironment(command.cwd, { ...options.environment, ...command.env })
    refuseDenied(command, options.deny ?? [])
    await mustBeFolder(command.cwd)
    const argv =
      'shell' in command.run
        ? ['/bin/sh', '-c', '--', command.run.shell]
        : [await programPath(command.run.argv[0], env.PATH ?? '', command.cwd), ...command.run.argv.slice(1)]
    if (signal.aborted) return notStarted()

    const began = performance.now()
    const stdout = keepEnds(command.outputBytes)
    const stderr = keepEnds(command.outputBytes)
    const timeoutMs = Math.min(command.timeoutMs, LONGEST_MS)
    const cpuSeconds = Math.ceil(timeoutMs / 1_000) * availableParallelism() + 5
    const child = launch([gate(cpuSeconds), 'banyan', ...argv], command, env, options.runAs)
    child.stdout?.on('data', stdout.add)
    child.stderr?.on('data', stderr.add)
    const pid = await started(child)

    const ended = Promise.withResolvers<{ code: number | null; signal: string | null }>()
    const closed = Promise.withResolvers<void>()
    child.once('exit', (code, by) => ended.resolve({ code, signal: by }))
    child.once('close', () => closed.resolve())

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
      await watcher.watch(pid)
      failPoint('exec.before-go')
      say(child, 3, 'go\n')
      failPoint('exec.after-go')
      if (command.stdin !== undefined) say(child, 0, command.stdin)
      const how = await ended.promise
      failPoint('exec.after-exit')
      over = true
      // What it left in the background may still write, politely ended or not; then nothing of the group stays.
      await within(cause ? GRACE_MS : LAST_WORDS_MS, closed.promise)
      kill('SIGKILL')
      // Somebody who left the group may hold the pipes open for ever.
      await within(GRACE_MS, closed.promise)
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
        isolation: 'plain',
      }
    } finally {
      clearTimeout(timer)
      clearTimeout(force)
      signal.removeEventListener('abort', onAbort)
      kill('SIGKILL')
      watcher.forget(pid)
      for (const stream of child.stdio) stream?.destroy()
    }
  }

  return {
    isolation: 'plain',
    run(command, signal) {
      if (stopped)
        return Promise.reject(
          new Fault('unavailable', 'The system is stopping and starts no more commands; run it again after the restart.'),
        )
      const stop = new AbortController()
      const result = start(command, AbortSignal.any([signal, stop.signal]))
      running.set(result, () => stop.abort())
      const done = () => {
        running.delete(result)
      }
      result.then(done, done)
      return result
    },
    /** Ends what runs, as an abort does, and refuses what comes later. */
    async stop() {
      stopped = true
      for (const abort of running.values()) abort()
      await Promise.allSettled(running.keys())
      watcher.stop()
    },
  }
}

/**
 * Gives a workspace, with all that is in it, to the user that commands run as. Links are handed over, never followed. Rejects with a Fault
 * when a folder above does not let that user pass.
 */
export async function handOver(folder: string, to: Owner): Promise<void> {
  for (let above = dirname(folder); ; above = dirname(above)) {
    if (!maySearch(await stat(above), to)) {
      throw new Fault(
        'unavailable',
        `Commands cannot run as user ${to.uid} in ${folder}: ${above} does not let other users pass; "chmod o+x ${above}" or another DATA_DIR mends it.`,
      )
    }
    if (above === dirname(above)) break
  }
  await lchown(folder, to.uid, to.gid)
  for await (const entry of await opendir(folder, { recursive: true })) await lchown(join(entry.parentPath, entry.name), to.uid, to.gid)
}

function maySearch(folder: { uid: number; gid: number; mode: number }, who: Owner): boolean {
  if (folder.uid === who.uid) return (folder.mode & 0o100) !== 0
  if (folder.gid === who.gid) return (folder.mode & 0o010) !== 0
  return (folder.mode & 0o001) !== 0
}

function launch(script: string[], command: Command, env: Record<string, string>, runAs: Owner | undefined): ChildProcess {
  try {
    return spawn('/bin/sh', ['-c', ...script], {
      cwd: command.cwd,
      env,
      detached: true,
      stdio: [command.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', 'pipe'],
      ...runAs,
    })
  } catch (error) {
    throw couldNotStart(error)
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

function refuseDenied(command: Command, deny: readonly string[]): void {
  const words = 'shell' in command.run ? command.run.shell.split(/[\s'"`;&|<>()=$]+/) : command.run.argv.flatMap((word) => word.split('='))
  const named = [command.cwd, ...words.filter(Boolean).map((word) => resolve(command.cwd, word))]
  const hit = deny.find((path) => named.some((name) => name === path || name.startsWith(path + sep)))
  if (hit) throw new Fault('forbidden', `A command may not touch ${hit}: it belongs to the system itself.`)
}

async function mustBeFolder(path: string): Promise<void> {
  if (path.includes('\0')) throw new Fault('invalid', 'The folder of a command must not contain a NUL character.')
  const found = await stat(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null
    throw error
  })
  if (!found?.isDirectory()) throw new Fault('invalid', `There is no folder ${path} to run the command in; make it first.`)
}

/** Where PATH has the program. Looked up beforehand, because a shell would only say 127, which a program may say too. */
async function programPath(name: string | undefined, path: string, cwd: string): Promise<string> {
  if (!name) throw new Fault('invalid', 'A command needs at least the name of a program.')
  if (name.includes('\0')) throw new Fault('invalid', 'A command must not contain a NUL character.')
  const places = name.includes('/') ? [resolve(cwd, name)] : path.split(':').map((folder) => resolve(cwd, folder, name))
  for (const place of places) {
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
  isolation: 'plain',
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
const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code
