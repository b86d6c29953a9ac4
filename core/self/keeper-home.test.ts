import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
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

test('sources that no slot has are swept away, packages only a week later, and nothing without a slot table', async () => {
  const home = keeperHome(dataDir)
  const at = (...path: string[]) => join(dataDir, 'keeper', ...path)
  const now = Date.now()
  const old = new Date(now - 8 * 86_400_000)
  for (const name of ['runs', 'before', 'golden', 'nobodys']) mkdirSync(at('slots', name), { recursive: true })
  for (const name of ['theirs', 'new', 'old']) mkdirSync(at('deps', name), { recursive: true })
  for (const name of ['theirs', 'old']) utimesSync(at('deps', name), old, old)
  await home.sweep(now)
  expect(readdirSync(at('slots'))).toHaveLength(4)
  const slot = (tree: string) => ({ commit: null, tree, lock: 'theirs', state: 'kept' })
  writeFileSync(
    at('slots.json'),
    JSON.stringify({ active: 'A', slots: { A: slot('runs'), B: slot('before'), golden: slot('golden') }, failed: {} }),
  )
  await home.sweep(now)
  expect(readdirSync(at('slots')).sort()).toEqual(['before', 'golden', 'runs'])
  expect(readdirSync(at('deps')).sort()).toEqual(['new', 'theirs'])
})
