import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../store/store.ts'
import { cipherOf } from './cipher.ts'
import { openSecrets, reencrypt } from './secrets.ts'

const KEY = 'the-secret-key-of-this-test'
const VALUE = 'ghp_0123456789abcdefghij'
const task = { agent: 'generalist', treeId: 't1' }

let folder: string
let store: Store
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-secrets-'))
  store = await openStore(`sqlite:${join(folder, 'a.db')}`)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})
const open = (key = KEY) => openSecrets({ store, key })

describe('secrets', () => {
  test('are listed without their values, and no file of the database holds one', async () => {
    const secrets = await open()
    await secrets.set('GITHUB_TOKEN', VALUE, { description: 'pushes to the fork' })
    const list = await secrets.list()
    expect(list).toEqual([
      {
        name: 'GITHUB_TOKEN',
        description: 'pushes to the fork',
        grants: [],
        readable: true,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
        lastUsedAt: null,
      },
    ])
    const { value } = await store.db.selectFrom('secrets').select('value').executeTakeFirstOrThrow()
    expect(value).not.toContain(VALUE)
    for (const file of readdirSync(folder)) expect(readFileSync(join(folder, file)).includes(VALUE), file).toBe(false)
  })

  test('are given only to tasks that a grant names, and the use is noted', async () => {
    const secrets = await open()
    await secrets.set('GITHUB_TOKEN', VALUE)
    await expect(secrets.valuesFor(task, ['GITHUB_TOKEN'])).rejects.toThrow(
      /not there or not granted to this task; a person grants it with `banyan secret grant GITHUB_TOKEN agent:generalist`.*may use none/,
    )
    for (const to of ['agent:generalist', 'tree:t1', '*']) {
      await secrets.grantTo('GITHUB_TOKEN', to)
      expect(await secrets.valuesFor(task, ['GITHUB_TOKEN']), to).toEqual({ GITHUB_TOKEN: VALUE })
      expect(await secrets.valuesFor(task, [])).toEqual({})
      await secrets.revoke('GITHUB_TOKEN', to)
      await expect(secrets.valuesFor(task, ['GITHUB_TOKEN']), to).rejects.toThrow(/not granted/)
    }
    for (const to of ['agent:researcher', 'tree:t2']) await secrets.grantTo('GITHUB_TOKEN', to)
    await expect(secrets.valuesFor(task, ['GITHUB_TOKEN'])).rejects.toThrow(/not granted/)
    expect((await secrets.list())[0]).toMatchObject({ grants: ['agent:researcher', 'tree:t2'], lastUsedAt: expect.any(String) })
  })

  test('one that is missing among several gives none', async () => {
    const secrets = await open()
    await secrets.set('ONE', VALUE)
    await secrets.grantTo('ONE', '*')
    await expect(secrets.valuesFor(task, ['ONE', 'TWO'])).rejects.toThrow(/"TWO" is not there.*This task may use: ONE/)
  })

  test('are taken out of texts from the moment they are set, and no longer when removed', async () => {
    const secrets = await open()
    expect(secrets.redact(VALUE)).toBe(VALUE)
    await secrets.set('GITHUB_TOKEN', VALUE)
    expect(secrets.redact(`url: https://x:${VALUE}@host`)).toBe('url: https://x:[secret GITHUB_TOKEN]@host')
    await secrets.set('GITHUB_TOKEN', 'another-value')
    expect(secrets.redact(`${VALUE} another-value`)).toBe(`${VALUE} [secret GITHUB_TOKEN]`)
    await secrets.remove('GITHUB_TOKEN')
    expect(secrets.redact('another-value')).toBe('another-value')
    await expect(secrets.remove('GITHUB_TOKEN')).rejects.toThrow('There is no secret "GITHUB_TOKEN"')
    await expect(secrets.grantTo('GITHUB_TOKEN', '*')).rejects.toThrow('There is no secret "GITHUB_TOKEN"')
  })

  test('with another key nothing opens, nothing is lost, and the mend is named', async () => {
    await (await open()).set('GITHUB_TOKEN', VALUE)
    await (await open()).grantTo('GITHUB_TOKEN', '*')
    const wrong = await open('another key')
    expect(wrong.unreadable()).toEqual(['GITHUB_TOKEN'])
    expect(await wrong.list()).toMatchObject([{ name: 'GITHUB_TOKEN', readable: false }])
    await expect(wrong.valuesFor(task, ['GITHUB_TOKEN'])).rejects.toThrow(
      'The secret GITHUB_TOKEN was sealed with another SYSTEM_SECRET_KEY: put the earlier key back, or set the secret again with `banyan secret set GITHUB_TOKEN`.',
    )
    expect(await (await open()).valuesFor(task, ['GITHUB_TOKEN'])).toEqual({ GITHUB_TOKEN: VALUE })
  })

  test('are sealed anew with a new key, all or none', async () => {
    const secrets = await open()
    await secrets.set('ONE', VALUE)
    await secrets.set('TWO', `${VALUE}2`)
    await expect(reencrypt(store, 'not the key', 'new')).rejects.toThrow(
      /ONE was sealed with another SYSTEM_SECRET_KEY.*Nothing was changed/,
    )
    expect(await reencrypt(store, KEY, 'new')).toBe(2)
    expect((await open()).unreadable()).toEqual(['ONE', 'TWO'])
    const after = await open('new')
    await after.grantTo('TWO', '*')
    expect(await after.valuesFor(task, ['TWO'])).toEqual({ TWO: `${VALUE}2` })
  })

  test('a value copied into another row, or changed by a bit, does not open', async () => {
    const cipher = cipherOf(KEY)
    const sealed = cipher.seal('ONE', VALUE)
    expect(cipher.open('ONE', sealed)).toBe(VALUE)
    expect(cipher.open('TWO', sealed)).toBeNull()
    expect(cipher.seal('ONE', VALUE)).not.toBe(sealed)
    for (let i = 0; i < sealed.length; i += 5) {
      const other = sealed[i] === 'A' ? 'B' : 'A'
      expect(cipher.open('ONE', sealed.slice(0, i) + other + sealed.slice(i + 1)), `${i}`).toBeNull()
    }
    for (const broken of ['', 'v1', 'v1..', 'v1.AAAA.AAAA', 'v2.a.b', sealed.slice(0, -10)])
      expect(cipher.open('ONE', broken), broken).toBeNull()
  })

  test.each([
    ['a name in small letters', 'token', VALUE, /named like a variable/],
    ['a name that steers programs', 'LD_PRELOAD', VALUE, /steers programs/],
    ['PATH', 'PATH', VALUE, /steers programs/],
    ['a short value', 'TOKEN', 'abc', /at least 6 characters/],
    ['a value of spaces', 'TOKEN', '          a', /at least 6 characters/],
    ['a NUL', 'TOKEN', 'abcdefgh\0', /NUL/],
    ['a huge value', 'TOKEN', 'x'.repeat(40_000), /at most 32000 characters/],
  ])('%s is refused with the reason, which does not hold the value', async (_, name, value, words) => {
    const refused = (await open()).set(name, value)
    await expect(refused).rejects.toThrow(words)
    if (value.trim().length > 6) await refused.catch((error: Error) => expect(error.message).not.toContain(value.trim()))
    expect(await store.db.selectFrom('secrets').selectAll().execute()).toEqual([])
  })

  test('a grant to nobody known is refused', async () => {
    const secrets = await open()
    await secrets.set('ONE', VALUE)
    for (const to of ['', 'everybody', 'agent:', 'agent:*', 'tree:a b', 'agents:x'])
      await expect(secrets.grantTo('ONE', to), to).rejects.toThrow(/agent:NAME/)
  })
})
