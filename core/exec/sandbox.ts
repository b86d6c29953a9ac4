/**
 * The walls around a command, built by bubblewrap. Inside there are: the programs of this machine (/usr) and the Node that runs Banyan, both
 * read-only; the workspace, at its own path; an empty /tmp; a /proc and a /dev of its own. There is no network but its own loopback, no
 * other process, no user file, no socket and nothing of the data folder. It has no capabilities and can gain none. A command that may reach
 * hosts is shown one socket more, its own way out (egress.ts), and still has no network.
 *
 * A runtime that is root lets bubblewrap build the walls with root's rights (so a workspace below a folder that nobody else may enter
 * works) and steps down to an ordinary user inside them; any other runtime uses a user namespace, in which the command stays that user.
 *
 * It says how a command is started, and starts nothing; local.ts does. Linux only.
 */
import { execFile } from 'node:child_process'
import { constants, existsSync } from 'node:fs'
import { chmod, copyFile, type FileHandle, lstat, mkdir, open, readdir, readlink, realpath, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { promisify } from 'node:util'
import { Fault } from '../contract/fault.ts'
import { DOOR_FORWARDER, DOOR_SOCKET, forwarding } from './egress.ts'
import { findProgram } from './find-program.ts'
import { seccompFilter } from './seccomp.ts'

export type SandboxOptions = {
  /** A folder of the runtime's own for what the walls are made of; made if missing. */
  folder: string
  /** PATH on which bubblewrap is looked for. */
  path: string
  /** The user inside, when the runtime is root. */
  runAs?: { uid: number; gid: number }
  /** Absolute paths that must not be seen even where they lie below something that is (DATA_DIR). */
  hidden: readonly string[]
  /** The Node that runs Banyan, so that commands can run it too. */
  node: string
}
export type Enclosure = {
  /** The command within its walls. */
  argv: string[]
  /** Open files it needs, as descriptors 5 and up. */
  files: FileHandle[]
}
export type Sandbox = {
  readonly version: string
  /** Rejects with a Fault when the folder cannot be worked in. `inner`: program with an absolute path, and arguments. */
  enclose(command: {
    workspace: string
    cwd: string
    inner: readonly string[]
    /** Shown besides the workspace. Whoever names them answers for what they hold: a Fault only where they hold what is hidden. */
    folders?: readonly { path: string; write: boolean }[]
    /** Shell lines around the program, whose last becomes it. */
    script?: string
    /** Path of the socket that leads to the proxy. */
    door?: string
    readOnly?: boolean
    /** Folder that is shown at /tool. */
    tool?: string
  }): Promise<Enclosure>
  /** Whether a program of this path is there inside. */
  shows(path: string, workspace: string): boolean
}

/** Read from /etc by programs, and the same for everybody. Everything else of /etc is ours (see `writeEtc`) or is not there. */
const ETC = ['alternatives', 'ld.so.cache', 'localtime', 'mime.types', 'ssl/certs', 'ssl/openssl.cnf']
const TMP_BYTES = 512 * 2 ** 20
/** bubblewrap says here whether the command was begun, which an exit code alone would not tell. */
export const STATUS_FD = 4
const WORKSPACE_FD = 5
const FILTER_FD = 6

/** Makes what the walls are built of. Rejects with a Fault when this machine lacks a part; whether it works is for probe.ts to try. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { runAs } = options
  const asRoot = runAs !== undefined
  const bwrap = await findProgram('bwrap', options.path)
  if (!bwrap) {
    throw new Fault(
      'unavailable',
      'There is no sandbox for commands here, because bubblewrap is not installed: "apt install bubblewrap" (or your system\'s way) and a restart mend it.',
    )
  }
  const version = (await output(bwrap, '--version')).replace(/^\D*/, '').trim()
  const knows = (await output(bwrap, '--help')).split(/\s+/)
  const etc = join(options.folder, 'etc')
  const shared = await writeEtc(etc, runAs?.uid ?? process.getuid?.() ?? 0, runAs?.gid ?? process.getgid?.() ?? 0)
  const filter = seccompFilter(process.arch)
  const filterFile = join(options.folder, 'seccomp.bpf')
  // A copy, because the checkout may be closed to the user inside.
  const forwarder = join(options.folder, 'forward.mjs')
  await copyFile(join(import.meta.dirname, 'forward.mjs'), forwarder)
  await chmod(forwarder, 0o644)
  if (filter) await writeFile(filterFile, filter)

  const roots = await systemRoots()
  const hidden = await Promise.all(options.hidden.map((path) => realpath(path).catch(() => resolve(path)))) // not made yet: as it will be
  const visible = ['/usr', ...roots.filter((root) => root.link === null).map((root) => root.path)]
  const nodeProgram = await realpath(options.node).catch(() => null) // replaced while it runs: then commands do without
  const node = nodeProgram === null ? null : nodeFolder(nodeProgram)
  const nodeNeeded = node !== null && !visible.some((path) => isWithin(node, path))
  if (nodeNeeded) visible.push(node)

  const walls = [
    // A user namespace only where root's rights are missing: less to break on machines that forbid them.
    ...(asRoot ? [] : ['--unshare-user', ...(knows.includes('--disable-userns') ? ['--disable-userns'] : [])]),
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...['--die-with-parent', '--hostname', 'sandbox', '--cap-drop', 'ALL'],
    // For the step down to `runAs`, after which none is left.
    ...(asRoot ? ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((cap) => ['--cap-add', cap]) : []),
    ...['--ro-bind', '/usr', '/usr'],
    ...roots.flatMap(({ path, link }) => (link === null ? ['--ro-bind', path, path] : ['--symlink', link, path])),
    ...['--ro-bind', etc, '/etc', ...shared.flatMap((path) => ['--ro-bind-try', path, path])],
    ...['--dev', '/dev', '--perms', '1777', '--tmpfs', '/dev/shm', '--proc', '/proc'],
    ...['--perms', '1777', ...(knows.includes('--size') ? ['--size', String(TMP_BYTES)] : []), '--tmpfs', '/tmp'],
    ...(nodeNeeded ? [...folders(node, visible), '--ro-bind', node, node] : []),
    ...hidden.filter((path) => visible.some((shown) => isWithin(path, shown)) && existsSync(path)).flatMap((path) => ['--tmpfs', path]),
  ]
  const stepDown = runAs
    ? ['/usr/bin/setpriv', '--reuid', String(runAs.uid), '--regid', String(runAs.gid), '--clear-groups']
        // A process without the right to gain rights, so also none by a program with a setuid bit.
        .concat(['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', '--'])
    : []

  /** A folder that a person named, where it really is. */
  async function besides({ path, write }: { path: string; write: boolean }) {
    const real = await realpath(path).catch(() => null) // said in the next line
    if (real === null) throw new Fault('invalid', `There is no folder ${path} to show to the command; make it first, or leave it out.`)
    if (
      hidden.some((place) => isWithin(place, real) || isWithin(real, place)) ||
      (write && visible.some((place) => isWithin(place, real) || isWithin(real, place)))
    )
      throw new Fault('forbidden', `${path} cannot be shown to a command: it holds the system's own files.`)
    return { path: resolve(path), real, write }
  }

  return {
    version,
    async enclose({ workspace, cwd, inner, script, door, readOnly = false, tool, folders: more = [] }) {
      if (door !== undefined && nodeProgram === null)
        throw new Fault('unavailable', 'The Node that runs Banyan was replaced, so no way to the network can be opened; restart Banyan.')
      const room = await realpath(workspace).catch(() => null) // said in the next line
      const place = room === null ? null : await realpath(cwd).catch(() => null) // said in the next line
      if (room === null || place === null) throw new Fault('invalid', `There is no folder ${cwd} to run the command in; make it first.`)
      if (!isWithin(place, room)) throw new Fault('forbidden', `A command in the sandbox starts inside its workspace, not in ${cwd}.`)
      if (hidden.some((path) => isWithin(path, room)) || visible.some((path) => isWithin(path, room)))
        throw new Fault('forbidden', `${room} cannot be the workspace of a sandbox: it holds the system's own files.`)
      // A command in a folder above could have put a link in its place, which leads to somebody else's files.
      const owner = options.hidden.findIndex((path) => isWithin(workspace, path))
      if (owner >= 0 && room !== join(hidden[owner]!, relative(options.hidden[owner]!, workspace)))
        throw new Fault('forbidden', `${workspace} cannot be the workspace of a sandbox: a link leads to it.`)
      const shown = await Promise.all(more.map((one) => besides(one)))
      const files: FileHandle[] = []
      try {
        // The folder that was looked at is the one that is bound: no link put in its place meanwhile leads out.
        const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
        files.push(await open(room, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        if (filter) files.push(await open(filterFile))
      } catch (error) {
        await Promise.all(files.map((file) => file.close()))
        throw error
      }
      const how = readOnly ? '--ro-bind' : '--bind'
      const bind = knows.includes(`${how}-fd`) ? [`${how}-fd`, String(WORKSPACE_FD), room] : [how, room, room]
      // The gate's shell ignored polite signals on behalf of bubblewrap, which would leave the command no time to end; it gets them back here.
      const lines = door === undefined ? script : `${forwarding(nodeProgram!)}${script ?? 'exec "$@"'}`
      const program = ['/usr/bin/env', '--default-signal=TERM', '--default-signal=INT', '--default-signal=HUP', `--chdir=${place}`]
      return {
        files,
        argv: [
          bwrap,
          ...walls,
          ...folders(room, visible),
          ...bind,
          ...(tool === undefined ? [] : ['--ro-bind', tool, '/tool']),
          ...shown.flatMap(({ path, real, write }) => [...folders(path, [...visible, room]), write ? '--bind' : '--ro-bind', real, path]),
          ...(door === undefined
            ? []
            : [...folders(DOOR_SOCKET, visible), '--ro-bind', door, DOOR_SOCKET, '--ro-bind', forwarder, DOOR_FORWARDER]),
          ...['--remount-ro', '/', '--json-status-fd', String(STATUS_FD)],
          ...(filter ? ['--seccomp', String(FILTER_FD)] : []),
          '--',
          ...stepDown,
          ...program,
          ...(lines === undefined ? [] : ['/bin/sh', '-c', lines, 'banyan']),
          ...inner,
        ],
      }
    },
    shows: (path, workspace) =>
      [...visible, workspace, ...roots.map((root) => root.path)].some((shown) => isWithin(path, shown)) &&
      !hidden.some((place) => isWithin(path, place) && !isWithin(path, workspace)),
  }
}

/** /bin, /lib and their like: links into /usr on most machines, folders of their own on some. */
async function systemRoots(): Promise<{ path: string; link: string | null }[]> {
  const found = await Promise.all(
    ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].map(async (path) => {
      const info = await lstat(path).catch(() => null) // this machine has none
      if (info?.isSymbolicLink()) return { path, link: await readlink(path) }
      return info?.isDirectory() ? { path, link: null } : null
    }),
  )
  return found.filter((root) => root !== null)
}

/**
 * An /etc without anything of this machine: who one is, and that this is localhost. Answers the paths of the machine's own /etc that are
 * laid over it.
 */
async function writeEtc(etc: string, uid: number, gid: number): Promise<string[]> {
  const names = [...ETC, ...(await readdir('/etc')).filter((name) => /^java-\d+-openjdk$/.test(name))]
  const shared: string[] = []
  await mkdir(etc, { recursive: true, mode: 0o755 })
  await Promise.all([dirname(etc), etc].map((folder) => chmod(folder, 0o755)))
  for (const name of names) {
    // Through links, because what they lead to may not be there inside.
    const info = await open(join('/etc', name)).then(
      async (file) => {
        const found = await file.stat()
        await file.close()
        return found
      },
      () => null, // not there, or not for us
    )
    if (!info) continue
    shared.push(join('/etc', name))
    const place = join(etc, name)
    await mkdir(dirname(place), { recursive: true, mode: 0o755 })
    if (info.isDirectory()) await mkdir(place, { recursive: true, mode: 0o755 })
    else await writeFile(place, '')
  }
  const root = uid === 0 ? '' : 'root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n'
  await writeFile(join(etc, 'passwd'), `${root}banyan:x:${uid}:${gid}:banyan:/tmp:/bin/sh\n`)
  await writeFile(join(etc, 'group'), `${gid === 0 ? '' : 'root:x:0:\n'}banyan:x:${gid}:\n`)
  await writeFile(join(etc, 'hosts'), '127.0.0.1 localhost sandbox\n::1 localhost\n')
  await writeFile(join(etc, 'nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files\n')
  return shared
}

/** What must be shown for a Node outside /usr: its whole installation where npm lies in it, else the folder of the program. */
function nodeFolder(program: string): string {
  const bin = dirname(program)
  return basename(bin) === 'bin' && existsSync(join(bin, '../lib/node_modules/npm')) ? dirname(bin) : bin
}

/** The folders above a place that is not yet there, which anybody may pass through: bubblewrap alone would make them for itself only. */
function folders(path: string, visible: readonly string[]): string[] {
  const above: string[] = []
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    if (at === '/tmp' || visible.some((shown) => isWithin(at, shown))) break
    above.unshift(at)
  }
  return above.flatMap((folder) => ['--perms', '0755', '--dir', folder])
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

async function output(program: string, argument: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [argument], { env: {}, timeout: 10_000 })
    return stdout + stderr
  } catch (error) {
    throw new Fault('unavailable', `${program} ${argument} failed; install bubblewrap anew.`, { cause: error })
  }
}
