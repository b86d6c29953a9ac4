/** The folder of all repositories: where each lies, what is known of its work trees, and git on both sides of the wall between them. */
import { chmod, chown, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { emptyIfMissing, isCode } from '../exec/errno.ts'
import { changeOf } from './answers.ts'
import { plainId, replaceFile } from './folders.ts'
import { type GitAnswer, type GitCall, openGit } from './run.ts'
import type { Change, RepositoriesOptions } from './shapes.ts'

/** One work tree of one task. `admin`: its folder in the repository; `state`: its index and new objects; `tree`: its files. */
export type Place = { repository: string; common: string; admin: string; state: string; tree: string; note: Note }
/** What is known of a work tree, kept beside its HEAD. `last`: the newest commit and the call that asked for it. */
export type Note = {
  task: string
  tree: string
  branch: string
  start: string
  kept: boolean
  last?: { call: string; hash: string; changes: Change[] }
}

const PACK_BYTES = 256_000_000

export type Shelf = ReturnType<typeof openShelf>

/** Opens the folder of repositories of one DATA_DIR. Every part of `core/git` works through what it answers. */
export function openShelf(options: RepositoriesOptions) {
  const { runAs } = options
  const now = options.now ?? Date.now
  const git = openGit({ path: options.path })
  const root = join(options.dataDir, 'repositories')
  const queues = new Map<string, Promise<unknown>>()

  /** One change of a repository at a time; readers do not wait. */
  async function alone<T>(common: string, work: () => Promise<T>): Promise<T> {
    const before = queues.get(common) ?? Promise.resolve()
    const mine = before.then(work, work)
    const settled = mine.then(
      () => undefined,
      () => undefined, // whoever asked is told; the next one does not care
    )
    queues.set(common, settled)
    settled.then(() => {
      if (queues.get(common) === settled) queues.delete(common)
    })
    return mine
  }

  const treeFolder = (treeId: string) => join(root, plainId(treeId))
  const commonOf = (treeId: string, name: string) => join(treeFolder(treeId), `${name}.git`)

  async function names(treeId: string): Promise<string[]> {
    const found = await readdir(treeFolder(treeId)).catch(emptyIfMissing)
    return found
      .filter((name) => name.endsWith('.git') && !name.startsWith('.'))
      .map((name) => name.slice(0, -4))
      .sort()
  }
  async function noteOf(admin: string): Promise<Note | null> {
    const text = await readFile(join(admin, 'banyan.json'), 'utf8').catch((error: unknown) => {
      if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return null
      throw error
    })
    return text === null ? null : (JSON.parse(text) as Note)
  }
  const saveNote = (admin: string, note: Note) => replaceFile(join(admin, 'banyan.json'), JSON.stringify(note))

  async function makeRoot(treeId: string): Promise<string> {
    const folder = treeFolder(treeId)
    await mkdir(folder, { recursive: true })
    // Others may pass through and read: git that runs as the commands' user needs objects and references.
    for (const one of [root, folder]) await chmod(one, 0o755)
    return folder
  }
  function stateOf(treeId: string, name: string, task: string): string {
    return join(treeFolder(treeId), 'state', `${name}.${task}`)
  }

  /** Git on the files of a work tree. It can write the index and new objects of this work tree and nothing else of the repository. */
  function inTree(place: Place, args: readonly string[], more: Partial<GitCall> = {}): Promise<GitAnswer> {
    return git.run({
      dir: place.admin,
      tree: place.tree,
      args,
      as: runAs,
      ...more,
      env: {
        GIT_INDEX_FILE: join(place.state, 'index'),
        GIT_OBJECT_DIRECTORY: join(place.state, 'objects'),
        GIT_ALTERNATE_OBJECT_DIRECTORIES: join(place.common, 'objects'),
      },
    })
  }
  const inCommon = (common: string, args: readonly string[], more: Partial<GitCall> = {}) => git.run({ dir: common, args, ...more })

  async function hashOf(dir: string, of: string): Promise<string> {
    const { text, code } = await git.run({
      dir,
      args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${of}^{commit}`],
      fine: [1, 128],
    })
    if (code !== 0)
      throw new Fault('not_found', `There is no commit ${JSON.stringify(of)} in this repository; see branches with {"operation":"branch"}.`)
    return text.trim()
  }

  /** The objects that `tips` need and the repository lacks go over as one pack, each checked. */
  async function take(
    from: Partial<GitCall> & { dir: string },
    tips: readonly string[],
    have: readonly string[],
    common: string,
  ): Promise<void> {
    const pack = await git.run({
      ...from,
      args: ['pack-objects', '--revs', '--thin', '--stdout', '-q', '--delta-base-offset'],
      stdin: `${[...tips, ...have.map((hash) => `^${hash}`)].join('\n')}\n`,
      most: PACK_BYTES,
    })
    if (pack.cut)
      throw new Fault(
        'too_large',
        `The repository holds more than ${PACK_BYTES / 1e6} MB of new content, which is more than is taken over.`,
      )
    await inCommon(common, ['index-pack', '--stdin', '--fix-thin', '--strict'], { stdin: pack.out })
  }

  async function freshState(state: string): Promise<void> {
    await mkdir(state, { recursive: true })
    await rm(join(state, 'objects'), { recursive: true, force: true })
    await mkdir(join(state, 'objects'))
    await giveAway(state)
    await giveAway(join(state, 'objects'))
  }
  async function giveAway(path: string): Promise<void> {
    if (runAs) await chown(path, runAs.uid, runAs.gid)
  }

  /** Changes of a work tree that are in no commit; of `paths` only, if any. */
  async function changesOf(place: Place, paths: readonly string[] = []): Promise<Change[]> {
    const { text, cut } = await inTree(place, [
      'status',
      '--porcelain=v2',
      '-z',
      '--untracked-files=all',
      '--ignore-submodules=all',
      '--no-renames',
      '--',
      ...paths,
    ])
    if (cut)
      throw new Fault('too_large', 'More files have changes than can be listed; put what programs make for themselves into .gitignore.')
    return text.split('\0').flatMap((line) => changeOf(line) ?? [])
  }
  const headBranch = async (admin: string): Promise<string> => {
    const { text } = await git.run({ dir: admin, args: ['symbolic-ref', '--short', 'HEAD'] })
    return text.trim()
  }
  async function isAncestor(common: string, a: string, b: string): Promise<boolean> {
    return (await inCommon(common, ['merge-base', '--is-ancestor', a, b], { fine: [1] })).code === 0
  }

  async function mergeTree(common: string, ours: string, theirs: string): Promise<{ tree: string; conflicts: string[] | null }> {
    const { text, code } = await inCommon(common, ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', ours, theirs], {
      fine: [1],
    })
    const [tree = '', ...names] = text.split('\0')
    return { tree, conflicts: code === 1 ? [...new Set(names.filter(Boolean))] : null }
  }

  return {
    options,
    now,
    root,
    git,
    alone,
    treeFolder,
    commonOf,
    names,
    noteOf,
    saveNote,
    makeRoot,
    stateOf,
    inTree,
    inCommon,
    hashOf,
    take,
    freshState,
    giveAway,
    changesOf,
    headBranch,
    isAncestor,
    mergeTree,
  }
}
