/**
 * What a conversation tells a rule: which calls were answered, in which try, and what became of subtasks. Pure: whoever reads the same
 * conversation finds the same, so a restart between any two turns changes nothing.
 */
import { type ChildAnswer, readChildren, TRY_AGAIN } from '../contract/answers.ts'
import { titleOf } from '../contract/task.ts'
import type { RequestMessage } from './provider.ts'

export type Answered = { tool: string; input: unknown; text: string; isError: boolean }
/** `earlier`: calls of tries that are over. `current`: calls of this try, in order. */
export type Conversation = { earlier: Answered[]; current: Answered[] }

/** A try is over when the task was ended or handed over, or when a person has it tried again. */
export function readConversation(messages: readonly RequestMessage[]): Conversation {
  const earlier: Answered[] = []
  let current: Answered[] = []
  let asked = new Map<string, { tool: string; input: unknown }>()
  const startAnew = () => {
    earlier.push(...current)
    current = []
  }
  for (const message of messages) {
    if (message.role === 'user' && message.text.startsWith(TRY_AGAIN)) startAnew()
    // Ids are only known to differ within one reply.
    if (message.role === 'assistant') asked = new Map(message.calls.map((call) => [call.id, call]))
    if (message.role !== 'tool') continue
    const call = asked.get(message.callId)
    if (!call) continue
    const { tool, input } = call
    current.push({ tool, input, text: message.text, isError: message.isError })
    if (!message.isError && (tool === 'end_task' || isHandover(input))) startAnew()
  }
  return { earlier, current }
}

/** A call that passes the whole task on. */
export const isHandover = (input: unknown): boolean => (input as { handover?: boolean } | null)?.handover === true

export type Wanted = { instruction: string; agent: string; title?: string; afterPrevious?: boolean }
export type Subtasks =
  /** To be asked for in one call. */
  | { kind: 'ask'; input: unknown }
  /** The call was refused. */
  | { kind: 'refused'; text: string }
  /** One answer for each that was wanted. `asked`: the call brought some of them. */
  | { kind: 'over'; answers: ChildAnswer[]; asked: boolean }

/**
 * Subtasks started together and waited for. `call` is this try's call for them, if it was made. What an earlier try brought to a good end
 * is not started again: a person who has a goal tried again wants the part that failed.
 */
export function subtasksOf(wanted: readonly Wanted[], earlier: readonly Answered[], call: Answered | undefined): Subtasks {
  const done = earlier.filter((each) => each.tool === 'start_subtask').flatMap(doneIn)
  const known = wanted.map(({ instruction }) => {
    const found = done.findIndex((each) => each.instruction === instruction)
    return found < 0 ? null : done.splice(found, 1)[0]!.answer
  })
  const open = wanted.flatMap((_, i) => (known[i] === null ? [i] : []))
  if (open.length === 0) return { kind: 'over', answers: known.filter((answer) => answer !== null), asked: false }
  if (!call)
    return { kind: 'ask', input: { subtasks: open.map((i, place) => specOf(wanted[i]!, open[place - 1] === i - 1, place)), wait: true } }
  const told = readChildren(call.text)
  if (told.length === 0) return { kind: 'refused', text: call.text }
  const answers = wanted.map(
    (each, i): ChildAnswer =>
      known[i] ??
      told[open.indexOf(i)] ?? { title: titleOf(each.instruction), status: 'failed', id: '', summary: 'Nothing was heard of it.' },
  )
  return { kind: 'over', answers, asked: true }
}

/** What comes before is left out of `after` when an earlier try has done it. */
const specOf = ({ instruction, agent, title, afterPrevious }: Wanted, previousIsOpen: boolean, place: number) => ({
  task_instruction: instruction,
  agent_type: agent,
  title: (title ?? titleOf(instruction)).slice(0, 200),
  workspace: 'shared',
  ...(afterPrevious && previousIsOpen && place > 0 ? { after: [place - 1] } : {}),
})

function doneIn({ input, text }: Answered): { instruction: string; answer: ChildAnswer }[] {
  const { subtasks = [] } = input as { subtasks?: { task_instruction: string }[] }
  return readChildren(text).flatMap((answer, i) => {
    const instruction = subtasks[i]?.task_instruction
    return instruction !== undefined && answer.status === 'done' ? [{ instruction, answer }] : []
  })
}
