/** Both arms of words with a live model: past tasks, done by the agent as it is and by a draft of it that has the words, for a sum that a person named. */
import { Fault } from '../contract/fault.ts'
import type { ArmFigures, Judgement } from '../contract/learning.ts'
import type { Agent } from '../contract/registry.ts'
import type { Store } from '../store/store.ts'
import { median } from './find.ts'
import { judge } from './judge.ts'
import type { Lesson } from './lesson-rows.ts'

/** One run of a goal by a draft of an agent. */
export type LiveRun = { done: boolean; ms: number; costMicros: number; unpricedCalls: number }
export type Live = {
  /** Why no live model can be asked, in a sentence; null: one can. */
  missing(): string | null
  /** Ends by itself, with what it spent; never more than `dollars`. */
  run(ask: { agent: Agent; goal: string; dollars: number; by: string; signal: AbortSignal }): Promise<LiveRun>
}
/** A task that the lesson was found in, as it was given, and who did it. */
export type PastTask = { id: string; agent: string; instruction: string }

const TASKS = 3
/** Tries of each task in each arm. */
const TRIES = 5
/** Of one run. */
const MOST_DOLLARS = 0.25
const MICROS = 1_000_000

/** The newest of each goal: what an agent was told to do there, in its own words. */
export async function pastTasks(store: Store, cases: Lesson['cases']): Promise<PastTask[]> {
  const newest = new Map([...cases].reverse().map((one) => [one.treeId, one.taskId]))
  const rows = await store.db
    .selectFrom('tasks')
    .select(['id', 'agent', 'instruction'])
    .where('id', 'in', [...newest.values()])
    .orderBy('created_at', 'desc')
    .limit(TASKS)
    .execute()
  return rows
}

/**
 * Runs pairs until every task was tried so often or the next pair might cost more than is left. Which arm comes first changes with each
 * pair. A call whose price is unknown counts as the most that its run may cost. A Fault where not one pair can be paid.
 */
export async function judgeLive(ask: {
  live: Live
  tasks: readonly PastTask[]
  /** The agent as it is, and with the words. */
  arms(name: string): Promise<{ before: Agent; after: Agent }>
  dollars: number
  by: string
  signal: AbortSignal
}): Promise<Judgement> {
  const { live, tasks, by, signal } = ask
  const budget = Math.round(ask.dollars * MICROS)
  const most = Math.min(MOST_DOLLARS * MICROS, Math.floor(budget / 4))
  const runs = tasks.map((task) => ({ task, before: [] as LiveRun[], after: [] as LiveRun[] }))
  let spent = 0
  let pairs = 0
  const one = async (agent: Agent, goal: string): Promise<LiveRun> => {
    const run = await live.run({ agent, goal, dollars: most / MICROS, by, signal })
    spent += run.unpricedCalls > 0 ? Math.max(most, run.costMicros) : run.costMicros
    return run
  }
  for (let n = 0; n < TRIES; n++)
    for (const { task, before, after } of runs) {
      if (spent + 2 * most > budget) continue
      signal.throwIfAborted()
      const agents = await ask.arms(task.agent)
      const order = pairs++ % 2 === 0 ? (['before', 'after'] as const) : (['after', 'before'] as const)
      for (const arm of order) (arm === 'before' ? before : after).push(await one(agents[arm], task.instruction))
    }
  if (pairs === 0)
    throw new Fault(
      'invalid',
      'The sum is too small for one run of each arm, or the tasks are gone; name more dollars or decline the lesson.',
    )
  const tried = runs.filter(({ before }) => before.length > 0)
  const figures = (arm: 'before' | 'after'): ArmFigures[] =>
    tried.map(({ task, [arm]: of }) => {
      const done = of.filter((run) => run.done)
      return { goal: `past task ${task.id}`, tries: of.length, done: done.length, medianMs: median(done.map(({ ms }) => ms)) }
    })
  const said = judge(figures('before'), figures('after'))
  return { ...said, words: `${said.words} It cost at most $${(spent / MICROS).toFixed(2)} of $${ask.dollars.toFixed(2)}.` }
}
