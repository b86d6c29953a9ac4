/**
 * The system's own source as git objects. Everything is kept in a bare repository of the system's own, DATA_DIR/self/repository.git, which no
 * agent can write; the person's checkout is only read, and moved forward by `merge --ff-only` where it is clean and on its main branch. No
 * branch that somebody has checked out is ever set, and no file of a person that is not in a commit is touched.
 *
 * Native git writes, merges and says what differs, because one implementation of renames must say what a person is shown and what the gates
 * judge; trees and files are read as objects (`objects.ts`).
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, lstat, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import type { ChangedFile } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import { type GitCall, openGit } from '../git/run.ts'
import { openObjects } from './objects.ts'

export type SourceOptions = {
  /** The person's checkout, or the folder that holds the source where there is no git. */
  checkout: string
  dataDir: string
  path: string
}
export type Landing = { branch: string; join: string | null }
export type Source = Awaited<ReturnType<typeof openSource>>

const OURS = 'banyan/main'
const PACK_BYTES = 512_000_000
const NAME = 'Banyan'
const EMAIL = 'banyan@banyan.invalid'
/** Folders that are no source, where there is no git to say so. */
const NO_SOURCE = /^(?:node_modules|data|dist|\.git|\.env)$/

/** Nothing is read or written before the first question. */
export function openSource(options: SourceOptions) {
  const git = openGit({ path: options.path })
  const dir = join(options.dataDir, 'self', 'repository.git')
  const run = (args: readonly string[], more: Partial<GitCall> = {}) => git.run({ dir, args, ...more })
  const objects = openObjects(dir)
  let made: Promise<void> | undefined

  /** The repository of the checkout; null: the source came without a history. */
  async function gitDir(): Promise<string | null> {
    const place = join(options.checkout, '.git')
    const found = await lstat(place).catch(() => null) // no history
    if (!found) return null
    if (found.isDirectory()) return place
    const [, to] = /^gitdir: (.+)$/m.exec(await readFile(place, 'utf8')) ?? []
    return to === undefined ? null : resolve(options.checkout, to.trim())
  }
  const ready = (): Promise<void> => (made ??= make())
  async function make(): Promise<void> {
    await mkdir(dirname(dir), { recursive: true, mode: 0o711 })
    await chmod(dirname(dir), 0o711)
    if (!existsSync(join(dir, 'HEAD'))) {
      const draft = `${dir}.new`
      await rm(draft, { recursive: true, force: true })
      await git.run({ args: ['init', '--bare', '--quiet', '--template=', '--initial-branch=main', '--', draft] })
      await rename(draft, dir)
    }
    if ((await gitDir()) === null) await importFiles()
  }
  /** Without a history the files as they stand become one; what they were when last looked at is remembered, so only a person's change counts. */
  async function importFiles(): Promise<void> {
    const index = join(dirname(dir), 'import.index')
    await rm(index, { force: true })
    const inFiles = { tree: options.checkout, env: { GIT_INDEX_FILE: index } }
    const { text } = await run(['ls-files', '-z', '--others', '--exclude-standard'], inFiles)
    const data = relative(options.checkout, options.dataDir)
    const paths = text.split('\0').filter((path) => {
      const outside = data === '' || data.startsWith('..') || !`${path}/`.startsWith(`${data.split(sep).join('/')}/`)
      return path !== '' && outside && !path.split('/').some((part) => NO_SOURCE.test(part))
    })
    await run(['update-index', '-z', '--add', '--stdin'], { ...inFiles, stdin: paths.map((path) => `${path}\0`).join('') })
    const tree = (await run(['write-tree'], inFiles)).text.trim()
    const before = await refOf(dir, 'refs/banyan/imported')
    if (before !== null && (await treeOf(before)) === tree) return
    const tip = await refOf(dir, 'refs/heads/main')
    const commit = await commitOf({ tree, parents: tip === null ? [] : [tip], message: 'The source as it stands in the checkout', at: 0 })
    await run(['update-ref', 'refs/heads/main', commit])
    await run(['update-ref', 'refs/banyan/imported', commit])
  }

  async function refOf(of: string, name: string): Promise<string | null> {
    const { text, code } = await git.run({
      dir: of,
      args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`],
      fine: [1, 128],
    })
    return code === 0 ? text.trim() : null
  }
  async function isAncestor(of: string, a: string, b: string): Promise<boolean> {
    return (await git.run({ dir: of, args: ['merge-base', '--is-ancestor', a, b], fine: [1] })).code === 0
  }
  const treeOf = async (commit: string): Promise<string> => (await run(['rev-parse', '--verify', `${commit}^{tree}`])).text.trim()

  async function commitOf(what: {
    tree: string
    parents: readonly string[]
    message: string
    /** Milliseconds; the same words at the same time are the same commit. */
    at: number
    author?: string
  }): Promise<string> {
    const date = `@${Math.floor(what.at / 1_000)} +0000`
    const { text } = await run(['commit-tree', what.tree, ...what.parents.flatMap((hash) => ['-p', hash]), '-F', '-'], {
      stdin: what.message,
      env: {
        GIT_AUTHOR_NAME: what.author ?? NAME,
        GIT_AUTHOR_EMAIL: EMAIL,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: NAME,
        GIT_COMMITTER_EMAIL: EMAIL,
        GIT_COMMITTER_DATE: date,
      },
    })
    return text.trim()
  }

  /** Objects that `tip` needs and `to` lacks go over as one pack, each checked. */
  async function carry(from: string, tip: string, have: readonly (string | null)[], to: string): Promise<void> {
    const known = have.filter((hash) => hash !== null)
    const pack = await git.run({
      dir: from,
      args: ['pack-objects', '--revs', '--thin', '--stdout', '-q', '--delta-base-offset'],
      stdin: `${[tip, ...known.map((hash) => `^${hash}`)].join('\n')}\n`,
      most: PACK_BYTES,
    })
    if (pack.cut) throw new Fault('too_large', 'The source holds more new content than can be taken over at once.')
    await git.run({ dir: to, args: ['index-pack', '--stdin', '--fix-thin', '--strict'], stdin: pack.out })
  }

  type Heads = { gitDir: string; main: string; mainAt: string; oursAt: string | null; tip: string }
  /** Where the system's main branch stands: the person's main, or ours where it has gone further. */
  async function heads(place: string): Promise<Heads> {
    const symbolic = await git.run({ dir: place, args: ['symbolic-ref', '--quiet', '--short', 'HEAD'], fine: [1, 128] })
    const names = ['main', 'master', symbolic.code === 0 ? symbolic.text.trim() : 'main']
    let main: string | null = null
    let mainAt: string | null = null
    for (const name of names) {
      mainAt = await refOf(place, `refs/heads/${name}`)
      main = name
      if (mainAt !== null) break
    }
    mainAt ??= await refOf(place, 'HEAD')
    if (mainAt === null || main === null)
      throw new Fault('unavailable', 'The checkout has no commit yet; make one, and Banyan can change its own code.')
    const oursAt = await refOf(place, `refs/heads/${OURS}`)
    if (oursAt === null || (await isAncestor(place, oursAt, mainAt))) return { gitDir: place, main, mainAt, oursAt, tip: mainAt }
    if (await isAncestor(place, mainAt, oursAt)) return { gitDir: place, main, mainAt, oursAt, tip: oursAt }
    throw new Fault(
      'conflict',
      `The branches ${main} and ${OURS} of the checkout have gone different ways, so no change can follow both: run \`git merge ${OURS}\` on ${main}.`,
    )
  }

  /** Paths that a person has changed and not committed. New files of theirs are no hindrance: git itself writes over none. */
  async function dirtyOf(place: string): Promise<string[]> {
    const { text } = await git.run({
      dir: place,
      tree: options.checkout,
      args: ['status', '--porcelain=v1', '-z', '--untracked-files=no', '--no-renames'],
    })
    return text
      .split('\0')
      .filter((line) => line !== '')
      .map((line) => line.slice(3))
  }

  const source = {
    /** The newest commit of the system's main branch, whose objects are here after this. */
    async tip(): Promise<string> {
      await ready()
      const place = await gitDir()
      if (place === null) {
        const own = await refOf(dir, 'refs/heads/main')
        if (own === null) throw new Fault('unavailable', 'There is no source here that could be changed.')
        return own
      }
      const { tip } = await heads(place)
      const had = await refOf(dir, 'refs/heads/main')
      if (had !== tip) {
        await carry(place, tip, [had !== null && (await refOf(place, had)) === had ? had : null], dir)
        await run(['update-ref', 'refs/heads/main', tip])
      }
      return tip
    },
    /** Whether changes can land on a branch of a person at all, for people to read. */
    async describe(): Promise<{ history: boolean }> {
      return { history: (await gitDir()) !== null }
    },
    dir,
    /** The person's own repository and its main branch; null: the source came without a history. */
    async checkout(): Promise<{ gitDir: string; main: string } | null> {
      const place = await gitDir()
      return place === null ? null : { gitDir: place, main: (await heads(place)).main }
    },
    git,
    /** A commit that an agent made, with its objects, from the repository that its goal has. It stays under its change's name. */
    async take(from: string, commit: string, changeId: string): Promise<void> {
      const tip = await source.tip()
      await carry(from, commit, [(await refOf(from, tip)) === tip ? tip : null], dir)
      await run(['update-ref', `refs/changes/${changeId}`, commit])
    },
    /** The commit that would follow `base`: everything that `submitted` changed since it began, as one commit. */
    async candidate(
      base: string,
      submitted: string,
      words: { message: string; at: number; author: string },
    ): Promise<{ commit: string; tree: string; conflicts: null } | { conflicts: string[] }> {
      const merged = await run(['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', base, submitted], { fine: [1] })
      const [tree = '', ...names] = merged.text.split('\0')
      if (merged.code === 1) return { conflicts: [...new Set(names.filter(Boolean))] }
      return { commit: await commitOf({ ...words, tree, parents: [base] }), tree, conflicts: null }
    },
    /** The commit that would follow `base` and take `commit` back. */
    async reversal(base: string, commit: string, words: { message: string; at: number }) {
      const parent = (await run(['rev-parse', '--verify', `${commit}^1`])).text.trim()
      const [before, after] = [await treeOf(parent), await treeOf(commit)]
      if (after === (await treeOf(base)))
        return { commit: await commitOf({ ...words, tree: before, parents: [base] }), tree: before, conflicts: null }
      // As if the tree before it had been made out of the tree after it, on a branch of its own.
      const undone = await commitOf({ tree: before, parents: [commit], message: words.message, at: words.at })
      return source.candidate(base, undone, { ...words, author: NAME })
    },
    treeOf,
    async files(from: string, to: string): Promise<ChangedFile[]> {
      const how = ['diff-tree', '-r', '--no-ext-diff', '--no-textconv', '--ignore-submodules=none', '--find-renames', '-z', from, to]
      const [names, counts] = await Promise.all([run([...how, '--raw', '--no-abbrev']), run([...how, '--numstat'])])
      return changedFiles(names.text, counts.text)
    },
    /** Like `git diff`, with renames; `path`: of one file. */
    async diff(from: string, to: string, path?: string): Promise<{ text: string; cut: boolean }> {
      const args = ['diff-tree', '-r', '-p', '--no-ext-diff', '--no-textconv', '--no-color', '--find-renames', from, to]
      const files = path === undefined ? [] : (await source.files(from, to)).filter((file) => file.path === path)
      const paths = files.flatMap((file) => [file.path, ...(file.from === null ? [] : [file.from])])
      if (path !== undefined && paths.length === 0) throw new Fault('not_found', `This change does not touch ${JSON.stringify(path)}.`)
      const { text, cut } = await run([...args, '--', ...paths], { most: 1_000_000 })
      return { text, cut }
    },
    /** The hash that a folder of plain files has as a tree of git. */
    async hashFolder(folder: string): Promise<string> {
      const index = join(dirname(dir), 'hash.index')
      await rm(index, { force: true })
      const inFiles = { tree: folder, env: { GIT_INDEX_FILE: index } }
      const { text } = await run(['ls-files', '-z', '--others'], inFiles)
      await run(['update-index', '-z', '--add', '--stdin'], { ...inFiles, stdin: text })
      return (await run(['write-tree'], inFiles)).text.trim()
    },
    ...objects,
    async search(of: string, words: string, below: string | null): Promise<{ text: string; cut: boolean }> {
      const { text, cut } = await run(
        ['grep', '-n', '-I', '-i', '--fixed-strings', '--no-color', '--max-depth=-1', '-e', words, of, '--', ...(below ? [below] : [])],
        { fine: [1], most: 30_000 },
      )
      return { text: text.replaceAll(`${of}:`, ''), cut }
    },
    /** Where `land` would put it now. */
    async landing(to: string): Promise<string> {
      const place = await gitDir()
      if (place === null) return 'main'
      const { main, mainAt } = await heads(place)
      const head = await git.run({ dir: place, args: ['symbolic-ref', '--quiet', '--short', 'HEAD'], fine: [1, 128] })
      const parent = (await run(['rev-parse', '--verify', `${to}^1`])).text.trim()
      const follows = await isAncestor(dir, mainAt, parent)
      return head.text.trim() === main && follows && (await dirtyOf(place)).length === 0 ? main : OURS
    },
    /**
     * Makes `to` the newest commit of the main branch, if `from` is that now. Doing it again finds it done. `began`: it was begun before and
     * may have been cut off: files that are half there are put back first.
     */
    async land(from: string, to: string, branch: string, began: boolean): Promise<Landing> {
      await ready()
      const place = await gitDir()
      if (place === null) {
        if ((await refOf(dir, 'refs/heads/main')) !== to) await run(['update-ref', 'refs/heads/main', to, from])
        return { branch: 'main', join: null }
      }
      const now = await heads(place)
      if (now.tip !== to && now.tip !== from)
        throw new Fault('conflict', 'The main branch has moved on since the gates ran; they run again.')
      const join = (): string => `git -C ${quoted(options.checkout)} merge --ff-only ${OURS}`
      if (now.tip === to) return now.mainAt === to ? { branch: now.main, join: null } : { branch: OURS, join: join() }
      if ((await refOf(place, to)) !== to) await carry(dir, to, [from], place)
      if (branch === now.main) {
        if (began) await putBack(place, from, to)
        if ((await source.landing(to)) === now.main) {
          await git.run({ dir: place, tree: options.checkout, args: ['merge', '--ff-only', '--quiet', '--no-verify', to] })
          return { branch: now.main, join: null }
        }
      }
      await refuseCheckedOut(place)
      await git.run({
        dir: place,
        args: ['update-ref', '-m', 'banyan: a change of its own', `refs/heads/${OURS}`, to, now.oursAt ?? '0'.repeat(40)],
      })
      return { branch: OURS, join: join() }
    },
    isAncestor: (a: string, b: string) => isAncestor(dir, a, b),
    mergeBase: async (a: string, b: string): Promise<string> => (await run(['merge-base', a, b])).text.trim(),
    stop: () => git.stop(),
  }
  return source

  /** A merge that a power cut ended leaves files of both sides. Those that hold exactly one of the two are put back; a person's work is not. */
  async function putBack(place: string, from: string, to: string): Promise<void> {
    const [before, after, dirty] = await Promise.all([source.entries(from), source.entries(to), dirtyOf(place)])
    const inFiles = (args: readonly string[]) => git.run({ dir: place, tree: options.checkout, args })
    const had = new Map(before.map(({ path, hash }) => [path, hash]))
    const gets = new Map(after.map(({ path, hash }) => [path, hash]))
    const fresh = after.filter(({ path }) => !had.has(path) && existsSync(join(options.checkout, path))).map(({ path }) => path)
    const ours = new Set<string>()
    for (const path of new Set([...dirty, ...fresh])) {
      if (!existsSync(join(options.checkout, path))) ours.add(path)
      else {
        const hash = (await inFiles(['hash-object', '--no-filters', '--', path])).text.trim()
        if (hash === had.get(path) || hash === gets.get(path)) ours.add(path)
      }
    }
    if (dirty.some((path) => !ours.has(path))) return
    if (dirty.length > 0) await inFiles(['read-tree', '--reset', from])
    const back = dirty.filter((path) => had.has(path))
    if (back.length > 0) await inFiles(['checkout', '--quiet', '--no-recurse-submodules', from, '--', ...back])
    for (const path of ours) if (!had.has(path)) await rm(join(options.checkout, path), { force: true })
  }
  async function refuseCheckedOut(place: string): Promise<void> {
    const { text } = await git.run({ dir: place, args: ['worktree', 'list', '--porcelain'] })
    if (text.split('\n').includes(`branch refs/heads/${OURS}`))
      throw new Fault(
        'conflict',
        `The branch ${OURS} is checked out somewhere, so it cannot be moved: switch that work tree to another branch.`,
      )
  }
}

const quoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

/** Pairs what `diff-tree -z` says with --raw and with --numstat. Pure. */
export function changedFiles(raw: string, counts: string): ChangedFile[] {
  const sums = new Map<string, { added: number; removed: number }>()
  const numbers = counts.split('\0')
  for (let i = 0; i < numbers.length - 1; i++) {
    const [added = '', removed = '', path = ''] = numbers[i]!.split('\t')
    const sum = { added: Number(added) || 0, removed: Number(removed) || 0 }
    if (path !== '') sums.set(path, sum)
    else {
      sums.set(numbers[i + 2] ?? '', sum)
      i += 2
    }
  }
  const files: ChangedFile[] = []
  const words = raw.split('\0')
  for (let i = 0; i < words.length - 1; ) {
    // Modes and objects before and after, then how it changed.
    const [before = '', after = '', was = '', is = '', mark = ''] = words[i++]!.slice(1).split(' ')
    const letter = mark.charAt(0)
    const from = letter === 'R' || letter === 'C' ? words[i++]! : null
    const path = words[i++]!
    const what = letter === 'A' || letter === 'C' ? 'new' : letter === 'D' ? 'deleted' : letter === 'R' ? 'renamed' : 'changed'
    const hash = createHash('sha256')
      .update([before, after, was, is, from ?? ''].join(' '))
      .digest('hex')
      .slice(0, 20)
    files.push({ path, from: what === 'renamed' ? from : null, what, ...(sums.get(path) ?? { added: 0, removed: 0 }), hash })
  }
  return files
}
