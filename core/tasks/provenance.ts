/**
 * Whose words are in a file: the tasks that wrote it, from the list of file changes. Their taint as it is now goes to whoever reads the file
 * (docs/decisions/0006). Errs to the marked side: all who wrote a file since it was made count, also when the last of them wrote it whole.
 * Not known here: folders that the list leaves out (node_modules, .git), names of files, and what comes out of a repository.
 */
import { sql } from 'kysely'
import { joinTaint, type Taint } from '../contract/policy.ts'
import type { Store } from '../store/store.ts'

/** What a call has read, as paths in the tree's folder. `''` is the whole of it. */
export type Touched = { files: Iterable<string>; folders: Iterable<string> }
export type Writing = { path: string; taskId: string; by: string; callId: string; made: boolean; gone: boolean }

/** More files than this that a marked task may have written are not looked at one by one. */
const MOST_FILES = 200

/**
 * The agents' tasks that a file is of; `newestFirst` is its history. A file that a person sent, or that was made anew, begins anew; what a
 * person put back does not, because what it holds was written by somebody before. Pure.
 */
export function writersOf(newestFirst: readonly Writing[]): string[] {
  const writers = new Set<string>()
  for (const [i, row] of newestFirst.entries()) {
    if (row.by === 'agent') {
      if (i === 0 && row.gone) return []
      writers.add(row.taskId)
      if (row.made) break
    } else if (isUpload(row.callId)) break
  }
  return [...writers]
}
const isUpload = (callId: string): boolean => /\/upload-[0-9a-f]{8}$/.test(callId)

/** What a reader of these is marked with. `underWay`: tasks that change one of these folders just now. */
export async function taintOfFiles(
  store: Store,
  treeId: string,
  touched: Touched,
  underWay: readonly { taskId: string; folder: string }[],
): Promise<Taint[]> {
  const files = [...new Set(touched.files)]
  const folders = [...new Set(touched.folders)]
  if (files.length === 0 && folders.length === 0) return []
  const inside = (path: string) => files.includes(path) || folders.some((folder) => isBelow(path, folder))
  // Most trees have no marked task that wrote anything: one question, and no more.
  const suspects = await store.db
    .selectFrom('file_changes as c')
    .innerJoin('tasks as t', 't.id', 'c.task_id')
    .select(['c.path', 't.taint'])
    .distinct()
    .where('c.tree_id', '=', treeId)
    .where('c.by', '=', 'agent')
    .where('t.taint', '<>', '[]')
    .where((e) =>
      e.or([
        // A folder that was too large to look at: any file may have changed.
        e('c.path', '=', ''),
        ...(files.length > 0 && files.length <= MOST_FILES ? [e('c.path', 'in', files)] : []),
        ...(files.length > MOST_FILES ? [sql<boolean>`1 = 1`] : []),
        ...folders.map((folder) =>
          folder === '' ? sql<boolean>`1 = 1` : e.and([e('c.path', '>', `${folder}/`), e('c.path', '<', `${folder}0`)]),
        ),
      ]),
    )
    .execute()
  const opaque = suspects.filter(({ path }) => path === '')
  const paths = [...new Set(suspects.map(({ path }) => path))].filter((path) => path !== '' && inside(path))
  const busy = underWay.filter(({ folder }) => files.some((path) => isBelow(path, folder)) || folders.some((one) => overlap(one, folder)))
  const direct = opaque.map(({ taint }) => read(taint))
  if (paths.length > MOST_FILES) {
    direct.push(...suspects.map(({ taint }) => read(taint)))
    paths.length = 0
  }
  const writers = new Set(busy.map(({ taskId }) => taskId))
  for (const path of paths) for (const taskId of writersOf(await historyOf(store, treeId, path))) writers.add(taskId)
  return joinTaint(...direct, ...(await taintsOf(store, [...writers])))
}

async function historyOf(store: Store, treeId: string, path: string): Promise<Writing[]> {
  const rows = await store.db
    .selectFrom('file_changes')
    .select(['path', 'task_id', 'by', 'call_id', 'before_hash', 'after_hash'])
    .where('tree_id', '=', treeId)
    .where('path', '=', path)
    .orderBy('n', 'desc')
    .execute()
  return rows.map((row) => ({
    path: row.path,
    taskId: row.task_id,
    by: row.by,
    callId: row.call_id,
    made: row.before_hash === null,
    gone: row.after_hash === null,
  }))
}

async function taintsOf(store: Store, ids: readonly string[]): Promise<Taint[][]> {
  if (ids.length === 0) return []
  const rows = await store.db
    .selectFrom('tasks')
    .select('taint')
    .distinct()
    .where('id', 'in', [...ids])
    .execute()
  return rows.map(({ taint }) => read(taint))
}

const read = (taint: string): Taint[] => JSON.parse(taint) as Taint[]
const isBelow = (path: string, folder: string): boolean => folder === '' || path.startsWith(`${folder}/`)
const overlap = (a: string, b: string): boolean => a === b || isBelow(a, b) || isBelow(b, a)
