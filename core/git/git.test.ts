import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, chmod, lchown, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { workspaceFiles } from '../exec/files.ts'
import { handOver } from '../exec/local.ts'
import { openRepositories } from './git.ts'
import { branchName, commitMessage, nameOfSource, pathInTree, repositoryName, revision, sourceOf } from './names.ts'
import { openGit } from './run.ts'
import type { Repositories, TaskGit } from './shapes.ts'

const runAs = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined
let base: string
let source: string
let repositories: Repositories
/** What hostile settings would write if any of them ran. */
let ran: string
/** Workspaces that were made and handed over, as the runtime does once. */
let handed: Set<string>

/** Git as a person has it. */
function person(cwd: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=P', '-c', 'user.email=p@example.org', ...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH!, HOME: base, GIT_CONFIG_NOSYSTEM: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()
}
async function makeSource(folder: string): Promise<void> {
  await mkdir(join(folder, 'lib'), { recursive: true })
  person(folder, 'init', '-q', '-b', 'main')
  await writeFile(join(folder, 'readme.md'), 'one\ntwo\nthree\n')
  await writeFile(join(folder, 'lib', 'add.js'), 'export const add = (a, b) => a - b\n')
  person(folder, 'add', '-A')
  person(folder, 'commit', '-qm', 'first')
}
const data = () => join(base, 'data')
/** The git of one task, in a workspace as the runtime lays them out. */
function task(
  taskId: string,
  workspace = taskId.split('.').slice(1).join('/'),
): TaskGit & { folder: string; write(path: string, text: string): Promise<unknown> } {
  const treeId = taskId.split('.')[0]!
  const folder = join(data(), 'workspaces', treeId, workspace)
  const files = workspaceFiles(folder)
  const made = async () => {
    if (handed.has(folder)) return folder
    handed.add(folder)
    await mkdir(folder, { recursive: true })
    if (runAs) for (let one = folder; one !== join(data(), 'workspaces'); one = dirname(one)) await lchown(one, runAs.uid, runAs.gid)
    return folder
  }
  const git = repositories.forTask({
    treeId,
    taskId,
    agent: 'generalist',
    folder: made,
    files: {
      existing: (path) => made().then(() => files.existing(path)),
      write: (path, text) => made().then(() => files.write(path, text)),
    },
  })
  return { ...git, folder, write: (path, text) => made().then(() => files.write(path, text)) }
}
/** A program that tells that it ran. */
async function trap(name: string): Promise<string> {
  const path = join(base, `trap-${name}`)
  await writeFile(path, `#!/bin/sh\necho ${name} >> ${ran}\ncat\n`)
  await chmod(path, 0o755)
  return path
}
const trapped = () => (existsSync(ran) ? readFile(ran, 'utf8') : Promise.resolve(''))

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'banyan-git-'))
  handed = new Set()
  await chmod(base, 0o755)
  ran = join(base, 'ran')
  await writeFile(ran, '')
  await chmod(ran, 0o666)
  source = join(base, 'source', 'calc')
  await makeSource(source)
  await mkdir(data(), { mode: 0o711 })
  repositories = openRepositories({ dataDir: data(), path: process.env.PATH!, runAs })
})
afterEach(async () => {
  await repositories.stop()
  await rm(base, { recursive: true, force: true })
})

describe('a task that works on a repository', () => {
  test('clones it, changes a file, sees the change, commits it on its own branch and pushes it', async () => {
    const git = task('t1')
    const made = await git.clone(source)
    expect(made).toMatchObject({ repository: 'calc', branch: 'agent/t1', folder: 'calc', created: true })
    expect(await readFile(join(git.folder, 'calc', 'lib', 'add.js'), 'utf8')).toContain('a - b')
    await git.write('calc/lib/add.js', 'export const add = (a, b) => a + b\n')
    await git.write('calc/notes.txt', 'new\n')
    await rm(join(git.folder, 'calc', 'readme.md'))
    expect((await git.status()).changes.map((c) => `${c.what} ${c.path}`).sort()).toEqual([
      'changed lib/add.js',
      'deleted readme.md',
      'new notes.txt',
    ])
    const diff = await git.diff({})
    expect(diff.files.map((f) => f.path).sort()).toEqual(['lib/add.js', 'readme.md'])
    expect(diff.files.find((f) => f.path === 'lib/add.js')?.text).toContain('+export const add = (a, b) => a + b')
    expect(diff.untracked).toEqual(['notes.txt'])

    const part = await git.commit({ message: 'Add adds', paths: ['lib'], callId: 'c1' })
    expect(part.changes).toEqual([{ path: 'lib/add.js', what: 'changed' }])
    const all = await git.commit({ message: 'The rest', callId: 'c2' })
    expect(all.changes).toHaveLength(2)
    expect((await git.status()).changes).toEqual([])
    expect(await git.status()).toMatchObject({ branch: 'agent/t1', ahead: 2 })
    expect((await git.log({ most: 10 })).map((c) => `${c.author}: ${c.subject}`)).toEqual([
      'generalist: The rest',
      'generalist: Add adds',
      'P: first',
    ])
    expect((await git.show('HEAD~1', 'lib/add.js')).text).toContain('a + b')
    expect((await git.show('HEAD', undefined)).text).toMatch(/generalist <t1@banyan\.invalid>[\s\S]*notes\.txt/)

    await git.push(undefined, undefined)
    expect(person(source, 'log', '--format=%an <%ae> %s', 'agent/t1', '-1')).toBe('generalist <t1@banyan.invalid> The rest')
    expect(person(source, 'fsck', '--strict')).toBe('')
    expect(person(source, 'status', '--porcelain')).toBe('')
  })

  test('is told as a whole: what was committed, what was not yet, and what git does not know; nothing is made for it', async () => {
    const git = task('t1')
    expect(await git.changed()).toEqual([])
    await git.clone(source)
    await git.write('calc/lib/add.js', 'export const add = (a, b) => a + b\n')
    await git.commit({ message: 'Add', callId: 'c1' })
    await git.write('calc/readme.md', 'one\nthree\n')
    await git.write('calc/notes.txt', 'new\n')
    const [all, ...more] = await git.changed()
    expect(more).toEqual([])
    expect(all).toMatchObject({ repository: 'calc', branch: 'agent/t1', commits: 1, untracked: ['notes.txt'], cut: false })
    expect(all!.files.map(({ path }) => path)).toEqual(['lib/add.js', 'readme.md'])
    expect(all!.files[1]!.text).toContain('\n-two\n')
    expect(await task('t1.2').changed()).toEqual([])
  })

  test('an empty commit, and a path without changes, are refused with why', async () => {
    const git = task('t1')
    await git.clone(source)
    await expect(git.commit({ message: 'x', callId: 'c' })).rejects.toThrow(
      'There is nothing to commit: every file is as in the last commit',
    )
    await git.write('calc/a.txt', 'a')
    await expect(git.commit({ message: 'x', paths: ['readme.md'], callId: 'c' })).rejects.toThrow(/nothing to commit: readme\.md is as/)
  })

  test('the same commit call again, after a crash, finds the commit it made', async () => {
    const git = task('t1')
    await git.clone(source)
    await git.write('calc/a.txt', 'a')
    const first = await git.commit({ message: 'x', callId: 'c1' })
    expect(await git.commit({ message: 'x', callId: 'c1' })).toEqual(first)
    expect(await git.log({ most: 10 })).toHaveLength(2)
  })

  test('a clone again is the same clone; under the same name from elsewhere it is refused', async () => {
    const git = task('t1')
    await git.clone(source)
    expect(await git.clone(source)).toMatchObject({ created: false, branch: 'agent/t1' })
    await makeSource(join(base, 'other', 'calc'))
    await expect(git.clone(join(base, 'other', 'calc'))).rejects.toThrow('has a repository "calc" from elsewhere already')
    expect((await git.clone(join(base, 'other', 'calc'), 'calc2')).folder).toBe('calc2')
    await expect(git.status()).rejects.toThrow('several repositories; name one as "repository": calc, calc2')
  })

  test('a file comes back as it was, and a commit of another branch is put into the files only', async () => {
    const git = task('t1')
    await git.clone(source)
    await git.write('calc/readme.md', 'spoilt\n')
    await rm(join(git.folder, 'calc', 'lib'), { recursive: true })
    await git.restore(['readme.md', 'lib'], undefined)
    expect((await git.status()).changes).toEqual([])
    await git.write('calc/readme.md', 'new\n')
    await git.commit({ message: 'new', callId: 'c' })
    await git.restore(['readme.md'], 'HEAD~1')
    expect((await git.status()).changes).toEqual([{ path: 'readme.md', what: 'changed' }])
    await expect(git.restore(['nope'], undefined)).rejects.toThrow('"nope" is not in the last commit')
  })

  test('odd file names live through it', async () => {
    const git = task('t1')
    await git.clone(source)
    const names = ['-rf', 'a b', 'ü ñ.txt', ':(exclude)x', 'quote"\'.txt', '$(id).txt', '*.js', '#x']
    for (const name of names) await git.write(`calc/${name}`, name)
    expect((await git.status()).changes.map((c) => c.path).sort()).toEqual([...names].sort())
    expect((await git.commit({ message: '-m', paths: ['*.js'], callId: 'c1' })).changes).toEqual([{ path: '*.js', what: 'new' }])
    await git.commit({ message: '--amend', callId: 'c2' })
    expect(person(join(data(), 'repositories', 't1', 'calc.git'), 'ls-tree', '-z', '--name-only', 'agent/t1').split('\0')).toEqual(
      expect.arrayContaining(names),
    )
  })
})

describe('several tasks', () => {
  test('each have a work tree on a branch that began where the task above stands, and work side by side', async () => {
    const parent = task('t1')
    await parent.clone(source)
    await parent.write('calc/base.txt', 'base\n')
    await parent.commit({ message: 'base', callId: 'p' })
    const children = Array.from({ length: 6 }, (_, i) => task(`t1.3${'abcdef'[i]}`))
    await Promise.all(
      children.map(async (git, i) => {
        expect(await git.worktree(undefined)).toMatchObject({ folder: 'calc', created: true })
        expect(await readFile(join(git.folder, 'calc', 'base.txt'), 'utf8')).toBe('base\n')
        for (let k = 0; k < 4; k++) {
          await git.write(`calc/child-${i}-${k}.txt`, `${k}`)
          await git.commit({ message: `${i} ${k}`, callId: `c${k}` })
        }
      }),
    )
    for (let i = 0; i < 6; i++)
      expect((await parent.merge(`agent/t1.3${'abcdef'[i]}`, undefined)).kind).toBe(i === 0 ? 'forward' : 'merged')
    expect((await readdir(join(parent.folder, 'calc'))).filter((name) => name.startsWith('child-'))).toHaveLength(24)
    expect(person(join(data(), 'repositories', 't1', 'calc.git'), 'fsck', '--strict')).toBe('')
    expect((await parent.branches()).filter((b) => b.checkedOutBy !== null)).toHaveLength(7)
  })

  test('in one folder do not share a work tree', async () => {
    const a = task('t1', '')
    const b = task('t1.2a', '')
    await a.clone(source)
    expect((await b.worktree('calc')).folder).toBe('calc-2a')
    await expect(b.checkout('agent/t1')).rejects.toThrow('Task t1 works on the branch "agent/t1"')
  })

  test('changes go along to a branch that is at the same commit, and are not taken to another', async () => {
    const git = task('t1')
    await git.clone(source)
    await git.write('calc/readme.md', 'mended\n')
    await git.branch('mend', undefined)
    await git.checkout('mend')
    expect(await git.status()).toMatchObject({ branch: 'mend', changes: [{ what: 'changed', path: 'readme.md' }] })
    await git.commit({ message: 'mended', callId: 'a' })
    await git.write('calc/readme.md', 'mended more\n')
    await expect(git.checkout('agent/t1')).rejects.toThrow('has changes in "readme.md", so it is not switched')
    expect(await git.status()).toMatchObject({ branch: 'mend' })
  })

  test('a conflict is foretold with its files, and nothing is changed by trying', async () => {
    const a = task('t1')
    await a.clone(source)
    const b = task('t1.2a')
    await b.worktree(undefined)
    await a.write('calc/readme.md', 'A\ntwo\nthree\n')
    await a.commit({ message: 'a', callId: 'a' })
    await b.write('calc/readme.md', 'B\ntwo\nthree\n')
    await b.commit({ message: 'b', callId: 'b' })
    expect(await a.mergeCheck('agent/t1.2a', undefined)).toMatchObject({ clean: false, conflicts: ['readme.md'] })
    expect(await a.merge('agent/t1.2a', undefined)).toEqual({ kind: 'conflict', conflicts: ['readme.md'] })
    expect((await a.status()).changes).toEqual([])
    expect(await a.mergeCheck('agent/t1.2a', 'main')).toMatchObject({ clean: true })
  })

  test('of other goals see nothing of it', async () => {
    await task('t1').clone(source)
    await expect(task('t2').log({ most: 1 })).rejects.toThrow('This goal has no repository yet')
    await expect(task('t2').worktree('calc')).rejects.toThrow('This goal has no repository "calc"')
  })
})

describe('when tasks are over', () => {
  test('merged work trees go, dirty and unmerged ones stay and are told of, kept branches let theirs go', async () => {
    const parent = task('t1')
    await parent.clone(source)
    const [merged, dirty, unmerged, kept] = ['2a', '2b', '2c', '2d'].map((id) => task(`t1.${id}`))
    for (const [i, git] of [merged!, dirty!, unmerged!, kept!].entries()) {
      await git.worktree(undefined)
      await git.write(`calc/${i}.txt`, 'x')
      await git.commit({ message: `${i}`, callId: 'c' })
    }
    await parent.merge('agent/t1.2a', undefined)
    await parent.merge('agent/t1.2b', undefined)
    await dirty!.write('calc/unsaved.txt', 'x')
    await kept!.keep()
    expect(await repositories.tidy(async () => false)).toEqual({ removed: [], stay: [] })
    expect((await parent.list()).worktrees.every((w) => w.locked)).toBe(true)
    const told = await repositories.tidy(async (id) => id !== 't1')
    expect(told.removed.sort()).toEqual([join(merged!.folder, 'calc'), join(kept!.folder, 'calc')])
    expect(told.stay.map((s) => s.why).sort()).toEqual([
      '1 file has changes that are in no commit',
      'its branch agent/t1.2c is merged nowhere',
    ])
    expect(existsSync(join(merged!.folder, 'calc'))).toBe(false)
    expect(existsSync(join(dirty!.folder, 'calc', 'unsaved.txt'))).toBe(true)
    expect((await parent.branches()).map((b) => b.name)).toContain('agent/t1.2d')
    expect((await parent.list()).worktrees.filter((w) => w.locked).map((w) => w.task)).toEqual(['t1'])
  })
})

describe('locks', () => {
  test('one that a killed git left behind is taken away; one that a living git holds is waited for', async () => {
    const git = task('t1')
    await git.clone(source)
    const common = join(data(), 'repositories', 't1', 'calc.git')
    const locks = [
      join(data(), 'repositories', 't1', 'state', 'calc.t1', 'index.lock'),
      join(common, 'refs', 'heads', 'agent', 't1.lock'),
      join(common, 'worktrees', 't1', 'HEAD.lock'),
    ]
    for (const lock of locks) await writeFile(lock, '')
    await git.write('calc/a.txt', 'a')
    await git.commit({ message: 'a', callId: 'a' })
    for (const lock of locks) expect(existsSync(lock), lock).toBe(false)

    // A git of an earlier runtime that still works on this repository: it reads from a pipe and ends when that is closed.
    const other = spawn('git', [`--git-dir=${common}`, 'cat-file', '--batch'], { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(other, 'spawn')
    await writeFile(locks[0]!, '')
    await git.write('calc/b.txt', 'b')
    const ended = once(other, 'exit')
    const commit = git.commit({ message: 'b', callId: 'b' })
    const early = await Promise.race([commit.then(() => 'done'), new Promise((r) => setTimeout(() => r('waits'), 300))])
    expect(early).toBe('waits')
    other.stdin!.end()
    await ended
    expect((await commit).changes).toEqual([{ path: 'b.txt', what: 'new' }])
  })

  test('a work tree whose making was cut off is made whole by the same call again', async () => {
    const git = task('t1')
    await git.clone(source)
    await rm(join(data(), 'repositories', 't1', 'state'), { recursive: true })
    await rm(join(git.folder, 'calc', 'readme.md'))
    expect(await git.worktree(undefined)).toMatchObject({ created: false })
    expect((await git.status()).changes).toEqual([])
  })
})

describe('nothing but git runs', () => {
  /** Settings that make git start a program of the repository's choice, each by its own road. */
  const hostile = (path: string): [string, string][] => [
    ['core.fsmonitor', path],
    ['core.hooksPath', join(base, 'hooks')],
    ['core.sshCommand', path],
    ['core.pager', path],
    ['core.editor', path],
    ['core.askPass', path],
    ['core.gitProxy', path],
    ['core.alternateRefsCommand', path],
    ['core.attributesFile', join(base, 'attributes')],
    ['core.worktree', base],
    ['diff.external', path],
    ['diff.evil.textconv', path],
    ['diff.evil.command', path],
    ['filter.evil.clean', path],
    ['filter.evil.smudge', path],
    ['filter.evil.process', path],
    ['merge.evil.driver', path],
    ['alias.status', `!${path}`],
    ['alias.log', `!${path}`],
    ['pager.log', path],
    ['credential.helper', `!${path}`],
    ['commit.gpgsign', 'true'],
    ['gpg.program', path],
    ['uploadpack.packObjectsHook', path],
    ['include.path', join(base, 'included')],
    [`includeIf.gitdir:${base}/.path`, join(base, 'included')],
    ['remote.origin.uploadpack', path],
    ['remote.origin.receivepack', path],
    ['remote.origin.promisor', 'true'],
    ['remote.origin.partialclonefilter', 'blob:none'],
    ['url.ext::sh.insteadOf', '/'],
    ['protocol.ext.allow', 'always'],
    ['receive.denyCurrentBranch', 'updateInstead'],
    ['submodule.recurse', 'true'],
    ['gc.auto', '1'],
    ['sequence.editor', path],
    ['interactive.diffFilter', path],
  ]
  async function poison(gitDir: string): Promise<void> {
    const path = await trap('setting')
    await mkdir(join(base, 'hooks'), { recursive: true })
    for (const folder of [join(base, 'hooks'), join(gitDir, 'hooks')]) {
      await mkdir(folder, { recursive: true })
      for (const hook of [
        'pre-commit',
        'post-commit',
        'post-checkout',
        'post-merge',
        'pre-push',
        'pre-receive',
        'update',
        'post-receive',
        'post-update',
        'reference-transaction',
        'post-index-change',
        'fsmonitor-watchman',
        'push-to-checkout',
        'commit-msg',
        'prepare-commit-msg',
        'proc-receive',
      ]) {
        await writeFile(join(folder, hook), `#!/bin/sh\necho hook ${hook} >> ${ran}\n`)
        await chmod(join(folder, hook), 0o755)
      }
    }
    await writeFile(join(base, 'included'), `[core]\n\tfsmonitor = ${path}\n[diff]\n\texternal = ${path}\n`)
    await writeFile(join(base, 'attributes'), '* filter=evil diff=evil merge=evil\n')
    for (const [name, value] of hostile(path)) execFileSync('git', ['config', '--file', join(gitDir, 'config'), name, value])
  }
  /** Every operation once. */
  async function everything(git: TaskGit & { write(path: string, text: string): Promise<unknown> }, folder: string): Promise<void> {
    await git.write(`${folder}/readme.md`, `one\nchanged\n`)
    await git.write(`${folder}/another.txt`, 'x')
    await git.status()
    await git.diff({})
    await git.diff({ from: 'HEAD', paths: ['readme.md'] })
    await git.commit({ message: 'a change', callId: `c-${folder}` })
    await git.log({ most: 5, path: 'readme.md' })
    await git.show('HEAD', undefined)
    await git.show('HEAD', 'readme.md')
    await git.branch('side', 'HEAD~1')
    await git.checkout('side')
    await git.write(`${folder}/third.txt`, 'x')
    await git.commit({ message: 'aside', callId: `d-${folder}` })
    await git.mergeCheck('agent/t1', undefined)
    expect((await git.merge('agent/t1', undefined)).kind).toBe('merged')
    await git.restore(['readme.md'], 'HEAD~1')
    await git.diff({ from: 'main', to: 'side' })
    await git.restore(['readme.md'], undefined)
    await git.worktree(undefined)
  }

  test('with a source full of hooks and settings, cloned, worked on and pushed to', async () => {
    await writeFile(join(source, '.gitattributes'), '* filter=evil diff=evil merge=evil\n*.md working-tree-encoding=UTF-8\n')
    person(source, 'add', '-A')
    person(source, 'commit', '-qm', 'attributes')
    await poison(join(source, '.git'))
    const git = task('t1')
    await git.clone(source)
    await everything(git, 'calc')
    await git.push('side', undefined)
    await repositories.tidy(async () => true)
    expect(await trapped()).toBe('')
    expect(hostile('x').length).toBeGreaterThan(25)
  })

  test('a source whose .gitmodules would start a program is not taken at all', async () => {
    await writeFile(join(source, '.gitmodules'), `[submodule "s"]\n\tpath = s\n\turl = -u./evil\n\tupdate = !touch ${ran}\n`)
    person(source, 'add', '-A')
    person(source, 'commit', '-qm', 'submodule')
    await expect(task('t1').clone(source)).rejects.toThrow(/git clone did not succeed: object .*gitmodules/)
    expect(await readdir(join(data(), 'repositories', 't1'))).toEqual([])
  })

  test('the traps are real: a git that a person would run falls into them', async () => {
    await poison(join(source, '.git'))
    execFileSync('git', ['status'], { cwd: source, env: { PATH: process.env.PATH!, HOME: base }, stdio: 'ignore' })
    expect(await trapped()).toMatch(/setting/)
  })

  test('with a repository of a workspace as the source', async () => {
    const git = task('t1', '')
    await git.write('mine/x.txt', 'x')
    const mine = join(git.folder, 'mine')
    if (runAs) execFileSync('chown', ['-R', '0:0', mine])
    await makeSource(mine)
    await poison(join(mine, '.git'))
    if (runAs) await handOver(git.folder, runAs)
    expect(await git.clone('mine', 'copy')).toMatchObject({ repository: 'copy', folder: 'copy' })
    expect(await readFile(join(git.folder, 'copy', 'readme.md'), 'utf8')).toContain('two')
    await everything(git, 'copy')
    expect(await trapped()).toBe('')
    await expect(git.push(undefined, undefined)).rejects.toThrow('nowhere to push to')
  })

  test("when an agent puts a repository of its own in the place of its work tree's .git", async () => {
    const git = task('t1')
    await git.clone(source)
    const tree = join(git.folder, 'calc')
    await rm(join(tree, '.git'))
    await makeSource(join(base, 'evil'))
    await poison(join(base, 'evil', '.git'))
    execFileSync('cp', ['-a', join(base, 'evil', '.git'), join(tree, '.git')])
    if (runAs) await handOver(tree, runAs)
    await everything(git, 'calc')
    expect(await trapped()).toBe('')
    expect((await git.log({ most: 50 })).map((c) => c.subject)).toContain('a change')
  })

  test('when a repository lies within the work tree, or a submodule is full of traps', async () => {
    const git = task('t1')
    const inner = join(base, 'inner')
    await makeSource(inner)
    person(source, '-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', inner, 's')
    person(source, 'commit', '-qm', 'with a submodule')
    await git.clone(source)
    const tree = join(git.folder, 'calc')
    if (runAs) execFileSync('chown', ['-R', '0:0', tree])
    await makeSource(join(tree, 's'))
    await poison(join(tree, 's', '.git'))
    await makeSource(join(tree, 'nested'))
    await poison(join(tree, 'nested', '.git'))
    if (runAs) await handOver(tree, runAs)
    await git.status()
    await git.diff({})
    await git.write('calc/readme.md', 'changed\n')
    await expect(git.commit({ message: 'x', callId: 'c' })).rejects.toThrow('"nested/" is a repository within the repository')
    await git.commit({ message: 'x', paths: ['readme.md'], callId: 'c' })
    await git.restore(['.'], 'HEAD~1')
    expect(await trapped()).toBe('')
  })

  test('nor is anything read that the agent may not: a .git file, alternates and links that lead elsewhere', async () => {
    const secret = join(base, 'secret')
    await makeSource(secret)
    await chmod(secret, 0o700)
    const git = task('t1', '')
    await git.write('a/.git', `gitdir: ${join(secret, '.git')}\n`)
    await expect(git.clone('a')).rejects.toThrow('.git file leads out of it')
    await git.write('b/.git/HEAD', 'ref: refs/heads/main\n')
    await git.write('b/.git/objects/info/alternates', `${join(secret, '.git', 'objects')}\n`)
    await expect(git.clone('b')).rejects.toThrow('alternates leads out of it')
    await git.write('c/.git/HEAD', 'ref: refs/heads/main\n')
    await symlink(join(secret, '.git', 'objects'), join(git.folder, 'c', '.git', 'objects'))
    await expect(git.clone('c')).rejects.toThrow('objects leads out of it')
    await symlink(secret, join(git.folder, 'd'))
    await expect(git.clone('d')).rejects.toThrow('leads out of the workspace')
    await expect(git.clone(join(data(), 'workspaces'))).rejects.toThrow('belongs to the system itself')
    await expect(git.clone(base)).rejects.toThrow('belongs to the system itself')
  })

  test('a link in the place of the work tree, or of a folder in it, leads nowhere', async () => {
    const git = task('t1')
    await git.clone(source)
    const outside = join(base, 'outside')
    await mkdir(outside)
    await writeFile(join(outside, 'add.js'), 'outside')
    await rm(join(git.folder, 'calc', 'lib'), { recursive: true })
    await symlink(outside, join(git.folder, 'calc', 'lib'))
    await git.restore(['lib/add.js'], undefined).catch(() => undefined) // made anew or refused: both leave what is outside alone
    expect(await readFile(join(outside, 'add.js'), 'utf8')).toBe('outside')
    await rm(join(git.folder, 'calc'), { recursive: true })
    await symlink(outside, join(git.folder, 'calc'))
    await expect(git.status()).rejects.toThrow('is no folder any more')
    await expect(git.restore(['.'], undefined)).rejects.toThrow('is no folder any more')
  })

  test.runIf(runAs)('the common repository is closed to the user that commands run as, and files of a checkout are its own', async () => {
    const git = task('t1')
    await git.clone(source)
    const common = join(data(), 'repositories', 't1', 'calc.git')
    for (const path of [
      common,
      join(common, 'refs', 'heads'),
      join(common, 'objects'),
      join(common, 'worktrees', 't1'),
      join(common, 'config'),
    ])
      expect(() => execFileSync('/bin/sh', ['-c', `test ! -w "$1"`, 'sh', path], { uid: runAs!.uid, gid: runAs!.gid })).not.toThrow()
    execFileSync('/bin/sh', ['-c', 'echo more >> "$1"', 'sh', join(git.folder, 'calc', 'readme.md')], { uid: runAs!.uid, gid: runAs!.gid })
    expect((await git.commit({ message: 'by a command', callId: 'c' })).changes).toHaveLength(1)
  })
})

describe('words of a model do not become options, ranges, transports or paths elsewhere', () => {
  const table: [string, (given: string) => unknown, string[]][] = [
    [
      'branch',
      branchName,
      [
        '-d',
        '--force',
        '',
        'a..b',
        'a b',
        'a\nb',
        'a:b',
        'refs/heads/x',
        'HEAD',
        'x.lock',
        '/x',
        'x/',
        'a//b',
        '@{-1}',
        'a~1',
        'a^',
        'a?b',
        '.hidden',
        'a/.b',
        'a\\b',
        '+x',
        ':x',
        'a/-b',
        '$(id)',
        'x;id',
        'a\0b',
      ],
    ],
    [
      'revision',
      revision,
      [
        '--all',
        '-p',
        'main..x',
        'main...x',
        ':/text',
        ':0:file',
        'HEAD:secret',
        '^main',
        '@{upstream}',
        'main@{1}',
        'HEAD^{/x}',
        'HEAD^@',
        'HEAD^!',
        '--output=/tmp/x',
        '',
        '--exec=id',
      ],
    ],
    [
      'path',
      pathInTree,
      [
        '../x',
        'a/../../x',
        '/etc/passwd',
        '.git/config',
        'sub/.git/hooks/x',
        '.GIT/config',
        'git~1/config',
        '.git /x',
        '.g\u200cit/config',
        'a\0b',
        'a\\b',
        '',
        '.git::$INDEX_ALLOCATION/x',
      ],
    ],
    [
      'source',
      sourceOf,
      [
        '-u',
        '--upload-pack=id',
        'ext::sh -c id',
        'fd::17',
        'ssh://host/x',
        'git@host:x',
        'host:x',
        'git://host/x',
        'rsync://x/y',
        'https://user:pass@host/x',
        'file://host/x',
        'ftp://x/y',
        'file::/x',
        'https:evil',
        'a\nb',
        'https://h/x?y=1',
        '',
      ],
    ],
    ['repository', repositoryName, ['..', '.git', 'a/b', '-x', 'x.git', 'x.lock', '', 'a b', 'a..b', 'x'.repeat(80)]],
    ['message', commitMessage, ['', '  \n ', 'a\0b']],
  ]
  test.each(table.flatMap(([what, check, all]) => all.map((given) => [what, JSON.stringify(given), check, given] as const)))(
    '%s %s is refused',
    (_what, _shown, check, given) => {
      expect(() => check(given)).toThrow()
    },
  )
  test('and there are more than 25 of them; what is right is taken', () => {
    expect(table.reduce((sum, [, , all]) => sum + all.length, 0)).toBeGreaterThan(25)
    expect(['main', 'feature/x-1', 'v1.0', 'agent/0k3f.3a', 'größe'].map(branchName)).toHaveLength(5)
    expect(['HEAD', 'HEAD~2', 'main^', 'v1.0~3^2', 'deadbeef'].map(revision)).toHaveLength(5)
    expect(pathInTree('a/./b/')).toBe('a/b')
    expect(sourceOf('https://example.org/a.git')).toEqual({ kind: 'http', url: 'https://example.org/a.git' })
    expect([nameOfSource('/x/My Repo/.git'), nameOfSource('https://h/a/b.git'), nameOfSource('///')]).toEqual([
      'My-Repo',
      'b',
      'repository',
    ])
  })

  test('through the door as well', async () => {
    const git = task('t1')
    await git.clone(source)
    await expect(git.log({ of: '--output=/tmp/x', most: 1 })).rejects.toThrow('must be a branch, a tag, a hash or HEAD')
    await expect(git.diff({ paths: ['../../x'] })).rejects.toThrow('leaves the repository')
    await expect(git.checkout('--detach')).rejects.toThrow('begins with a letter or a digit')
    await expect(git.show('HEAD', '.git/config')).rejects.toThrow("git's own files")
    await expect(git.show('nope', undefined)).rejects.toThrow('There is no commit "nope"')
  })
})

describe('over HTTP', () => {
  /** A real server that gives a repository's files out, as any web server could. */
  async function serve(answer: (path: string) => Promise<Buffer | string | null>): Promise<{ url: string; close(): Promise<unknown> }> {
    const server = createServer((request, response) => {
      const path = decodeURIComponent(request.url!.split('?', 1)[0]!)
      void answer(path).then((found) => {
        if (typeof found === 'string') response.writeHead(302, { location: found }).end()
        else if (found) response.writeHead(200).end(found)
        else response.writeHead(404).end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => new Promise((done) => server.close(done)) }
  }
  const filesBelow = (folder: string) => (path: string) =>
    readFile(join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'EISDIR') return null
      throw error
    })

  test('a repository is cloned, and its address is where a push would go', async () => {
    person(source, 'update-server-info')
    const web = await serve(filesBelow(join(base, 'source')))
    const git = task('t1')
    expect(git.mayClone(`${web.url}/calc/.git`)).toBe(false)
    expect(await git.clone(`${web.url}/calc/.git`)).toMatchObject({ repository: 'calc', branch: 'agent/t1' })
    expect(await readFile(join(git.folder, 'calc', 'readme.md'), 'utf8')).toContain('two')
    expect(git.origin('calc')).toBe(`${web.url}/calc/.git`)
    await web.close()
  })

  test('a redirection elsewhere is not followed, and a server that is none is told in a sentence', async () => {
    person(source, 'update-server-info')
    const real = await serve(filesBelow(join(base, 'source')))
    const web = await serve(async (path) => `${real.url}${path}`)
    await expect(task('t1').clone(`${web.url}/calc/.git`)).rejects.toThrow(/git clone did not succeed: .*302/)
    await Promise.all([web.close(), real.close()])
    await expect(task('t1').clone(`${web.url}/calc/.git`)).rejects.toThrow(/git clone did not succeed/)
    expect(await readdir(join(data(), 'repositories', 't1'))).toEqual([])
  })
})

describe('what a person is asked', () => {
  test('binds: a branch that moved on since is not pushed', async () => {
    const git = task('t1')
    await git.clone(source)
    await git.write('calc/a', 'a')
    const { hash } = await git.commit({ message: 'shown', callId: 'c1' })
    await git.write('calc/a', 'b')
    await git.commit({ message: 'not shown', callId: 'c2' })
    await expect(git.push('agent/t1', hash)).rejects.toThrow(/is at [0-9a-f]{12}, not at/)
    expect(git.origin(undefined)).toBe(source)
  })

  test.each([
    ['Mend /srv/calc, please.', '/srv/calc', true],
    ['Mend "/srv/calc/"', '/srv/calc', true],
    ['Mend /srv/calc2', '/srv/calc', false],
    ['Mend /srv', '/srv/calc', false],
    ['Mend /srv/calc', '/srv/calc/../other', false],
    ['Mend file:///srv/calc', 'file:///srv/calc', true],
    ['Mend https://example.org/x', 'https://example.org/x', false],
    [null, '/srv/calc', false],
    ['anything', 'folder/of/the/workspace', true],
  ])('%j allows a clone of %s: %s', (typed, from, allowed) => {
    const git = repositories.forTask({
      treeId: 't1',
      taskId: 't1',
      agent: 'a',
      typed,
      folder: async () => base,
      files: workspaceFiles(base),
    })
    expect(git.mayClone(from)).toBe(allowed)
  })
})

describe('limits', () => {
  test('a call that writes more than is kept is ended and says so', async () => {
    const git = task('t1')
    await git.clone(source)
    await git.write('calc/large.txt', 'x\n'.repeat(400_000))
    await git.commit({ message: 'large', callId: 'c' })
    expect((await git.show('HEAD', 'large.txt')).cut).toBe(true)
    await appendFile(join(git.folder, 'calc', 'large.txt'), 'end\n')
    expect((await git.diff({})).files).toHaveLength(1)
  })

  test('a call that takes too long is ended with what it started', async () => {
    const git = openGit({ path: process.env.PATH! })
    await task('t1').clone(source)
    const common = join(data(), 'repositories', 't1', 'calc.git')
    const begun = performance.now()
    // Waits for input that never ends, because a pipe of the operating system stands in its place.
    execFileSync('mkfifo', [join(base, 'pipe')])
    await expect(git.run({ dir: common, args: ['hash-object', '--', join(base, 'pipe')], timeoutMs: 200 })).rejects.toThrow(
      'took longer than 0.2 s and was ended',
    )
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  test('a machine without git is told in one sentence', async () => {
    const git = openGit({ path: '/nonexistent' })
    await expect(git.run({ args: ['version'] })).rejects.toThrow('There is no git on this machine (PATH); install it')
  })
})
