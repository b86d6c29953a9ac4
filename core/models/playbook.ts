/**
 * The model when there is no model: deterministic, embedded, free. It runs what needs no judgement (recorded playbooks, lists, commands
 * that the goal names) and asks a person for the rest. It never pretends. A pure function of the request: it keeps nothing between two
 * turns, so a restart changes nothing. It does not look at the agent's name; whatever agent has the task, its instruction is worked.
 */
import { type ChildAnswer, type CommandAnswer, isRepeated, readCommand } from '../contract/answers.ts'
import { commandOf, type GoalCommand, type GoalLine, listOf } from '../contract/goal-text.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { type Evidence, noUsage } from '../contract/task.ts'
import { type Answered, type Conversation, isHandover, readConversation, subtasksOf } from './playbook-conversation.ts'
import { type Playbook, runSteps } from './playbook-steps.ts'
import { codeBlock, codeSpan, cutMarkdown } from './playbook-text.ts'
import type { ModelRequest, Provider, Reply } from './provider.ts'

const NAME = 'playbook'
/** Who works the parts, and takes over a task whose own agent lacks a tool that it needs. */
const WORKER = 'generalist'

/** Words for whoever reads the history, and the calls that follow from them. */
type Move = { text: string; calls: { tool: string; input: unknown }[]; worker?: string | undefined }

/** The first playbook whose trigger matches is run. `commandSeconds`: time-out of a command that a goal names; the terminal's own if left out. */
export function playbook(options: { playbooks: readonly Playbook[]; commandSeconds?: number }): Provider {
  return {
    name: NAME,
    judges: false,
    contextWindow: () => Number.MAX_SAFE_INTEGER,
    async *stream(request, signal) {
      if (signal.aborted) {
        yield { type: 'fault', fault: { kind: 'later', message: 'stopped' } }
        return
      }
      let move: Move
      try {
        move = withTools(request, nextMove(request, options))
      } catch (error) {
        // A bug of the rules must not end the worker: a provider never throws.
        yield {
          type: 'fault',
          fault: { kind: 'bad', message: `the playbook failed on this task: ${error instanceof Error ? error.message : String(error)}` },
        }
        return
      }
      const { text, calls } = move
      if (text) yield { type: 'text', delta: text }
      for (const { tool } of calls) yield { type: 'call', tool }
      const reply: Reply = { text, calls, stop: calls.length > 0 ? 'tools' : 'end', usage: noUsage, reportedCostMicros: 0, model: NAME }
      yield { type: 'done', reply }
    },
  }
}

function nextMove({ task, messages }: ModelRequest, options: Parameters<typeof playbook>[0]): Move {
  const conversation = readConversation(messages)
  const { current } = conversation
  const refused = current.filter((call) => call.tool === 'end_task')
  if (refused.length > 1) return { text: `This task cannot be ended: ${refused.at(-1)!.text}`, calls: [] }
  if (refused[0]) return end('failure', `The task could not be ended as it should: ${refused[0].text}\n\n${resultIn(refused[0])}`)
  if (task.stopping) return end('failure', soFar(conversation))
  if (task.kind !== 'work') return end('failure', 'This needs a model: add the key of one under Settings, Models, then retry.')
  // One that was not refused ended the try.
  if (isHandover(current[0]?.input)) return end('failure', `The task could not be handed over. ${current[0]!.text}`)

  const instruction = task.instruction.trim()
  const order = instruction.replace(/^then[,:]?\s+/i, '')
  for (const book of options.playbooks) {
    if (task.ask && book.agent !== task.agent) continue
    const groups = book.match(order)
    if (!groups) continue
    const progress = runSteps(book, groups, conversation)
    if (progress.kind === 'end') return end(progress.status, progress.result, progress.evidence)
    return { text: `By the playbook ${book.name}.`, calls: progress.calls, worker: book.agent }
  }
  if (task.ask) return end('failure', ASK_IN_THESE_WORDS)
  const list = listOf(task.instruction)
  if (list) return workList(list.lines, conversation)
  const command = commandOf(instruction)
  if (command) return runCommand(command, current, options.commandSeconds)
  return askPerson(order, current)
}

/** A task whose agent lacks a tool is handed over whole, word for word, so that it stays the person's own. */
function withTools({ task, tools }: ModelRequest, move: Move): Move {
  const offered = new Set(tools.map((tool) => tool.name))
  const missing = move.calls.find((call) => !offered.has(call.tool))?.tool
  if (missing === undefined || offered.size === 0) return move
  const { worker = WORKER } = move
  if (!offered.has('start_subtask'))
    return end('failure', `This needs the tool ${missing}, which the agent ${task.agent} does not have; give it the tool in its settings.`)
  return {
    text: `The agent ${task.agent} does not have the tool ${missing}, so ${worker} takes the task over.`,
    calls: [
      { tool: 'start_subtask', input: { task_instruction: task.instruction, agent_type: worker, workspace: 'shared', handover: true } },
    ],
  }
}

// end_task takes 100,000 characters.
const LONGEST_RESULT = 95_000
const end = (status: 'success' | 'failure', result: string, evidence: readonly Evidence[] = []): Move => ({
  text: '',
  calls: [
    {
      tool: 'end_task',
      input: { status, result: cutMarkdown(result.trim() || 'No output.', LONGEST_RESULT), ...(evidence.length > 0 ? { evidence } : {}) },
    },
  ],
})
const resultIn = (call: Answered): string => String((call.input as { result?: unknown }).result ?? '')

/** start_subtask takes no more in one call. */
const MOST_LINES = 100
const SHORTER = 'Split the list into several goals, or give the goal a larger budget (fanOut).'

function workList(lines: readonly GoalLine[], { earlier, current }: Conversation): Move {
  if (lines.length > MOST_LINES)
    return end('failure', `The list has ${lines.length} lines; at most ${MOST_LINES} can be worked at once. ${SHORTER}`)
  const wanted = lines.map((line) => ({ instruction: line.text, agent: WORKER, afterPrevious: line.afterPrevious }))
  const subtasks = subtasksOf(
    wanted,
    earlier,
    current.find((call) => call.tool === 'start_subtask'),
  )
  switch (subtasks.kind) {
    case 'ask':
      return { text: `A list of ${lines.length} lines; each becomes a subtask.`, calls: [{ tool: 'start_subtask', input: subtasks.input }] }
    case 'refused':
      return end(
        'failure',
        `The ${lines.length} lines were not started. ${subtasks.text}${lines.length > DEFAULT_LIMITS.fanOut ? ` ${SHORTER}` : ''}`,
      )
    case 'over':
      return endList(lines, subtasks.answers)
  }
}

function endList(lines: readonly GoalLine[], answers: readonly ChildAnswer[]): Move {
  const done = answers.filter((answer) => answer.status === 'done').length
  const room = Math.floor(80_000 / lines.length)
  const sections = lines.map((line, i) => {
    const title = line.text.length <= 200 ? line.text : `${line.text.slice(0, 199).toWellFormed()}…`
    return `## ${i + 1}. ${title}\n\n**${answers[i]!.status}**\n\n${cutMarkdown(answers[i]!.summary.trim(), room)}`
  })
  return end(done === lines.length ? 'success' : 'failure', [`${done} of ${lines.length} lines are done.`, ...sections].join('\n\n'))
}

function runCommand(goal: GoalCommand, current: readonly Answered[], seconds: number | undefined): Move {
  const tries = current.filter((call) => call.tool === 'use_terminal')
  const again: Move['calls'] = [
    { tool: 'use_terminal', input: { command: goal.command, ...(seconds === undefined ? {} : { timeout_seconds: seconds }) } },
  ]
  const last = tries.at(-1)
  if (!last) return { text: '', calls: again }
  const told = readCommand(last.text)
  if (last.isError) return end('failure', [last.text, triesText(tries.slice(0, -1))].join('\n\n'))
  // Cut off by a crash and not run again: a person said what became of it.
  if (!told) return end('success', last.text)
  if (told.exitCode !== 0 && tries.length <= goal.retries)
    return { text: `Attempt ${tries.length} failed; ${goal.retries + 1 - tries.length} left.`, calls: again }

  const command = goal.command.replace(/\s+/g, ' ')
  const attempt = goal.retries > 0 ? `, attempt ${tries.length} of ${goal.retries + 1}` : ''
  const result = [
    `${codeSpan(command.length <= 200 ? command : `${command.slice(0, 199)}…`)}: ${endingOf(told)}${attempt} (isolation: ${told.isolation})`,
    ...(tries.some((call) => isRepeated(call.text)) ? ['It was cut off by a restart and ran again from its start.'] : []),
    outputOf(told, 2_800, 1_200),
    triesText(tries.slice(0, -1)),
  ].join('\n\n')
  if (told.exitCode !== 0) return end('failure', result)
  return end('success', result, goal.command.length <= 4_000 ? [{ kind: 'command', command: goal.command, exitCode: 0 }] : [])
}

const endingOf = ({ exitCode, ending }: CommandAnswer): string => (exitCode === null ? ending : `exit code ${exitCode}`)

/** Attempts before the last that are told with their output; of the others only how they ended, so that a summary can carry all. */
const TOLD_WHOLE = 3

function triesText(tries: readonly Answered[]): string {
  return tries
    .flatMap((call, i) => {
      const told = readCommand(call.text)
      if (!told) return [`Attempt ${i + 1}: ${call.text}`]
      const repeated = isRepeated(call.text) ? ', run again after a restart' : ''
      const line = `Attempt ${i + 1}: ${endingOf(told)} (isolation: ${told.isolation}${repeated})`
      return i < tries.length - TOLD_WHOLE ? [line] : [line, outputOf(told, 250, 250)]
    })
    .join('\n\n')
}

function outputOf({ stdout, stderr }: CommandAnswer, mostOut: number, mostErr: number): string {
  const parts = [
    ...(stdout.trim() ? [codeBlock(stdout, mostOut)] : []),
    ...(stderr.trim() ? [`Standard error:\n\n${codeBlock(stderr, mostErr)}`] : []),
  ]
  return parts.join('\n\n') || 'No output.'
}

function askPerson(order: string, current: readonly Answered[]): Move {
  const asked = current.find((call) => call.tool === 'flag_for_review')
  if (asked) return end(asked.isError ? 'failure' : 'success', asked.text)
  const words = order.replace(/\s+/g, ' ')
  const what = words.length <= 200 ? words : `${words.slice(0, 199).toWellFormed()}…`
  const issue = [
    `This needs judgement, and no model is connected: “${what}”.\n\n`,
    'Add the key of a model (Settings, Models) and retry the task, or answer here yourself.',
    ' Your answer becomes the result, word for word.',
  ].join('')
  return { text: '', calls: [{ tool: 'flag_for_review', input: { issue, question: true } }] }
}

/** An ask is no work: nothing of it runs here, and nobody else is asked. */
const ASK_IN_THESE_WORDS =
  'Without a model only plain forms are understood: “What is going on?”, “How is the report?”, “Cancel the report”, “Pause …”, “Resume …”, “Start a goal: …”. Say it so, or add the key of a model under Settings, Models.'

/** What a task that is being stopped has to show. */
function soFar({ earlier, current }: Conversation): string {
  const done = [...earlier, ...current].filter((call) => call.tool !== 'end_task')
  if (done.length === 0) return 'Stopped by a person before anything was done.'
  const lines = done.map(({ tool, input, text, isError }) => {
    const command = (input as { command?: unknown }).command
    const told = tool === 'use_terminal' ? readCommand(text) : null
    if (told && typeof command === 'string') return `- ${codeSpan(command.replace(/\s+/g, ' ').slice(0, 200))}: ${endingOf(told)}`
    return `- ${tool}: ${isError ? 'failed' : 'done'}. ${text.replace(/\s+/g, ' ').slice(0, 200).toWellFormed()}`
  })
  return `Stopped by a person. Done so far:\n\n${lines.join('\n')}`
}
