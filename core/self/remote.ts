/**
 * A remote repository that the person's checkout names: what is new there comes to the main branch, and the main branch goes there, each
 * only when a person says so. Both only move forward; where the two have gone different ways a person joins them in the checkout.
 */
import { Fault } from '../contract/fault.ts'
import { farEnd, type Git, NETWORK_MS } from '../git/run.ts'
import type { Landing, Source } from './repository.ts'

export type Remote = { remote: string; branch: string }
type Found = Remote & { main: string; url: string; how: 'file' | 'http:https' }
export type Pulled = Remote & { from: string; to: string; commits: number; landed: Landing | null }
export type Pushed = Remote & { to: string; commits: number }

/** `dir`: the system's own repository; `checkoutGit`: that of the checkout, null without one. */
export function openRemote(parts: { git: Git; dir: string; source: Pick<Source, 'tip' | 'land' | 'isAncestor' | 'checkout'> }) {
  const { git, dir, source } = parts
  const run = (args: readonly string[], more = {}) => git.run({ dir, args, ...more })

  /** Where it is, and with which transports git may go there. */
  async function find(remote: string, branch: string | undefined): Promise<Found> {
    const place = await source.checkout()
    if (place === null) throw new Fault('unavailable', 'The source came without a history, so it has no remote: start Banyan from a clone.')
    const asked = await git.run({ dir: place.gitDir, args: ['config', '--local', '--get', `remote.${remote}.url`], fine: [1] })
    const url = asked.text.trim()
    if (url === '')
      throw new Fault(
        'not_found',
        `The checkout names no remote ${JSON.stringify(remote)}: add it there with \`git remote add ${remote} URL\`.`,
      )
    const known = { remote, branch: branch ?? place.main, main: place.main, url }
    if (/^https?:\/\//i.test(url)) return { ...known, how: 'http:https' }
    if (/^(?:\/|file:\/\/)/.test(url)) return { ...known, how: 'file' }
    throw new Fault(
      'unprocessable',
      `Banyan itself goes to remotes by path, http or https, and ${remote} is another kind (ssh keys are yours alone): run git pull --ff-only or git push in the checkout.`,
    )
  }
  /** The newest commit of the remote's branch, with its objects here; null: it has no such branch yet. */
  async function fetchFrom({ remote, branch, url, how }: Found): Promise<string | null> {
    const local = how === 'file'
    const far = local ? [`--upload-pack=${farEnd('upload-pack')}`] : []
    const there = { transports: how, timeoutMs: NETWORK_MS }
    const listed = await run(['ls-remote', '--exit-code', ...far, '--', url, `refs/heads/${branch}`], { ...there, fine: [2] })
    if (listed.text.trim() === '') return null
    const ref = `refs/remotes/${remote}/${branch}`
    await run(
      [
        '-c',
        'fetch.fsckObjects=true',
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        ...far,
        '--',
        url,
        `+refs/heads/${branch}:${ref}`,
      ],
      there,
    )
    return (await run(['rev-parse', '--verify', `${ref}^{commit}`])).text.trim()
  }
  const between = async (from: string, to: string): Promise<number> =>
    Number((await run(['rev-list', '--count', `${from}..${to}`])).text.trim())

  /** Why neither follows the other, and what a person does about it. */
  async function apart({ remote, branch }: Remote, ours: string, theirs: string): Promise<Fault> {
    const [here, there] = await Promise.all([between(theirs, ours), between(ours, theirs)])
    const merged = await run(['merge-tree', '--write-tree', '--name-only', '--no-messages', ours, theirs], { fine: [1] })
    const files =
      merged.code === 0
        ? []
        : merged.text
            .split('\n')
            .slice(1)
            .filter((line) => line !== '')
    const clash =
      files.length === 0
        ? 'Git can join them without a conflict'
        : `Both changed ${files.slice(0, 5).join(', ')}${files.length > 5 ? ` and ${files.length - 5} more` : ''} in the same places`
    return new Fault(
      'conflict',
      `${remote}/${branch} and the main branch here have gone different ways (${there} commits there, ${here} here). ${clash}: run \`git pull --no-rebase ${remote} ${branch}\` in the checkout, look at what comes of it, and restart with npm start.`,
    )
  }

  return {
    /** Moves the main branch forward to the remote's. What comes is not gated, as a person's own pull is not; the keeper watches it at the next start. */
    async pull(given: { remote: string; branch?: string | undefined }): Promise<Pulled> {
      const where = await find(given.remote, given.branch)
      const { remote, branch } = where
      const ours = await source.tip()
      const theirs = await fetchFrom(where)
      if (theirs === null) throw new Fault('not_found', `${remote} has no branch ${JSON.stringify(branch)}; name another with --branch.`)
      if (await source.isAncestor(theirs, ours)) return { remote, branch, from: ours, to: ours, commits: 0, landed: null }
      if (!(await source.isAncestor(ours, theirs))) throw await apart(where, ours, theirs)
      const commits = await between(ours, theirs)
      // As if begun before: a pull that a power cut ended left files of both sides, and those are put back first.
      const landed = await source.land(ours, theirs, where.main, true)
      return { remote, branch, from: ours, to: theirs, commits, landed }
    },
    /** Gives the main branch to the remote. Nothing there is overwritten. */
    async push(given: { remote: string; branch?: string | undefined }): Promise<Pushed> {
      const where = await find(given.remote, given.branch)
      const { remote, branch, url, how } = where
      const ours = await source.tip()
      const theirs = await fetchFrom(where)
      if (theirs === ours) return { remote, branch, to: ours, commits: 0 }
      if (theirs !== null && !(await source.isAncestor(theirs, ours))) {
        if (await source.isAncestor(ours, theirs))
          throw new Fault(
            'conflict',
            `${remote}/${branch} holds ${await between(ours, theirs)} commits that are not here; pull them first.`,
          )
        throw await apart(where, ours, theirs)
      }
      const commits = theirs === null ? Number((await run(['rev-list', '--count', ours])).text.trim()) : await between(theirs, ours)
      const far = how === 'file' ? [`--receive-pack=${farEnd('receive-pack')}`] : []
      await run(
        [
          'push',
          '--quiet',
          '--no-verify',
          '--no-follow-tags',
          '--recurse-submodules=no',
          ...far,
          '--',
          url,
          `${ours}:refs/heads/${branch}`,
        ],
        {
          transports: how,
          timeoutMs: NETWORK_MS,
        },
      )
      return { remote, branch, to: ours, commits }
    },
  }
}
