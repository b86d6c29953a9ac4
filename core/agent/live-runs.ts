/** Runs a goal with a draft of an agent on the model that drives the agents, to its end, and says what it cost. For lessons that only a live model can judge. */
import { isOver } from '../contract/task.ts'
import type { Live, LiveRun } from '../learn/live.ts'
import type { Models } from '../models/choose.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Trials } from './trials.ts'

/** A test run ends after ten minutes by its own limits; this is for one that does not get as far as to notice. */
const LONGEST_MS = 900_000

export function liveRuns(parts: { store: Store; tasks: Tasks; models: Pick<Models, 'pick'>; trials: Pick<Trials, 'agent'> }): Live {
  const { store, tasks } = parts

  /** Resolves when the goal is over, waits for a person, which nobody does here, or takes too long. */
  const settled = (treeId: string, signal: AbortSignal): Promise<'over' | 'stopped'> =>
    new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        clearTimeout(timer)
        stop()
        signal.removeEventListener('abort', aborted)
        act()
      }
      const aborted = () => end(() => resolve('stopped'))
      const look = () =>
        tasks.tree(treeId).then(
          ({ tasks: all }) => {
            const root = all.find((task) => task.id === treeId)
            if (root && isOver(root.status)) end(() => resolve('over'))
            else if (all.some((task) => task.status === 'paused' || (task.status === 'waiting' && task.reason === 'review'))) aborted()
          },
          (error: unknown) => end(() => reject(error)),
        )
      const timer = setTimeout(aborted, LONGEST_MS)
      const stop = store.onFacts((events) => {
        if (events.some((event) => event.treeId === treeId)) void look()
      })
      signal.addEventListener('abort', aborted)
      if (signal.aborted) aborted()
      else void look()
    })

  return {
    missing() {
      return parts.models.pick('default').provider.judges
        ? null
        : 'no model is connected that could: give a provider a key under Settings, Providers.'
    },
    async run({ agent, goal, dollars, by, signal }): Promise<LiveRun> {
      const begun = performance.now()
      const treeId = await parts.trials.agent(agent.name, { goal, agent, budget: { dollars } }, by)
      if ((await settled(treeId, signal)) === 'stopped') await tasks.control(treeId, { verb: 'abort', by: 'lesson' })
      const root = await tasks.task(treeId)
      const tree = await store.db.selectFrom('trees').select(['cost_micros', 'unpriced_calls']).where('id', '=', treeId).executeTakeFirst()
      return {
        done: root.status === 'done',
        ms: Math.round(performance.now() - begun),
        costMicros: Number(tree?.cost_micros ?? 0),
        unpricedCalls: Number(tree?.unpriced_calls ?? 0),
      }
    },
  }
}
