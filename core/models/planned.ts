/**
 * What a task of a planned goal does before its agent is asked: it asks a person if the plan says so, has a plan made, proposes it, and
 * ends when its parts have ended. A pure function of the conversation, so a restart between any two turns changes nothing. What needs
 * judgement goes to the agent's own model.
 */
import { type ChildAnswer, readChildren } from '../contract/answers.ts'
import { listOf } from '../contract/goal-text.ts'
import { PLAN_CHANGES, PLAN_REJECTED, PLAN_TOOL, PLAN_WORKER, type PlanItem, plainPlan, type TaskPlan } from '../contract/plan.ts'
import { noUsage, titleOf } from '../contract/task.ts'
import { type Answered, isHandover, readConversation } from './playbook-conversation.ts'
import { cutMarkdown } from './playbook-text.ts'
import type { ModelRequest, Provider, Reply, RequestMessage } from './provider.ts'
import { readPlan } from './read-plan.ts'

type Move = { text: string; calls: { tool: string; input: unknown }[] }
const call = (tool: string, input: unknown, text = ''): Move => ({ text, calls: [{ tool, input }] })

const ASK = 'The plan says to ask you before this starts'
const WISH = `A person wants to see the whole plan before anything is done. Nothing may be changed while you plan. Each piece is done by the agent that you name (without a name: ${PLAN_WORKER}), all in one shared folder, and pieces run side by side unless "after" orders them.`

/** The same provider, with the turns that a plan decides taken off it. `root`: the task is the goal itself. */
export function planned(inner: Provider, plan: TaskPlan | null, root: boolean): Provider {
  return {
    ...inner,
    ...(inner.outside ? { outside: { ...inner.outside, asks: (request) => nextMove(request, inner.judges, plan, root) === null } } : {}),
    async *stream(request, signal) {
      const move = signal.aborted ? null : nextMove(request, inner.judges, plan, root)
      if (move === null) {
        yield* inner.stream(inner.judges ? request : { ...request, messages: withoutAsking(request.messages) }, signal)
        return
      }
      if (move.text) yield { type: 'text', delta: move.text }
      const reply: Reply = { ...move, stop: move.calls.length > 0 ? 'tools' : 'end', usage: noUsage, reportedCostMicros: 0, model: 'plan' }
      yield { type: 'done', reply }
    },
  }
}

/** Null: the agent's own model is asked. */
function nextMove({ task, messages }: ModelRequest, judges: boolean, plan: TaskPlan | null, root: boolean): Move | null {
  if (task.stopping || task.kind !== 'work') return null
  const { earlier, current } = readConversation(messages)
  if (isHandover(current[0]?.input)) return null
  const refused = current.filter((one) => one.tool === 'end_task')
  if (plan?.ask) {
    const asked = current.find(isAsking)
    if (!asked) return call('flag_for_review', { issue: `${ASK}: ${titleOf(task.instruction)}`, question: true })
    if (asked.isError) return refused.length > 0 ? null : end('failure', `A person did not let it start. ${asked.text}`)
  }
  const own = root || plan?.items !== undefined || plan?.ran !== undefined
  if (!own) return null
  const proposed = current.filter((one) => one.tool === PLAN_TOOL).at(-1)
  if (!proposed) return propose(task.instruction, messages, judges, plan, earlier, current)
  const children = readChildren(proposed.text)
  if (refused.length > 1 || (refused.length > 0 && judges)) return null
  if (refused[0]) return end('failure', refused[0].text)
  if (children.length > 0) return judges ? null : endParts(children)
  if (proposed.text.startsWith(PLAN_REJECTED)) return end('failure', proposed.text)
  if (judges) return null
  return proposed.text.startsWith(PLAN_CHANGES) ? call(PLAN_TOOL, proposed.input) : end('failure', proposed.text)
}

function propose(
  instruction: string,
  messages: readonly RequestMessage[],
  judges: boolean,
  plan: TaskPlan | null,
  earlier: readonly Answered[],
  current: readonly Answered[],
): Move {
  if (plan?.items) return call(PLAN_TOOL, { items: plainPlan(plan.items) }, 'The parts of the plan that a person approved.')
  if (plan?.ran) return call(PLAN_TOOL, { items: left(plan.ran, earlier) }, 'What is left of the plan.')
  const list = listOf(instruction)
  if (list) {
    const items = list.lines.map((line, i) => ({
      ...part(`p${i + 1}`, line.text),
      after: line.afterPrevious ? [`p${i}`] : [],
    }))
    return call(PLAN_TOOL, { items }, `A list of ${items.length} lines; each is a part of the plan.`)
  }
  const whole = [part('p1', instruction)]
  if (!judges) return call(PLAN_TOOL, { items: whole }, 'No model is connected to split it, so the plan is the goal in one part.')
  const asked = current.find((one) => one.tool === 'break_down_task')
  // What stands in the words beside the instruction: what counts as done, and files.
  const files = messages.flatMap((one) => (one.role === 'user' ? [one.text.replace(instruction, '').trim()].filter(Boolean) : []))
  if (!asked) return call('break_down_task', { reasoning: [WISH, ...files].join('\n\n').slice(0, 20_000) })
  const said = readChildren(asked.text)[0]?.summary ?? asked.text
  const items = asked.isError ? null : readPlan(said)
  if (items) return call(PLAN_TOOL, { items }, 'The plan as the planner made it.')
  return call(PLAN_TOOL, { items: whole }, `The planner gave no list of parts, so the plan is the goal in one part. It said: ${said}`)
}

const part = (id: string, instruction: string): PlanItem => ({
  id,
  title: titleOf(instruction).slice(0, 200),
  instruction,
  after: [],
  children: [],
})

/** Parts that no earlier try brought to a good end; all of them when none is left, so that there is something to do again. */
function left(ran: readonly PlanItem[], earlier: readonly Answered[]): PlanItem[] {
  const told = earlier
    .filter((one) => one.tool === PLAN_TOOL)
    .map((one) => readChildren(one.text))
    .findLast((one) => one.length > 0)
  const open = ran.filter((_, i) => told?.[i]?.status !== 'done')
  const ids = new Set(open.map((one) => one.id))
  const again = open.map((one) => ({ ...one, after: one.after.filter((id) => ids.has(id)) }))
  return plainPlan(again.length > 0 ? again : ran)
}

const end = (status: 'success' | 'failure', result: string): Move =>
  call('end_task', { status, result: cutMarkdown(result.trim() || 'No output.', 95_000) })

function endParts(children: readonly ChildAnswer[]): Move {
  const done = children.filter((one) => one.status === 'done').length
  const room = Math.floor(80_000 / children.length)
  const sections = children.map((one, i) => `## ${i + 1}. ${one.title}\n\n**${one.status}**\n\n${cutMarkdown(one.summary.trim(), room)}`)
  return end(done === children.length ? 'success' : 'failure', [`${done} of ${children.length} parts are done.`, ...sections].join('\n\n'))
}

const isAsking = (one: { tool: string; input: unknown }): boolean =>
  one.tool === 'flag_for_review' && String((one.input as { issue?: unknown } | null)?.issue).startsWith(ASK)

/** A rule that looks for its own question must not take the plan's for it. */
function withoutAsking(messages: readonly RequestMessage[]): RequestMessage[] {
  const ids = new Set(messages.flatMap((one) => (one.role === 'assistant' ? one.calls.filter(isAsking).map((each) => each.id) : [])))
  return messages.filter(
    (one) => !(one.role === 'assistant' && one.calls.some((each) => ids.has(each.id))) && !(one.role === 'tool' && ids.has(one.callId)),
  )
}
