import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY } from '../../core/self/rows.ts'
import { openStore } from '../../core/store/store.ts'
import { type Bench, openBench } from './fixture/banyan.ts'

describe('banyan change', () => {
  let bench: Bench
  const IDS = { ch_abc111: 'refused', ch_abc222: 'kept', ch_def333: 'undone' }
  beforeAll(async () => {
    bench = openBench()
    const store = await openStore(`sqlite:${join(bench.dataDir, 'agent_system.db')}`)
    await store.transact(async ({ db }) => {
      for (const [n, [id, state]] of Object.entries(IDS).entries()) {
        const of = {
          id,
          kind: 'feature',
          state,
          title: `Says ${n}`,
          author: 'maker',
          submitted: 'a'.repeat(40),
          note: 'the gate "types" failed.',
        }
        const words = {
          why: 'Asked for.',
          evidence: 'Two tasks failed.',
          effect: '',
          tree_id: null,
          task_id: null,
          call_id: null,
          tainted: 0,
        }
        await db
          .insertInto('changes')
          .values({ ...EMPTY, ...of, ...words, level: 2, round: 1, created_at: 1_000 + n, updated_at: 2_000 })
          .execute()
      }
      for (const [i, state] of ['proposed', 'gating', 'review', 'review', 'kept'].entries())
        await db
          .insertInto('change_story')
          .values({ change_id: 'ch_abc222', n: i + 1, state, note: null, at: 1_000 + i })
          .execute()
      const gate = {
        change_id: 'ch_abc111',
        round: 1,
        n: 1,
        name: 'types',
        verdict: 'failed',
        summary: 'TS2322',
        digest: 'd',
        ms: 1_500,
        at: 3,
      }
      await db
        .insertInto('change_gates')
        .values({ ...gate, log: 'a.ts(1,1): error TS2322\nand more' })
        .execute()
    })
    await store.close()
    await bench.engine()
  })
  afterAll(() => bench.remove())
  const change = (...argv: string[]) => bench.run(['change', ...argv])

  test('lists them newest first, for people and as JSON, and those under way', async () => {
    const listed = await change('ls')
    expect(listed, listed.err).toMatchObject({ code: 0 })
    expect(
      listed.out
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(/\s+/)[0]),
    ).toEqual(['ch_def333', 'ch_abc222', 'ch_abc111'])
    const asJson = await change('ls', '--json')
    expect((JSON.parse(asJson.out) as { items: { id: string }[] }).items).toHaveLength(3)
    expect(JSON.parse((await change('ls', '--open', '--json')).out)).toEqual({ items: [] })
    expect(await change('ls', '--open')).toMatchObject({ code: 0, out: '', err: expect.stringContaining('No change is under way.') })
  })
  test('shows one by the beginning of its id, with its gates and what a gate wrote', async () => {
    const shown = await change('show', 'abc1')
    expect(shown, shown.err).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Says 0[\s\S]*refused: the gate "types" failed[\s\S]*failed +types +2 s +TS2322/),
    })
    const kept = (await change('show', 'ch_abc222')).out
    expect(kept).toMatch(/evidence +Two tasks failed\./)
    expect([...kept.matchAll(/Z {2}(\w+)$/gm)].map(([, state]) => state)).toEqual(['proposed', 'gating', 'review', 'agreed', 'kept'])
    expect((await change('show', 'ch_abc111', '--gate', 'types')).out).toBe('a.ts(1,1): error TS2322\nand more\n')
    expect(JSON.parse((await change('show', 'ch_abc111', '--json')).out)).toMatchObject({
      change: { id: 'ch_abc111' },
      gates: [{ name: 'types' }],
    })
  })
  test.each([
    [['show', 'ch_nobody'], 1, /There is no change ch_nobody; see them with: .*change ls/],
    [['show', 'ch_abc'], 1, /could be 2 changes; write more of the id/],
    [['show', 'ch_abc111', '--gate', 'lint'], 1, /has not gone through a gate/],
    [['approve', 'ch_abc222'], 1, /is kept; nothing of it waits for you/],
    [['changes', 'ch_abc222'], 1, /is kept; nothing of it waits/],
    [['rollback', 'ch_abc222'], 2, /add --yes/],
    [['rollback', 'ch_def333', '--yes'], 1, /is undone, so there is nothing to take back/],
    [['show'], 2, /id/],
    [['ls', '--closed'], 2, /--closed/],
    [['status', '--autonomy', 'everything'], 2, /Allowed choices are none, texts, tools, code/],
  ] as const)(
    '%j ends with %d and says why',
    async (argv, code, words) => {
      const ran = await change(...argv)
      expect([ran.code, ran.out]).toEqual([code, ''])
      expect(ran.err).toMatch(words)
    },
    60_000,
  )
  test('every command has help with an example', async () => {
    const words = ['ls', 'show', 'diff', 'approve', 'reject', 'changes', 'rollback', 'status']
    const helped = await Promise.all(words.map((word) => change(word, '--help')))
    for (const [i, { code, out }] of helped.entries())
      expect([code, out]).toEqual([0, expect.stringContaining(`banyan change ${words[i]}`)])
  }, 120_000)
})
