/**
 * The door of learning: finds lessons in the history, judges them on the built-in goals in a system of its own, and lets a person keep what
 * is better. Keeping saves a new version of the tool's entry; an earlier version put back undoes it.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import { lessonLabelOf } from '../contract/label.ts'
import { type ArmFigures, Habits, type Judgement, type LessonChange, type LessonState } from '../contract/learning.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { type Found, findLessons, median } from './find.ts'
import type { SetGoal } from './goal-set.ts'
import { runsOf } from './history.ts'
import { judge } from './judge.ts'

/** A system of its own with these habits, where goals are tried. */
export type Arm = {
  /** Whether the goal ended as it should, and how long it took. */
  try(goal: SetGoal): Promise<{ done: boolean; ms: number }>
  end(): Promise<void>
}
export type Lesson = {
  id: string
  state: LessonState
  tool: string
  title: string
  why: string
  change: LessonChange
  cases: Found['cases']
  judgement: Judgement | null
  /** Version of the tool's entry that it made. */
  version: number | null
  decidedBy: string | null
  createdAt: string
  updatedAt: string
}
export type Lessons = ReturnType<typeof openLessons>

/** The tool whose calls are learnt from. */
const TOOL = 'use_terminal'
/** Tries of each goal in each arm. */
const TRIES = 5
const CASES_KEPT = 20
/** Lessons that nobody decided; more are not looked for. */
const OPEN_MOST = 50
/** No judging takes longer. */
const LONGEST_MS = 3_600_000
/** More cases than it had when it was declined bring it back. */
const AGAIN = 3

export function openLessons(parts: {
  store: Store
  registry: Registry
  goals: readonly SetGoal[]
  openArm(habits: Habits): Promise<Arm>
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

  const rowOf = async (id: string): Promise<Database['lessons']> => {
    const row = await store.db.selectFrom('lessons').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw new Fault('not_found', `There is no lesson ${JSON.stringify(id)}; the list names them.`)
    return row
  }

  /** From one of these states; another one is a Fault, because somebody was quicker. */
  async function move(id: string, from: readonly LessonState[], to: LessonState, set: Partial<Database['lessons']>, by: string | null) {
    await store.transact(
      async (tx) => {
        const row = await tx.db
          .updateTable('lessons')
          .set({ ...set, state: to, updated_at: tx.now })
          .where('id', '=', id)
          .where('state', 'in', [...from])
          .returning(['title', 'tool'])
          .executeTakeFirst()
        if (!row)
          throw new Fault(
            'conflict',
            `The lesson ${id} is "${lessonLabelOf((await rowOf(id)).state as LessonState).word}" by now; look at it again.`,
          )
        tx.record(null, { type: 'lesson.moved', lesson: id, title: row.title, tool: row.tool, state: to, by })
      },
      { durable: true },
    )
  }

  /** What was being judged is as it was found; null: all of it. */
  const putBack = (id: string | null): Promise<void> =>
    store.transact(async (tx) => {
      const open = tx.db.updateTable('lessons').set({ state: 'found', updated_at: tx.now }).where('state', '=', 'judging')
      if (id !== null) await open.where('id', '=', id).execute()
      // Where several processes work on one database another one may be at it now.
      else await open.where('updated_at', '<', tx.now - (tx.kind === 'sqlite' ? 0 : LONGEST_MS) + 1).execute()
    })

  async function entry() {
    const found = await registry.get('tool', TOOL)
    if (!found) throw new Fault('unavailable', `The tool ${TOOL} is not in the registry; restore it from its versions.`)
    const { version, author: _author, updatedAt: _at, ...body } = found
    return { version, body, habits: found.habits ?? Habits.parse({}) }
  }

  async function armOf(habits: Habits): Promise<ArmFigures[]> {
    const arm = await parts.openArm(habits)
    try {
      const figures: ArmFigures[] = []
      for (const goal of goals) {
        const tried: { done: boolean; ms: number }[] = []
        for (let n = 0; n < tries; n++) {
          stopping.signal.throwIfAborted()
          tried.push(await arm.try(goal))
        }
        const done = tried.filter((one) => one.done)
        figures.push({ goal: goal.name, tries, done: done.length, medianMs: median(done.map((one) => one.ms)) })
      }
      return figures
    } finally {
      await arm.end()
    }
  }

  /** Tries the built-in goals with the habits as they are and with the lesson: minutes. One lesson at a time. */
  async function begin(id: string, by: string): Promise<{ judged: Promise<Judgement> }> {
    if (under) throw new Fault('conflict', 'Another lesson is being judged, and both would slow each other down. Try again later.')
    const { change } = toLesson(await rowOf(id))
    await move(id, ['found', 'better', 'no_better'], 'judging', {}, by)
    const work = async (): Promise<Judgement> => {
      const { habits } = await entry()
      const before = await armOf(habits)
      const said = judge(before, await armOf(withChange(habits, change)))
      await move(id, ['judging'], said.better ? 'better' : 'no_better', { judgement: JSON.stringify(said) }, null)
      return said
    }
    const judged = work()
      .catch(async (error: unknown) => {
        await putBack(id)
        throw error
      })
      .finally(() => {
        under = null
      })
    under = judged
    return { judged }
  }

  return {
    async list(): Promise<Lesson[]> {
      return (await store.db.selectFrom('lessons').selectAll().orderBy('created_at', 'desc').orderBy('id').limit(200).execute()).map(
        toLesson,
      )
    },
    get: async (id: string): Promise<Lesson> => toLesson(await rowOf(id)),

    /** Looks through the history once. Answers how many lessons are new; what is known is not found again, unless it goes on after a no. */
    async look(): Promise<{ found: number; runs: number }> {
      const runs = await runsOf(store, TOOL)
      const { habits } = await entry()
      let found = 0
      for (const one of findLessons(runs)) {
        if (isKnown(habits, one.change)) continue
        if (await remember(one)) found++
      }
      return { found, runs: runs.length }
    },

    judge: async (id: string, by: string): Promise<Judgement> => (await begin(id, by)).judged,
    /** Begins it and answers at once; how it went is in the row, and a failure goes to `onError`. */
    async beginJudging(id: string, by: string): Promise<Lesson> {
      const { judged } = await begin(id, by)
      judged.catch(parts.onError)
      return toLesson(await rowOf(id))
    },
    /** Gives up what is being judged; it is as it was found. */
    async stop(): Promise<void> {
      stopping.abort()
      await under?.catch(() => undefined) // told to whoever began it
    },

    /** Takes effect with the next call. Only what was judged better. */
    async keep(id: string, by: string): Promise<Lesson> {
      const lesson = toLesson(await rowOf(id))
      if (lesson.state !== 'better')
        throw new Fault(
          'conflict',
          `Only a lesson that was judged better can be kept; this one is "${lessonLabelOf(lesson.state).word}". Try it first.`,
        )
      const { body, habits, version } = await entry()
      const saved = await registry.save('tool', { ...body, habits: withChange(habits, lesson.change) }, by, version, {
        kind: 'lesson',
        lesson: id,
      })
      await move(id, ['better'], 'kept', { version: saved.version, decided_by: by }, by)
      return toLesson(await rowOf(id))
    },

    async decline(id: string, by: string): Promise<Lesson> {
      await move(id, ['found', 'better', 'no_better'], 'declined', { decided_by: by }, by)
      return toLesson(await rowOf(id))
    },

    /** Takes a kept lesson out of the tool's habits again, and nothing else that was saved since. */
    async undo(id: string, by: string): Promise<Lesson> {
      const lesson = toLesson(await rowOf(id))
      if (lesson.state !== 'kept')
        throw new Fault('conflict', `Only a kept lesson can be taken back; this one is "${lessonLabelOf(lesson.state).word}".`)
      const { body, habits, version } = await entry()
      await registry.save('tool', { ...body, habits: without(habits, lesson.change) }, by, version, { kind: 'lesson', lesson: id })
      await move(id, ['kept'], 'undone', { decided_by: by }, by)
      return toLesson(await rowOf(id))
    },

    /** After a crash: what was being judged is as it was found, and its systems are gone. Only at start. */
    async recover(): Promise<void> {
      await parts.clear()
      await putBack(null)
    },
  }

  /** A new row, or more cases of an old one. True: it is to be looked at. */
  async function remember(one: Found): Promise<boolean> {
    const id = idOf(one.change)
    const cases = JSON.stringify(one.cases.slice(-CASES_KEPT))
    return store.transact(async (tx) => {
      const row = await tx.db.selectFrom('lessons').selectAll().where('id', '=', id).executeTakeFirst()
      const told = (state: LessonState) =>
        tx.record(null, { type: 'lesson.moved', lesson: id, title: one.title, tool: TOOL, state, by: null })
      const body = { title: one.title, why: one.why, change: JSON.stringify(one.change), cases, seen: one.cases.length }
      if (!row) {
        const open = await tx.db
          .selectFrom('lessons')
          .select((e) => e.fn.countAll().as('n'))
          .where('state', 'in', ['found', 'judging', 'better', 'no_better'])
          .executeTakeFirst()
        if (Number(open?.n ?? 0) >= OPEN_MOST) return false
        await tx.db
          .insertInto('lessons')
          .values({
            ...{ id, state: 'found', tool: TOOL, ...body, judgement: null, version: null, decided_by: null },
            ...{ created_at: tx.now, updated_at: tx.now },
          })
          .execute()
        told('found')
        return true
      }
      const back = (row.state === 'declined' || row.state === 'no_better') && one.cases.length >= Number(row.seen) + AGAIN
      if (back) {
        await tx.db
          .updateTable('lessons')
          .set({ ...body, state: 'found', judgement: null, updated_at: tx.now })
          .where('id', '=', id)
          .execute()
        told('found')
      } else if (row.state === 'found') await tx.db.updateTable('lessons').set(body).where('id', '=', id).execute()
      return back
    })
  }
}

/** One lesson for each thing that could be learnt, however its figures grow. */
const keyOf = (change: LessonChange): string => (change.kind === 'limit' ? change.limit.program : change.repeat.error)
const idOf = (change: LessonChange): string =>
  `ls_${createHash('sha256')
    .update(`${change.kind}\n${keyOf(change)}`)
    .digest('hex')
    .slice(0, 12)}`

function isKnown(habits: Habits, change: LessonChange): boolean {
  if (change.kind === 'repeat') return habits.repeats.some((one) => one.error === change.repeat.error)
  return habits.limits.some((one) => one.program === change.limit.program && one.seconds >= change.limit.seconds)
}
function without(habits: Habits, change: LessonChange): Habits {
  return {
    limits: habits.limits.filter((one) => change.kind !== 'limit' || one.program !== change.limit.program),
    repeats: habits.repeats.filter((one) => change.kind !== 'repeat' || one.error !== change.repeat.error),
  }
}
function withChange(habits: Habits, change: LessonChange): Habits {
  const { limits, repeats } = without(habits, change)
  return change.kind === 'limit' ? { limits: [...limits, change.limit], repeats } : { limits, repeats: [...repeats, change.repeat] }
}

const iso = (ms: number): string => new Date(Number(ms)).toISOString()
const toLesson = (row: Database['lessons']): Lesson => ({
  id: row.id,
  state: row.state as LessonState,
  tool: row.tool,
  title: row.title,
  why: row.why,
  change: JSON.parse(row.change) as LessonChange,
  cases: JSON.parse(row.cases) as Found['cases'],
  judgement: row.judgement === null ? null : (JSON.parse(row.judgement) as Judgement),
  version: row.version === null ? null : Number(row.version),
  decidedBy: row.decided_by,
  createdAt: iso(row.created_at),
  updatedAt: iso(row.updated_at),
})
