import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { need } from '../../../scripts/needs.ts'
import { startPostgres } from '../../../scripts/postgres.ts'
import { openStore } from '../../store/store.ts'
import { openWatchdog } from './watchdog.ts'

const hasServer = Boolean(need('postgres'))
let server: Awaited<ReturnType<typeof startPostgres>> | undefined
beforeAll(async () => {
  if (hasServer) server = await startPostgres()
}, 60_000)
afterAll(() => server?.stop())

describe.each(['PGlite', ...(hasServer ? ['a PostgreSQL server'] : [])])('several engines on one database of %s', (kind) => {
  it('look one at a time, and another takes over when the first is gone', { timeout: 60_000 }, async () => {
    let at = Date.UTC(2026, 0, 1)
    const store = await openStore(kind === 'PGlite' ? 'pglite:' : server!.url, { now: () => at })
    const engine = () =>
      openWatchdog({
        store,
        now: () => at,
        judges: () => true,
        otherModel: async () => null,
        supervisor: async () => null,
        intervalMs: () => 60_000,
        patience: () => 1,
        onError(error) {
          throw error
        },
      })
    const [first, second] = [engine(), engine()]
    expect(await first.look()).toEqual({ facts: 0, tasks: 0 })
    expect(await second.look()).toBe(false)
    at += 6_000
    expect(await first.look()).not.toBe(false)
    expect(await second.look()).toBe(false)
    at += 60_000
    await store.transact(async (tx) => tx.record(null, { type: 'system.resumed', by: 'owner' }))
    expect(await second.look()).toEqual({ facts: 1, tasks: 0 })
    expect(await first.look()).toBe(false)
    await store.close()
  })
})
