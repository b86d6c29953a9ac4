/**
 * Playbooks: recipes for goals that need no judgement, as files that a person reads. Four step words: `call` a tool, `start` subtasks,
 * `text` writes something down, `end` ends the task. A playbook is checked whole when it is read; what runs it is a pure function of the
 * conversation so far, so a task goes on at the right step after any restart.
 */
import { RE2JS, RE2JSSyntaxException } from 're2js'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { DEFAULT_LIMITS } from '../contract/limits.ts'
import { Name } from '../contract/registry.ts'
import { Evidence } from '../contract/task.ts'
import { checked, filesIn, named, yamlOf } from '../registry/read-seeds.ts'
import { type Conversation, subtasksOf } from './playbook-conversation.ts'
import {
  type Answer,
  evaluate,
  type Kind,
  type Kinds,
  parseExpression,
  parseTemplate,
  render,
  renderPage,
  type Template,
  type Value,
} from './playbook-values.ts'

const Variable = z.string().regex(/^[a-z_]\w{0,40}$/, 'a name is a to z, digits and _, and starts with a letter')
const Words = z.string().min(1).max(20_000)
const Step = {
  /** Calls a tool; with for_each once for every item, side by side. Keeps the answers. */
  call: z.strictObject({
    call: Name,
    with: z.record(z.string(), z.union([Words, z.number(), z.boolean()])).default({}),
    for_each: Words.optional(),
    keep: Variable.optional(),
  }),
  /** Starts subtasks in the same workspace and waits for all. With more items than subtasks a subtask gets several. Keeps what they found. */
  start: z.strictObject({
    start: Words,
    for_each: Words,
    title: Words.optional(),
    agent: Name.default('generalist'),
    keep: Variable.optional(),
  }),
  text: z.strictObject({ text: Words, keep: Variable }),
  /** `success`, `failure`, or a template that gives one of them. */
  end: z.strictObject({
    end: Words,
    result: Words,
    evidence: z
      .array(z.record(z.string(), z.union([Words, z.number()])))
      .max(20)
      .default([]),
  }),
}
type Word = keyof typeof Step
const WORDS = Object.keys(Step) as Word[]
const Recipe = z.strictObject({
  name: Name,
  description: z.string().min(1).max(1_000),
  /** An RE2 expression for the whole instruction, whatever its case. Its named groups are the first names. */
  trigger: z.string().min(1).max(2_000),
  /** Who works it where the task's own agent lacks a tool that it needs. */
  agent: Name.optional(),
  steps: z.array(z.unknown()).min(1).max(100),
})

type Each = { name: string; of: ReturnType<typeof parseExpression> }
type Input = Readonly<Record<string, Template | number | boolean>>
type Compiled =
  | { word: 'call'; tool: string; input: Input; each: Each | null; keep: string | undefined }
  | { word: 'start'; instruction: Template; title: Template | null; agent: string; each: Each; keep: string | undefined }
  | { word: 'text'; text: Template; keep: string }
  | { word: 'end'; status: Template; result: Template; evidence: readonly Input[] }

export type Playbook = {
  name: string
  description: string
  /** The named groups of an instruction that this playbook is for; null for every other. Takes time linear in the instruction. */
  match(instruction: string): Record<string, string> | null
  steps: readonly Compiled[]
  agent?: string
}

/** Longer instructions are texts to think about, not orders. */
const LONGEST_INSTRUCTION = 100_000
/** Calls of one reply. */
const MOST_AT_ONCE = 50
const MOST_SUBTASKS = DEFAULT_LIMITS.fanOut

/**
 * All playbooks of a folder (`<name>.yml`, one each), ordered by name; where several match a goal, the first is run. Rejects with a Fault
 * `invalid` that names the file and the step when one cannot be used.
 */
export async function readPlaybooks(folder: string): Promise<Playbook[]> {
  return (await filesIn(folder, '.yml')).map(({ file, stem, text }) => named(readPlaybook(text, file), stem, file))
}

/** One playbook from the text of its file. Throws a Fault `invalid` of one sentence that names the file and the step. */
export const readPlaybook = (text: string, file: string): Playbook => compilePlaybook(yamlOf(text, file), file)

function compilePlaybook(raw: unknown, file: string): Playbook {
  const recipe = checked(Recipe, raw, file)
  const trigger = compileTrigger(recipe.trigger, file)
  const kinds = new Map<string, Kind>(Object.keys(trigger.namedGroups()).map((name) => [name, 'text']))
  const steps = recipe.steps.map((step, i) => {
    const compiled = compileStep(step, kinds, `${file}: step ${i + 1}`)
    if ((compiled.word === 'end') !== (i === recipe.steps.length - 1))
      throw new Fault('invalid', `${file}: step ${i + 1}: the last step, and only the last, must be an end.`)
    return compiled
  })
  return {
    name: recipe.name,
    description: recipe.description,
    ...(recipe.agent === undefined ? {} : { agent: recipe.agent }),
    steps,
    match(instruction) {
      if (instruction.length > LONGEST_INSTRUCTION) return null
      const matcher = trigger.matcher(instruction)
      if (!matcher.matches()) return null
      return Object.fromEntries(Object.keys(trigger.namedGroups()).map((name) => [name, matcher.group(name) ?? '']))
    },
  }
}

function compileTrigger(trigger: string, file: string): RE2JS {
  try {
    return RE2JS.compile(trigger, RE2JS.CASE_INSENSITIVE)
  } catch (cause) {
    if (!(cause instanceof RE2JSSyntaxException)) throw cause
    throw new Fault(
      'invalid',
      `${file}: the trigger is no RE2 expression (${cause.message}); look-around and back-references do not exist here.`,
      { cause },
    )
  }
}

/** Adds what the step keeps to `kinds`. */
function compileStep(raw: unknown, kinds: Map<string, Kind>, where: string): Compiled {
  const words = raw !== null && typeof raw === 'object' ? WORDS.filter((word) => Object.hasOwn(raw, word)) : []
  const [word] = words
  if (word === undefined || words.length > 1)
    throw new Fault('invalid', `${where}: a step has exactly one of the words ${WORDS.join(', ')}.`)
  const at = `${where} (${word})`
  const keep = (name: string | undefined, kind: Kind) => {
    if (name === undefined) return
    if (kinds.has(name)) throw new Fault('invalid', `${at}: the name ${name} is taken; keep it under another.`)
    kinds.set(name, kind)
  }
  switch (word) {
    case 'call': {
      const step = checked(Step.call, raw, at)
      if (step.call === 'start_subtask' || step.call === 'end_task')
        throw new Fault(
          'invalid',
          `${at}: ${step.call} has a step word of its own; write ${step.call === 'end_task' ? 'end' : 'start'} instead.`,
        )
      const each = step.for_each === undefined ? null : compileEach(step.for_each, kinds, at)
      const inner = each ? new Map([...kinds, [each.name, 'text' as const]]) : kinds
      const compiled: Compiled = { word, tool: step.call, input: compileInput(step.with, inner, at), each, keep: step.keep }
      keep(step.keep, 'answers')
      return compiled
    }
    case 'start': {
      const step = checked(Step.start, raw, at)
      const each = compileEach(step.for_each, kinds, at)
      const inner = new Map([...kinds, [each.name, 'texts' as const]])
      const instruction = parseTemplate(step.start, inner, at)
      const title = step.title === undefined ? null : parseTemplate(step.title, inner, at)
      keep(step.keep, 'answers')
      return { word, instruction, title, agent: step.agent, each, keep: step.keep }
    }
    case 'text': {
      const step = checked(Step.text, raw, at)
      const text = parseTemplate(step.text, kinds, at)
      keep(step.keep, 'text')
      return { word, text, keep: step.keep }
    }
    case 'end': {
      const step = checked(Step.end, raw, at)
      const evidence = step.evidence.map((one) => compileInput(one, kinds, at))
      return { word, status: parseTemplate(step.end, kinds, at), result: parseTemplate(step.result, kinds, at), evidence }
    }
  }
}

/** "folder of {listing | folders}" */
function compileEach(text: string, kinds: Kinds, where: string): Each {
  const found = /^\s*([a-z_]\w*) of \{([^{}]*)\}\s*$/.exec(text)
  if (!found) throw new Fault('invalid', `${where}: for_each must be of the form "name of {list}".`)
  const of = parseExpression(found[2]!, kinds, where)
  if (of.kind !== 'texts')
    throw new Fault('invalid', `${where}: {${found[2]}} is no list of texts; end it with a filter such as lines or folders.`)
  if (kinds.has(found[1]!)) throw new Fault('invalid', `${where}: the name ${found[1]} is taken; use another in for_each.`)
  return { name: found[1]!, of }
}

function compileInput(given: Readonly<Record<string, string | number | boolean>>, kinds: Kinds, where: string): Input {
  return Object.fromEntries(
    Object.entries(given).map(([key, value]) => [key, typeof value === 'string' ? parseTemplate(value, kinds, where) : value]),
  )
}

export type Progress =
  | { kind: 'calls'; calls: { tool: string; input: unknown }[] }
  | { kind: 'end'; status: 'success' | 'failure'; result: string; evidence: Evidence[] }
const failure = (result: string): Progress => ({ kind: 'end', status: 'failure', result, evidence: [] })

/**
 * What comes next: calls, or the end. A step all of whose calls or subtasks failed ends the task as a failure; where only some did, the
 * answers say so and the playbook goes on.
 */
export function runSteps(playbook: Playbook, groups: Readonly<Record<string, string>>, { earlier, current }: Conversation): Progress {
  const values = new Map<string, Value>(Object.entries(groups).map(([name, text]) => [name, { kind: 'text', is: text }]))
  let at = 0
  for (const step of playbook.steps) {
    switch (step.word) {
      case 'text':
        values.set(step.keep, { kind: 'text', is: renderPage(step.text, values) })
        break
      case 'call': {
        const items = step.each ? listOf(step.each, values) : [null]
        const inputs = items.map((item) =>
          inputOf(step.input, step.each && item !== null ? withItem(values, step.each, { kind: 'text', is: item }) : values),
        )
        const told = current.slice(at, at + inputs.length)
        if (told.some((each) => each.tool !== step.tool)) return changed(playbook)
        if (told.length < inputs.length)
          return {
            kind: 'calls',
            calls: inputs.slice(told.length, told.length + MOST_AT_ONCE).map((input) => ({ tool: step.tool, input })),
          }
        at += inputs.length
        const answers = told.map(({ text, isError }, i): Answer => ({ about: items[i] ?? String(inputs[i]!.path || '.'), text, isError }))
        if (answers.length > 0 && answers.every((answer) => answer.isError)) return failure(allFailed(answers))
        if (step.keep) values.set(step.keep, { kind: 'answers', is: answers })
        break
      }
      case 'start': {
        const groupsOf = inGroups(listOf(step.each, values), MOST_SUBTASKS)
        const wanted = groupsOf.map((group) => {
          const inner = withItem(values, step.each, { kind: 'texts', is: group })
          const title = step.title ? { title: render(step.title, inner) } : {}
          return { instruction: render(step.instruction, inner), agent: step.agent, ...title }
        })
        const next = current[at]
        const subtasks = subtasksOf(wanted, earlier, next?.tool === 'start_subtask' ? next : undefined)
        if (subtasks.kind === 'ask')
          return next ? changed(playbook) : { kind: 'calls', calls: [{ tool: 'start_subtask', input: subtasks.input }] }
        if (subtasks.kind === 'refused') return failure(`The subtasks could not be started. ${subtasks.text}`)
        if (subtasks.asked) at += 1
        const answers = subtasks.answers.map(
          (child): Answer => ({ about: child.title, text: child.summary, isError: child.status !== 'done' }),
        )
        if (answers.length > 0 && answers.every((answer) => answer.isError)) return failure(allFailed(answers))
        if (step.keep) values.set(step.keep, { kind: 'answers', is: answers })
        break
      }
      case 'end': {
        const evidence = step.evidence.flatMap((one) => {
          const parsed = Evidence.safeParse(inputOf(one, values))
          return parsed.success ? [parsed.data] : []
        })
        const status = render(step.status, values).trim() === 'success' ? 'success' : 'failure'
        return { kind: 'end', status, result: renderPage(step.result, values), evidence }
      }
    }
  }
  return changed(playbook)
}

/** Only a conversation that another version of the playbook began can come here. */
const changed = (playbook: Playbook): Progress =>
  failure(`The playbook ${playbook.name} was changed while this task ran; start the goal again to run it as it is now.`)
const allFailed = (answers: readonly Answer[]): string =>
  answers.length === 1 ? answers[0]!.text : answers.map((answer) => `- ${answer.about}: ${answer.text.replace(/\s+/g, ' ')}`).join('\n')

function listOf(each: Each, values: ReadonlyMap<string, Value>): readonly string[] {
  const value = evaluate(each.of, values)
  return value.kind === 'texts' ? value.is : []
}
const withItem = (values: ReadonlyMap<string, Value>, each: Each, item: Value) => new Map([...values, [each.name, item]])
const inputOf = (input: Input, values: ReadonlyMap<string, Value>): Record<string, string | number | boolean> =>
  Object.fromEntries(Object.entries(input).map(([key, value]) => [key, typeof value === 'object' ? render(value, values) : value]))

/** At most `most` groups of nearly the same size, in order. */
function inGroups<T>(items: readonly T[], most: number): T[][] {
  const count = Math.min(most, items.length)
  return Array.from({ length: count }, (_, i) =>
    items.slice(Math.floor((i * items.length) / count), Math.floor(((i + 1) * items.length) / count)),
  )
}
