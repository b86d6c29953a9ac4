/** What a task may change in the repositories of its goal: one change of a repository at a time. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { plainId } from './folders.ts'
import { authorName, branchName, commitMessage, pathInTree, revision } from './names.ts'
import { farEnd, NETWORK_MS } from './run.ts'
import { type Asker, LISTED, type TaskGit } from './shapes.ts'
import type { Place, Shelf } from './shelf.ts'
import { NONE, type Worktrees } from './worktrees.ts'

type Writing = Pick<TaskGit, 'worktree' | 'keep' | 'branch' | 'checkout' | 'commit' | 'merge' | 'restore' | 'push'>

export function writing(shelf: Shelf, asker: Asker, worktrees: Worktrees): Writing {
  const {
    options,
    now,
    git,
    alone,
    noteOf,
    saveNote,
    headBranch,
    hashOf,
    changesOf,
    inTree,
    inCommon,
    take,
    giveAway,
    isAncestor,
    mergeTree,
  } = shelf
  const { taskId } = asker
  const { ownBranch, commonNamed, placeOf, placeIfAny, makeWorktree } = worktrees

  async function originOf(common: string): Promise<string | null> {
    const { text, code } = await inCommon(common, ['config', '--local', '--get', 'remote.origin.url'], { fine: [1] })
    return code === 0 ? text.trim() : null
  }
  async function freshObjects(place: Place): Promise<void> {
    await rm(join(place.state, 'objects'), { recursive: true, force: true })
    await mkdir(join(place.state, 'objects'))
    await giveAway(join(place.state, 'objects'))
    // What an earlier commit that was cut off had put into the index is not what is wanted now.
    await inTree(place, ['read-tree', '--reset', 'HEAD'])
  }
  async function commitTree(place: Place, tree: string, parents: readonly string[], message: string): Promise<string> {
    const name = authorName(asker.agent)
    const email = `${plainId(taskId)}@banyan.invalid`
    const date = `@${Math.floor(now() / 1_000)} +0000`
    const { text } = await git.run({
      dir: place.admin,
      args: ['commit-tree', tree, ...parents.flatMap((hash) => ['-p', hash]), '-F', '-'],
      stdin: message,
      env: {
        GIT_AUTHOR_NAME: name,
        GIT_AUTHOR_EMAIL: email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: name,
        GIT_COMMITTER_EMAIL: email,
        GIT_COMMITTER_DATE: date,
      },
    })
    return text.trim()
  }
  async function mustBeClean(place: Place, word: string): Promise<void> {
    const changed = (await changesOf(place)).filter((change) => change.what !== 'new')
    if (changed.length > 0)
      throw new Fault(
        'conflict',
        `Your work tree has changes in ${changed.length === 1 ? `"${changed[0]!.path}"` : `${changed.length} files`}, so it is not ${word}; commit or restore them first.`,
      )
    // What only looks changed (another owner, another time) would keep git from writing over it.
    await inTree(place, ['update-index', '-q', '--refresh'], { fine: [1] })
  }

  return {
    async worktree(given, from) {
      const { repository, common } = await commonNamed(given)
      const start = from === undefined ? undefined : revision(from)
      return alone(common, () => makeWorktree(repository, common, start))
    },

    async keep(given) {
      const place = await placeOf(given)
      return alone(place.common, async () => {
        const branch = await headBranch(place.admin)
        await saveNote(place.admin, { ...place.note, kept: true })
        return { branch }
      })
    },

    async branch(name, from, given) {
      const { common } = await commonNamed(given)
      const dir = (await placeIfAny(given))?.admin ?? common
      const branch = branchName(name)
      const hash = await hashOf(dir, revision(from ?? 'HEAD'))
      return alone(common, async () => {
        const { code, text } = await inCommon(common, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], { fine: [1] })
        if (code === 0 && text.trim() === hash) return { hash }
        if (code === 0)
          throw new Fault('conflict', `There is a branch "${branch}" already, at ${text.trim().slice(0, 9)}; take another name.`)
        await inCommon(common, ['update-ref', '-m', `branch: by ${taskId}`, `refs/heads/${branch}`, hash, NONE])
        return { hash }
      })
    },

    async checkout(name, given) {
      const place = await placeOf(given)
      const branch = branchName(name)
      return alone(place.common, async () => {
        const hash = await hashOf(place.common, `refs/heads/${branch}`)
        for (const task of await readdir(join(place.common, 'worktrees'))) {
          const admin = join(place.common, 'worktrees', task)
          if (task !== taskId && (await noteOf(admin)) && (await headBranch(admin)) === branch)
            throw new Fault(
              'conflict',
              `Task ${task} works on the branch "${branch}"; make a branch of your own from it with {"operation":"branch"}.`,
            )
        }
        // At the same commit no file differs, so what was changed simply goes along.
        if (hash !== (await hashOf(place.admin, 'HEAD'))) {
          await mustBeClean(place, 'switched')
          await inTree(place, ['read-tree', '-m', '-u', 'HEAD', hash])
        }
        await git.run({ dir: place.admin, args: ['symbolic-ref', '-m', `checkout: ${branch}`, 'HEAD', `refs/heads/${branch}`] })
        return { hash }
      })
    },

    async commit({ message, paths = [], callId }, given) {
      const place = await placeOf(given)
      const words = commitMessage(message)
      const wanted = paths.map(pathInTree)
      return alone(place.common, async () => {
        const branch = await headBranch(place.admin)
        const parent = await hashOf(place.admin, 'HEAD')
        const { last } = place.note
        if (last?.call === callId && (await isAncestor(place.common, last.hash, parent)))
          return { hash: last.hash, branch, changes: last.changes }
        await freshObjects(place)
        const changes = await changesOf(place, wanted)
        const nested = changes.find((change) => change.path.endsWith('/'))
        if (nested)
          throw new Fault('unprocessable', `"${nested.path}" is a repository within the repository; move it out, or name the other paths.`)
        if (changes.length === 0)
          throw new Fault(
            'unprocessable',
            wanted.length > 0
              ? `There is nothing to commit: ${wanted.slice(0, 5).join(', ')} ${wanted.length === 1 ? 'is' : 'are'} as in the last commit, or ignored.`
              : 'There is nothing to commit: every file is as in the last commit, or ignored.',
          )
        await inTree(place, ['update-index', '-z', '--add', '--remove', '--stdin'], {
          stdin: changes.map((change) => `${change.path}\0`).join(''),
        })
        const tree = (await inTree(place, ['write-tree'])).text.trim()
        if (tree === (await git.run({ dir: place.admin, args: ['rev-parse', '--verify', `${parent}^{tree}`] })).text.trim())
          throw new Fault('unprocessable', 'There is nothing to commit: the files are as in the last commit.')
        await take(
          {
            dir: place.admin,
            as: options.runAs,
            env: { GIT_OBJECT_DIRECTORY: join(place.state, 'objects'), GIT_ALTERNATE_OBJECT_DIRECTORIES: join(place.common, 'objects') },
          },
          [tree],
          [parent],
          place.common,
        )
        const hash = await commitTree(place, tree, [parent], words)
        // Noted before the branch moves: cut off in between, the same call finds that nothing has moved and does it anew.
        await saveNote(place.admin, { ...place.note, last: { call: callId, hash, changes: changes.slice(0, LISTED) } })
        await git.run({
          dir: place.admin,
          args: ['update-ref', '-m', `commit: ${words.split('\n', 1)[0]!.slice(0, 100)}`, 'HEAD', hash, parent],
        })
        return { hash, branch, changes }
      })
    },

    async merge(name, message, given) {
      const place = await placeOf(given)
      const of = revision(name)
      return alone(place.common, async () => {
        const [ours, theirs] = [await hashOf(place.admin, 'HEAD'), await hashOf(place.admin, of)]
        if (await isAncestor(place.common, theirs, ours)) return { kind: 'nothing', hash: ours }
        await mustBeClean(place, 'merged into')
        const forward = await isAncestor(place.common, ours, theirs)
        const found = forward ? null : await mergeTree(place.common, ours, theirs)
        if (found?.conflicts) return { kind: 'conflict', conflicts: found.conflicts }
        const hash = found ? await commitTree(place, found.tree, [ours, theirs], commitMessage(message ?? `Merge ${of}`)) : theirs
        await inTree(place, ['read-tree', '-m', '-u', ours, hash])
        await git.run({ dir: place.admin, args: ['update-ref', '-m', `merge ${of}`, 'HEAD', hash, ours] })
        return { kind: forward ? 'forward' : 'merged', hash }
      })
    },

    async restore(paths, from, given) {
      const place = await placeOf(given)
      const wanted = paths.map(pathInTree)
      const of = await hashOf(place.admin, revision(from ?? 'HEAD'))
      return alone(place.common, async () => {
        const isThereIn = async (path: string) =>
          (await git.run({ dir: place.admin, args: ['cat-file', '-e', `${of}:${path}`], fine: [1, 128] })).code === 0
        for (const path of wanted)
          if (path !== '.' && !(await isThereIn(path)))
            throw new Fault('not_found', `"${path}" is not in ${from ?? 'the last commit'}, so it cannot be restored from it.`)
        await inTree(place, ['checkout', '--quiet', '--no-recurse-submodules', of, '--', ...wanted])
        // Only the files are put back; what the next commit holds is worked out then.
        await inTree(place, ['read-tree', '--reset', 'HEAD'])
        return { paths: wanted }
      })
    },

    async push(name, expected, given) {
      const { common, repository } = await commonNamed(given)
      const place = await placeIfAny(given)
      const branch = branchName(name ?? (place ? await headBranch(place.admin) : ownBranch))
      const hash = await hashOf(common, `refs/heads/${branch}`)
      if (expected !== undefined && !hash.startsWith(expected))
        throw new Fault(
          'conflict',
          `The branch "${branch}" is at ${hash.slice(0, 12)}, not at ${expected.slice(0, 12)}; look at it, and push what it has.`,
        )
      const to = await originOf(common)
      if (to === null)
        throw new Fault(
          'unprocessable',
          `The repository "${repository}" was made from a folder of the workspace, so there is nowhere to push to.`,
        )
      const local = to.startsWith('/')
      await git.run({
        dir: common,
        args: [
          'push',
          '--quiet',
          '--no-verify',
          '--no-follow-tags',
          '--recurse-submodules=no',
          ...(local ? [`--receive-pack=${farEnd('receive-pack')}`] : []),
          '--',
          to,
          `${hash}:refs/heads/${branch}`,
        ],
        transports: local ? 'file' : 'http:https',
        timeoutMs: NETWORK_MS,
        signal: asker.signal,
      })
      return { to, branch, hash }
    },
  }
}
