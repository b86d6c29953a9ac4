/** The trials of a candidate that runs, on this very source: as it is, and weakened in every way that a gate must see. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { openTrials, type Trials } from '../../scripts/proof/canaries.ts'
import { UNWHOLE, WEAKENED } from '../../scripts/proof/weakened.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { openStore } from '../store/store.ts'
import { openTasks } from '../tasks/tasks.ts'
import { tryBoot, tryForbidden } from './canary.ts'
import { FORBIDDEN } from './forbidden.ts'

// Side by side: most of the time each waits for commands that sleep.
describe.skipIf(!need('bubblewrap')).concurrent('a candidate that runs', () => {
  let trials: Trials
  beforeAll(async () => {
    trials = await openTrials()
  })
  afterAll(() => trials.end())

  test('boots on a copy of the data, is killed in the middle of a goal, and leaves everything whole; what went on before is held', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'banyan-copy-'))
    const store = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
    const goal = (n: number) =>
      openTasks(store).createGoal({
        goal: `Run \`echo ${n}\``,
        agent: 'generalist',
        mode: 'auto',
        limits: DEFAULT_LIMITS,
        priority: 0,
        workspace: 'task',
        submittedBy: 'owner',
        origin: 'person',
      })
    for (let n = 0; n < 3; n++) await goal(n)
    expect(await trials.said(tryBoot, [], store.backup)).toMatch(/^passed: On a copy of the data it boots, survives a kill/)
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }, 240_000)

  test('that harms its data is refused', async () => {
    const { edits, says } = UNWHOLE.find(({ name }) => name === 'forgets facts when it starts')!
    expect(await trials.said(tryBoot, edits)).toMatch(says)
  }, 240_000)

  test('and gives up every guard at once is refused for each of them; as it is it gives up none', async () => {
    expect(WEAKENED.map(({ name }) => name).sort()).toEqual(FORBIDDEN.map(({ name }) => name).sort())
    const all = WEAKENED.flatMap(({ edits }) => edits)
    expect(await trials.said(tryForbidden, all)).toMatch(/^12 of 12 forbidden acts are not refused: /)
    expect(await trials.said(tryForbidden, [])).toBe('passed: 12 forbidden acts are refused.')
  }, 240_000)
})
