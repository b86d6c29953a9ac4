/**
 * A revision on trial fills the disk that holds the keeper's home and dies: the keeper must still write its table and start the last good
 * one. On a small file system of its own, so it needs root.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillBallast } from '../start.mjs'
import { until, world } from '../testing/keeper-world.ts'

/** What went wrong; null: nothing. `untried`: why it cannot be tried here. */
export async function proveFullDisk(): Promise<{ problem: string | null; untried: string | null }> {
  const place = mkdtempSync(join(tmpdir(), 'banyan-disk-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', place]).status !== 0) {
    rmSync(place, { recursive: true, force: true })
    return { problem: null, untried: 'a small disk can be mounted only by root' }
  }
  const before = process.env.TMPDIR
  process.env.TMPDIR = place
  const here = world()
  try {
    const good = await here.kept('await ready()')
    fillBallast(here.home)
    const tree = here.prepare(`await ready()
      const { writeSync, openSync } = await import('node:fs')
      const file = openSync(join(home, 'filler'), 'w')
      for (const bytes of [65536, 512, 1]) { try { for (;;) writeSync(file, Buffer.alloc(bytes, 1)) } catch {} }
      process.exit(1)`)
    here.put('request.json', { tree, from: good, changeId: 'full' })
    const kept = here.keep()
    await kept.line('up')
    await until(() => statfsSync(place).bavail === 0 || here.table().active === 'A')
    await kept.line('up')
    const { active, failed } = here.table()
    const problem =
      active !== 'A' || !failed[tree]
        ? `slot ${active} is active and the failed tree is ${failed[tree] ? '' : 'not '}known: ${kept.words()}`
        : null
    await kept.stop()
    return { problem, untried: null }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), untried: null }
  } finally {
    here.remove()
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    spawnSync('umount', [place])
    rmSync(place, { recursive: true, force: true })
  }
}

if (import.meta.main) console.log(await proveFullDisk())
