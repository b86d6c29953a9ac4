/** The main branch of the source and a real second repository. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Checkout, checkout, checkoutAt } from '../../scripts/testing/checkout.ts'
import { openRemote } from './remote.ts'
import { openSource } from './repository.ts'

let folder: string
let here: Checkout
let there: Checkout
let hub: string
let remote: ReturnType<typeof openRemote>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-remote-'))
  here = checkout()
  hub = join(folder, 'hub.git')
  execFileSync('git', ['clone', '--quiet', '--bare', here.folder, hub])
  execFileSync('git', ['clone', '--quiet', hub, join(folder, 'there')])
  there = checkoutAt(join(folder, 'there'))
  here.git('remote', 'add', 'origin', hub)
  const source = openSource({ checkout: here.folder, dataDir: join(folder, 'data'), path: '/usr/bin:/bin' })
  remote = openRemote({ git: source.git, dir: source.dir, source })
})
afterEach(() => {
  for (const place of [folder, here.folder]) rmSync(place, { recursive: true, force: true })
})
const head = (dir: string) => execFileSync('git', ['-C', dir, 'rev-parse', 'main'], { encoding: 'utf8' }).trim()
function published(path: string, text: string): string {
  there.write(path, text)
  const commit = there.commit(`Change ${path}`)
  there.git('push', '--quiet', 'origin', 'main')
  return commit
}

test('what is new at the remote comes to the main branch and to the files of a clean checkout, commits as they are', async () => {
  published('README.md', '# One\n')
  const to = published('README.md', '# Two\n')
  expect(await remote.pull({ remote: 'origin' })).toMatchObject({ commits: 2, to, landed: { branch: 'main', join: null } })
  expect(here.git('rev-parse', 'HEAD')).toBe(to)
  expect(here.read('README.md')).toBe('# Two\n')
  expect(await remote.pull({ remote: 'origin' })).toMatchObject({ commits: 0, landed: null })
})

test("work of a person that is not committed is not touched: what was pulled waits on Banyan's branch, and one command joins it", async () => {
  const to = published('README.md', '# One\n')
  here.write('README.md', '# Mine\n')
  const { landed } = await remote.pull({ remote: 'origin' })
  expect(landed).toEqual({ branch: 'banyan/main', join: expect.stringContaining('merge --ff-only banyan/main') })
  expect(here.read('README.md')).toBe('# Mine\n')
  expect(here.git('rev-parse', 'banyan/main')).toBe(to)
})

test('a pull that was cut off in the middle of its files is finished by the next one', async () => {
  published('README.md', '# One\n')
  const to = published('new.md', '# New\n')
  here.write('README.md', '# One\n')
  here.write('new.md', '# New\n')
  expect(await remote.pull({ remote: 'origin' })).toMatchObject({ commits: 2, to, landed: { branch: 'main', join: null } })
  expect(here.git('status', '--porcelain')).toBe('')
  expect(here.git('rev-parse', 'HEAD')).toBe(to)
})

test('the main branch goes to the remote, and a second push has nothing to give', async () => {
  here.write('README.md', '# Ours\n')
  const to = here.commit('Ours')
  expect(await remote.push({ remote: 'origin' })).toEqual({ remote: 'origin', branch: 'main', to, commits: 1 })
  expect(head(hub)).toBe(to)
  expect(await remote.push({ remote: 'origin' })).toMatchObject({ commits: 0 })
  expect(await remote.push({ remote: 'origin', branch: 'copy' })).toMatchObject({ branch: 'copy', to })
})

test('a push never overwrites: what is newer there must be pulled first', async () => {
  const newer = published('README.md', '# Theirs\n')
  await expect(remote.push({ remote: 'origin' })).rejects.toThrow('origin/main holds 1 commits that are not here; pull them first.')
  expect(head(hub)).toBe(newer)
})

test('ways that parted are explained: how many commits, which files clash, what to do', async () => {
  published('README.md', '# Theirs\n')
  here.write('README.md', '# Ours\n')
  const ours = here.commit('Ours')
  const clash =
    /different ways \(1 commits there, 1 here\)\. Both changed README\.md in the same places: run `git pull --no-rebase origin main`/
  await expect(remote.pull({ remote: 'origin' })).rejects.toThrow(clash)
  await expect(remote.push({ remote: 'origin' })).rejects.toThrow(clash)
  here.git('reset', '--quiet', '--hard', 'HEAD^')
  here.write('other.md', '# Ours\n')
  here.commit('Elsewhere')
  await expect(remote.pull({ remote: 'origin' })).rejects.toThrow('Git can join them without a conflict')
  expect(here.git('rev-parse', 'HEAD')).not.toBe(ours)
})

test('a remote that is not there, a branch that it lacks and one behind ssh are refused with what to do', async () => {
  await expect(remote.pull({ remote: 'upstream' })).rejects.toThrow('git remote add upstream URL')
  await expect(remote.pull({ remote: 'origin', branch: 'none' })).rejects.toThrow('origin has no branch "none"')
  here.git('remote', 'add', 'far', 'git@example.org:a/b.git')
  await expect(remote.push({ remote: 'far' })).rejects.toThrow(/ssh keys are yours alone/)
  here.git('remote', 'add', 'gone', join(folder, 'gone.git'))
  await expect(remote.pull({ remote: 'gone' })).rejects.toThrow(/git ls-remote did not succeed/)
})
