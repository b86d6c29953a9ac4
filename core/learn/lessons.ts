/**
 * The door of learning: finds lessons in the history, judges them on the built-in goals in a system of its own, and lets a person keep what
 * is better. Words for instructions and documents are drafted and stay untested until a live model has run both arms; a person may keep them
 * so. Keeping saves a new version of the entry; undoing takes just the lesson out of it again.
 */
import { Fault } from '../contract/fault.ts'
import { lessonLabelOf } from '../contract/label.ts'
import { type ArmFigures, Habits, type Judgement, type LessonChange, type LessonState, type Words } from '../contract/learning.ts'
import type { EntryOf, RegistryKind } from '../contract/registry.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import { isIn, targetOf, withHabit, withLesson, withoutLesson } from './change-entry.ts'
import { type Found, findLessons, median } from './find.ts'
import { findWords } from './find-words.ts'
import type { SetGoal } from './goal-set.ts'
import { runsOf } from './history.ts'
import { judge } from './judge.ts'
import { firstState, type Lesson, lessonOf, lessonsIn, move, putBack, remember } from './lesson-rows.ts'
import { judgeLive, type Live, pastTasks } from './live.ts'
import { pastGoals } from './past-goals.ts'
import { saidIn } from './said.ts'

/** A system of its own with these habits, where goals are tried. */
export type Arm = {
  /** Whether the goal ended as it should, and how long it took. */
  try(goal: SetGoal): Promise<{ done: boolean; ms: number }>
  end(): Promise<void>
}
export type Lessons = ReturnType<typeof openLessons>

/** The tool whose calls are learnt from. */
const TOOL = 'use_terminal'
/** Tries of each goal in each arm. */
const TRIES = 5
/** No judging takes longer. */
const LONGEST_MS = 3_600_000

/** Words may be kept untested: a person has read them. */
const keepable = (change: LessonChange): readonly LessonState[] =>
  change.kind === 'words' ? ['untested', 'better', 'no_better'] : ['better']

export function openLessons(parts: {
  store: Store
  registry: Registry
  goals: readonly SetGoal[]
  openArm(habits: Habits): Promise<Arm>
  /** What tries words, where a model that can judge drives the agents. */
  live: Live
  /** Removes what arms left behind that a crash cut off. */
  clear(): Promise<void>
  tries?: number
  /** Told of a judging that could not be carried through. */
  onError(error: unknown): void
}) {
  const { store, registry, goals } = parts
  const tries = parts.tries ?? TRIES
  const stopping = new AbortController()
  let under: Promise<Judgement> | null = null

  const get = (id: string): Promise<Lesson> => lessonOf(store, id)

  async function entryOf<K extends RegistryKind>(kind: K, name: string): Promise<{ version: number; body: EntryOf[K] }> {
    const found = await registry.get(kind, name)
    if (!found) throw new Fault('unavailable', `The ${kind} ${name} is not in the registry; restore it from its versions.`)
    const { version, author: _author, updatedAt: _at, ...body } = found
    return { version, body: body as unknown as EntryOf[K] }
  }

  /** Saves what becomes of the entry that a lesson is for. Answers the version. */
  async function save({ id, change }: Lesson, by: string, how: <E extends EntryOf[RegistryKind]>(entry: E, change: LessonChange) => E) {
    const { kind, name } = targetOf(change, TOOL)
    const { body, version } = await entryOf(kind, name)
    return (await registry.save(kind, how(body, change), by, version, { kind: 'lesson', lesson: id })).version
  }

  async function armOf(habits: Habits, goals: readonly SetGoal[]): Promise<ArmFigures[]> {
    const arm = await parts.openArm(habits)
    try {
      const figures: ArmFigures[] = []
      for (const goal of goals) {
        const tried: { done: boolean; ms: number }[] = []
        const most = Math.min(tries, goal.tries ?? tries)
        for (let n = 0; n < most; n++) {
          stopping.signal.throwIfAborted()
          tried.push(await arm.try(goal))
        }
        const done = tried.filter((one) => one.done)
        figures.push({ goal: goal.name, tries: most, done: done.length, medianMs: median(done.map((one) => one.ms)) })
      }
      return figures
    } finally {
      await arm.end()
    }
  }

  /** Both arms of a lesson whose effect needs no model. */
  async function onGoalSet(change: Exclude<LessonChange, { kind: 'words' }>, cases: Lesson['cases']): Promise<Judgement> {
    const habits = (await entryOf('tool', TOOL)).body.habits ?? Habits.parse({})
    // No built-in goal can wait as long as a limit lasts; those that it cut off can tell.
    const all = change.kind === 'limit' ? [...goals, ...(await pastGoals(store, cases, change.limit.seconds))] : goals
    const before = await armOf(habits, all)
    return judge(before, await armOf(withHabit(habits, change), all))
  }

  /** Both arms of words: past tasks, for at most so many dollars. The draft has them in its instruction, also where they are for a document. */
  async function onLiveModel(words: Words, cases: Lesson['cases'], by: string, dollars: number): Promise<Judgement> {
    const arms = async (name: string) => {
      const before = (await entryOf('agent', name)).body
      return { before, after: withLesson(before, { kind: 'words', words }) }
    }
    return judgeLive({ live: parts.live, tasks: await pastTasks(store, cases), arms, dollars, by, signal: stopping.signal })
  }

  /** Tries what the lesson is for without and with it: minutes. One lesson at a time. `dollars`: what a live model may cost, for words. */
  async function begin(id: string, by: string, dollars: number | undefined): Promise<{ judged: Promise<Judgement> }> {
    if (under) throw new Fault('conflict', 'Another lesson is being judged, and both would slow each other down. Try again later.')
    const { change, cases } = await get(id)
    if (change.kind === 'words') {
      const missing = parts.live.missing()
      if (missing !== null)
        throw new Fault(
          'conflict',
          `No built-in goal can tell what words do to a model, and ${missing} Read them, and keep or decline them.`,
        )
      if (dollars === undefined)
        throw new Fault('invalid', 'Words are tried with a live model, which costs money: say how many dollars at most.')
    }
    await move(store, id, [firstState(change), 'better', 'no_better'], 'judging', {}, by)
    const work = async (): Promise<Judgement> => {
      const said = await (change.kind === 'words' ? onLiveModel(change.words, cases, by, dollars!) : onGoalSet(change, cases))
      await move(store, id, ['judging'], said.better ? 'better' : 'no_better', { judgement: JSON.stringify(said) }, null)
      return said
    }
    const judged = work()
      .catch(async (error: unknown) => {
        await putBack(store, id, LONGEST_MS)
        throw error
      })
      .finally(() => {
        under = null
      })
    under = judged
    return { judged }
  }

  /** What could stand in instructions and documents, from what was said in the history. */
  async function words(): Promise<Found[]> {
    const [agents, documents, tools, known] = await Promise.all([
      registry.list('agent'),
      registry.list('document'),
      registry.list('tool'),
      lessonsIn(store),
    ])
    const watchers = agents.filter((agent) => agent.watcher)
    // Who is judged does not move the mark: what judges and watches agents, and what these work by, is a person's to change.
    const theirs = new Set(watchers.flatMap((agent) => agent.documents))
    const said = await saidIn(
      store,
      watchers.map((agent) => agent.name),
      tools.filter((tool) => tool.name !== TOOL).map((tool) => tool.name),
    )
    return findWords(said, {
      readers: agents.filter((agent) => !agent.watcher),
      open: documents.map((document) => document.name).filter((name) => !theirs.has(name)),
      known: known.flatMap(({ change }): Words[] => (change.kind === 'words' ? [change.words] : [])),
    })
  }

  return {
    list: (): Promise<Lesson[]> => lessonsIn(store),
    get,

    /** Looks through the history once. Answers how many lessons are new; what is known is not found again, unless it goes on after a no. */
    async look(): Promise<{ found: number; runs: number }> {
      const runs = await runsOf(store, TOOL)
      let found = 0
      for (const one of [...findLessons(runs), ...(await words())]) {
        const { kind, name } = targetOf(one.change, TOOL)
        const entry = await registry.get(kind, name)
        if (!entry || isIn(entry, one.change)) continue
        if (await remember(store, one, name)) found++
      }
      return { found, runs: runs.length }
    },

    judge: async (id: string, by: string, dollars?: number): Promise<Judgement> => (await begin(id, by, dollars)).judged,
    /** Begins it and answers at once; how it went is in the row, and a failure goes to `onError`. */
    async beginJudging(id: string, by: string, dollars?: number): Promise<Lesson> {
      const { judged } = await begin(id, by, dollars)
      judged.catch(parts.onError)
      return get(id)
    },
    /** Gives up what is being judged; it is as it was found. */
    async stop(): Promise<void> {
      stopping.abort()
      await under?.catch(() => undefined) // told to whoever began it
    },

    /** Takes effect with the next call or task. Only what was judged better, or words that a person has read. */
    async keep(id: string, by: string): Promise<Lesson> {
      const lesson = await get(id)
      if (!keepable(lesson.change).includes(lesson.state))
        throw new Fault(
          'conflict',
          `Only a lesson that was judged better can be kept; this one is "${lessonLabelOf(lesson.state).word}". Try it first.`,
        )
      const version = await save(lesson, by, withLesson)
      await move(store, id, [lesson.state], 'kept', { version, decided_by: by }, by)
      return get(id)
    },

    async decline(id: string, by: string): Promise<Lesson> {
      await move(store, id, ['found', 'untested', 'better', 'no_better'], 'declined', { decided_by: by }, by)
      return get(id)
    },

    /** Takes a kept lesson out of its entry again, and nothing else that was saved since. */
    async undo(id: string, by: string): Promise<Lesson> {
      const lesson = await get(id)
      if (lesson.state !== 'kept')
        throw new Fault('conflict', `Only a kept lesson can be taken back; this one is "${lessonLabelOf(lesson.state).word}".`)
      await save(lesson, by, withoutLesson)
      await move(store, id, ['kept'], 'undone', { decided_by: by }, by)
      return get(id)
    },

    /** After a crash: what was being judged is as it was found, and its systems are gone. Only at start. */
    async recover(): Promise<void> {
      await parts.clear()
      await putBack(store, null, LONGEST_MS)
    },
  }
}
