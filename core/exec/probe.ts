/** Finds out, once at the start, how commands can be isolated here: by doing it, never by reading version numbers. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { type Cgroups, openCgroups } from './cgroups.ts'
import { builtEnvironment } from './environment.ts'
import { handOver, localExec } from './local.ts'
import { openSandbox, type Sandbox, type SandboxOptions } from './sandbox.ts'

export type IsolationReport = {
  sandbox: { ok: true; version: string } | { ok: false; why: string; mend: string }
  /** True: held for everything that a command starts, together. With `rlimit` there are limits on each process, and in a sandbox on their number. */
  limits: { memory: boolean; pids: boolean; cpu: boolean; via: 'cgroup1' | 'cgroup2' | 'rlimit' }
}
export type IsolationParts = { report: IsolationReport; sandbox: Sandbox | { why: string }; cgroups: Cgroups | null }

/** The parts of which commands here are isolated, each tried out for real, and a report on them. What a crash left behind is ended first. */
export async function openIsolation(options: SandboxOptions): Promise<IsolationParts> {
  const cgroups = await openCgroups()
  await cgroups?.sweep()
  const tried = await trySandbox(options, cgroups)
  const ok = 'sandbox' in tried
  return {
    cgroups,
    sandbox: ok ? tried.sandbox : { why: `${tried.why} ${tried.mend}` },
    report: {
      sandbox: ok ? { ok: true, version: tried.sandbox.version } : { ok: false, ...tried },
      limits: cgroups ? { memory: true, pids: true, cpu: true, via: cgroups.via } : { memory: false, pids: ok, cpu: false, via: 'rlimit' },
    },
  }
}

/** The report alone, for those who run no commands. */
export const probeIsolation = async (options: SandboxOptions): Promise<IsolationReport> => (await openIsolation(options)).report

async function trySandbox(options: SandboxOptions, cgroups: Cgroups | null): Promise<{ sandbox: Sandbox } | { why: string; mend: string }> {
  if (process.platform !== 'linux')
    return {
      why: `bubblewrap needs Linux, and this is ${process.platform}.`,
      mend: 'Run Banyan on Linux, or look before you approve a command.',
    }
  await mkdir(options.folder, { recursive: true, mode: 0o755 })
  const workspace = await mkdtemp(join(options.folder, 'try-'))
  let stop = async (): Promise<void> => undefined
  try {
    const sandbox = await openSandbox(options)
    if (options.runAs) await handOver(workspace, options.runAs)
    const local = localExec({ environment: builtEnvironment({}), sandbox, cgroups, ...(options.runAs ? { runAs: options.runAs } : {}) })
    stop = () => local.stop()
    const command = {
      run: { shell: 'true > written' },
      cwd: workspace,
      timeoutMs: 20_000,
      outputBytes: 4_000,
      isolation: 'sandbox' as const,
    }
    const result = await local.run(command, new AbortController().signal)
    if (result.exitCode === 0) return { sandbox }
    return mendOf(result.stderr.trim() || (result.timedOut ? 'it did not end within 20 s' : `exit code ${result.exitCode}`))
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return mendOf(error.message)
  } finally {
    await stop()
    await rm(workspace, { recursive: true, force: true })
  }
}

/** What stands in the way, and what a person can do about it. */
function mendOf(said: string): { why: string; mend: string } {
  if (/not installed/.test(said))
    return { why: 'bubblewrap is not installed.', mend: 'Install it ("apt install bubblewrap", or your system\'s way) and restart.' }
  const why = `bubblewrap is there, but does not work: ${said.split('\n').at(-1)}${/[.!]$/.test(said) ? '' : '.'}`
  // A container's engine lays covers over parts of /proc, and the kernel then gives no whole one to anybody inside.
  if (/mount proc/i.test(said))
    return {
      why,
      mend: 'In a container start it with the security options "seccomp=unconfined", "apparmor=unconfined" and "systempaths=unconfined", as docker-compose.yml does (Podman: "unmask=ALL").',
    }
  if (/namespace|uid map|Operation not permitted|Permission denied/i.test(said)) {
    return {
      why,
      mend: 'Allow it user namespaces ("sysctl kernel.unprivileged_userns_clone=1"; on Ubuntu from 23.10 on an AppArmor profile for bwrap, or "sysctl kernel.apparmor_restrict_unprivileged_userns=0"; in a container the security options of docker-compose.yml) and restart.',
    }
  }
  return { why, mend: 'Install bubblewrap 0.8 or later with coreutils and util-linux, and restart.' }
}
