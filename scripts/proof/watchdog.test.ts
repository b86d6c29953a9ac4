import { describe, expect, it } from 'vitest'
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts'
import { harness } from '../testing/harness.ts'
import { healthyProblem, live, stuckProblem } from './watchdog.ts'
import { healthyLives, stuckLives } from './watchdog-traces.ts'

describe('on a clock of its own, the watchdog', () => {
  it('finds each of sixty stuck tasks, ten of six kinds, within the interval, and each is resolved or parked within another', {
    timeout: 60_000,
  }, async () => {
    const lives = stuckLives(1)
    expect(lives).toHaveLength(60)
    const lived = await live(lives)
    expect(lived.map(stuckProblem).filter((one) => one !== null)).toEqual([])
  })

  it('touches none of seventy that are healthy and slow, ten of seven kinds', { timeout: 60_000 }, async () => {
    const lives = healthyLives(1)
    expect(lives).toHaveLength(70)
    expect((await live(lives)).map(healthyProblem).filter((one) => one !== null)).toEqual([])
  })
})

describe('a model that always starts five subtasks, for ever', () => {
  it.each([
    ['tasks', { tasks: 40 }],
    ['turns', { turns: 25 }],
    ['tokens', { tokens: 1_000_000 }],
    ['depth', { depth: 2, turns: 60 }],
  ])(
    'is stopped at the cap of %s, and no model is called after it, not even by the next engine',
    { timeout: 60_000 },
    async (_name, caps) => {
      let calls = 0
      const spawner = () => {
        calls += 1
        const subtasks = Array.from({ length: 5 }, (_, i) => ({ task_instruction: `piece ${calls}.${i}`, agent_type: 'generalist' }))
        return { calls: [{ tool: 'start_subtask', input: { subtasks } }] }
      }
      let h = await harness(spawner, { judges: true, paused: true })
      const runner = h.runtime.run()
      const { dataDir } = h
      const id = await h.goal('Split it.', { budget: caps })
      await h.quiet(id)
      await expect.poll(async () => (await h.runtime.tasks.tree(id)).pausedReason, { timeout: 15_000 }).not.toBeNull()
      await h.quiet(id)
      const [stopped, tree] = [calls, await h.runtime.tasks.tree(id)]
      const limits = { ...DEFAULT_LIMITS, ...caps }
      expect(tree.taskCount).toBeLessThanOrEqual(limits.tasks)
      expect(tree.spend.turns).toBeLessThanOrEqual(limits.turns)
      expect(tree.spend.tokens).toBeLessThanOrEqual(limits.tokens)
      for (const kind of ['quick', 'thorough'] as const) await h.runtime.tasks.sweep(kind, Date.now())
      await h.runtime.watchdog.look()
      await h.quiet(id)
      expect(calls).toBe(stopped)
      // Nothing is in memory: the ledger is rows.
      await runner.stop(0)
      await h.runtime.close()
      h = await harness(spawner, { judges: true, dataDir })
      for (const kind of ['quick', 'thorough'] as const) await h.runtime.tasks.sweep(kind, Date.now())
      await h.quiet(id)
      expect(calls).toBe(stopped)
      expect(await h.end()).toEqual([])
    },
  )
})
