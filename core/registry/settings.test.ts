import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEFAULT_POLICY } from '../contract/api-settings.ts'
import { openStore, type Store } from '../store/store.ts'
import { openSettings } from './settings.ts'

let folder: string
let here: Store
let there: Store
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-settings-'))
  here = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
  there = await openStore(`sqlite:${join(folder, 'agent_system.db')}`)
})
afterEach(async () => {
  await Promise.all([here.close(), there.close()])
  await rm(folder, { recursive: true, force: true })
})

test('a policy that another process saved holds from the next read on, however many versions it is ahead', async () => {
  const [mine, theirs] = [openSettings(here), openSettings(there)]
  expect(await mine.policy()).toEqual({ version: 0, author: 'default', updatedAt: null, policy: DEFAULT_POLICY })
  await theirs.savePolicy({ ...DEFAULT_POLICY, tainted: 'deny' }, 'them')
  expect(await mine.policy()).toMatchObject({ version: 1, author: 'them', policy: { tainted: 'deny' } })
  await theirs.savePolicy({ ...DEFAULT_POLICY, tainted: 'ask' }, 'them')
  await theirs.savePolicy({ ...DEFAULT_POLICY, tainted: 'deny' }, 'them')
  expect(await mine.policy()).toMatchObject({ version: 3, policy: { tainted: 'deny' } })
  await mine.savePolicy(DEFAULT_POLICY, 'me', 3)
  expect(await mine.policy()).toMatchObject({ version: 4, author: 'me' })
  expect(await theirs.policy()).toMatchObject({ version: 4, author: 'me' })
})
