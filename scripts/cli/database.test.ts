import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, openBench } from './fixture/banyan.ts'

describe('banyan db', () => {
  let bench: Bench
  beforeAll(async () => {
    bench = openBench()
  })
  afterAll(() => bench.remove())
  const db = (...argv: string[]) => bench.run(['db', ...argv])
  const goals = async () =>
    (JSON.parse((await bench.run(['ls', '--json'])).out) as { items: { goal: string }[] }).items.map((one) => one.goal)

  test('makes a backup while Banyan runs, and goes back to it by a restart', async () => {
    const first = await bench.engine()
    const ended = once(first.child, 'exit')
    await bench.run(['goal', 'Run `echo one`', '--wait'])
    const made = await db('backup')
    expect(made, made.err).toMatchObject({ code: 0, out: expect.stringMatching(/^\S+-by-hand\.db\n$/) })
    await bench.run(['goal', 'Run `echo two`', '--wait'])
    expect((await db('backups')).out).toMatch(/by-hand +schema \d+ +[\d.]+ MB/)
    expect(await db('restore', 'latest')).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
    const restored = await db('restore', made.out.trim(), '--yes')
    expect(restored, restored.err).toMatchObject({ code: 0, out: made.out })
    expect(await ended).toEqual([75, null])
    const second = await bench.engine()
    expect(await goals()).toEqual(['Run `echo one`'])
    second.child.kill('SIGTERM')
    await once(second.child, 'exit')
  })

  test('does the same while Banyan is stopped, and names what it replaced', async () => {
    const made = await db('backup')
    expect(made, made.err).toMatchObject({ code: 0 })
    expect(await db('check')).toMatchObject({ code: 0, out: 'The database is whole.\n' })
    expect(await db('check', made.out.trim())).toMatchObject({ code: 0 })
    expect(await db('restore', made.out.trim(), '--yes')).toMatchObject({ code: 0 })
    const { items } = JSON.parse((await db('backups', '--json')).out) as { items: { id: string; why: string }[] }
    expect(items.map((one) => one.why).sort()).toEqual(['by-hand', 'by-hand', 'replaced', 'replaced'])
    writeFileSync(join(bench.dataDir, 'backups', made.out.trim()), 'no database')
    expect(await db('check', made.out.trim())).toMatchObject({ code: 1, err: expect.stringContaining('damaged') })
    expect(await db('restore', 'no-such.db', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no backup no-such.db'),
    })
  })
})
