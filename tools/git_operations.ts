import * as z from 'zod'
import { answer, type Capabilities, defineTool, faultAsMistake, type Outcome } from '../core/tool.ts'

const text = z.string()
const repository = text.max(100).optional()
const paths = z.array(text.min(1).max(4_000)).min(1).max(500)
const commitish = text.min(1).max(250)

/** What each operation takes, and nothing else. */
const SHAPES = {
  list: z.strictObject({}),
  clone: z.strictObject({ source: text.min(1).max(2_000), name: text.max(100).optional() }),
  worktree: z.strictObject({ repository, from: commitish.optional(), keep: z.boolean().optional() }),
  status: z.strictObject({ repository }),
  diff: z.strictObject({ repository, from: commitish.optional(), to: commitish.optional(), paths: paths.optional() }),
  log: z.strictObject({ repository, from: commitish.optional(), path: text.max(4_000).optional(), limit: z.number().optional() }),
  show: z.strictObject({ repository, from: commitish, path: text.max(4_000).optional() }),
  branch: z.strictObject({ repository, branch: text.max(200).optional(), from: commitish.optional() }),
  checkout: z.strictObject({ repository, branch: text.max(200) }),
  commit: z.strictObject({ repository, message: text.max(20_000), paths: paths.optional() }),
  merge_check: z.strictObject({ repository, branch: commitish, into: commitish.optional() }),
  merge: z.strictObject({ repository, branch: commitish, message: text.max(20_000).optional() }),
  restore: z.strictObject({ repository, paths, from: commitish.optional() }),
  push: z.strictObject({
    repository,
    branch: text.max(200),
    commit: text.regex(/^[0-9a-f]{7,64}$/, 'must be the hash of the commit to push'),
  }),
} as const
type Operation = keyof typeof SHAPES
const READS: ReadonlySet<Operation> = new Set(['list', 'status', 'diff', 'log', 'show', 'merge_check'])

const input = z
  .object({
    operation: z.enum(Object.keys(SHAPES) as [Operation, ...Operation[]]),
    repository: repository.describe("Which of the goal's repositories; may be left out if there is one."),
    source: text.max(2_000).optional().describe('clone: a folder, or an http(s) or file address.'),
    name: text.max(100).optional().describe('clone: what to call it here.'),
    branch: text.max(250).optional().describe('branch (a new one; without it they are listed), checkout, merge_check, merge, push.'),
    from: commitish
      .optional()
      .describe('A branch, tag, hash or HEAD~N: what log and show look at; where diff, branch, worktree and restore start.'),
    to: commitish.optional().describe('diff: compare two commits instead of the files.'),
    into: commitish.optional().describe('merge_check: default is your own branch.'),
    path: text.max(4_000).optional().describe('log, show: one file, relative to the top of the repository.'),
    paths: paths.optional().describe('diff, commit, restore: files or folders, relative to the top of the repository.'),
    message: text.max(20_000).optional().describe('commit, merge: what changes and why.'),
    commit: text.max(64).optional().describe('push: hash of the commit that the branch has.'),
    limit: z.number().int().min(1).max(200).default(20).describe('log: how many commits.'),
    keep: z.boolean().optional().describe('worktree: true if only the branch matters; the folder goes when the task is over.'),
  })
  .superRefine((given, ctx) => {
    const { operation, limit, ...rest } = given
    const parsed = SHAPES[operation].safeParse({ ...rest, ...(operation === 'log' ? { limit } : {}) })
    for (const issue of parsed.error?.issues ?? []) {
      const words =
        issue.code === 'unrecognized_keys'
          ? `"${operation}" takes no ${issue.keys.join(', ')}; it takes ${Object.keys(SHAPES[operation].shape).join(', ') || 'nothing else'}`
          : `${operation}: ${issue.message}`
      ctx.addIssue({ code: 'custom', message: words, path: [...issue.path] })
    }
  })
type Input = z.output<typeof input>
type Git = Capabilities['git']

/** Characters of one file's patch, and of all. */
const FILE_CHARS = 6_000
const ALL_CHARS = 40_000
const LISTED = 200

export default defineTool({
  name: 'git_operations',
  description: `Works with git repositories. Each of your goal's repositories is kept by the system; you get a folder with its files in your workspace and a branch of your own, agent/<your task>. Change files there with the file tools and commands; do everything of git with this tool (git in a command does not work there).

- clone: brings a repository and makes your folder. worktree: your folder of a repository that the goal has already, from the branch of the task above you (or "from"). list: what there is.
- status, diff, log, show, branch (without a name) only look. diff shows your changes since the last commit, or "from" one commit "to" another.
- commit: all changes, or "paths". Say in "message" what changes and why. There is nothing to stage. Commit small steps; an empty commit is refused.
- merge_check: would it merge, and which files conflict. merge: a branch into yours, such as a subtask's agent/<id>; with conflicts nothing is changed. Then copy what you want with restore (paths, from: that branch), edit, and commit.
- restore: files as they were in the last commit, or in "from"; what you changed in them is gone.
- branch: makes one, where you are or at "from". checkout: switches your folder to a branch that no other task has; uncommitted changes go along if it is at your commit.
- push: sends a branch to where the repository was cloned from. A person decides each time; give the hash that the branch has. Never needed to hand work to another task of the goal.

Paths are relative to the top of the repository. A clone of a folder that the person named in your task, or of one in your workspace, needs nobody's consent; any other waits for a person.`,
  permission: 'write',
  needs: ['git'],
  input,
  effect(given) {
    if (given.operation === 'push') return 'once'
    return READS.has(given.operation) || (given.operation === 'branch' && given.branch === undefined) ? 'read' : 'idempotent'
  },
  permit(given, { git }) {
    const repository = given.repository === undefined ? {} : { repository: given.repository }
    if (given.operation === 'push') {
      const to = git.origin(given.repository)
      if (to === null) return 'allow' // it answers why there is nothing to push to
      return {
        ask: {
          title: `Push ${given.branch} to ${to}`.slice(0, 200),
          action: { tool: 'git_operations', operation: 'push', ...repository, to, branch: given.branch, commit: given.commit },
          risk: 'high',
        },
      }
    }
    if (given.operation !== 'clone' || git.mayClone(given.source ?? '')) return 'allow'
    const away = /^https?:/i.test(given.source ?? '')
    return {
      ask: {
        title: `Clone ${given.source}`.slice(0, 200),
        action: {
          tool: 'git_operations',
          operation: 'clone',
          source: given.source,
          ...(given.name === undefined ? {} : { name: given.name }),
        },
        risk: away ? 'medium' : 'high',
      },
    }
  },
  facts(given, { git }) {
    if (given.operation === 'push') {
      const to = git.origin(given.repository)
      return to === null ? { idle: true } : { external: true, hosts: hostsOf(to), online: true }
    }
    if (given.operation === 'clone') return { external: false, hosts: hostsOf(given.source ?? '') }
    return { external: false }
  },
  async run(given, { git, id }) {
    try {
      return await OPERATIONS[given.operation](given, git, id)
    } catch (error) {
      return faultAsMistake(error)
    }
  },
})

const hostsOf = (source: string): string[] => {
  const host = URL.parse(source)?.hostname
  return host ? [host] : []
}
const short = (hash: string): string => hash.slice(0, 9)
const many = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
const listed = (lines: readonly string[]): string =>
  [...lines.slice(0, LISTED), ...(lines.length > LISTED ? [`… and ${lines.length - LISTED} more`] : [])].join('\n')
/** PostgreSQL keeps no NUL, and a model needs none. */
const clean = (words: string): string => words.replaceAll('\0', '␀')
const cutTo = (words: string, most: number): string =>
  words.length <= most ? words : `${words.slice(0, most)}\n… (${words.length - most} more characters; ask for this file alone, or read it)`

const OPERATIONS: Record<Operation, (given: Input, git: Git, callId: string) => Promise<Outcome>> = {
  async list(_, git) {
    const { repositories, worktrees } = await git.list()
    if (repositories.length === 0) return answer('The goal has no repository yet.')
    const lines = worktrees.map(
      (one) => `${one.repository}: task ${one.task} in its folder ${one.folder}, branch ${one.branch}${one.locked ? '' : ', over'}`,
    )
    return answer(`Repositories: ${repositories.join(', ')}\nWork trees:\n${lines.length > 0 ? listed(lines) : 'none'}`)
  },
  async clone({ source = '', name }, git) {
    const made = await git.clone(source, name)
    const taint = /^https?:/i.test(source) ? (['web'] as const) : git.isOutside(source) ? (['files'] as const) : null
    const words = `Cloned as ${made.repository}. Its files are in ${made.folder}/, on your branch ${made.branch}, at ${short(made.head)}.`
    return { kind: 'answer', text: words, ...(taint ? { taint } : {}) }
  },
  async worktree({ repository, from, keep }, git) {
    const made = await git.worktree(repository, from)
    if (keep) await git.keep(repository)
    const words = made.created ? 'Made' : 'You have'
    return answer(
      `${words} the folder ${made.folder}/ of ${made.repository}, on the branch ${made.branch}.${keep ? ' The branch is kept; the folder goes when your task is over.' : ''}`,
    )
  },
  async status({ repository }, git) {
    const { branch, head, ahead, changes, complete } = await git.status(repository)
    const where = `On ${branch} at ${short(head)}, ${many(ahead, 'commit')} since you began.`
    if (changes.length === 0) return answer(`${where} No changes.`)
    return answer(
      clean(
        `${where} ${many(changes.length, 'change')}${complete ? '' : ' and more'}:\n${listed(changes.map((one) => `${one.what} ${one.path}`))}`,
      ),
    )
  },
  async diff({ repository, from, to, paths }, git) {
    const { files, untracked, cut } = await git.diff({ from, to, paths }, repository)
    if (files.length === 0 && untracked.length === 0) return answer('No differences.')
    let room = ALL_CHARS
    const shown: string[] = []
    const left: string[] = []
    for (const file of files) {
      const patch = cutTo(file.text, FILE_CHARS)
      if (patch.length > room) left.push(file.path)
      else {
        room -= patch.length
        shown.push(patch.trimEnd())
      }
    }
    const more = [
      ...(left.length > 0 ? [`Also changed, not shown (name them in "paths"):\n${listed(left)}`] : []),
      ...(untracked.length > 0 ? [`New files, in no commit yet:\n${listed(untracked)}`] : []),
      ...(cut ? ['There is more, which was cut; name "paths".'] : []),
    ]
    return answer(clean([...shown, ...more].join('\n')))
  },
  async log({ repository, from, path, limit }, git) {
    const commits = await git.log({ of: from, path, most: limit }, repository)
    return answer(
      clean(commits.map((one) => `${one.hash} ${one.at.slice(0, 16)} ${one.author}: ${one.subject}`).join('\n') || 'No commits.'),
    )
  },
  async show({ repository, from = 'HEAD', path }, git) {
    const { text: words, cut, binary } = await git.show(from, path, repository)
    if (binary) return answer(`${path ?? from} is not text; restore it to look at it with a program.`)
    return answer(clean(cutTo(words, ALL_CHARS)) + (cut ? '\n(cut; it is longer)' : ''))
  },
  async branch({ repository, branch, from }, git) {
    if (branch !== undefined) return answer(`The branch ${branch} is at ${short((await git.branch(branch, from, repository)).hash)}.`)
    const lines = (await git.branches(repository)).map(
      (one) => `${one.name} ${one.hash} ${one.subject}${one.checkedOutBy ? ` (task ${one.checkedOutBy})` : ''}`,
    )
    return answer(clean(listed(lines)))
  },
  async checkout({ repository, branch = '' }, git) {
    return answer(`Your folder is on ${branch} now, at ${short((await git.checkout(branch, repository)).hash)}.`)
  },
  async commit({ repository, message = '', paths }, git, callId) {
    const { hash, branch, changes } = await git.commit({ message, paths, callId }, repository)
    return answer(
      clean(
        `Committed ${short(hash)} on ${branch}, ${many(changes.length, 'file')}:\n${listed(changes.map((one) => `${one.what} ${one.path}`))}`,
      ),
    )
  },
  async merge_check({ repository, branch = '', into }, git) {
    const found = await git.mergeCheck(branch, into, repository)
    if (found.clean) return answer(`${branch} merges into ${found.into} without conflicts.`)
    return answer(clean(`${branch} does not merge into ${found.into}; conflicts in:\n${listed(found.conflicts)}`))
  },
  async merge({ repository, branch = '', message }, git) {
    const found = await git.merge(branch, message, repository)
    if (found.kind === 'conflict') return answer(clean(`Not merged, nothing changed; conflicts in:\n${listed(found.conflicts)}`))
    if (found.kind === 'nothing') return answer(`There is nothing to merge: your branch holds ${branch} already.`)
    return answer(`Merged ${branch}; your branch is at ${short(found.hash)}.`)
  },
  async restore({ repository, paths = [], from }, git) {
    const restored = await git.restore(paths, from, repository)
    return answer(clean(`Restored from ${from ?? 'the last commit'}: ${restored.paths.join(', ')}.`))
  },
  async push({ repository, branch = '', commit = '' }, git) {
    const { to, hash } = await git.push(branch, commit, repository)
    return answer(`Pushed ${branch} (${short(hash)}) to ${to}.`)
  },
}
