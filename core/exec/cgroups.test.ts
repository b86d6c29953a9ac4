import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { cgroupFolders, openCgroups } from './cgroups.ts'
import { localExec } from './local.ts'

describe('where the groups of this process lie', () => {
  test.each([
    [
      'version 1, one mount a controller',
      '1 0 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n2 0 0:2 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n3 0 0:3 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
      '4:memory:/\n3:cpu,cpuacct:/user.slice\n2:pids:/a b',
      {
        v1: {
          memory: '/sys/fs/cgroup/memory',
          cpu: '/sys/fs/cgroup/cpu,cpuacct/user.slice',
          cpuacct: '/sys/fs/cgroup/cpu,cpuacct/user.slice',
          pids: '/sys/fs/cgroup/pids/a b',
        },
        v2: [],
      },
    ],
    [
      'version 1 in a container, which sees only its own part',
      '1 0 0:1 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
      '4:memory:/docker/abc/inner',
      { v1: { memory: '/sys/fs/cgroup/memory/inner' }, v2: [] },
    ],
    [
      'version 2 under systemd: its own group, and the one above',
      '1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
      '0::/user.slice/user@1000.service/app.slice/banyan.service',
      {
        v1: {},
        v2: [
          '/sys/fs/cgroup/user.slice/user@1000.service/app.slice/banyan.service',
          '/sys/fs/cgroup/user.slice/user@1000.service/app.slice',
        ],
      },
    ],
    ['version 2 in a container', '1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw', '0::/', { v1: {}, v2: ['/sys/fs/cgroup'] }],
    [
      'a group outside of what is mounted',
      '1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw',
      '0::/../other',
      { v1: {}, v2: ['/sys/fs/cgroup'] },
    ],
    ['none at all', '1 0 0:1 / / rw - ext4 /dev/vda rw', '', { v1: {}, v2: [] }],
  ])('%s', (_, mountinfo, own, expected) => {
    expect(cgroupFolders(mountinfo, own)).toEqual(expected)
  })
})

const cgroups = await openCgroups()
describe.skipIf(!cgroups)('a group', () => {
  const LIMITS = { memoryBytes: 2 ** 30, pids: 100, cpus: null }
  const started = async (line: string) => {
    const child = spawn('/bin/sh', ['-c', `read go; ${line}`], { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child, 'spawn')
    return child
  }

  test('keeps a command to its part of the processors, and says what it used', async () => {
    const group = await cgroups!.group({ ...LIMITS, cpus: 0.2 })
    const child = await started('while :; do :; done')
    await group.join(child.pid!)
    const began = performance.now()
    child.stdin!.end('go\n')
    let used = 0
    while (used < 150) used = (await group.usage()).cpuMs ?? 0
    // 150 ms of work at a fifth of a processor; a tenth of slack for the periods in which the kernel shares it out.
    expect(performance.now() - began).toBeGreaterThan(500)
    await group.close()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')
  }, 20_000)

  test('is not joined by a process that is over, and that is no fault', async () => {
    const child = spawn('true')
    await once(child, 'exit')
    const group = await cgroups!.group(LIMITS)
    await group.join(child.pid!)
    await group.close()
  })
  test('ends a process that left its session when it is closed, and leaves nothing', async () => {
    const group = await cgroups!.group(LIMITS)
    const child = await started('setsid sh -c "trap \'\' TERM HUP; sleep 61234567" & wait')
    await group.join(child.pid!)
    child.stdin!.end('go\n')
    while (spawnSync('pgrep', ['-f', 'sleep 61234567$']).status !== 0) await new Promise((resolve) => setImmediate(resolve))
    await group.close()
    await group.close()
    expect(spawnSync('pgrep', ['-f', '^sleep 61234567$']).status).toBe(1)
    expect(globSync(`/sys/fs/cgroup/**/banyan-${process.pid}-*`)).toEqual([])
  }, 20_000)

  test('of a process that is gone is swept with who is left in it; one of a living process stays', async () => {
    const group = await cgroups!.group(LIMITS)
    const mine = globSync(`/sys/fs/cgroup/*/banyan-${process.pid}-*`)
    expect(mine.length).toBeGreaterThan(0)
    const dead = mine.map((folder) => folder.replace(/banyan-.*/, 'banyan-4194303-1-0123456789ab'))
    for (const folder of dead) mkdirSync(folder)
    const orphan = await started('sleep 600')
    for (const folder of dead) writeFileSync(`${folder}/cgroup.procs`, String(orphan.pid))
    const swept = await cgroups!.sweep()
    expect(swept.groups).toBeGreaterThanOrEqual(1)
    expect(swept.processes).toBeGreaterThanOrEqual(1)
    if (orphan.exitCode === null && orphan.signalCode === null) await once(orphan, 'exit')
    expect(orphan.signalCode).toBe('SIGKILL')
    expect(dead.some((folder) => existsSync(folder))).toBe(false)
    expect(mine.every((folder) => existsSync(folder) && readFileSync(`${folder}/cgroup.procs`, 'utf8') === '')).toBe(true)
    await group.close()
  }, 20_000)
})

describe.skipIf(!cgroups)('a plain command with control groups', () => {
  const run = (shell: string, limits = {}) => {
    const exec = localExec({ environment: { PATH: '/usr/bin:/bin' }, cgroups, limits })
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'banyan-groups-')))
    const done = exec.run(
      { run: { shell }, cwd: folder, timeoutMs: 20_000, outputBytes: 1_000, isolation: 'plain' },
      new AbortController().signal,
    )
    return done.finally(async () => {
      await exec.stop()
      rmSync(folder, { recursive: true })
    })
  }

  test('takes with it what left its session', async () => {
    expect(await run(`setsid sh -c 'trap "" TERM HUP; while :; do sleep 62234567; done' & sleep 0.2; echo done`)).toMatchObject({
      stdout: 'done\n',
    })
    expect(spawnSync('pgrep', ['-f', '^sleep 62234567$']).status).toBe(1)
  })

  test('is ended when all of it together wants more memory than it may have', async () => {
    const result = await run('perl -e \'$x = "a" x (1 << 29); print "more"\'', { memoryBytes: 100 * 2 ** 20 })
    expect(result).toMatchObject({ oomKilled: true, stdout: '' })
    expect(result.usage.peakMemoryBytes).toBeLessThanOrEqual(100 * 2 ** 20)
    expect(await run('true')).toMatchObject({ oomKilled: false, usage: { cpuMs: expect.any(Number), peakMemoryBytes: expect.any(Number) } })
  })

  test('holds a fork bomb', async () => {
    expect((await run('f() { f | f & }; f; f; sleep 0.5; echo over', { pids: 50 })).stderr).toMatch(/fork/i)
  })
})
