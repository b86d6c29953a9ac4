/** What a task may look at in the repositories of its goal. Nothing here changes anything. */
import { readdirSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { emptyIfMissing } from '../exec/errno.ts'
import { PATCHES, patchesOf } from './answers.ts'
import { isThere } from './folders.ts'
import { pathInTree, revision } from './names.ts'
import { type Asker, LISTED, type TaskGit, type WorktreeChanges } from './shapes.ts'
import type { Shelf } from './shelf.ts'
import type { Worktrees } from './worktrees.ts'

const PATCH_BYTES = 400_000

type Reading = Pick<TaskGit, 'list' | 'changed' | 'status' | 'diff' | 'log' | 'show' | 'branches' | 'mergeCheck' | 'origin'>

export function reading(shelf: Shelf, asker: Asker, worktrees: Worktrees): Reading {
  const { git, names, commonOf, treeFolder, noteOf, headBranch, hashOf, changesOf, inTree, inCommon, mergeTree } = shelf
  const { treeId, taskId } = asker
  const { commonNamed, placeOf, placeIfAny } = worktrees

  return {
    async list() {
      const repositories = await names(treeId)
      const worktrees: Awaited<ReturnType<TaskGit['list']>>['worktrees'] = []
      for (const repository of repositories) {
        const folder = join(commonOf(treeId, repository), 'worktrees')
        for (const task of (await readdir(folder).catch(emptyIfMissing)).sort()) {
          const note = await noteOf(join(folder, task))
          if (!note) continue
          const locked = await isThere(join(folder, task, 'locked'))
          worktrees.push({ repository, task, branch: await headBranch(join(folder, task)), folder: basename(note.tree), locked })
        }
      }
      return { repositories, worktrees }
    },

    async changed() {
      const all: WorktreeChanges[] = []
      for (const repository of await names(treeId)) {
        if (!(await isThere(join(commonOf(treeId, repository), 'worktrees', taskId)))) continue
        const place = await placeOf(repository)
        const base = place.note.start
        const [branch, head, changes] = await Promise.all([headBranch(place.admin), hashOf(place.admin, 'HEAD'), changesOf(place)])
        const count = await git.run({ dir: place.admin, args: ['rev-list', '--count', `${base}..${head}`, '--'] })
        const { text, cut } = await inTree(place, ['diff', ...PATCHES, base, '--'], { most: PATCH_BYTES })
        const untracked = changes.filter((change) => change.what === 'new').map((change) => change.path)
        const files = patchesOf(text)
        all.push({
          repository,
          branch,
          base,
          head,
          commits: Number(count.text.trim()),
          files,
          untracked: untracked.slice(0, LISTED),
          cut,
        })
      }
      return all
    },

    async status(given) {
      const place = await placeOf(given)
      const [branch, head, changes] = await Promise.all([headBranch(place.admin), hashOf(place.admin, 'HEAD'), changesOf(place)])
      const { text } = await git.run({ dir: place.admin, args: ['rev-list', '--count', `${place.note.start}..${head}`, '--'] })
      return { branch, head, ahead: Number(text.trim()), changes: changes.slice(0, LISTED), complete: changes.length <= LISTED }
    },

    async diff({ from, to, paths = [] }, given) {
      const wanted = paths.map(pathInTree)
      const how = PATCHES
      if (to !== undefined) {
        const { common } = await commonNamed(given)
        const place = await placeIfAny(given)
        const dir = place?.admin ?? common
        const [a, b] = [await hashOf(dir, revision(from ?? 'HEAD')), await hashOf(dir, revision(to))]
        const { text, cut } = await git.run({ dir, args: ['diff-tree', '-r', ...how, a, b, '--', ...wanted], most: PATCH_BYTES })
        return { files: patchesOf(text), untracked: [], cut }
      }
      const place = await placeOf(given)
      const base = await hashOf(place.admin, revision(from ?? 'HEAD'))
      const { text, cut } = await inTree(place, ['diff', ...how, base, '--', ...wanted], { most: PATCH_BYTES })
      const untracked = (await changesOf(place, wanted)).filter((change) => change.what === 'new').map((change) => change.path)
      return { files: patchesOf(text), untracked: untracked.slice(0, LISTED), cut }
    },

    async log({ of, path, most }, given) {
      const { common } = await commonNamed(given)
      const dir = (await placeIfAny(given))?.admin ?? common
      const start = await hashOf(dir, revision(of ?? 'HEAD'))
      const { text } = await git.run({
        dir,
        args: [
          'log',
          '-z',
          `--max-count=${most}`,
          '--format=%h%x09%an%x09%aI%x09%s',
          start,
          '--',
          ...(path === undefined ? [] : [pathInTree(path)]),
        ],
      })
      return text
        .split('\0')
        .filter(Boolean)
        .map((line) => {
          const [hash = '', author = '', at = '', ...subject] = line.split('\t')
          return { hash, author, at, subject: subject.join(' ') }
        })
    },

    async show(of, path, given) {
      const { common } = await commonNamed(given)
      const dir = (await placeIfAny(given))?.admin ?? common
      const hash = await hashOf(dir, revision(of))
      const answer =
        path === undefined
          ? await git.run({
              dir,
              args: [
                'show',
                '--no-ext-diff',
                '--no-textconv',
                '--no-color',
                '--ignore-submodules=all',
                '--stat',
                '--patch',
                '--format=fuller',
                hash,
                '--',
              ],
              most: PATCH_BYTES,
            })
          : await git.run({ dir, args: ['cat-file', 'blob', `${hash}:${pathInTree(path)}`], most: PATCH_BYTES, fine: [128] })
      if (answer.code === 128) throw new Fault('not_found', `There is no file ${JSON.stringify(path)} in ${of}.`)
      return { text: answer.text, cut: answer.cut, binary: answer.out.includes(0) }
    },

    async branches(given) {
      const { common } = await commonNamed(given)
      const holders = new Map<string, string>()
      for (const task of await readdir(join(common, 'worktrees')).catch(emptyIfMissing))
        if (await noteOf(join(common, 'worktrees', task))) holders.set(await headBranch(join(common, 'worktrees', task)), task)
      const { text } = await inCommon(common, [
        'for-each-ref',
        '--format=%(refname:lstrip=2)%09%(objectname:short)%09%(contents:subject)',
        '--count=500',
        'refs/heads',
      ])
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [name = '', hash = '', ...subject] = line.split('\t')
          return { name, hash, subject: subject.join(' '), checkedOutBy: holders.get(name) ?? null }
        })
    },

    async mergeCheck(name, into, given) {
      const { common } = await commonNamed(given)
      const dir = (await placeIfAny(given))?.admin ?? common
      const [ours, theirs] = [await hashOf(dir, revision(into ?? 'HEAD')), await hashOf(dir, revision(name))]
      const found = await mergeTree(common, ours, theirs)
      return { clean: found.conflicts === null, conflicts: found.conflicts ?? [], into: into ?? 'HEAD' }
    },

    origin(given) {
      const folder = treeFolder(treeId)
      const there = readNames(folder)
      const name = given ?? (there.length === 1 ? there[0]! : '')
      if (!there.includes(name)) return null
      const config = readFileSync(join(folder, `${name}.git`, 'config'), 'utf8')
      return /^\[remote "origin"\]\n\turl = (.+)$/m.exec(config)?.[1]?.replace(/^"(.*)"$/, '$1') ?? null
    },
  }
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.git') && !name.startsWith('.'))
      .map((name) => name.slice(0, -4))
  } catch (error) {
    return emptyIfMissing(error)
  }
}
