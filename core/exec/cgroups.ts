/**
 * Limits on memory, processes and CPU of everything that a command starts, and what it used, by control groups of the kernel (version 1 or
 * 2) written by hand: no systemd and no other program is needed. Where this process may not write them there are none; a command then has
 * the weaker limits of its processes (see local.ts).
 *
 * A group is called `banyan-PID-START-…` after the process that made it, so that a later start knows which are left over from a crash.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { posix } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

export type Limits = {
  /** Everything that the command's processes hold together, files in memory included. */
  memoryBytes: number
  /** Processes and threads at one time. */
  pids: number
  /** Processors that it may keep busy, such as 0.5; null: all of them, but the rest of the machine goes first. */
  cpus: number | null
  /** Beside other processes that are busy it gets what one of them gets, not a quarter of that: for work with limits of time of its own. */
  usualShare?: boolean
}
export type Usage = { cpuMs: number | null; peakMemoryBytes: number | null; oomKills: number }
export type Group = {
  /** One that is over already needs no limits; its end is told by whoever started it. */
  join(pid: number): Promise<void>
  usage(): Promise<Usage>
  /** Ends every process that is left in it, also one that left its process group, and removes it. */
  close(): Promise<void>
}
export type Cgroups = {
  via: 'cgroup1' | 'cgroup2'
  group(limits: Limits): Promise<Group>
  /** Ends and removes what processes that are gone have left. */
  sweep(): Promise<{ groups: number; processes: number }>
}

type Controller = 'memory' | 'pids' | 'cpu' | 'cpuacct'
const CONTROLLERS: readonly Controller[] = ['memory', 'pids', 'cpu', 'cpuacct']

/** Where the groups of this process lie, from /proc/self/mountinfo and /proc/self/cgroup. Pure. */
export function cgroupFolders(mountinfo: string, own: string): { v1: Partial<Record<Controller, string>>; v2: string[] } {
  const paths = own.split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line)?.slice(1) as [string, string] | undefined)
  const v1: Partial<Record<Controller, string>> = {}
  const v2: string[] = []
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '/', point = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    const inside = (path: string) => {
      const below = root === '/' ? path : path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '/'
      return posix.join(unescaped(point), below.startsWith('/..') ? '/' : below).replace(/\/+$/, '')
    }
    if (type === 'cgroup') {
      for (const name of CONTROLLERS.filter((name) => options.split(',').includes(name)))
        v1[name] ??= inside(paths.find((path) => path?.[0].split(',').includes(name))?.[1] ?? '/')
    } else if (type === 'cgroup2' && v2.length === 0) {
      const own = inside(paths.find((path) => path?.[0] === '')?.[1] ?? '/')
      // A group that holds processes cannot share out memory; the one above may (systemd: Delegate=yes and DelegateSubgroup=).
      v2.push(own, ...(own === unescaped(point) ? [] : [posix.dirname(own)]))
    }
  }
  return { v1, v2 }
}
const unescaped = (path: string): string =>
  path.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** The groups that this process may write, tried out for real; null where it may not. */
export async function openCgroups(): Promise<Cgroups | null> {
  const texts = await Promise.all(
    ['/proc/self/mountinfo', '/proc/self/cgroup', '/proc/self/stat'].map((path) => readFile(path, 'utf8')),
  ).catch(
    () => null, // not Linux
  )
  if (!texts) return null
  const [mountinfo = '', own = '', stat = ''] = texts
  const { v1, v2 } = cgroupFolders(mountinfo, own)
  const prefix = `banyan-${process.pid}-${startOf(stat)}-`
  const { memory, pids, cpu, cpuacct } = v1
  if (memory && pids && cpu) {
    const found = version1({ memory, pids, cpu, ...(cpuacct ? { cpuacct } : {}) }, prefix)
    if (await works(found)) return found
  }
  for (const base of v2) {
    const shared = await readFile(`${base}/cgroup.subtree_control`, 'utf8').catch(() => null) // not a group of version 2
    if (shared === null) continue
    const missing = ['memory', 'pids', 'cpu'].filter((name) => !shared.split(/\s+/).includes(name))
    // Refused while the group holds processes, or without the right to: then the next one, or none.
    if (missing.length > 0)
      await write(`${base}/cgroup.subtree_control`, missing.map((name) => `+${name}`).join(' ')).catch(() => undefined) // told by the look that follows
    const found = version2(base, prefix)
    if (await works(found)) return found
  }
  return null
}

async function works(cgroups: Cgroups): Promise<boolean> {
  try {
    const group = await cgroups.group({ memoryBytes: 2 ** 30, pids: 100, cpus: null })
    await group.close()
    return true
  } catch {
    return false // whatever forbids it: there are no groups for us here, which is the answer
  }
}

type Layout = {
  folders: readonly string[]
  limits(limits: Limits): [path: string, value: string, optional?: 'optional'][]
  usage(): Promise<Usage>
}

function version1(bases: Partial<Record<Controller, string>> & { memory: string; pids: string; cpu: string }, prefix: string): Cgroups {
  const every = [...new Set(Object.values(bases))]
  return {
    via: 'cgroup1',
    group(limits) {
      const name = prefix + randomBytes(6).toString('hex')
      const { memory, pids, cpu } = bases
      return makeGroup(
        {
          folders: every.map((base) => `${base}/${name}`),
          limits: ({ memoryBytes, pids: most, cpus, usualShare }) => [
            [`${memory}/${name}/memory.limit_in_bytes`, String(memoryBytes)],
            // Not there on kernels that do not count swap.
            [`${memory}/${name}/memory.memsw.limit_in_bytes`, String(memoryBytes), 'optional'],
            [`${pids}/${name}/pids.max`, String(most)],
            [`${cpu}/${name}/cpu.shares`, usualShare ? '1024' : '256'],
            ...(cpus === null
              ? []
              : [[`${cpu}/${name}/cpu.cfs_quota_us`, String(Math.max(1_000, Math.round(cpus * 100_000)))] as [string, string]]),
          ],
          async usage() {
            const [nanoseconds, peak, oom] = await Promise.all([
              bases.cpuacct ? text(`${bases.cpuacct}/${name}/cpuacct.usage`) : null,
              text(`${memory}/${name}/memory.max_usage_in_bytes`),
              text(`${memory}/${name}/memory.oom_control`),
            ])
            return {
              cpuMs: nanoseconds === null ? null : Number(nanoseconds) / 1_000_000,
              peakMemoryBytes: peak === null ? null : Number(peak),
              oomKills: numberAfter(oom, 'oom_kill'),
            }
          },
        },
        limits,
      )
    },
    sweep: () => sweep(every),
  }
}

function version2(base: string, prefix: string): Cgroups {
  return {
    via: 'cgroup2',
    group(limits) {
      const folder = `${base}/${prefix}${randomBytes(6).toString('hex')}`
      return makeGroup(
        {
          folders: [folder],
          limits: ({ memoryBytes, pids, cpus, usualShare }) => [
            [`${folder}/memory.max`, String(memoryBytes)],
            [`${folder}/memory.swap.max`, '0', 'optional'],
            [`${folder}/pids.max`, String(pids)],
            [`${folder}/cpu.weight`, usualShare ? '100' : '25'],
            ...(cpus === null ? [] : [[`${folder}/cpu.max`, `${Math.max(1_000, Math.round(cpus * 100_000))} 100000`] as [string, string]]),
          ],
          async usage() {
            const [cpu, peak, events] = await Promise.all([
              text(`${folder}/cpu.stat`),
              text(`${folder}/memory.peak`), // from Linux 5.19 on
              text(`${folder}/memory.events`),
            ])
            return {
              cpuMs: cpu === null ? null : numberAfter(cpu, 'usage_usec') / 1_000,
              peakMemoryBytes: peak === null ? null : Number(peak),
              oomKills: numberAfter(events, 'oom_kill'),
            }
          },
        },
        limits,
      )
    },
    sweep: () => sweep([base]),
  }
}

async function makeGroup(layout: Layout, limits: Limits): Promise<Group> {
  const { folders } = layout
  try {
    await Promise.all(folders.map((folder) => mkdir(folder)))
    for (const [path, value, optional] of layout.limits(limits)) {
      await write(path, value).catch((error: unknown) => {
        if (optional === undefined) throw error
      })
    }
  } catch (error) {
    await Promise.all(folders.map(remove))
    throw error
  }
  let closed: Promise<unknown> | undefined
  return {
    async join(pid) {
      const isOver = (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ESRCH') throw error
      }
      await Promise.all(folders.map((folder) => write(`${folder}/cgroup.procs`, String(pid)).catch(isOver)))
    },
    usage: layout.usage,
    async close() {
      closed ??= Promise.all(folders.map(remove))
      await closed
    },
  }
}

/** Ends what is in a group and removes it; answers how many processes there were. One that cannot be emptied is left for the next sweep. */
async function remove(folder: string): Promise<number> {
  const killed = new Set<number>()
  for (let round = 0; round < 50; round++) {
    const gone = await rmdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === 'ENOENT', // EBUSY: somebody is still in it
    )
    if (gone) break
    const inside = await processes(folder)
    // Nobody may join while the rest are ended, or a fork bomb outruns us. Only the group of `pids` has such a file.
    if (inside.length > 0) await write(`${folder}/pids.max`, '0').catch(() => undefined) // no such file in the other groups
    for (const pid of inside) {
      killed.add(pid)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Over by now, or another user's: the next round looks again.
      }
    }
    await pause(Math.min(20, 1 + round))
  }
  return killed.size
}

async function sweep(bases: readonly string[]): Promise<{ groups: number; processes: number }> {
  const left = new Set<string>()
  let processes = 0
  for (const base of bases) {
    const names = await readdir(base).catch(() => [] as string[]) // gone since it was tried out
    for (const name of names) {
      const [, pid, start] = /^banyan-(\d+)-(\d+)-[0-9a-f]+$/.exec(name) ?? []
      if (pid === undefined || (await text(`/proc/${pid}/stat`).then((stat) => stat !== null && startOf(stat) === start))) continue
      left.add(name)
      processes += await remove(`${base}/${name}`)
    }
  }
  return { groups: left.size, processes }
}

async function processes(folder: string): Promise<number[]> {
  return ((await text(`${folder}/cgroup.procs`)) ?? '').split('\n').filter(Boolean).map(Number).filter(Boolean)
}
/** When a process began, in ticks since the boot of the machine: with its number, its identity. */
const startOf = (stat: string): string => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
const numberAfter = (lines: string | null, word: string): number => Number(new RegExp(`^${word} (\\d+)$`, 'm').exec(lines ?? '')?.[1] ?? 0)
const text = (path: string): Promise<string | null> =>
  readFile(path, 'utf8').then(
    (found) => found,
    () => null, // this kernel has no such figure, or it is over: then it is not known
  )
/** A file of the kernel: it is there or not, and is never made or cut. */
const write = (path: string, value: string): Promise<void> => writeFile(path, value, { flag: 'r+' })
