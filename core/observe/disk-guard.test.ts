/** On a small disk of its own, which only root can mount; elsewhere the same with the numbers of the disk that is there. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { engine } from '../http/fixture/engine.ts'
import { openStore, type Store } from '../store/store.ts'
import { openTasks, type Tasks } from '../tasks/tasks.ts'
import { DISK_GUARD, type DiskGuardParts, openDiskGuard } from './disk-guard.ts'

const MB = 1024 * 1024
const RESERVE = 4 * MB
const soon = { timeout: 15_000, interval: 20 }

const place = mkdtempSync(join(tmpdir(), 'banyan-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', place]).status === 0
afterAll(() => {
  if (mounted) spawnSync('umount', [place])
  rmSync(place, { recursive: true, force: true })
})

describe.skipIf(!mounted)('a disk that fills up', () => {
  let store: Store
  let tasks: Tasks
  const ballast = join(place, 'ballast')
  const filler = join(place, 'filler')
  const logged: string[] = []
  beforeEach(async () => {
    store = await openStore(`sqlite:${join(place, 'agent_system.db')}`)
    tasks = openTasks(store)
  })
  afterEach(async () => {
    await store.close()
    for (const name of ['agent_system.db', 'agent_system.db-wal', 'agent_system.db-shm', 'ballast', 'filler'])
      rmSync(join(place, name), { force: true })
  })
  const guard = (more: Partial<DiskGuardParts> = {}) =>
    openDiskGuard({
      folders: [place],
      ballast,
      reserveBytes: RESERVE,
      halt: tasks.halt,
      log: (_, words) => void logged.push(words),
      everyMs: 50,
      firstFillMs: 0,
      ...more,
    })
  const submit = async (n: number) =>
    (
      await tasks.createGoal({
        goal: `Goal ${n} ${'x'.repeat(2_000)}`,
        agent: 'generalist',
        mode: 'auto',
        limits: DEFAULT_LIMITS,
        priority: 0,
        workspace: 'task',
        submittedBy: 'owner',
        origin: 'person',
      })
    ).treeId
  const fillUp = () => {
    writeFileSync(filler, '')
    for (const bytes of [MB, 65_536, 4_096, 1])
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(bytes, 1))
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
      }
  }

  test('pauses everything with room to write in, and goes on by itself when there is space again', async () => {
    const guarding = await guard()
    expect(statSync(ballast).size).toBe(RESERVE)
    const acknowledged = [await submit(0)]
    fillUp()
    await vi.waitFor(async () => expect(await tasks.halt.state()).toMatchObject({ by: DISK_GUARD }), soon)
    expect((await tasks.halt.state())?.comment).toContain('nearly full')
    expect(existsSync(ballast)).toBe(false)
    expect(await tasks.turns.lease('w', 1)).toEqual([])
    // What people do meanwhile is still written down.
    acknowledged.push(await submit(1))
    await tasks.control(acknowledged[0]!, { verb: 'pause', by: 'owner' })
    rmSync(filler)
    await vi.waitFor(async () => expect(await tasks.halt.state()).toBeNull(), soon)
    expect(statSync(ballast).size).toBe(RESERVE)
    expect((await tasks.turns.lease('w', 1)).map((one) => one.taskId)).toEqual([acknowledged[1]])
    for (const id of acknowledged) expect((await tasks.task(id)).id).toBe(id)
    await guarding.close()
  })

  test('loses nothing that it had answered for, whatever the moment at which it was full', async () => {
    const guarding = await guard()
    const acknowledged: string[] = []
    let refused = 0
    fillUp()
    for (let n = 0; n < 200; n++)
      await submit(n).then(
        (id) => acknowledged.push(id),
        (error: Error) => {
          refused += 1
          expect(error.message).toContain('disk')
        },
      )
    rmSync(filler)
    await vi.waitFor(async () => expect(await tasks.halt.state()).toBeNull(), soon)
    const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check`.execute(store.db)
    expect(rows).toEqual([{ integrity_check: 'ok' }])
    expect(acknowledged.length + refused).toBe(200)
    for (const id of acknowledged) expect((await tasks.task(id)).id).toBe(id)
    await guarding.close()
  })

  test('is still paused after a restart, and goes on then', async () => {
    const first = await guard()
    fillUp()
    await vi.waitFor(async () => expect(await tasks.halt.state()).not.toBeNull(), soon)
    await first.close()
    const second = await guard()
    expect(await tasks.halt.state()).toMatchObject({ by: DISK_GUARD })
    rmSync(filler)
    await vi.waitFor(async () => expect(await tasks.halt.state()).toBeNull(), soon)
    await second.close()
  })

  test('leaves the pause of a person alone', async () => {
    const guarding = await guard()
    await tasks.halt.pause('ann', null)
    fillUp()
    await vi.waitFor(() => expect(existsSync(ballast)).toBe(false), soon)
    rmSync(filler)
    await vi.waitFor(() => expect(existsSync(ballast)).toBe(true), soon)
    expect(await tasks.halt.state()).toMatchObject({ by: 'ann' })
    await guarding.close()
  })
})

describe.skipIf(!mounted)('a whole Banyan on a disk that fills up', () => {
  test('says why nothing begins, is used meanwhile, and goes on with its goals by itself', { timeout: 120_000 }, async () => {
    const dataDir = join(place, 'data')
    mkdirSync(dataDir, { mode: 0o711 })
    const banyan = await engine({ MODEL: 'playbook', DISK_RESERVE_MB: '4' }, dataDir)
    const system = async () => (await banyan.ask<{ paused: { by: string; comment: string } | null }>('GET', '/api/system')).json
    const filler = join(place, 'filler')
    try {
      expect((await system()).paused).toBeNull()
      writeFileSync(filler, '')
      // Nearly full, as a disk is at the moment at which the guard looks.
      while (statfsSync(place).bavail * statfsSync(place).bsize > 3 * MB) appendFileSync(filler, Buffer.alloc(256 * 1024, 1))
      await vi.waitFor(async () => expect((await system()).paused).toMatchObject({ by: DISK_GUARD }), soon)
      const { json } = await banyan.submit('Run `echo after`')
      expect((await banyan.tree(json.treeId)).status).toBe('pending')
      rmSync(filler)
      const tree = await banyan.over(json.treeId)
      expect(tree.status).toBe('done')
      expect((await system()).paused).toBeNull()
    } finally {
      rmSync(filler, { force: true })
      await banyan.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  })
})

test('a disk with less than what is asked for is paused at once, without a ballast, and without a guard never', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-guard-'))
  const store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
  const { halt } = openTasks(store)
  const all = { folders: [folder], ballast: join(folder, 'ballast'), halt, log: () => undefined }
  await (await openDiskGuard({ ...all, reserveBytes: 0 })).close()
  expect(await halt.state()).toBeNull()
  await (await openDiskGuard({ ...all, reserveBytes: 2 ** 60 })).close()
  expect(await halt.state()).toMatchObject({ by: DISK_GUARD })
  expect(existsSync(all.ballast)).toBe(false)
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
