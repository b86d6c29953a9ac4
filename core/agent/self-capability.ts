/** What a tool may do with the system's own source: bound to the task, its work tree and its call. */
import { Fault } from '../contract/fault.ts'
import type { TaskGit } from '../git/shapes.ts'
import type { Changes } from '../self/change.ts'
import type { Tasks } from '../tasks/tasks.ts'
import type { Lease } from '../tasks/turns.ts'
import type { Capabilities } from '../tool.ts'

/** What the source is called among a goal's repositories. */
const REPOSITORY = 'banyan'
const FILE_CHARS = 100_000

export function selfCapability(parts: {
  changes: Changes
  tasks: Pick<Tasks, 'turns'>
  git(): TaskGit
  lease: Lease
  callId: string
  signal: AbortSignal
  keep<T>(act: () => Promise<T>): Promise<T>
}): Capabilities['self'] {
  const { changes, lease, callId } = parts
  const { task } = lease
  const { source } = changes

  async function begin() {
    await changes.mustBeOn()
    const commit = await source.tip()
    const git = parts.git()
    return parts.keep(() => git.adopt(REPOSITORY, { dir: source.dir, commit }))
  }
  /** Everything that the work tree holds, as one commit more where something is not committed. */
  async function handedIn(message: string) {
    const git = parts.git()
    const { repositories } = await git.list()
    if (!repositories.includes(REPOSITORY))
      throw new Fault(
        'conflict',
        'You have no work tree of the source yet; call propose_change with {"step":"begin"} first, then edit the files in it.',
      )
    const { dir } = await begin()
    if ((await git.status(REPOSITORY)).changes.length > 0) await parts.keep(() => git.commit({ message, callId }, REPOSITORY))
    return { dir, commit: (await git.status(REPOSITORY)).head }
  }

  return {
    async read(path) {
      const of = await changes.running()
      const name = path.replace(/^(?:\.?\/)+|\/+$/g, '')
      const text = name === '' || name === '.' ? null : await source.text(of, name)
      if (text !== null) return { kind: 'file', text: text.slice(0, FILE_CHARS) }
      const below = name === '' || name === '.' ? '' : `${name}/`
      const names = (await source.entries(of))
        .filter((entry) => entry.path.startsWith(below))
        .map((entry) => entry.path.slice(below.length))
      if (names.length === 0) throw new Fault('not_found', `The source has no ${JSON.stringify(path)}; read "." for what there is.`)
      const first = names.map((one) => (one.includes('/') ? `${one.slice(0, one.indexOf('/'))}/` : one))
      return { kind: 'folder', names: [...new Set(first)] }
    },
    search: async (words, below) => source.search(await changes.running(), words, below),
    async begin() {
      const { repository, folder, branch, head, created } = await begin()
      return { repository, folder, branch, head, created }
    },
    async gates({ quick }) {
      const gates = await changes.mustBeOn()
      const { dir, commit } = await handedIn('Work so far')
      return changes.tryGates(gates, { dir, commit, callId, tainted: task.taint.length > 0 }, { quick, signal: parts.signal })
    },
    async propose(proposal) {
      await changes.mustBeOn()
      const work = await handedIn(proposal.title)
      const author = { agent: task.agent, treeId: task.treeId, taskId: task.id, callId, tainted: task.taint.length > 0 }
      await changes.propose(author, proposal, work, parts.tasks.turns.awaitChange(lease, callId))
    },
    async changes(id) {
      if (id !== undefined) return [(await changes.get(id)).change]
      return (await changes.list({ treeId: task.treeId, limit: 50 })).items
    },
    restart: () => changes.restart(),
  }
}
