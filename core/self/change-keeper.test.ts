/** A change in the hands of the keeper, as the engine sees it. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import type { Checkout } from '../../scripts/testing/checkout.ts'
import { GREETING, loud, louder } from '../../scripts/testing/self.ts'
import { selfOfTest } from '../../scripts/testing/self-of-test.ts'
import { NOBODY } from '../exec/local.ts'
import { openSelf } from './self.ts'

const open = selfOfTest()

describe.skipIf(!need('bubblewrap'))('with a keeper', () => {
  /** As the keeper writes it: see scripts/keeper/README.md. */
  function keeperOf(dataDir: string, source: Checkout) {
    const home = join(dataDir, 'keeper')
    mkdirSync(home, { recursive: true })
    const tree = source.git('rev-parse', 'HEAD^{tree}')
    const slot = { commit: source.git('rev-parse', 'HEAD'), tree }
    const events: object[] = []
    let asked: string | null = null
    const table = () =>
      writeFileSync(
        join(home, 'slots.json'),
        JSON.stringify({
          version: 2,
          active: 'A',
          good: 'A',
          safe: false,
          lastRequest: asked,
          slots: { A: slot, B: null, golden: null },
          failed: {},
          events,
        }),
      )
    table()
    const request = () => {
      const file = join(home, 'request.json')
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>) : null
    }
    return {
      request,
      /** It has what it was asked for. */
      takes() {
        asked = request()?.id ?? null
        table()
        rmSync(join(home, 'request.json'))
      },
      slot: (of: string) => join(home, 'slots', of),
      tell(type: string, change: { id: string; tree: string | null }, reason: string | null = null) {
        events.push({
          seq: events.length + 1,
          at: new Date().toISOString(),
          type,
          slot: 'B',
          tree: change.tree,
          commit: null,
          changeId: change.id,
          reason,
        })
        table()
      },
    }
  }

  test('a change is handed over, watched and kept, and its author hears of it only then', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({ louder: louder() }, { kept: true })
    const keeper = keeperOf(h.dataDir, source)
    const from = source.git('rev-parse', 'HEAD^{tree}')
    let restarts = 0
    runtime.onRestart(() => restarts++)
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const change = await until(id, 'restarting')
    await expect.poll(() => restarts, { timeout: 120_000 }).toBe(1)
    expect(keeper.request()).toEqual({
      id: expect.any(String),
      kind: 'change',
      changeId: change.id,
      commit: change.commit,
      tree: change.tree,
      page: null,
      from,
    })
    expect(readFileSync(join(keeper.slot(change.tree!), GREETING), 'utf8')).toBe(loud())
    keeper.tell('ready', change)
    runtime.changes.wake()
    await until(id, 'watching')
    expect((await runtime.changes.state()).landing).toEqual({ id: change.id, title: 'Greets louder', state: 'watching' })
    expect((await runtime.tasks.task(id)).status).toBe('waiting')
    keeper.tell('kept', change)
    keeper.tell('boot', change)
    runtime.changes.wake()
    await until(id, 'kept')
    expect((await h.over(id)).result).toContain('is kept')
    expect((await runtime.changes.state()).landing).toBe(null)
    const told = await runtime.changes.get(change.id)
    expect([told.keeper.map((one) => one.type), told.watchSeconds], 'a later start is no part of its story').toEqual([
      ['ready', 'kept'],
      600,
    ])
    const slots = await runtime.changes.slots()
    expect(slots).toMatchObject({ active: 'A', good: 'A', safe: false, failed: [] })
    expect(slots.items.map((slot) => [slot.name, slot.tree, slot.state])).toEqual([['A', from, 'kept']])
  }, 240_000)

  test('a change that did not work is taken off the main branch too, and its author is told why', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({ louder: louder() }, { kept: true })
    const keeper = keeperOf(h.dataDir, source)
    const before = source.git('rev-parse', 'HEAD^{tree}')
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const change = await until(id, 'restarting')
    keeper.tell('undone', change, 'It crashed twice.')
    runtime.changes.wake()
    expect((await until(id, 'undone')).note).toBe('It crashed twice.')
    expect(source.git('rev-parse', 'HEAD^{tree}')).toBe(before)
    expect(source.git('log', '-1', '--format=%s')).toBe('Take back: Greets louder')
    expect((await h.over(id)).result).toContain('It crashed twice.')
  }, 240_000)

  test('the walls are as good where the packages that run lie in the closed folder of the keeper', async () => {
    const { runtime, source, h } = await open({})
    const dataDir = join(h.dataDir, 'below')
    const [code, packages] = [join(dataDir, 'keeper/slots/x'), join(dataDir, 'keeper/deps/y/node_modules')]
    for (const folder of [code, packages]) mkdirSync(folder, { recursive: true })
    symlinkSync(packages, join(code, 'node_modules'))
    chmodSync(join(dataDir, 'keeper'), 0o700)
    const kept = openSelf({
      config: { ...h.config, dataDir, code },
      store: runtime.store,
      settings: runtime.settings,
      redact: (text) => text,
      cgroups: null,
      runAs: process.getuid?.() === 0 ? NOBODY : undefined,
      now: Date.now,
      checkout: source.folder,
      isKept: () => true,
      restart: () => undefined,
      onError: (error) => expect.unreachable(String(error)),
    })
    const [beside, below] = await Promise.all([runtime.changes.state(), kept.state()])
    expect([below.on, below.nested]).toEqual([true, beside.nested])
  }, 120_000)

  test('a change that a person takes back while it is watched goes at once, and main follows when the earlier revision runs', async () => {
    const { goal, until, item, approve, runtime, source, h } = await open({ louder: louder() }, { kept: true })
    const keeper = keeperOf(h.dataDir, source)
    const before = source.git('rev-parse', 'HEAD^{tree}')
    let restarts = 0
    runtime.onRestart(() => restarts++)
    const id = await goal('louder')
    await until(id, 'review')
    await approve(await item(id))
    const change = await until(id, 'restarting')
    await expect.poll(() => restarts, { timeout: 120_000 }).toBe(1)
    keeper.takes()
    keeper.tell('ready', change)
    runtime.changes.wake()
    await until(id, 'watching')
    const back = await runtime.changes.rollback(change.id, 'ada', 'Too loud.')
    await expect.poll(() => keeper.request()?.kind, { timeout: 15_000 }).toBe('rollback')
    expect(keeper.request()).toMatchObject({ changeId: change.id, reason: 'ada took it back: Too loud.' })
    expect((await runtime.changes.get(change.id)).change.state, 'until the keeper has done it').toBe('watching')
    // The watch ended well in the moment in which the person said so: their word holds.
    keeper.tell('kept', change)
    runtime.changes.wake()
    keeper.takes()
    keeper.tell('undone', change, 'ada took it back: Too loud.')
    runtime.changes.wake()
    expect((await until(id, 'undone')).note).toBe('ada took it back: Too loud.')
    expect((await runtime.changes.get(back.id)).change).toMatchObject({ state: 'kept', commit: source.git('rev-parse', 'HEAD') })
    expect(source.git('rev-parse', 'HEAD^{tree}')).toBe(before)
    expect((await h.over(id)).result).toContain('ada took it back')
  }, 240_000)
})
