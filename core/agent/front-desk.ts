/**
 * What the interface agent may do for the person who spoke to it: say how things stand, act on a goal, begin one. Only where the words of the
 * task are that person's own, so that nothing that an agent or a page wrote can stop or start a goal.
 */
import type { AskAct } from '../contract/ask.ts'
import type { Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { labelOf } from '../contract/label.ts'
import { isOver, titleOf } from '../contract/task.ts'
import { goalInWords, situationInWords } from '../observe/situation.ts'
import type { Registry } from '../registry/registry.ts'
import type { AskedBy } from '../tasks/ask-acts.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { TreeView } from '../tasks/trees.ts'
import type { Lease } from '../tasks/turns.ts'
import type { Capabilities } from '../tool.ts'

/** Goals that a report tells of, and that are searched for one that is meant. */
const TOLD = 20
const SEARCHED = 200

export type DeskParts = {
  tasks: Pick<Tasks, 'trees' | 'tree' | 'reviews' | 'control' | 'halt' | 'spend'>
  registry: Pick<Registry, 'get'>
  submitGoal(goal: { goal: string; idempotencyKey: string; asked: AskedBy }, by: string): Promise<{ treeId: string }>
  record(treeId: string, fact: Fact): Promise<void>
  now(): number
}

export function frontDesk({ tasks, registry, submitGoal, record, now }: DeskParts, lease: Lease, callId: string): Capabilities['desk'] {
  async function mustBePersons(tool: string): Promise<void> {
    if (lease.task.origin !== 'person')
      throw new Fault('forbidden', 'Only a task in the words of a person may do this, and an agent wrote this one. Go on without it.')
    // A grant to one task does not do: its agent may read what strangers wrote, and be talked into stopping goals.
    if (!(await registry.get('agent', lease.task.agent))?.tools.includes(tool))
      throw new Fault(
        'forbidden',
        `The agent ${lease.task.agent} has ${tool} not in its settings, where a person would put it. Go on without it.`,
      )
  }
  const by = async (): Promise<string> => (await tasks.tree(lease.treeId)).submittedBy

  /** Goals of people, the newest first; not what they ask of this agent. */
  async function goals(which: { is?: 'open'; limit: number }): Promise<TreeView[]> {
    const [{ items }, asked] = await Promise.all([
      tasks.trees({ ...which, asks: false }),
      tasks.trees({ asks: false, agent: lease.task.agent, limit: SEARCHED }),
    ])
    const own = new Set(asked.items.map((goal) => goal.id))
    return items.filter((goal) => !own.has(goal.id))
  }

  const asked: AskedBy = { treeId: lease.treeId, taskId: lease.taskId, callId }
  /** So that whoever shows the answer can lead to the goals that it is about. */
  const tell = (act: AskAct, goals: readonly TreeView[]): Promise<void> =>
    record(lease.treeId, { type: 'ask.acted', taskId: lease.taskId, callId, act, goals: goals.slice(0, TOLD).map((goal) => goal.id) })

  /** The one goal that is meant, by its id or by words of it. A Fault names the choices. */
  async function find(words: string, act: AskAct, among: readonly (readonly TreeView[])[]): Promise<TreeView> {
    const wanted = words.trim().replace(/^["'“`]|["'”`]$/g, '')
    const exact = among.flat().find((goal) => goal.id === wanted)
    if (exact) return exact
    const newest = isNewest(wanted) ? among.at(-1)?.[0] : undefined
    if (newest) return newest
    for (const group of among) {
      const named = matching(group, wanted)
      if (named.length === 1) return named[0]!
      if (named.length > 1) {
        await tell(act, named)
        throw new Fault('conflict', `${named.length} goals could be meant by "${wanted}"; say which, by its id:\n${linesOf(named)}`)
      }
    }
    const open = among[0] ?? []
    throw new Fault(
      'not_found',
      `No goal is meant by "${wanted}". ${open.length === 0 ? 'None is under way.' : `Under way:\n${linesOf(open)}`}`,
    )
  }

  return {
    async look(words) {
      await mustBePersons('read_status')
      if (words) {
        const [open, all] = await Promise.all([goals({ is: 'open', limit: SEARCHED }), goals({ limit: SEARCHED })])
        const goal = await find(words, 'look', [open, all])
        await tell('look', [goal])
        return goalInWords(goal, now())
      }
      const [open, reviews, spend, halt, all] = await Promise.all([
        goals({ is: 'open', limit: TOLD + 1 }),
        tasks.reviews({ state: 'open', limit: SEARCHED }),
        tasks.spend(),
        tasks.halt.state(),
        goals({ limit: SEARCHED }),
      ])
      return situationInWords({
        ...{ open: open.slice(0, TOLD), more: open.length > TOLD, over: all.filter((goal) => isOver(goal.status)) },
        ...{ reviews: reviews.items, spend, halt, now: now() },
      })
    },
    async act(words, verb, message) {
      await mustBePersons('control_goal')
      // What is over can neither be stopped nor go on.
      const goal = await find(words, verb, [await goals({ is: 'open', limit: SEARCHED })])
      const said = { by: await by(), ...(message === undefined ? {} : verb === 'steer' ? { message } : { comment: message }) }
      const ask = { verb, asked, ...said, ...(verb === 'steer' ? {} : { scope: 'subtree' as const }) }
      await tasks.control(goal.id, ask, callId)
      const done = {
        cancel: 'It wraps up and stops',
        pause: 'It holds after the turns under way',
        resume: 'It goes on',
        steer: 'Its agent was told',
      }
      return `${done[verb]}: ${lineOf(goal)}`
    },
    async start(goal) {
      await mustBePersons('start_goal')
      const { treeId } = await submitGoal({ goal, idempotencyKey: callId, asked }, await by())
      return `Begun as goal ${treeId}.`
    },
  }
}

const lineOf = (goal: TreeView): string => `${titleOf(goal.goal)} (${goal.id}, ${labelOf(goal).word})`
const linesOf = (goals: readonly TreeView[]): string =>
  goals
    .slice(0, TOLD)
    .map((goal) => `- ${lineOf(goal)}`)
    .join('\n')

/** Words that say nothing of which goal is meant. */
const EMPTY = new Set(['the', 'a', 'an', 'goal', 'goals', 'task', 'my', 'our', 'that', 'this', 'it', 'one', 'about', 'for', 'on', 'with'])

/** "The newest", "my last goal". */
const isNewest = (wanted: string): boolean => {
  const telling = tellingOf(wanted)
  return telling.length === 1 && ['newest', 'latest', 'last'].includes(telling[0]!)
}
const tellingOf = (wanted: string): string[] =>
  wanted
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '' && !EMPTY.has(word))

/** Goals whose text holds all of the words; all of them where the words could mean any. */
function matching(goals: readonly TreeView[], wanted: string): TreeView[] {
  const telling = tellingOf(wanted)
  return goals.filter((goal) => {
    const text = goal.goal.toLowerCase()
    return telling.every((word) => text.includes(word))
  })
}
