/** Lessons as rows: what is known of each, and the moves from one state to the next with the fact that tells of it. */
import { createHash } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import { lessonLabelOf } from '../contract/label.ts'
import type { Judgement, LessonChange, LessonState } from '../contract/learning.ts'
import type { Store } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import type { Found } from './find.ts'

export type Lesson = {
  id: string
  state: LessonState
  /** Name of the tool, agent or document that it changes. */
  tool: string
  title: string
  why: string
  change: LessonChange
  cases: Found['cases']
  judgement: Judgement | null
  /** Version of the entry that it made. */
  version: number | null
  decidedBy: string | null
  createdAt: string
  updatedAt: string
}

const CASES_KEPT = 20
/** Lessons that nobody decided; more are not looked for. */
const OPEN_MOST = 50
const OPEN: readonly LessonState[] = ['found', 'untested', 'judging', 'better', 'no_better']
/** More cases than it had when it was declined bring it back. */
const AGAIN = 3

/** What it is before anybody did anything with it. */
export const firstState = (change: LessonChange): LessonState => (change.kind === 'words' ? 'untested' : 'found')

export async function lessonOf(store: Store, id: string): Promise<Lesson> {
  const row = await store.db.selectFrom('lessons').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new Fault('not_found', `There is no lesson ${JSON.stringify(id)}; the list names them.`)
  return toLesson(row)
}

/** Newest first. */
export async function lessonsIn(store: Store): Promise<Lesson[]> {
  return (await store.db.selectFrom('lessons').selectAll().orderBy('created_at', 'desc').orderBy('id').limit(200).execute()).map(toLesson)
}

/** From one of these states; another one is a Fault, because somebody was quicker. */
export async function move(
  store: Store,
  id: string,
  from: readonly LessonState[],
  to: LessonState,
  set: Partial<Database['lessons']>,
  by: string | null,
): Promise<void> {
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
          `The lesson ${id} is "${lessonLabelOf((await lessonOf(store, id)).state).word}" by now; look at it again.`,
        )
      tx.record(null, { type: 'lesson.moved', lesson: id, title: row.title, tool: row.tool, state: to, by })
    },
    { durable: true },
  )
}

/** What was being judged is as it was at first; null: all that nobody can be at any more. `longest`: milliseconds that a judging takes. */
export async function putBack(store: Store, id: string | null, longest: number): Promise<void> {
  await store.transact(async (tx) => {
    let ask = tx.db.selectFrom('lessons').select(['id', 'change']).where('state', '=', 'judging')
    if (id !== null) ask = ask.where('id', '=', id)
    // Where several processes work on one database another one may be at it now.
    else ask = ask.where('updated_at', '<', tx.now - (tx.kind === 'sqlite' ? 0 : longest) + 1)
    for (const row of await ask.execute())
      await tx.db
        .updateTable('lessons')
        .set({ state: firstState(JSON.parse(row.change) as LessonChange), updated_at: tx.now })
        .where('id', '=', row.id)
        .execute()
  })
}

/** A new row, or more cases of an old one. True: it is to be looked at. `target`: name of what it changes. */
export async function remember(store: Store, one: Found, target: string): Promise<boolean> {
  const id = idOf(one.change)
  const first = firstState(one.change)
  const cases = JSON.stringify(one.cases.slice(-CASES_KEPT))
  return store.transact(async (tx) => {
    const row = await tx.db.selectFrom('lessons').selectAll().where('id', '=', id).executeTakeFirst()
    const told = () => tx.record(null, { type: 'lesson.moved', lesson: id, title: one.title, tool: target, state: first, by: null })
    const body = { title: one.title, why: one.why, change: JSON.stringify(one.change), cases, seen: one.cases.length }
    if (!row) {
      const open = await tx.db
        .selectFrom('lessons')
        .select((e) => e.fn.countAll().as('n'))
        .where('state', 'in', [...OPEN])
        .executeTakeFirst()
      if (Number(open?.n ?? 0) >= OPEN_MOST) return false
      await tx.db
        .insertInto('lessons')
        .values({
          ...{ id, state: first, tool: target, ...body, judgement: null, version: null, decided_by: null },
          ...{ created_at: tx.now, updated_at: tx.now },
        })
        .execute()
      told()
      return true
    }
    const back = (row.state === 'declined' || row.state === 'no_better') && one.cases.length >= Number(row.seen) + AGAIN
    if (back) {
      await tx.db
        .updateTable('lessons')
        .set({ ...body, state: first, judgement: null, updated_at: tx.now })
        .where('id', '=', id)
        .execute()
      told()
    } else if (row.state === first) await tx.db.updateTable('lessons').set(body).where('id', '=', id).execute()
    return back
  })
}

/** One lesson for each thing that could be learnt, however its figures grow. */
function keyOf(change: LessonChange): string {
  if (change.kind === 'limit') return change.limit.program
  if (change.kind === 'repeat') return change.repeat.error
  const { target, sign, key } = change.words
  return `${target.kind}\n${target.name}\n${sign}\n${key}`
}
const idOf = (change: LessonChange): string =>
  `ls_${createHash('sha256')
    .update(`${change.kind}\n${keyOf(change)}`)
    .digest('hex')
    .slice(0, 12)}`

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
