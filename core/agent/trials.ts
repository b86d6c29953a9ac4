/** Test runs of agents and tools: real goals whose root task is worked with a draft that is in their own rows and not in the registry. */
import { TRIAL_LIMITS, type Trial, type Tried } from '../contract/api-trials.ts'
import { Fault } from '../contract/fault.ts'
import { type Budget, DEFAULT_LIMITS, type LimitName, type Limits, withBudget } from '../contract/limits.ts'
import { Agent } from '../contract/registry.ts'
import { isOver, titleOf } from '../contract/task.ts'
import { callText, TYPED_CALL } from '../models/typed-call.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Tool } from '../tool.ts'
import type { Editors } from './editors.ts'

export type Trials = ReturnType<typeof openTrials>

export function openTrials(parts: {
  store: Store
  tasks: Tasks
  registry: Registry
  tools: ReadonlyMap<string, Tool>
  editors: Pick<Editors, 'validate'>
}) {
  const { store, tasks, registry, tools } = parts

  const start = (trial: Trial, goal: string, title: string, limits: Limits, by: string) =>
    tasks.createGoal({
      goal,
      title,
      agent: trial.agent.name,
      mode: 'auto',
      limits,
      priority: 0,
      workspace: 'task',
      submittedBy: by,
      origin: 'person',
      trial,
    })

  /** Resolves when the call of a test run has its answer or waits for a person, or its task is over; at the latest after `ms`. */
  async function settled(treeId: string, ms: number): Promise<Omit<Tried, 'treeId' | 'taskId' | 'url'>> {
    const look = async (): Promise<Omit<Tried, 'treeId' | 'taskId' | 'url'> | null> => {
      const call = await store.db
        .selectFrom('calls')
        .select(['id', 'state', 'ok', 'waits', 'begun_at', 'ended_at'])
        .where('task_id', '=', treeId)
        .orderBy('n')
        .orderBy('id')
        .executeTakeFirst()
      if (call?.state === 'ended') {
        const said = (await tasks.messages(treeId)).find((message) => message.role === 'tool' && message.callId === call.id)
        const ms = call.begun_at === null || call.ended_at === null ? null : Number(call.ended_at) - Number(call.begun_at)
        return { state: 'ended', ok: Number(call.ok) === 1, text: said?.role === 'tool' ? said.text : null, ms, reviewId: null }
      }
      if (call?.waits === 'review') {
        const open = await store.db
          .selectFrom('reviews')
          .select('id')
          .where('call_id', '=', call.id)
          .orderBy('created_at', 'desc')
          .executeTakeFirst()
        return { state: 'asks', ok: null, text: null, ms: null, reviewId: open?.id ?? null }
      }
      const task = await tasks.task(treeId)
      return isOver(task.status) ? { state: 'ended', ok: false, text: task.note ?? task.result, ms: null, reviewId: null } : null
    }
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer)
        stop()
      }
      const again = () =>
        look().then(
          (found) => {
            if (!found) return
            end()
            resolve(found)
          },
          (error: unknown) => {
            end()
            reject(error)
          },
        )
      const timer = setTimeout(() => {
        end()
        resolve({ state: 'running', ok: null, text: null, ms: null, reviewId: null })
      }, ms)
      const stop = store.onFacts((events) => {
        if (events.some((event) => event.treeId === treeId)) void again()
      })
      void again()
    })
  }

  return {
    /** Runs a goal with a draft, or with the agent as it is saved. A Fault names what is wrong with the draft. */
    async agent(name: string, ask: { goal: string; agent?: Agent | undefined; budget?: Budget | undefined }, by: string): Promise<string> {
      const agent = ask.agent ?? (await registry.get('agent', name))
      if (!agent) throw new Fault('not_found', `There is no agent ${JSON.stringify(name)}; send the draft of a new one as \`agent\`.`)
      if (agent.name !== name)
        throw new Fault(
          'invalid',
          `The path names ${JSON.stringify(name)} and the draft ${JSON.stringify(agent.name)}; make them the same.`,
        )
      const { problems } = await parts.editors.validate('agent', agent)
      const wrong = problems.find((problem) => problem.level === 'error' || problem.field === 'model')
      if (wrong) throw new Fault('invalid', `The draft is not right: ${wrong.field || 'it'}: ${wrong.message}`)
      const draft = Agent.parse({ ...agent, enabled: true })
      const limits = atMost(withBudget(TRIAL_LIMITS, ask.budget), DEFAULT_LIMITS)
      return (await start({ agent: draft }, ask.goal, `Test run of ${name}: ${titleOf(ask.goal)}`, limits, by)).treeId
    },

    /** Makes one call of a tool for a person and waits for its answer, at most `waitSeconds`. */
    async tool(
      name: string,
      ask: { input: Record<string, unknown>; waitSeconds: number },
      by: string,
    ): Promise<Omit<Tried, 'taskId' | 'url'>> {
      const [entry, tool] = [await registry.get('tool', name), tools.get(name)]
      if (!entry || !tool) throw new Fault('not_found', `There is no tool ${JSON.stringify(name)}${entry ? ' in tools/' : ''}.`)
      if (!entry.enabled) throw new Fault('conflict', `The tool ${JSON.stringify(name)} is switched off; switch it on to try it.`)
      const problem = tool.problemIn(ask.input)
      if (problem) throw new Fault('invalid', `The arguments of ${name} are not right: ${problem}`)
      const agent = Agent.parse({
        name: 'person', // only secrets granted to all are granted to it
        description: 'Makes one call that a person typed.',
        instruction: 'Make the call of your task.',
        tools: [name],
        model: TYPED_CALL,
        web_search_allowed: true,
        max_turns: 5,
      })
      const call = { tool: name, input: ask.input }
      const { treeId } = await start({ agent, call }, callText(name, ask.input), `Test run of the tool ${name}`, TRIAL_LIMITS, by)
      return { treeId, ...(await settled(treeId, ask.waitSeconds * 1_000)) }
    },
  }
}

const atMost = (limits: Limits, most: Limits): Limits =>
  Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, Math.min(value, most[name as LimitName])])) as Limits
