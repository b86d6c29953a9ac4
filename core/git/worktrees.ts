/** The work trees of one task: found by the name of their repository, or made in the task's workspace. */
import { randomUUID } from 'node:crypto'
import { chmod, lstat, mkdir, realpath, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { isThere, plainId, relativeTo } from './folders.ts'
import { repositoryName } from './names.ts'
import type { Asker, Worktree } from './shapes.ts'
import type { Place, Shelf } from './shelf.ts'

/** As an old value of a reference: there is none yet. */
export const NONE = '0'.repeat(40)

export type Worktrees = ReturnType<typeof worktreesOf>

/** Finds and makes the work trees of the task that asks; what is not there is a Fault that says how to get it. */
export function worktreesOf(shelf: Shelf, asker: Asker) {
  const { names, commonOf, noteOf, stateOf, treeFolder, hashOf, inCommon, inTree, freshState, headBranch } = shelf
  const { treeId, taskId } = asker
  const ownBranch = `agent/${plainId(taskId)}`

  async function commonNamed(given: string | undefined): Promise<{ repository: string; common: string }> {
    const there = await names(treeId)
    if (given !== undefined) {
      const repository = repositoryName(given)
      if (!there.includes(repository))
        throw new Fault(
          'not_found',
          `This goal has no repository "${repository}"; ${there.length > 0 ? `it has ${there.join(', ')}` : 'clone one first'}.`,
        )
      return { repository, common: commonOf(treeId, repository) }
    }
    if (there.length === 0) throw new Fault('not_found', 'This goal has no repository yet; {"operation":"clone"} brings one.')
    if (there.length > 1) throw new Fault('invalid', `This goal has several repositories; name one as "repository": ${there.join(', ')}.`)
    return { repository: there[0]!, common: commonOf(treeId, there[0]!) }
  }
  async function placeOf(given: string | undefined): Promise<Place> {
    const place = await placeIfAny(given)
    if (place) return place
    throw new Fault('conflict', 'You have no work tree of this repository yet; {"operation":"worktree"} makes one in your workspace.')
  }
  async function placeIfAny(given: string | undefined): Promise<Place | null> {
    const { repository, common } = await commonNamed(given)
    const admin = join(common, 'worktrees', taskId)
    const note = await noteOf(admin)
    if (!note) return null
    const place = { repository, common, admin, state: stateOf(treeId, repository, taskId), tree: note.tree, note }
    await mustBeFolder(place)
    return place
  }
  /** Git is not led elsewhere by a link in the place of the folder. */
  async function mustBeFolder(place: Place): Promise<void> {
    const found = await lstat(place.tree).catch(() => null) // gone: told below
    if (!found?.isDirectory() || (await realpath(place.tree)) !== join(await realpath(dirname(place.tree)), basename(place.tree)))
      throw new Fault(
        'conflict',
        `The work tree ${basename(place.tree)} is no folder any more; put it back, or work in another repository.`,
      )
    await asker.files.existing(relativeTo(await asker.folder(), place.tree))
  }

  async function makeWorktree(repository: string, common: string, from: string | undefined): Promise<Worktree> {
    const admin = join(common, 'worktrees', plainId(taskId))
    const state = stateOf(treeId, repository, taskId)
    let note = await noteOf(admin)
    const created = note === null
    if (!note) {
      const start = await hashOf(common, from ?? (await nearestBranch(common)))
      const { code } = await inCommon(common, ['rev-parse', '--verify', '--quiet', `refs/heads/${ownBranch}`], { fine: [1] })
      if (code === 1) await inCommon(common, ['update-ref', '-m', `worktree: of task ${taskId}`, `refs/heads/${ownBranch}`, start, NONE])
      const workspace = await asker.folder()
      note = { task: taskId, tree: join(workspace, await freeFolder(repository)), branch: ownBranch, start, kept: false }
      const draft = join(treeFolder(treeId), `.tmp-${randomUUID()}`)
      await mkdir(draft)
      await chmod(draft, 0o755)
      await writeFile(join(draft, 'HEAD'), `ref: refs/heads/${ownBranch}\n`)
      await writeFile(join(draft, 'commondir'), '../..\n')
      await writeFile(join(draft, 'gitdir'), `${join(note.tree, '.git')}\n`)
      await writeFile(join(draft, 'locked'), `task ${taskId}\n`)
      await writeFile(join(draft, 'banyan.json'), JSON.stringify(note))
      await mkdir(join(common, 'worktrees'), { recursive: true })
      await rename(draft, admin)
    }
    // From here on the same call again goes on where it was cut off: the index is written last.
    if (!(await isThere(join(state, 'index')))) {
      await freshState(state)
      const folder = relativeTo(await asker.folder(), note.tree)
      await asker.files.write(`${folder}/.git`, `gitdir: ${admin}\n`)
      const place = { repository, common, admin, state, tree: note.tree, note }
      await mustBeFolder(place)
      await inTree(place, ['read-tree', '--reset', '-u', 'HEAD'])
    }
    return { repository, branch: await headBranch(admin), folder: basename(note.tree), created }
  }
  /** The branch of the task above that has one; else where the repository itself stands. */
  async function nearestBranch(common: string): Promise<string> {
    for (let id = taskId; id.includes('.'); ) {
      id = id.slice(0, id.lastIndexOf('.'))
      const { code } = await inCommon(common, ['rev-parse', '--verify', '--quiet', `refs/heads/agent/${id}`], { fine: [1] })
      if (code === 0) return `agent/${id}`
    }
    return 'HEAD'
  }
  async function freeFolder(name: string): Promise<string> {
    const last = taskId.split('.').at(-1)!
    for (const one of [name, `${name}-${last}`, ...Array.from({ length: 50 }, (_, i) => `${name}-${last}-${i + 2}`)]) {
      const taken = await asker.files.existing(one).then(
        () => true,
        (error: unknown) => {
          if (error instanceof Fault && error.code === 'not_found') return false
          if (error instanceof Fault) return true
          throw error
        },
      )
      if (!taken) return one
    }
    throw new Fault('conflict', `Your workspace has no free place for a folder "${name}"; remove or rename what stands there.`)
  }

  return { ownBranch, commonNamed, placeOf, placeIfAny, makeWorktree }
}
