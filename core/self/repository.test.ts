/** The system's source as objects: what lands, where, and what is left of a person's work. Real checkouts, no runtime. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Checkout, checkout } from '../../scripts/testing/checkout.ts'
import { openSource, type Source } from './repository.ts'

let where: Checkout
let source: Source
let dataDir: string
beforeEach(() => {
  where = checkout()
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-data-'))
  source = openSource({ checkout: where.folder, dataDir, path: process.env.PATH ?? '' })
})
afterEach(async () => {
  await source.stop()
  for (const path of [where.folder, dataDir]) rmSync(path, { recursive: true, force: true })
})
const FILE = 'core/contract/greeting.ts'
const words = { message: 'A change', at: 1_700_000_000_000, author: 'maker' }
/** A commit beside main, as an agent makes it, and main as it was. */
async function proposed(files: Record<string, string>): Promise<{ base: string; commit: string }> {
  const base = await source.tip()
  where.git('checkout', '--quiet', '-b', 'agent')
  for (const [path, text] of Object.entries(files)) where.write(path, text)
  const submitted = where.commit('work')
  where.git('checkout', '--quiet', 'main')
  await source.take(join(where.folder, '.git'), submitted, 'ch_1')
  const made = await source.candidate(base, submitted, words)
  if (made.conflicts) throw new Error(made.conflicts.join())
  return { base, commit: made.commit }
}

test('the same words at the same time are the same commit, so landing twice lands once', async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n', 'new.md': 'new\n' })
  const again = await source.candidate(base, where.git('rev-parse', 'agent'), words)
  expect(again).toMatchObject({ commit })
  expect(await source.land(base, commit, 'main', false)).toEqual({ branch: 'main', join: null })
  expect(await source.land(base, commit, 'main', true)).toEqual({ branch: 'main', join: null })
  expect([where.git('rev-parse', 'HEAD'), where.git('status', '--porcelain'), where.read('new.md')]).toEqual([commit, '', 'new\n'])
})

test('a merge that a power cut left half done is put back and done again', async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n', 'README.md': '# Other\n', 'new.md': 'new\n' })
  where.write(FILE, 'export const a = 1\n')
  where.write('new.md', 'new\n')
  expect(await source.land(base, commit, 'main', true)).toEqual({ branch: 'main', join: null })
  expect([where.git('rev-parse', 'HEAD'), where.git('status', '--porcelain'), where.read('README.md')]).toEqual([commit, '', '# Other\n'])
})

test("a person's work is never taken for a half merge, nor written over", async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n', 'new.md': 'new\n' })
  where.write(FILE, 'mine\n')
  where.write('new.md', 'my own\n')
  const before = where.git('rev-parse', 'main')
  expect((await source.land(base, commit, 'main', true)).branch).toBe('banyan/main')
  expect([where.read(FILE), where.read('new.md'), where.git('rev-parse', 'main')]).toEqual(['mine\n', 'my own\n', before])
})

test('main that moved, and branches that went different ways, are refused with the mend', async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n' })
  where.write('README.md', '# Moved\n')
  where.commit('moved')
  await expect(source.land(base, commit, 'main', false)).rejects.toThrow(/moved on/)
  where.git('branch', 'banyan/main', 'agent')
  await expect(source.tip()).rejects.toThrow(/gone different ways.*git merge banyan\/main/)
})

test('a branch that somebody has checked out is not set', async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n' })
  where.write('README.md', 'mine\n')
  where.git('branch', 'banyan/main', 'main')
  where.git('worktree', 'add', '--quiet', join(dataDir, 'theirs'), 'banyan/main')
  await expect(source.land(base, commit, 'banyan/main', false)).rejects.toThrow(/checked out somewhere/)
})

test('hooks and settings of the checkout start no program', async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n' })
  for (const name of ['post-merge', 'reference-transaction', 'post-checkout', 'pre-commit']) {
    where.write(`.git/hooks/${name}`, `#!/bin/sh\necho ${name} >> ${dataDir}/ran\n`)
    where.git('update-index', '--refresh')
  }
  for (const name of readdirSync(join(where.folder, '.git/hooks'))) chmodSync(join(where.folder, '.git/hooks', name), 0o755)
  where.git('config', 'core.fsmonitor', `echo fsmonitor >> ${dataDir}/ran; true`)
  rmSync(join(dataDir, 'ran'), { force: true })
  await source.land(base, commit, 'main', false)
  expect(() => readFileSync(join(dataDir, 'ran'))).toThrow(/ENOENT/)
})

test('what was landed can be taken back, also under later work on other files', async () => {
  const { base, commit } = await proposed({ [FILE]: 'export const a = 1\n' })
  const was = where.read(FILE)
  await source.land(base, commit, 'main', false)
  where.write('README.md', '# Later\n')
  where.commit('later')
  const tip = await source.tip()
  const back = await source.reversal(tip, commit, { message: 'Take back', at: 1 })
  if (back.conflicts) throw new Error('conflict')
  await source.land(tip, back.commit, 'main', false)
  expect([where.read(FILE), where.read('README.md')]).toEqual([was, '# Later\n'])
})

test('links are not written out as files of the source', async () => {
  where.git('checkout', '--quiet', '-b', 'agent')
  symlinkSync('/etc/passwd', join(where.folder, 'core/contract/passwd.ts'))
  const commit = where.commit('a link')
  await source.take(join(where.folder, '.git'), commit, 'ch_1')
  await expect(source.materialise(commit, join(dataDir, 'out'))).rejects.toThrow(/plain files only/)
})

test('a folder has the hash that git gives its tree', async () => {
  const tip = await source.tip()
  await source.materialise(tip, join(dataDir, 'out'))
  expect(await source.hashFolder(join(dataDir, 'out'))).toBe(where.git('rev-parse', 'HEAD^{tree}'))
})

test('trees and files are read as native git has them, whatever their names and bytes', async () => {
  const odd = { 'docs/übung und mehr.md': 'ä\n', 'docs/empty.txt': '', 'docs/deep/er/still/file.bin': '\u0000\u0001\n' }
  const { commit } = await proposed(odd)
  const wanted = where.git('ls-tree', '-r', '-z', '--full-tree', 'agent').split('\0').filter(Boolean)
  const entries = await source.entries(commit)
  expect(entries.map(({ path, mode, hash }) => `${mode} blob ${hash}\t${path}`).sort()).toEqual(wanted.sort())
  for (const [path, text] of Object.entries(odd)) expect(await source.text(commit, path)).toBe(text)
  for (const path of ['docs', 'nowhere.md', '/etc/passwd', '../x', '']) expect(await source.text(commit, path)).toBeNull()
  const folder = join(dataDir, 'out')
  await source.materialise(await source.treeOf(commit), folder)
  expect(await source.hashFolder(folder)).toBe(await source.treeOf(commit))
})
