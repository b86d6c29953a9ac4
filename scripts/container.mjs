/**
 * What a container starts (Dockerfile). Its checkout comes from the image, so one that was made anew does not know the changes of its own that
 * lie in DATA_DIR: they get the branch on which changes land beside a person's main branch. Then everything is as with `npm start`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** As in core/self/repository.ts. */
const OURS = 'refs/heads/banyan/main'

/**
 * Promises that the checkout's branch of own changes is at the newest of them, where they go on from its commit. Nothing else is touched, and
 * what cannot be done (no history, a file system that may not be written) is no reason not to start.
 * @param {string} root the checkout @param {string} dataDir
 */
export function joinOwnChanges(root, dataDir) {
  const own = join(dataDir, 'self', 'repository.git')
  if (!existsSync(own) || !existsSync(join(root, '.git', 'objects'))) return
  const git = (dir, ...args) => {
    const { status, stdout } = spawnSync('git', ['-c', 'core.hooksPath=/dev/null', '--git-dir', dir, ...args], {
      encoding: 'utf8',
      // What the checkout's commit goes on to is read where it lies.
      env: { ...process.env, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(own, 'objects') },
    })
    return { fine: status === 0, text: stdout?.trim() ?? '' }
  }
  const here = join(root, '.git')
  const newest = git(own, 'rev-parse', '--verify', '--quiet', 'refs/heads/main^{commit}')
  if (!newest.fine || git(here, 'merge-base', '--is-ancestor', newest.text, 'HEAD').fine) return
  const before = git(here, 'rev-parse', '--verify', '--quiet', `${OURS}^{commit}`)
  const goesOn = (from) => git(here, 'merge-base', '--is-ancestor', from, newest.text).fine
  if (goesOn('HEAD') && (!before.fine || goesOn(before.text))) git(here, 'update-ref', OURS, newest.text)
}

if (import.meta.main) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  joinOwnChanges(root, resolve(root, process.env.DATA_DIR ?? 'data'))
  await import('./bootstrap.mjs')
}
