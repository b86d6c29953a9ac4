/** Which files of a change a person has looked at. A mark is of the file as it was seen: one that is changed again is to be looked at again. */
import type { ViewedFile } from '../contract/api-changes.ts'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'
import { changeOf } from './rows.ts'

/** Whose mark it is, and how facts name them. */
export type Person = { userId: string; name: string }

/**
 * Marks of one person in a change, by path. What was refused and is handed in again by the same task is another change, so marks of that
 * task's changes count together, the newest of each file: only what differs is to be looked at again.
 */
export async function viewsOf(store: Pick<Store, 'db'>, changeId: string, { userId }: Pick<Person, 'userId'>): Promise<ViewedFile[]> {
  const marks = await store.db
    .selectFrom('change_views')
    .select(['path', 'hash'])
    .where('change_id', 'in', await togetherWith(store.db, changeId))
    .where('user_id', '=', userId)
    .orderBy('at')
    .execute()
  const newest = new Map(marks.map(({ path, hash }) => [path, hash]))
  return [...newest].map(([path, hash]) => ({ path, hash })).sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * Sets (`viewed`) or takes away the marks of these files, and answers all marks of that person there. Only files that the change touches can
 * be marked; of a mark that is taken away the hash is not asked. Doing it again changes nothing and tells nothing.
 */
export async function setViews(
  store: Store,
  changeId: string,
  person: Person,
  { files, viewed }: { files: readonly ViewedFile[]; viewed: boolean },
): Promise<ViewedFile[]> {
  return store.transact(async (tx) => {
    const ids = await togetherWith(tx.db, changeId)
    const row = await changeOf(tx.db, changeId)
    const known = new Set((JSON.parse(row?.files ?? '[]') as { path: string }[]).map(({ path }) => path))
    const strange = viewed ? files.find(({ path }) => !known.has(path)) : undefined
    if (strange)
      throw new Fault(
        'unprocessable',
        `The change does not touch ${JSON.stringify(strange.path)} any more; read the page again and mark what it shows.`,
      )
    const now = new Map((await viewsOf(tx, changeId, person)).map(({ path, hash }) => [path, hash]))
    const other = files.filter(({ path, hash }) => (viewed ? now.get(path) !== hash : now.has(path)))
    if (other.length === 0) return viewsOf(tx, changeId, person)
    const paths = [...new Set(other.map(({ path }) => path))]
    await tx.db
      .deleteFrom('change_views')
      .where('change_id', 'in', ids)
      .where('user_id', '=', person.userId)
      .where('path', 'in', paths)
      .execute()
    if (viewed) {
      const hashes = new Map(other.map(({ path, hash }) => [path, hash]))
      const marks = paths.map((path) => ({ change_id: changeId, user_id: person.userId, path, hash: hashes.get(path)!, at: tx.now }))
      await tx.db.insertInto('change_views').values(marks).execute()
    }
    tx.record(null, { type: 'change.viewed', changeId, paths, viewed, by: person.name })
    return viewsOf(tx, changeId, person)
  })
}

/** The change and the others that its task handed in. */
async function togetherWith(db: Store['db'], changeId: string): Promise<string[]> {
  const row = await changeOf(db, changeId)
  if (!row) throw new Fault('not_found', `There is no change ${JSON.stringify(changeId)}.`)
  if (row.task_id === null) return [row.id]
  const rows = await db.selectFrom('changes').select('id').where('task_id', '=', row.task_id).execute()
  return rows.map(({ id }) => id)
}
