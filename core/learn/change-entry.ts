/** What a lesson does to the entry that it changes, and how that is taken out again. Pure. */
import { Fault } from '../contract/fault.ts'
import { Habits, type LessonChange } from '../contract/learning.ts'
import type { Agent, Document, RegistryKind, ToolEntry } from '../contract/registry.ts'

type Entry = Agent | Document | ToolEntry

/** Above the first paragraph that was learnt. */
const HEADING = '## Learnt from earlier tasks'

/** `tool`: whose calls limits and repeats were learnt from. */
export const targetOf = (change: LessonChange, tool: string): { kind: RegistryKind; name: string } =>
  change.kind === 'words' ? change.words.target : { kind: 'tool', name: tool }

/** Whether what it teaches is there already. */
export function isIn(entry: Entry, change: LessonChange): boolean {
  if (change.kind === 'words') return textOf(entry).includes(change.words.text)
  const habits = habitsOf(entry)
  if (change.kind === 'repeat') return habits.repeats.some((one) => one.error === change.repeat.error)
  return habits.limits.some((one) => one.program === change.limit.program && one.seconds >= change.limit.seconds)
}

export function withLesson<E extends Entry>(entry: E, change: LessonChange): E {
  if (change.kind === 'words') {
    const text = textOf(entry).trimEnd()
    return withText(entry, `${text}${text.includes(HEADING) ? '' : `\n\n${HEADING}`}\n\n${change.words.text}\n`)
  }
  return { ...entry, habits: withHabit(habitsOf(entry), change) }
}

/** A Fault where somebody has changed the words since. */
export function withoutLesson<E extends Entry>(entry: E, change: LessonChange): E {
  if (change.kind !== 'words') return { ...entry, habits: withoutHabit(habitsOf(entry), change) }
  const text = textOf(entry)
  if (!text.includes(change.words.text))
    throw new Fault('conflict', `The words of the lesson were changed in ${entry.name} since; edit it, or restore an earlier version.`)
  const left = text.replace(change.words.text, '').replace(/\n{3,}/g, '\n\n')
  return withText(entry, `${left.trimEnd().endsWith(HEADING) ? left.trimEnd().slice(0, -HEADING.length).trimEnd() : left.trimEnd()}\n`)
}

const textOf = (entry: Entry): string => ('instruction' in entry ? entry.instruction : 'content' in entry ? entry.content : '')
const withText = <E extends Entry>(entry: E, text: string): E =>
  'instruction' in entry ? { ...entry, instruction: text } : { ...entry, content: text }

const habitsOf = (entry: Entry): Habits => ('habits' in entry && entry.habits ? entry.habits : Habits.parse({}))
type HabitChange = Exclude<LessonChange, { kind: 'words' }>
export function withoutHabit(habits: Habits, change: HabitChange): Habits {
  return {
    ...habits,
    limits: habits.limits.filter((one) => change.kind !== 'limit' || one.program !== change.limit.program),
    repeats: habits.repeats.filter((one) => change.kind !== 'repeat' || one.error !== change.repeat.error),
  }
}
export function withHabit(habits: Habits, change: HabitChange): Habits {
  const left = withoutHabit(habits, change)
  return change.kind === 'limit'
    ? { ...left, limits: [...left.limits, change.limit] }
    : { ...left, repeats: [...left.repeats, change.repeat] }
}
