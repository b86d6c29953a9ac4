import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../store/store.ts'
import { cipherOf } from './cipher.ts'
import { rotateKey, settledKey } from './rotate.ts'
import { openSecrets } from './secrets.ts'

const KEY = 'the-first-key-of-this-test'
const VALUES = { ONE: 'ghp_0123456789abcdefghij', TWO: 'another-value-of-it' }
const task = { id: 'k1', agent: 'generalist', treeId: 't1' }

let folder: string
let file: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-rotate-'))
  file = join(folder, 'secret-key')
  writeFileSync(file, `${KEY}\n`, { mode: 0o600 })
  store = await openStore(`sqlite:${join(folder, 'a.db')}`)
  const secrets = await openSecrets({ store, key: KEY })
  for (const [name, value] of Object.entries(VALUES)) await secrets.save(name, { value, grants: ['*'] }, 'owner')
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
const keyIn = (path: string) => readFileSync(path, 'utf8').trim()
/** As a start does it. */
const start = async (old: string[] = []) => {
  const { key, sealedAnew } = await settledKey(store, keyIn(file), { file, old })
  const secrets = await openSecrets({ store, key })
  return {
    key,
    sealedAnew,
    values: secrets.unreadable().length === 0 ? await secrets.valuesFor(task, ['ONE', 'TWO']) : secrets.unreadable(),
  }
}
const keyFiles = () => readdirSync(folder).filter((name) => name.startsWith('secret-key'))

describe('a new key', () => {
  test('opens every value, is kept for its owner alone, and the old one opens none and is gone after the next start', async () => {
    const secrets = await openSecrets({ store, key: KEY })
    expect(await rotateKey({ secrets, file, key: KEY, by: 'owner' })).toBe(2)
    expect([statSync(file).mode & 0o777, keyIn(file) === KEY]).toEqual([0o600, false])
    const after = await start()
    expect(after).toEqual({ key: keyIn(file), sealedAnew: 0, values: VALUES })
    expect(keyFiles()).toEqual(['secret-key'])
    expect((await openSecrets({ store, key: KEY })).unreadable()).toEqual(['ONE', 'TWO'])
    expect((await store.eventsAfter(0)).filter((e) => e.type === 'secret.rotated')).toMatchObject([{ count: 2, by: 'owner' }])
  })

  test('is not made when a value cannot be read, nor when a person set the key', async () => {
    await store.transact((tx) =>
      tx.db
        .updateTable('secrets')
        .set({ value: cipherOf('lost').seal('ONE', VALUES.ONE) })
        .where('name', '=', 'ONE')
        .execute(),
    )
    const secrets = await openSecrets({ store, key: KEY })
    await expect(rotateKey({ secrets, file, key: KEY, by: 'owner' })).rejects.toThrow(/ONE was sealed with another.*Nothing was changed/)
    await expect(rotateKey({ secrets, file: null, key: KEY, by: 'owner' })).rejects.toThrow(/setting of yours.*SYSTEM_SECRET_KEY_OLD/)
    expect([keyIn(file), keyFiles()]).toEqual([KEY, ['secret-key']])
  })

  test('reaches a value that another process sealed with the old key at the same moment', async () => {
    const secrets = await openSecrets({ store, key: KEY })
    await rotateKey({ secrets, file, key: KEY, by: 'owner' })
    await store.transact((tx) =>
      tx.db
        .updateTable('secrets')
        .set({ value: cipherOf(KEY).seal('TWO', VALUES.TWO) })
        .where('name', '=', 'TWO')
        .execute(),
    )
    expect(await start()).toMatchObject({ sealedAnew: 1, values: VALUES })
    expect(await start()).toMatchObject({ sealedAnew: 0, values: VALUES })
  })
})

test.each([
  ['rotate.after-next', 'old'],
  ['store.before-facts', 'old'],
  ['store.before-commit', 'old'],
  ['store.after-commit', 'new'],
  ['rotate.after-sealed', 'new'],
  ['rotate.after-old', 'new'],
  ['rotate.after-promoted', 'new'],
])('a rotation killed at %s loses nothing: the next start has the %s key', async (point, which) => {
  await store.close()
  const child = spawnSync(process.execPath, [join(import.meta.dirname, 'fixture', 'rotate.ts'), folder, point], { encoding: 'utf8' })
  expect(child.signal, child.stderr).toBe('SIGKILL')
  store = await openStore(`sqlite:${join(folder, 'a.db')}`)
  const after = await start()
  expect(after.values).toEqual(VALUES)
  expect([after.key === KEY, keyIn(file)]).toEqual([which === 'old', after.key])
  expect(keyFiles()).toEqual(['secret-key'])
  expect(existsSync(`${file}.draft`)).toBe(false)
  // And once more, from where it is.
  const secrets = await openSecrets({ store, key: after.key })
  expect(await rotateKey({ secrets, file, key: after.key, by: 'owner' })).toBe(2)
  expect((await start()).values).toEqual(VALUES)
})

test('a key that a person changed: the start seals anew what the old one opens, and leaves what neither does', async () => {
  const values = { ...VALUES, THREE: 'of-a-third-key' }
  await store.transact((tx) =>
    tx.db
      .insertInto('secrets')
      .values({
        name: 'THREE',
        value: cipherOf('lost').seal('THREE', values.THREE),
        description: '',
        grants: '["*"]',
        created_at: 1,
        updated_at: 1,
        last_used_at: null,
      })
      .execute(),
  )
  const place = { file: null, old: [KEY] }
  expect(await settledKey(store, 'the-new-key', place)).toEqual({ key: 'the-new-key', sealedAnew: 2 })
  expect(await settledKey(store, 'the-new-key', place)).toEqual({ key: 'the-new-key', sealedAnew: 0 })
  const secrets = await openSecrets({ store, key: 'the-new-key' })
  expect(secrets.unreadable()).toEqual(['THREE'])
  expect(await secrets.valuesFor(task, ['ONE', 'TWO'])).toEqual(VALUES)
})
