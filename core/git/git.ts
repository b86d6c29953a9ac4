/**
 * The door to git repositories of goals. Each is kept bare in DATA_DIR/repositories/<tree>/<name>.git, outside every workspace, so no command
 * of an agent can write its settings, hooks, references or objects. A task that works on one has a work tree of its own in its workspace, on
 * the branch `agent/<task>`.
 *
 * Who does what: files of a work tree are read and written by git running as the user that commands run as, with an index and an object
 * folder of its own; so a link that is swapped in on the way leads nowhere that a command could not go. References are moved by the
 * runtime's own user, which never touches a work tree; new objects come over as a pack and are checked on the way in.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, chown, lstat, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { WorkspaceFiles } from '../exec/files.ts'
import type { Owner } from '../exec/local.ts'
import { authorName, branchName, commitMessage, nameOfSource, pathInTree, repositoryName, revision, sourceOf } from './names.ts'
import { farEnd, type GitAnswer, type GitCall, openGit } from './run.ts'

export type RepositoriesOptions = {
  dataDir: string
  /** PATH that git and what it needs are found on. */
  path: string
  /** The user that commands run as, when the runtime is root. */
  runAs?: Owner | undefined
  now?: () => number
}
/** The task that asks. `files` are its workspace's, `folder` that folder's absolute path, made if missing. */
export type Asker = {
  treeId: string
  taskId: string
  agent: string
  files: Pick<WorkspaceFiles, 'existing' | 'write'>
  folder(): Promise<string>
  /** What a person typed as this task, if a person did. */
  typed?: string | null
  signal?: AbortSignal
}
export type Worktree = { repository: string; branch: string; folder: string; created: boolean }
export type Change = { path: string; what: 'new' | 'changed' | 'deleted' | 'conflict' }
export type FilePatch = { path: string; text: string }
/** A work tree against the commit that it began from, what is in no commit included. `cut`: the patches are not all. */
export type WorktreeChanges = {
  repository: string
  branch: string
  base: string
  head: string
  commits: number
  files: FilePatch[]
  untracked: string[]
  cut: boolean
}
export type Commit = { hash: string; author: string; at: string; subject: string }

/** What one task may do with the repositories of its goal. Every name is checked; what is not right is a Fault that says so. */
export type TaskGit = {
  /** Names of the goal's repositories, and this task's own work trees. */
  list(): Promise<{
    repositories: string[]
    worktrees: { repository: string; task: string; branch: string; folder: string; locked: boolean }[]
  }>
  /** What this task's own work trees hold beyond where they began. Makes none. */
  changed(): Promise<WorktreeChanges[]>
  clone(source: string, name?: string): Promise<Worktree & { head: string }>
  /**
   * A repository that the system itself hands over, by the folder that holds its objects and the newest commit of its main branch. Again: main
   * is brought forward. Not for sources that an agent names.
   */
  adopt(name: string, from: { dir: string; commit: string }): Promise<Worktree & { head: string; dir: string }>
  /** This task's work tree, made on first use from the branch of the nearest task above it, or from `from`. */
  worktree(repository: string | undefined, from?: string): Promise<Worktree>
  /** The branch stays and the sweep may take the folder away once the task is over. */
  keep(repository?: string): Promise<{ branch: string }>
  status(repository?: string): Promise<{ branch: string; head: string; ahead: number; changes: Change[]; complete: boolean }>
  diff(
    ask: { from?: string | undefined; to?: string | undefined; paths?: string[] | undefined },
    repository?: string,
  ): Promise<{ files: FilePatch[]; untracked: string[]; cut: boolean }>
  log(ask: { of?: string | undefined; path?: string | undefined; most: number }, repository?: string): Promise<Commit[]>
  /** One commit with its changes, or with `path` a file as it was in it. */
  show(of: string, path: string | undefined, repository?: string): Promise<{ text: string; cut: boolean; binary: boolean }>
  branches(repository?: string): Promise<{ name: string; hash: string; subject: string; checkedOutBy: string | null }[]>
  branch(name: string, from: string | undefined, repository?: string): Promise<{ hash: string }>
  checkout(branch: string, repository?: string): Promise<{ hash: string }>
  /** All changes, or those of `paths`. The same call again finds the commit that it made the first time. */
  commit(
    ask: { message: string; paths?: string[] | undefined; callId: string },
    repository?: string,
  ): Promise<{ hash: string; branch: string; changes: Change[] }>
  mergeCheck(branch: string, into: string | undefined, repository?: string): Promise<{ clean: boolean; conflicts: string[]; into: string }>
  /** Into the branch of this task's work tree. With conflicts nothing is changed. */
  merge(
    branch: string,
    message: string | undefined,
    repository?: string,
  ): Promise<{ kind: 'merged' | 'forward' | 'nothing'; hash: string } | { kind: 'conflict'; conflicts: string[] }>
  restore(paths: string[], from: string | undefined, repository?: string): Promise<{ paths: string[] }>
  /** Sends exactly this commit of a branch to where the repository came from; refused when the branch has moved on from what was shown. */
  push(branch: string | undefined, commit: string | undefined, repository?: string): Promise<{ to: string; branch: string; hash: string }>
  /** Where a push would go; null: nowhere. At once, for the question to the person who decides. */
  origin(repository: string | undefined): string | null
  /** True for a folder of this task's workspace, or one that a person named in the words of this very task. */
  mayClone(source: string): boolean
  isOutside(source: string): boolean
}
export type Repositories = {
  forTask(asker: Asker): TaskGit
  /**
   * Unlocks work trees of tasks that are over, and removes those whose work is merged or kept as a branch. One with changes that are in no
   * commit stays and is told of.
   */
  tidy(
    isOver: (taskId: string) => Promise<boolean>,
    only?: string,
  ): Promise<{ removed: string[]; stay: { task: string; folder: string; why: string }[] }>
  stop(): Promise<void>
}

type Place = { repository: string; common: string; admin: string; state: string; tree: string; note: Note }
/** What is known of a work tree, kept beside its HEAD. `last`: the newest commit and the call that asked for it. */
type Note = {
  task: string
  tree: string
  branch: string
  start: string
  kept: boolean
  last?: { call: string; hash: string; changes: Change[] }
}

const NONE = '0'.repeat(40)
const LISTED = 2_000
const PATCH_BYTES = 400_000
const PATCHES = ['--no-ext-diff', '--no-textconv', '--no-color', '--ignore-submodules=all', '--find-renames', '--patch']
const PACK_BYTES = 256_000_000
const NETWORK_MS = 600_000

export function openRepositories(options: RepositoriesOptions): Repositories {
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

  return {
    forTask,
    async tidy(isOver, only) {
      const removed: string[] = []
      const stay: { task: string; folder: string; why: string }[] = []
      // Most goals never clone anything, and asking is a hundred times cheaper than a read that fails.
      if (only !== undefined && !existsSync(join(root, only))) return { removed, stay }
      for (const treeId of only === undefined ? await readdir(root).catch(emptyIfMissing) : [only]) {
        for (const leftover of await readdir(join(root, treeId)).catch(emptyIfMissing)) {
          // What a clone left behind that did not come to its end.
          if (leftover.startsWith('.tmp-') && (await ageOf(join(root, treeId, leftover))) > NETWORK_MS)
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
            const why = await alone(common, () => reasonToStay(place))
            if (why === null) removed.push(note.tree)
            else stay.push({ task, folder: note.tree, why })
          }
        }
      }
      return { removed, stay }
    },
    stop: () => git.stop(),
  }

  function stateOf(treeId: string, name: string, task: string): string {
    return join(treeFolder(treeId), 'state', `${name}.${task}`)
  }

  /** Removes the work tree and answers null, or says why it stays. */
  async function reasonToStay(place: Place): Promise<string | null> {
    const { common, admin, note, state } = place
    if (await isThere(place.tree)) {
      const changes = await changesOf(place).catch((error: unknown) => {
        if (error instanceof Fault) return null // a broken index, a folder that is none any more: a person looks at it
        throw error
      })
      if (changes === null) return 'it cannot be read as a work tree'
      if (changes.length > 0) return `${changes.length} ${changes.length === 1 ? 'file has' : 'files have'} changes that are in no commit`
      if (!note.kept && !(await isMerged(common, admin, note))) return `its branch ${note.branch} is merged nowhere`
      await removeFolder(place.tree, runAs)
    }
    await rm(admin, { recursive: true, force: true })
    await rm(state, { recursive: true, force: true })
    return null
  }
  async function isMerged(common: string, admin: string, note: Note): Promise<boolean> {
    const head = await hashOf(admin, 'HEAD')
    const { text } = await inCommon(common, ['for-each-ref', '--format=%(refname:short)', `--contains=${head}`, 'refs/heads'])
    const others = text.split('\n').filter((line) => line !== '' && line !== note.branch)
    // Nothing of its own: every branch that it began from holds it.
    return others.length > 0 && (head !== note.start || note.task.includes('.'))
  }

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

  function forTask(asker: Asker): TaskGit {
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
    const hasCommit = async (dir: string, hash: string): Promise<boolean> =>
      (await git.run({ dir, args: ['cat-file', '-e', `${hash}^{commit}`], fine: [1, 128] })).code === 0
    const headBranch = async (admin: string): Promise<string> => {
      const { text } = await git.run({ dir: admin, args: ['symbolic-ref', '--short', 'HEAD'] })
      return text.trim()
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

    /** A folder of the workspace is read as the commands' user, without following anything that leads out of it. */
    async function cloneFromWorkspace(folder: string, common: string): Promise<void> {
      const inner = join(folder, '.git')
      const dir = (await isThere(inner)) ? inner : folder
      await refuseLinks(dir)
      const from = { dir, as: runAs }
      const { text } = await git.run({ ...from, args: ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads', 'refs/tags'] })
      const refs = text.split('\n').flatMap((line) => {
        const [hash, name] = line.split(' ')
        return hash && name ? [{ hash, name }] : []
      })
      if (refs.length === 0) throw new Fault('unprocessable', 'That repository has no commit yet; make one there first.')
      const head = await git.run({ ...from, args: ['symbolic-ref', '--quiet', 'HEAD'], fine: [1, 128] })
      await git.run({ args: ['init', '--bare', '--quiet', '--template=', '--', common] })
      await take(from, [...new Set(refs.map((ref) => ref.hash))], [], common)
      await inCommon(common, ['update-ref', '--stdin'], { stdin: refs.map((ref) => `create ${ref.name} ${ref.hash}\n`).join('') })
      const main = refs.find((ref) => ref.name === head.text.trim()) ?? refs.find((ref) => ref.name.startsWith('refs/heads/'))
      if (!main) throw new Fault('unprocessable', 'That repository has no branch, only tags; make a branch there first.')
      await inCommon(common, ['symbolic-ref', 'HEAD', main.name])
    }

    async function cloneTo(draft: string, source: ReturnType<typeof sourceOf>): Promise<string> {
      if (source.kind === 'path') {
        const workspace = await asker.folder()
        const absolute = source.path.startsWith('/')
        if (!absolute || source.path === workspace || source.path.startsWith(workspace + sep)) {
          const folder = await asker.files.existing(source.path)
          await cloneFromWorkspace(folder, draft)
          return ''
        }
        const real = await realpath(source.path).catch(() => {
          throw new Fault('not_found', `There is no folder ${JSON.stringify(source.path)} on this machine.`)
        })
        const data = await realpath(options.dataDir)
        if (real === data || real.startsWith(data + sep) || data.startsWith(real + sep))
          throw new Fault('forbidden', `${JSON.stringify(source.path)} belongs to the system itself and cannot be cloned.`)
        await cloneByTransport(draft, real, 'file')
        return real
      }
      if (source.kind === 'file') {
        const path = decodeURIComponent(new URL(source.url).pathname)
        return cloneTo(draft, { kind: 'path', path })
      }
      await cloneByTransport(draft, source.url, 'http:https')
      return source.url
    }
    async function cloneByTransport(draft: string, from: string, transports: 'file' | 'http:https'): Promise<void> {
      await git.run({
        args: [
          '-c',
          'fetch.fsckObjects=true',
          ...['missingSpaceBeforeDate', 'zeroPaddedFilemode', 'badTimezone', 'missingEmail', 'badDate'].flatMap((id) => [
            '-c',
            `fetch.fsck.${id}=ignore`,
          ]),
          'clone',
          '--bare',
          '--quiet',
          '--no-local',
          '--template=',
          `--upload-pack=${farEnd('upload-pack')}`,
          '--',
          from,
          draft,
        ],
        transports,
        timeoutMs: NETWORK_MS,
        signal: asker.signal,
      })
    }

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

      async clone(given, wanted) {
        const source = sourceOf(given)
        const repository = repositoryName(wanted ?? nameOfSource(given))
        const common = commonOf(treeId, repository)
        const folder = await makeRoot(treeId)
        return alone(common, async () => {
          const origin = join(common, 'banyan-source')
          if (await isThere(common)) {
            if ((await readFile(origin, 'utf8').catch(() => '')) !== given)
              throw new Fault(
                'conflict',
                `This goal has a repository "${repository}" from elsewhere already; give this one another "name".`,
              )
          } else {
            const draft = join(folder, `.tmp-${randomUUID()}`)
            try {
              await cloneTo(draft, source)
              await writeFile(join(draft, 'banyan-source'), given)
              await rename(draft, common)
            } catch (error) {
              await rm(draft, { recursive: true, force: true })
              throw error
            }
          }
          const made = await makeWorktree(repository, common, undefined)
          return { ...made, head: await hashOf(join(common, 'worktrees', taskId), 'HEAD') }
        })
      },

      async adopt(name, from) {
        const repository = repositoryName(name)
        const common = commonOf(treeId, repository)
        const folder = await makeRoot(treeId)
        return alone(common, async () => {
          if (!(await isThere(common))) {
            const draft = join(folder, `.tmp-${randomUUID()}`)
            try {
              await git.run({ args: ['init', '--bare', '--quiet', '--template=', '--initial-branch=main', '--', draft] })
              await writeFile(join(draft, 'banyan-source'), from.dir)
              await take({ dir: from.dir }, [from.commit], [], draft)
              await git.run({ dir: draft, args: ['update-ref', 'refs/heads/main', from.commit] })
              await rename(draft, common)
            } catch (error) {
              await rm(draft, { recursive: true, force: true })
              throw error
            }
          } else if ((await readFile(join(common, 'banyan-source'), 'utf8').catch(() => '')) !== from.dir)
            throw new Fault('conflict', `This goal has a repository "${repository}" from elsewhere already; work in another goal.`)
          const had = await hashOf(common, 'refs/heads/main')
          if (had !== from.commit) {
            await take({ dir: from.dir }, [from.commit], (await hasCommit(from.dir, had)) ? [had] : [], common)
            await inCommon(common, ['update-ref', 'refs/heads/main', from.commit])
          }
          const made = await makeWorktree(repository, common, undefined)
          return { ...made, head: await hashOf(join(common, 'worktrees', taskId), 'HEAD'), dir: common }
        })
      },

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
            throw new Fault(
              'unprocessable',
              `"${nested.path}" is a repository within the repository; move it out, or name the other paths.`,
            )
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
              as: runAs,
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

      async mergeCheck(name, into, given) {
        const { common } = await commonNamed(given)
        const dir = (await placeIfAny(given))?.admin ?? common
        const [ours, theirs] = [await hashOf(dir, revision(into ?? 'HEAD')), await hashOf(dir, revision(name))]
        const found = await mergeTree(common, ours, theirs)
        return { clean: found.conflicts === null, conflicts: found.conflicts ?? [], into: into ?? 'HEAD' }
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

      origin(given) {
        const folder = treeFolder(treeId)
        const there = readNames(folder)
        const name = given ?? (there.length === 1 ? there[0]! : '')
        if (!there.includes(name)) return null
        const config = readFileSync(join(folder, `${name}.git`, 'config'), 'utf8')
        return /^\[remote "origin"\]\n\turl = (.+)$/m.exec(config)?.[1]?.replace(/^"(.*)"$/, '$1') ?? null
      },
      isOutside,
      mayClone(source) {
        if (!isOutside(source)) return true
        if (!/^(\/|file:\/\/\/)/.test(source) || source.split('/').includes('..')) return false
        const words = (asker.typed ?? '').split(/[\s"'`<>()]+/).map((word) => word.replace(/[.,;:!?]+$/, '').replace(/\/+$/, ''))
        return words.includes(source.replace(/\/+$/, ''))
      },
    }

    function isOutside(source: string): boolean {
      if (/^[a-z][a-z0-9+.-]*:/i.test(source)) return true
      return source.startsWith('/') && !source.startsWith(join(options.dataDir, 'workspaces', treeId) + sep)
    }

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
  }

  async function ageOf(path: string): Promise<number> {
    const found = await lstat(path).catch(() => null) // gone: nothing to wait for
    return found ? now() - found.mtimeMs : 0
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

/** Ids are made by the system; still, one that is no plain word does not become part of a path. */
function plainId(id: string): string {
  if (!/^[a-z0-9]+(\.[a-z0-9]+)*$/i.test(id)) throw new Fault('invalid', `${JSON.stringify(id)} is not the id of a task.`)
  return id
}

/** One record of `status --porcelain=v2 -z`. */
function changeOf(line: string): Change | null {
  if (line.startsWith('? ')) return { path: line.slice(2), what: 'new' }
  if (line.startsWith('u ')) return { path: line.split(' ').slice(10).join(' '), what: 'conflict' }
  if (!line.startsWith('1 ')) return null
  const [, marks = '', submodule = ''] = line.split(' ')
  if (submodule.startsWith('S')) return null
  const path = line.split(' ').slice(8).join(' ')
  return { path, what: marks.includes('D') ? 'deleted' : marks.startsWith('A') ? 'new' : 'changed' }
}

function patchesOf(text: string): FilePatch[] {
  return text
    .split(/^(?=diff --git )/m)
    .filter((part) => part.startsWith('diff --git '))
    .map((part) => ({
      path: /^\+\+\+ (?:b\/)?(.*)$/m.exec(part)?.[1]?.replace(/\t$/, '') ?? part.split('\n', 1)[0]!.slice(11),
      text: part,
    }))
    .map((patch) => (patch.path === '/dev/null' ? { ...patch, path: /^--- (?:a\/)?(.*)$/m.exec(patch.text)?.[1] ?? patch.path } : patch))
}

/** A repository in a workspace must be whole in itself: what leads out of it could be any file of the machine. */
async function refuseLinks(dir: string): Promise<void> {
  const no = (what: string) => new Fault('forbidden', `That folder is not taken as a repository: its ${what} leads out of it.`)
  const found = await lstat(dir).catch(() => null) // told as missing
  if (!found || (!found.isDirectory() && !found.isFile())) throw new Fault('not_found', 'There is no repository in that folder.')
  if (!found.isDirectory()) throw no('.git file')
  if (!(await isThere(join(dir, 'objects'))) || !(await isThere(join(dir, 'HEAD'))))
    throw new Fault('not_found', 'There is no repository in that folder.')
  for (const name of ['commondir', 'gitdir', 'objects/info/alternates', 'objects/info/http-alternates'])
    if (await isThere(join(dir, name))) throw no(name)
  for (const name of ['HEAD', 'packed-refs', 'config', 'objects', 'refs', 'shallow', 'info'])
    if ((await lstat(join(dir, name)).catch(() => null))?.isSymbolicLink()) throw no(name) // what is absent is no link
  for (const name of ['objects', 'refs'])
    for (const entry of await readdir(join(dir, name), { recursive: true, withFileTypes: true })) if (entry.isSymbolicLink()) throw no(name)
}

function relativeTo(folder: string, path: string): string {
  return path.startsWith(folder + sep) ? path.slice(folder.length + 1) : path
}
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return false
      throw error
    },
  )
}
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, text)
  await rename(draft, path)
}
/** `rm` of the machine goes by open folders, so a link swapped in is removed, not followed. */
function removeFolder(path: string, as: Owner | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/rm', ['-rf', '--', path], { stdio: 'ignore', env: {}, ...as })
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Fault('unavailable', `The folder ${basename(path)} could not be removed.`)),
    )
  })
}
const emptyIfMissing = (error: unknown): string[] => {
  if (isCode(error, 'ENOENT')) return []
  throw error
}
const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code
