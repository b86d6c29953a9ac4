/**
 * Runs native git on the host so that nothing but git runs: an argument vector and no shell, an environment built from nothing, no settings
 * of the machine or the user, hooks, fsmonitor, signing, editors, pagers, credential helpers and every transport that starts a program
 * switched off. The repository is always named, never searched for: a `.git` that an agent wrote is not looked at.
 */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { lstat, rm } from 'node:fs/promises'
import { sep } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../contract/fault.ts'
import type { Owner } from '../exec/local.ts'

/** How long a call that goes over the network may take. */
export const NETWORK_MS = 600_000

export type GitCall = {
  /** Folder with HEAD: a bare repository, or a work tree's own folder within one. Left out only by `clone`, which makes one. */
  dir?: string
  /** Folder whose files git may touch. Left out: it touches none. */
  tree?: string
  args: readonly string[]
  /** Text, or what another git writes. */
  stdin?: string | Uint8Array
  env?: Readonly<Record<string, string>>
  /** The user that git runs as, when the runtime is root. */
  as?: Owner | undefined
  /** Exit codes that are answers. */
  fine?: readonly number[]
  /** Bytes of output that are kept; a call that writes more is ended and `cut` is true. */
  most?: number
  timeoutMs?: number
  /** Transports that may be used; none by default. */
  transports?: 'file' | 'http:https'
  signal?: AbortSignal | undefined
}
export type GitAnswer = { code: number; out: Buffer; text: string; cut: boolean }
export type Git = {
  run(call: GitCall): Promise<GitAnswer>
  /** Ends what runs and refuses what comes later. */
  stop(): Promise<void>
}

const SETTINGS: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.pager': 'cat',
  'core.editor': 'false',
  'core.askPass': '',
  'core.sshCommand': 'false',
  'core.alternateRefsCommand': 'true',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.quotePath': 'false',
  'core.logAllRefUpdates': 'true',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'credential.helper': '',
  'commit.gpgsign': 'false',
  'tag.gpgsign': 'false',
  'gpg.program': 'false',
  'log.showSignature': 'false',
  'color.ui': 'false',
  'diff.ignoreSubmodules': 'all',
  'submodule.recurse': 'false',
  'status.submoduleSummary': 'false',
  'fetch.recurseSubmodules': 'false',
  'push.recurseSubmodules': 'no',
  'http.followRedirects': 'false',
  'http.emptyAuth': 'false',
  'protocol.ext.allow': 'never',
  'protocol.ssh.allow': 'never',
  'transfer.bundleURI': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'rerere.enabled': 'false',
  'merge.conflictStyle': 'merge',
  'advice.detachedHead': 'false',
}
const FLAGS = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])

/**
 * The program at the other end of a local clone or push. Git starts it by a shell and without our `-c`, so they are written out; the words
 * are constant. Without them a repository that is cloned from, or pushed to, would bring its own hooks.
 */
export const farEnd = (program: 'upload-pack' | 'receive-pack'): string =>
  ['git', '-c', "safe.directory='*'", '-c', 'receive.denyCurrentBranch=refuse', '-c', 'receive.autogc=false']
    .concat(Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}='${value}'`]))
    .concat(program)
    .join(' ')

/** Longest time that one call may take; a lock older than this belongs to nobody who lives. */
const LONGEST_MS = 120_000
const OUTPUT_BYTES = 20_000_000
const TRIES = 8

export function openGit(options: { path: string }): Git {
  const running = new Map<Promise<unknown>, { dir: string; end: () => void }>()
  let stopped = false

  async function once(call: GitCall): Promise<GitAnswer & { errors: string }> {
    if (stopped) throw new Fault('unavailable', 'The system is stopping and starts no more git; try again after the restart.')
    const argv = [
      ...FLAGS,
      ...(call.dir === undefined ? [] : [`--git-dir=${call.dir}`]),
      ...(call.tree === undefined ? [] : [`--work-tree=${call.tree}`]),
      ...call.args,
    ]
    const child = spawn('git', argv, {
      cwd: call.tree ?? call.dir ?? '/',
      env: { ...environment(options.path), GIT_ALLOW_PROTOCOL: call.transports ?? 'none', ...call.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      ...call.as,
    })
    const out: Buffer[] = []
    const errors: Buffer[] = []
    let bytes = 0
    let told = 0
    let cut = false
    let late = false
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ESRCH: it has ended, which was wanted
      }
    }
    const timer = setTimeout(() => {
      late = true
      kill()
    }, call.timeoutMs ?? LONGEST_MS)
    call.signal?.addEventListener('abort', kill, { once: true })
    const work = new Promise<number | null>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        const most = call.most ?? OUTPUT_BYTES
        if (bytes < most) out.push(chunk.subarray(0, most - bytes))
        bytes += chunk.length
        if (bytes > most) {
          cut = true
          kill()
        }
      })
      child.stderr.on('data', (chunk: Buffer) => {
        if (told < 20_000) errors.push(chunk.subarray(0, 20_000 - told))
        told += chunk.length
      })
      child.stdin.on('error', () => undefined) // git may end without reading all
      child.once('error', reject)
      child.once('close', resolve)
      child.stdin.end(call.stdin ?? '')
    })
    running.set(work, { dir: call.dir ?? '', end: kill })
    try {
      const code = await work
      if (call.signal?.aborted) throw new Fault('unavailable', 'The work was stopped while git ran.')
      if (late)
        throw new Fault('unavailable', `git ${verbOf(call)} took longer than ${(call.timeoutMs ?? LONGEST_MS) / 1_000} s and was ended.`)
      if (code === null && !cut) throw new Fault('unavailable', `git ${verbOf(call)} was killed; try again.`)
      const bufferOut = Buffer.concat(out)
      return { code: code ?? 0, out: bufferOut, text: bufferOut.toString('utf8'), cut, errors: Buffer.concat(errors).toString('utf8') }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw new Fault('unavailable', 'There is no git on this machine (PATH); install it to work with repositories.', { cause: error })
      throw error
    } finally {
      clearTimeout(timer)
      call.signal?.removeEventListener('abort', kill)
      running.delete(work)
    }
  }

  return {
    /** A lock that somebody holds is waited for; one that nobody can hold any more is taken away. */
    async run(call) {
      for (let attempt = 1; ; attempt++) {
        const { errors, ...answer } = await once(call)
        if (answer.cut || answer.code === 0 || call.fine?.includes(answer.code)) return answer
        const lock = /Unable to create '([^'\n]+\.lock)': File exists/.exec(errors)?.[1]
        if (lock === undefined || attempt === TRIES) throw failure(call, answer.code, errors)
        const others = [...running.values()].some(({ dir }) => related(dir, call.dir ?? ''))
        if (!others && (await isStale(lock, call.dir ?? ''))) await rm(lock, { force: true })
        else await delay(25 * 2 ** Math.min(attempt, 5))
      }
    },
    async stop() {
      stopped = true
      for (const { end } of running.values()) end()
      await Promise.allSettled(running.keys())
    },
  }
}

/** The common repository of a work tree's own folder: both lock the same references. */
const commonOf = (dir: string): string => dir.replace(/\/worktrees\/[^/]+$/, '')
const related = (a: string, b: string): boolean => commonOf(a) === commonOf(b)

/**
 * A git that outlived the runtime which started it still has the repository in its arguments. Where the machine does not tell of processes
 * (no /proc), only a lock older than any call may take counts as left behind.
 */
async function isStale(lock: string, dir: string): Promise<boolean> {
  const found = await lstat(lock).catch(() => null) // gone in the meantime: the next try will see
  if (!found?.isFile()) return false
  const live = processesNaming(commonOf(dir))
  return live === null ? Date.now() - found.mtimeMs > LONGEST_MS : !live
}

/** Whether any process names this folder, or null when that cannot be known. */
export function processesNaming(folder: string): boolean | null {
  let ids: string[]
  try {
    ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  } catch {
    return null // no /proc on this system
  }
  if (ids.length === 0) return null
  return ids.some((id) => {
    try {
      const words = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0')
      return (
        words[0] !== undefined && /(^|\/)git$/.test(words[0]) && words.some((word) => word.endsWith(folder) || word.includes(folder + sep))
      )
    } catch {
      return false // it ended while we looked
    }
  })
}

function environment(path: string): Record<string, string> {
  return {
    PATH: path,
    LC_ALL: 'C.UTF-8',
    LANGUAGE: 'C',
    HOME: '/nonexistent',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_EDITOR: 'false',
    GIT_PAGER: 'cat',
    GIT_DISCOVERY_ACROSS_FILESYSTEM: '0',
    GIT_PROTOCOL_FROM_USER: '0',
  }
}

function failure(call: GitCall, code: number, errors: string): Fault {
  const lines = errors
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'))
  const said = (
    lines.find((line) => /^error: object [0-9a-f]+: /.test(line)) ??
    lines.findLast((line) => /^(fatal|error):/.test(line)) ??
    lines.at(-1) ??
    `exit code ${code}`
  ).replace(/^(fatal|error): /, '')
  const words = said.replaceAll(commonOf(call.dir ?? '\0'), 'the repository').slice(0, 400)
  return new Fault('unprocessable', `git ${verbOf(call)} did not succeed: ${words}${/[.!?]$/.test(words) ? '' : '.'}`)
}

const verbOf = ({ args }: GitCall): string => args.find((word, i) => !word.startsWith('-') && args[i - 1] !== '-c') ?? ''
