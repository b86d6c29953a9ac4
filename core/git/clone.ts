/** Brings repositories into a goal: from a folder of the workspace, this machine, the network, or the system itself. */
import { randomUUID } from 'node:crypto'
import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Fault } from '../contract/fault.ts'
import { isThere, refuseLinks } from './folders.ts'
import { nameOfSource, repositoryName, sourceOf } from './names.ts'
import { farEnd, NETWORK_MS } from './run.ts'
import type { Asker, TaskGit } from './shapes.ts'
import type { Shelf } from './shelf.ts'
import type { Worktrees } from './worktrees.ts'

export function cloning(shelf: Shelf, asker: Asker, worktrees: Worktrees): Pick<TaskGit, 'clone' | 'adopt' | 'mayClone' | 'isOutside'> {
  const { options, git, take, inCommon, hashOf, commonOf, makeRoot, alone } = shelf
  const { treeId, taskId } = asker
  const { makeWorktree } = worktrees
  const hasCommit = async (dir: string, hash: string): Promise<boolean> =>
    (await git.run({ dir, args: ['cat-file', '-e', `${hash}^{commit}`], fine: [1, 128] })).code === 0

  /** A folder of the workspace is read as the commands' user, without following anything that leads out of it. */
  async function cloneFromWorkspace(folder: string, common: string): Promise<void> {
    const inner = join(folder, '.git')
    const dir = (await isThere(inner)) ? inner : folder
    await refuseLinks(dir)
    const from = { dir, as: options.runAs }
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

  function isOutside(source: string): boolean {
    if (/^[a-z][a-z0-9+.-]*:/i.test(source)) return true
    return source.startsWith('/') && !source.startsWith(join(options.dataDir, 'workspaces', treeId) + sep)
  }

  return {
    async clone(given, wanted) {
      const source = sourceOf(given)
      const repository = repositoryName(wanted ?? nameOfSource(given))
      const common = commonOf(treeId, repository)
      const folder = await makeRoot(treeId)
      return alone(common, async () => {
        const origin = join(common, 'banyan-source')
        if (await isThere(common)) {
          if ((await readFile(origin, 'utf8').catch(() => '')) !== given)
            throw new Fault('conflict', `This goal has a repository "${repository}" from elsewhere already; give this one another "name".`)
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

    isOutside,
    mayClone(source) {
      if (!isOutside(source)) return true
      if (!/^(\/|file:\/\/\/)/.test(source) || source.split('/').includes('..')) return false
      const words = (asker.typed ?? '').split(/[\s"'`<>()]+/).map((word) => word.replace(/[.,;:!?]+$/, '').replace(/\/+$/, ''))
      return words.includes(source.replace(/\/+$/, ''))
    },
  }
}
