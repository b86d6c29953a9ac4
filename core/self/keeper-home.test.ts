import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keeperHome } from './keeper-home.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-home-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))
const change = (id: string) => ({ id, kind: 'change', changeId: 'ch_1', commit: 'c', tree: 't', page: null, from: 'f' }) as const
const asked = () => JSON.parse(readFileSync(join(dataDir, 'keeper', 'request.json'), 'utf8')) as { id: string }

test('a request is known as soon as it is written, and a newer one takes its place', async () => {
  const home = keeperHome(dataDir)
  expect(await home.knows('one')).toBe(false)
  await home.writeRequest(change('one'))
  expect(await home.knows('one')).toBe(true)
  await home.writeRequest(change('two'))
  expect(asked().id).toBe('two')
})

test("a change does not take the place of a person's wish to go back", async () => {
  const home = keeperHome(dataDir)
  await home.writeRequest({ id: 'back', kind: 'rollback', changeId: null })
  await home.writeRequest(change('one'))
  expect(asked().id).toBe('back')
  expect(await home.knows('one'), 'it is asked for again after that').toBe(false)
})

test('half a request is no request', async () => {
  const home = keeperHome(dataDir)
  await home.writeRequest(change('one'))
  writeFileSync(join(dataDir, 'keeper', 'request.json'), '{"id":"on')
  expect(await home.knows('one')).toBe(false)
  await home.writeRequest(change('two'))
  expect(asked().id).toBe('two')
})

test('sources that no slot has and nobody asks for are swept away, packages only a week later, and nothing without a slot table', async () => {
  const home = keeperHome(dataDir)
  const at = (...path: string[]) => join(dataDir, 'keeper', ...path)
  // After whatever is made below, whose times have parts of a millisecond.
  const now = Date.now() + 1_000
  const old = new Date(now - 8 * 86_400_000)
  for (const name of ['runs', 'before', 'golden', 'nobodys', 't']) mkdirSync(at('slots', name), { recursive: true })
  for (const name of ['theirs', 'new', 'old']) mkdirSync(at('deps', name), { recursive: true })
  for (const name of ['theirs', 'old']) utimesSync(at('deps', name), old, old)
  await home.sweep(now)
  expect(readdirSync(at('slots'))).toHaveLength(5)
  const slot = (tree: string) => ({ commit: null, tree, lock: 'theirs', state: 'kept' })
  writeFileSync(
    at('slots.json'),
    JSON.stringify({ active: 'A', slots: { A: slot('runs'), B: slot('before'), golden: slot('golden') }, failed: {} }),
  )
  await home.writeRequest(change('one'))
  await home.sweep(now)
  expect(readdirSync(at('slots')).sort()).toEqual(['before', 'golden', 'runs', 't'])
  expect(readdirSync(at('deps')).sort()).toEqual(['new', 'theirs'])
})

test('a revision that is ready is put in place with its packages once, and again without harm', async () => {
  const home = keeperHome(dataDir)
  mkdirSync(home.incoming('tree'), { recursive: true })
  writeFileSync(join(home.incoming('tree'), 'package-lock.json'), '{}')
  await home.place('tree')
  await home.place('tree')
  expect(readdirSync(home.slot('tree')).sort()).toEqual(['node_modules', 'package-lock.json'])
  expect(readlinkSync(join(home.slot('tree'), 'node_modules'))).toMatch(/^\.\.\/\.\.\/deps\/[0-9a-f]{64}\/node_modules$/)
})

test('a keeper of another kind than this revision speaks with is told apart; no keeper yet is none', async () => {
  const home = keeperHome(dataDir)
  expect(await home.fits()).toBe(true)
  mkdirSync(join(dataDir, 'keeper'), { recursive: true })
  writeFileSync(join(dataDir, 'keeper', 'slots.json'), '{"version":1}')
  expect(await home.fits()).toBe(false)
})
