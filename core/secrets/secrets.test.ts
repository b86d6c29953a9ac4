import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type Store } from '../store/store.ts'
import { cipherOf } from './cipher.ts'
import { openSecrets } from './secrets.ts'

const KEY = 'the-secret-key-of-this-test'
const VALUE = 'ghp_0123456789abcdefghij'
const task = { id: 'k1', agent: 'generalist', treeId: 't1' }

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
    await secrets.save('GITHUB_TOKEN', { value: VALUE, description: 'pushes to the fork' }, 'owner')
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
    await secrets.save('GITHUB_TOKEN', { value: VALUE }, 'owner')
    await expect(secrets.valuesFor(task, ['GITHUB_TOKEN'])).rejects.toThrow(
      /not there or not granted to this task; a person grants it with `banyan secret grant GITHUB_TOKEN agent:generalist`.*may use none/,
    )
    for (const to of ['agent:generalist', 'tree:t1', '*']) {
      await secrets.grantTo('GITHUB_TOKEN', to, 'owner')
      expect(await secrets.valuesFor(task, ['GITHUB_TOKEN']), to).toEqual({ GITHUB_TOKEN: VALUE })
      expect(await secrets.valuesFor(task, [])).toEqual({})
      await secrets.revoke('GITHUB_TOKEN', to, 'owner')
      await expect(secrets.valuesFor(task, ['GITHUB_TOKEN']), to).rejects.toThrow(/not granted/)
    }
    for (const to of ['agent:researcher', 'tree:t2']) await secrets.grantTo('GITHUB_TOKEN', to, 'owner')
    await expect(secrets.valuesFor(task, ['GITHUB_TOKEN'])).rejects.toThrow(/not granted/)
    expect((await secrets.list())[0]).toMatchObject({ grants: ['agent:researcher', 'tree:t2'], lastUsedAt: expect.any(String) })
  })

  test('one that is missing among several gives none', async () => {
    const secrets = await open()
    await secrets.save('ONE', { value: VALUE }, 'owner')
    await secrets.grantTo('ONE', '*', 'owner')
    await expect(secrets.valuesFor(task, ['ONE', 'TWO'])).rejects.toThrow(/"TWO" is not there.*This task may use: ONE/)
  })

  test('are taken out of texts from the moment they are set, and no longer when removed', async () => {
    const secrets = await open()
    expect(secrets.redact(VALUE)).toBe(VALUE)
    await secrets.save('GITHUB_TOKEN', { value: VALUE }, 'owner')
    expect(secrets.redact(`url: https://x:${VALUE}@host`)).toBe('url: https://x:[secret GITHUB_TOKEN]@host')
    await secrets.save('GITHUB_TOKEN', { value: 'another-value' }, 'owner')
    expect(secrets.redact(`${VALUE} another-value`)).toBe(`${VALUE} [secret GITHUB_TOKEN]`)
    await secrets.remove('GITHUB_TOKEN', 'owner')
    expect(secrets.redact('another-value')).toBe('another-value')
    await expect(secrets.remove('GITHUB_TOKEN', 'owner')).rejects.toThrow('There is no secret "GITHUB_TOKEN"')
    await expect(secrets.grantTo('GITHUB_TOKEN', '*', 'owner')).rejects.toThrow('There is no secret "GITHUB_TOKEN"')
  })

  test('a value that a command was given stays hidden when it is replaced or removed while the command runs', async () => {
    const secrets = await open()
    await secrets.save('GITHUB_TOKEN', { value: VALUE, grants: ['*'] }, 'owner')
    await secrets.valuesFor(task, ['GITHUB_TOKEN'])
    await secrets.save('GITHUB_TOKEN', { value: 'another-value' }, 'owner')
    expect(secrets.redact(`${VALUE} another-value`)).toBe('[secret GITHUB_TOKEN] [secret GITHUB_TOKEN]')
    await secrets.remove('GITHUB_TOKEN', 'owner')
    expect(secrets.redact(`${VALUE} another-value`)).toBe('[secret GITHUB_TOKEN] another-value')
  })

  test('with another key nothing opens, nothing is lost, and the mend is named', async () => {
    await (await open()).save('GITHUB_TOKEN', { value: VALUE }, 'owner')
    await (await open()).grantTo('GITHUB_TOKEN', '*', 'owner')
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
    await secrets.save('ONE', { value: VALUE }, 'owner')
    await secrets.save('TWO', { value: `${VALUE}2` }, 'owner')
    await expect((await open('not the key')).sealWith('new', 'owner')).rejects.toThrow(
      /ONE was sealed with another SYSTEM_SECRET_KEY.*Nothing was changed/,
    )
    expect(await secrets.sealWith('new', 'owner')).toBe(2)
    // The process that did it goes on reading, hiding and sealing.
    expect(secrets.unreadable()).toEqual([])
    expect(secrets.redact(VALUE)).toBe('[secret ONE]')
    await secrets.save('THREE', { value: `${VALUE}3` }, 'owner')
    expect((await open()).unreadable()).toEqual(['ONE', 'THREE', 'TWO'])
    const after = await open('new')
    await after.grantTo('TWO', '*', 'owner')
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
    const refused = (await open()).save(name, { value: value }, 'owner')
    await expect(refused).rejects.toThrow(words)
    if (value.trim().length > 6) await refused.catch((error: Error) => expect(error.message).not.toContain(value.trim()))
    expect(await store.db.selectFrom('secrets').selectAll().execute()).toEqual([])
  })

  test('the log tells who did what with which, and no value', async () => {
    const secrets = await open()
    await secrets.save('ONE', { value: VALUE, grants: ['agent:generalist'] }, 'owner')
    await secrets.save('ONE', { description: 'for pushing' }, 'owner')
    await secrets.valuesFor(task, ['ONE'])
    await secrets.revoke('ONE', 'agent:generalist', 'owner')
    await secrets.remove('ONE', 'owner')
    const events = await store.eventsAfter(0)
    expect(
      events.map((e) =>
        e.type === 'secret.changed' ? `${e.what} ${e.grants} by ${e.by}` : e.type === 'secret.used' ? `used by ${e.taskId}` : e.type,
      ),
    ).toEqual([
      'set agent:generalist by owner',
      'granted agent:generalist by owner',
      'used by k1',
      'granted  by owner',
      'removed  by owner',
    ])
    expect(JSON.stringify(events)).not.toContain(VALUE)
  })

  test("the system's own keys are taken out too, unless they are as short as a word", async () => {
    const secrets = await openSecrets({
      store,
      key: KEY,
      own: { ADMIN_TOKEN: 'admin', OPENAI_API_KEY: 'sk-0123456789abcdef', MODEL: undefined },
    })
    expect(secrets.redact('admin sk-0123456789abcdef')).toBe('admin [secret OPENAI_API_KEY]')
    expect(secrets.redactAll({ a: ['sk-0123456789abcdef', 1, null], 'sk-0123456789abcdef': true })).toEqual({
      a: ['[secret OPENAI_API_KEY]', 1, null],
      '[secret OPENAI_API_KEY]': true,
    })
  })

  test('a grant to nobody known is refused', async () => {
    const secrets = await open()
    await secrets.save('ONE', { value: VALUE }, 'owner')
    for (const to of ['', 'everybody', 'agent:', 'agent:*', 'tree:a b', 'agents:x'])
      await expect(secrets.grantTo('ONE', to, 'owner'), to).rejects.toThrow(/agent:NAME/)
  })
})
