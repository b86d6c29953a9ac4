/** Takes away the work trees of tasks that are over. */
import { existsSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { emptyIfMissing } from '../exec/errno.ts'
import { isThere, removeFolder } from './folders.ts'
import { NETWORK_MS } from './run.ts'
import type { Repositories } from './shapes.ts'
import type { Note, Place, Shelf } from './shelf.ts'

/**
 * Unlocks work trees of tasks that are over, and removes those whose work is merged or kept as a branch. One with changes that are in no
 * commit stays and is told of.
 */
export async function tidy(shelf: Shelf, isOver: (taskId: string) => Promise<boolean>, only?: string): ReturnType<Repositories['tidy']> {
  const { root, names, commonOf, noteOf, stateOf, alone } = shelf
  const removed: string[] = []
  const stay: { task: string; folder: string; why: string }[] = []
  // Most goals never clone anything, and asking is a hundred times cheaper than a read that fails.
  if (only !== undefined && !existsSync(join(root, only))) return { removed, stay }
  for (const treeId of only === undefined ? await readdir(root).catch(emptyIfMissing) : [only]) {
    for (const leftover of await readdir(join(root, treeId)).catch(emptyIfMissing)) {
      // What a clone left behind that did not come to its end.
      if (leftover.startsWith('.tmp-') && (await ageOf(shelf, join(root, treeId, leftover))) > NETWORK_MS)
        await rm(join(root, treeId, leftover), { recursive: true, force: true })
    }
    for (const name of await names(treeId)) {
      const common = commonOf(treeId, name)
      for (const task of await readdir(join(common, 'worktrees')).catch(emptyIfMissing)) {
        const admin = join(common, 'worktrees', task)
        const note = await noteOf(admin)
        if (!note || !(await isOver(task))) continue
        await rm(join(admin, 'locked'), { force: true })
        const place: Place = { repository: name, common, admin, state: stateOf(treeId, name, task), tree: note.tree, note }
        const why = await alone(common, () => reasonToStay(shelf, place))
        if (why === null) removed.push(note.tree)
        else stay.push({ task, folder: note.tree, why })
      }
    }
  }
  return { removed, stay }
}

/** Removes the work tree and answers null, or says why it stays. */
async function reasonToStay(shelf: Shelf, place: Place): Promise<string | null> {
  const { common, admin, note, state } = place
  if (await isThere(place.tree)) {
    const changes = await shelf.changesOf(place).catch((error: unknown) => {
      if (error instanceof Fault) return null // a broken index, a folder that is none any more: a person looks at it
      throw error
    })
    if (changes === null) return 'it cannot be read as a work tree'
    if (changes.length > 0) return `${changes.length} ${changes.length === 1 ? 'file has' : 'files have'} changes that are in no commit`
    if (!note.kept && !(await isMerged(shelf, common, admin, note))) return `its branch ${note.branch} is merged nowhere`
    await removeFolder(place.tree, shelf.options.runAs)
  }
  await rm(admin, { recursive: true, force: true })
  await rm(state, { recursive: true, force: true })
  return null
}
async function isMerged({ hashOf, inCommon }: Shelf, common: string, admin: string, note: Note): Promise<boolean> {
  const head = await hashOf(admin, 'HEAD')
  const { text } = await inCommon(common, ['for-each-ref', '--format=%(refname:short)', `--contains=${head}`, 'refs/heads'])
  const others = text.split('\n').filter((line) => line !== '' && line !== note.branch)
  // Nothing of its own: every branch that it began from holds it.
  return others.length > 0 && (head !== note.start || note.task.includes('.'))
}

async function ageOf({ now }: Shelf, path: string): Promise<number> {
  const found = await lstat(path).catch(() => null) // gone: nothing to wait for
  return found ? now() - found.mtimeMs : 0
}
