/** What an outside agent reads: the brief of a task, what happened in it since, and how a call stands. Pure. */
import type { Brief } from '../agent/brief.ts'
import { labelOf } from '../contract/label.ts'
import type { StoredMessage } from '../contract/message.ts'
import type { Task } from '../contract/task.ts'
import type { RequestMessage, ToolSpec } from '../models/provider.ts'
import type { CallState, Claimed } from '../tasks/outside.ts'

const fenced = (name: string, words: string): string => `<${name}>\n${words.trim()}\n</${name}>`

/** How a tool is called: by its own name, or through call_tool. */
export const toolText = ({ name, description, inputSchema }: ToolSpec): string =>
  `### ${name}\n${description.trim()}\nArguments (JSON Schema): ${JSON.stringify(inputSchema)}`

export function messageText(message: RequestMessage): string {
  switch (message.role) {
    case 'user':
      return fenced('message', message.text)
    case 'assistant':
      return [message.text, ...message.calls.map((call) => `→ ${call.tool} ${JSON.stringify(call.input)}`)].filter(Boolean).join('\n')
    case 'tool':
      return fenced(`answer tool="${message.tool}"${message.isError ? ' error="true"' : ''}`, message.text).replace(
        /<\/answer .*>$/,
        '</answer>',
      )
  }
}

/** Some clients show their model the data of an answer only, so these words are in both. */
export const HOW_TO_ACT = `Call the tools of this server with this task_id and this lease. Where the instruction names a tool that this server lacks, call it through call_tool. Files and commands are those of the task on the machine of Banyan, not yours.
One step at a time: send a call, read its answer, go on. The task is over when you have called end_task.`
export const goOnText = (taskId: string): string =>
  `Go on with it until end_task. If you do not remember the task, call claim_task with task_id ${taskId}: it tells all of it again.`

/** The whole task, for an agent that knows nothing of it. `own`: tools that are tools of this server too. */
export function briefText(claimed: Claimed, brief: Brief, own: ReadonlySet<string>): string {
  const { task, lease, leaseUntil } = claimed
  const others = brief.tools.filter((tool) => !own.has(tool.name))
  const [first, ...later] = brief.messages
  const isTurn = task.status === 'waiting' && task.reason === 'external'
  return [
    `You have claimed task ${task.id}. For as long as it lasts you are the agent "${task.agent}" of Banyan, and what follows is all that it knows.`,
    [
      `task_id: ${task.id}`,
      `lease: ${lease} (until ${leaseUntil}; each call and each heartbeat renews it)`,
      `How to act: ${HOW_TO_ACT}`,
      `Caps of the goal: ${capsText(claimed)}`,
    ].join('\n'),
    ...(isTurn ? [] : [`The task does not need you now: it is ${labelOf(task).word}. claim_task brings you back when it does.`]),
    '# Instruction',
    fenced('instruction', brief.system),
    '# The task',
    first ? messageText(first) : task.instruction,
    ...(later.length > 0 ? ['# What happened in it so far', ...later.map(messageText)] : []),
    ...(others.length > 0 ? ['# Tools through call_tool', ...others.map(toolText)] : []),
  ].join('\n\n')
}

const grouped = (n: number): string => Math.floor(n).toLocaleString('en')
const money = (micros: number): string => `$${(micros / 1_000_000).toFixed(2)}`
/** Which caps bind an outside agent, and how near they are. */
export function capsText({ caps: { limits, used } }: Pick<Claimed, 'caps'>): string {
  const of = (spent: number, cap: number, what: string) => `${grouped(spent)} of ${grouped(cap)} ${what}`
  const counted = [
    of(used.turns, limits.turns, 'model calls (each call of yours is one)'),
    of(used.tasks, limits.tasks, 'tasks'),
    of(used.wallSeconds, limits.wallSeconds, 'seconds'),
  ]
  const told = `${of(used.tokens, limits.tokens, 'tokens')} and ${money(used.costMicros)} of ${money(limits.costMicros)}`
  return `${counted.join(', ')}. ${told} count what models of Banyan used for it and what you tell with \`usage\` in a call. At a cap the goal pauses and a person is asked.`
}

/** What an agent that knows the task has missed. */
export function newsText(claimed: Claimed, messages: readonly StoredMessage[]): string {
  const { task, lease } = claimed
  const news = messages.flatMap((message): string[] => {
    if (message.role === 'tool')
      return [messageText({ role: 'tool', callId: message.callId, tool: message.tool, text: message.text, isError: message.isError })]
    if (message.role === 'user') return [messageText({ role: 'user', text: message.text })]
    return []
  })
  return [
    `Your task ${task.id} ("${task.title}", agent "${task.agent}") goes on. This is what happened in it since you heard of it last:`,
    `task_id: ${task.id}\nlease: ${lease} (the one before is over)`,
    ...(news.length > 0 ? news : ['Nothing new was said.']),
    goOnText(task.id),
  ].join('\n\n')
}

/** Why an answer is not there yet, and what to do meanwhile. */
export function waitingText(state: Exclude<CallState, { kind: 'answered' | 'dropped' }>, key: string, task: Task): string {
  const later = `Call heartbeat with call ${JSON.stringify(key)} to wait for the answer; nothing has to be sent again.`
  switch (state.kind) {
    case 'waits':
      return state.for === 'review'
        ? `A person must decide this first: ${state.ids.join(', ')}. Your lease does not run out while they do. ${later}`
        : `It waits for ${state.ids.length === 1 ? 'the task' : 'the tasks'} ${state.ids.join(', ')}. Your lease does not run out meanwhile, and this task takes none of your places. You may work on them: call claim_task. When they are over, claim_task brings you back to this task with their results.`
    case 'running':
      return `It is running. ${later}`
    case 'queued':
      return task.status === 'paused'
        ? `The task is paused (${state.note ?? 'by a person'}); the call runs when it goes on. ${later}`
        : `It has not begun yet. ${later}`
  }
}

/** What came of the task, in the words of the one who ended it. */
export function endedText(task: Task): string {
  switch (task.status) {
    case 'done':
      return 'The task is done. Go on with claim_task.'
    case 'waiting':
      return 'The result is being checked. You are done with it for now: go on with claim_task, which gives the task back to you if something has to be mended.'
    default:
      return `The task is over (${task.status}${task.note ? `: ${task.note}` : ''}). Go on with claim_task.`
  }
}
