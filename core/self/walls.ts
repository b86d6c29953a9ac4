/**
 * The walls around code that nobody has approved yet. Inside: the machine's programs and the Node that runs Banyan, read-only; one folder
 * with the candidate; the installed packages, read-only; an empty /tmp; its own processes and its own loopback. No network, no environment,
 * no file of the runtime, no capability. Unlike the sandbox of commands it lets bubblewrap start once more inside, because the candidate's own
 * tests try that sandbox; what those two layers allow is tried out before they are believed.
 */
import { spawn } from 'node:child_process'
import { chmod, lstat, mkdir, mkdtemp, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cgroups } from '../exec/cgroups.ts'
import { findProgram } from '../exec/find-program.ts'
import type { Owner } from '../exec/local.ts'
import { keepEnds } from '../exec/output.ts'

export type WallsOptions = {
  /** Where the trial takes place; a folder of the system's own. */
  folder: string
  path: string
  node: string
  runAs?: Owner | undefined
  cgroups?: Cgroups | null
  /** The installed packages; they must be readable inside. */
  packages: string
}
export type Inside = {
  /** Shown as /banyan, read-only, so that nothing of the candidate changes what is judged after it. */
  source: string
  /** Shown writable instead. */
  write?: boolean
  /** Shown at /banyan/node_modules, read-only. */
  packages: string | null
  argv: readonly string[]
  timeoutMs: number
  /** Further folders: where they lie, where they are shown. */
  binds?: readonly { from: string; to: string; write?: boolean }[]
  env?: Readonly<Record<string, string>>
  signal?: AbortSignal | undefined
}
export type Ended = { code: number | null; timedOut: boolean; log: string; ms: number }
export type Walls = {
  /** Whether the sandbox of commands starts inside; without it tests of that sandbox skip themselves. */
  nested: boolean
  run(inside: Inside): Promise<Ended>
}

export const INSIDE = '/banyan'
/** Read by programs, and the same for everybody. */
const SHOWN = ['alternatives', 'ld.so.cache', 'passwd', 'group', 'ssl/certs', 'ssl/openssl.cnf', 'fonts', 'localtime', 'mime.types'].map(
  (name) => `/etc/${name}`,
)
const ETC = {
  hosts: '127.0.0.1 localhost gate\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
}
const LOG_BYTES = 60_000
const MEMORY_BYTES = 4 * 2 ** 30

/** The walls, tried out; or why there are none, with the mend. */
export async function openWalls(options: WallsOptions): Promise<Walls | { why: string }> {
  if (process.platform !== 'linux')
    return { why: `Changing its own code needs bubblewrap, which needs Linux, and this is ${process.platform}.` }
  const bwrap = await findProgram('bwrap', options.path)
  if (bwrap === null)
    return {
      why: 'Changing its own code needs bubblewrap to try a change safely: "apt install bubblewrap" (or your system\'s way) and restart.',
    }
  const node = await realpath(options.node)
  const roots = await systemRoots()
  await mkdir(options.folder, { recursive: true, mode: 0o755 })
  // What programs look for to know who is called localhost; nothing of this machine.
  const etc = join(options.folder, 'etc')
  await mkdir(etc, { recursive: true, mode: 0o755 })
  await chmod(etc, 0o755)
  for (const [name, text] of Object.entries(ETC)) {
    await writeFile(join(etc, name), text)
    await chmod(join(etc, name), 0o644)
  }

  const walls = (form: Form): Walls => ({
    nested: form === 'nested',
    run: (inside) => run(argvOf({ bwrap, roots, node, form, etc, runAs: options.runAs, inside }), inside, options.cgroups ?? null),
  })
  const trial = await mkdtemp(join(options.folder, 'try-'))
  try {
    await chmod(trial, 0o755)
    const attempt = (form: Form, script: string) =>
      walls(form).run({ source: trial, packages: options.packages, argv: ['/bin/sh', '-c', script], timeoutMs: 20_000 })
    const shown = roots.map(({ path, link }) => (link === null ? `--ro-bind ${path} ${path}` : `--symlink ${link} ${path}`)).join(' ')
    const inner = `bwrap --unshare-all --die-with-parent --ro-bind /usr /usr ${shown} --proc /proc --dev /dev --tmpfs /tmp /bin/true`
    const reads = `test -r ${INSIDE}/node_modules/. && node -e 0`
    await mkdir(join(trial, 'node_modules'), { mode: 0o755 })
    if ((await attempt('nested', `${reads} && ${inner}`)).code === 0) return walls('nested')
    // Root's rights reach folders that nobody else may enter, and hide too much of /proc for a second layer.
    if (options.runAs && (await attempt('by root', reads)).code === 0) return walls('by root')
    const plain = await attempt('single', reads)
    if (plain.code === 0) return walls('single')
    const said = plain.log.trim().split('\n').at(-1) ?? ''
    return {
      why: `Changing its own code is off: bubblewrap is there, but a change cannot be tried with it (${said.slice(0, 200) || 'it did not start'}); allow it user namespaces and restart.`,
    }
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
}

/** `nested`: by the user inside, with room for a second layer. `single`: without. `by root`: made by root, who steps down inside. */
export type Form = 'nested' | 'single' | 'by root'
const NAMESPACES = ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try']

type Root = { path: string; link: string | null }
/** Pure, so that what it shows can be read and tested. */
export function argvOf(what: {
  bwrap: string
  roots: readonly Root[]
  node: string
  form: Form
  /** Folder of the files of `ETC`. */
  etc: string
  runAs: Owner | undefined
  inside: Inside
}): string[] {
  const { bwrap, roots, node, form, etc, runAs, inside } = what
  const down = runAs
    ? ['/usr/bin/setpriv', '--reuid', String(runAs.uid), '--regid', String(runAs.gid), '--clear-groups', '--no-new-privs']
    : []
  const byRoot = form === 'by root'
  return [
    ...(byRoot || down.length === 0 ? [] : [...down, '--']),
    bwrap,
    ...(byRoot
      ? [...NAMESPACES, '--cap-drop', 'ALL', ...['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((cap) => ['--cap-add', cap])]
      : ['--unshare-all', '--cap-drop', 'ALL']),
    ...['--die-with-parent', '--new-session', '--hostname', 'gate'],
    ...['--ro-bind', '/usr', '/usr'],
    ...roots.flatMap(({ path, link }) => (link === null ? ['--ro-bind', path, path] : ['--symlink', link, path])),
    // Folders that bubblewrap makes on the way to a file are root's alone when root starts it.
    ...['/etc', '/etc/ssl'].flatMap((path) => ['--perms', '0755', '--dir', path]),
    ...SHOWN.flatMap((path) => ['--ro-bind-try', path, path]),
    ...Object.keys(ETC).flatMap((name) => ['--ro-bind', join(etc, name), `/etc/${name}`]),
    ...['--dev', '/dev', '--proc', '/proc', '--perms', '1777', '--tmpfs', '/tmp'],
    // In no folder that a machine has: tests of the sandbox look whether those are hidden.
    ...['--dir', '/node/bin', '--ro-bind', node, '/node/bin/node'],
    // Where the sandbox cannot start inside, its tests must see that there is none.
    ...(form === 'nested' ? [] : ['--ro-bind-try', '/dev/null', '/usr/bin/bwrap']),
    ...[inside.write ? '--bind' : '--ro-bind', inside.source, INSIDE],
    ...(inside.packages === null ? [] : ['--ro-bind', inside.packages, `${INSIDE}/node_modules`]),
    ...(inside.binds ?? []).flatMap(({ from, to, write }) => [write ? '--bind' : '--ro-bind', from, to]),
    ...['--remount-ro', '/'],
    ...['--chdir', INSIDE, '--clearenv', '--setenv', 'PATH', '/node/bin:/usr/local/bin:/usr/bin:/bin', '--setenv', 'HOME', '/tmp'],
    ...['--setenv', 'LANG', 'C.UTF-8', '--setenv', 'NO_COLOR', '1', '--setenv', 'CI', '1'],
    ...Object.entries(inside.env ?? {}).flatMap(([name, value]) => ['--setenv', name, value]),
    '--',
    ...(byRoot ? [...down, '--inh-caps=-all', '--bounding-set=-all', '--'] : []),
    ...inside.argv,
  ]
}

/** Ends with everything that it started, at its time at the latest. Its exit code is read here, outside. */
async function run(argv: readonly string[], inside: Inside, cgroups: Cgroups | null): Promise<Ended> {
  const began = performance.now()
  const output = keepEnds(LOG_BYTES)
  // Tests have times of their own, which a quarter of a share would make too short.
  const group = await cgroups?.group({ memoryBytes: MEMORY_BYTES, pids: 2_048, cpus: null, usualShare: true })
  // The shell waits until it is in its group, then becomes bubblewrap.
  const child = spawn('/bin/sh', ['-c', 'read -r go || exit 125; ulimit -c 0; exec "$@" </dev/null', 'gate', ...argv], {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let timedOut = false
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended, which was wanted
    }
  }
  const timer = setTimeout(() => {
    timedOut = true
    kill()
  }, inside.timeoutMs)
  inside.signal?.addEventListener('abort', kill, { once: true })
  try {
    const ended = new Promise<number | null>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.add(chunk))
      child.stdin.on('error', () => undefined) // it may end before it reads
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (child.pid !== undefined) await group?.join(child.pid)
    child.stdin.end('go\n')
    if (inside.signal?.aborted) kill()
    const code = await ended
    return { code, timedOut, log: output.text(), ms: Math.round(performance.now() - began) }
  } finally {
    clearTimeout(timer)
    inside.signal?.removeEventListener('abort', kill)
    await group?.close()
  }
}

async function systemRoots(): Promise<Root[]> {
  const found = await Promise.all(
    ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].map(async (path) => {
      const info = await lstat(path).catch(() => null) // this machine has none
      if (info?.isSymbolicLink()) return { path, link: await readlink(path) }
      return info?.isDirectory() ? { path, link: null } : null
    }),
  )
  return found.filter((root) => root !== null)
}
