/** Several processes on one PostgreSQL: each hears of every fact, its own and those of others, once and in their order. */
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { openStore, type Store } from './store.ts'

vi.setConfig({ hookTimeout: 60_000 })
const SOON = { timeout: 15_000, interval: 10 }

describe.skipIf(!need('postgres'))('two stores on one database', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  const stores: Store[] = []
  const heard: { seq: number; what: string; own: boolean }[][] = []
  beforeAll(async () => {
    server = await startPostgres()
    for (const n of [0, 1]) {
      const store = await openStore(server.url)
      stores.push(store)
      heard.push([])
      store.onFacts((events, own) => {
        for (const event of events) if (event.type === 'sweep.repaired') heard[n]!.push({ seq: event.seq, what: event.what, own })
      })
    }
  })
  afterAll(async () => {
    for (const store of stores) await store.close()
    await server?.stop()
  })
  const say = (n: number, what: string) =>
    stores[n]!.transact(async (tx) => tx.record(null, { type: 'sweep.repaired', taskId: 'none', what }))
  const words = (n: number) => heard[n]!.map((one) => `${one.own ? 'own' : 'other'} ${one.what}`)

  test('what one commits, the other hears; what is undone, nobody', async () => {
    await say(0, 'a')
    await expect(
      stores[0]!.transact(async (tx) => {
        tx.record(null, { type: 'sweep.repaired', taskId: 'none', what: 'undone' })
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    // Its own it hears at once, and those of others when the database says so.
    await expect.poll(() => words(1), SOON).toEqual(['other a'])
    await say(1, 'b')
    await expect.poll(() => words(0), SOON).toEqual(['own a', 'other b'])
    await expect.poll(() => words(1), SOON).toEqual(['other a', 'own b'])
  })

  test('many at once are each heard once, those of others in the order of their numbers', async () => {
    for (const list of heard) list.length = 0
    await Promise.all(Array.from({ length: 60 }, (_, i) => say(i % 2, `fact ${i}`)))
    for (const n of [0, 1]) {
      await expect.poll(() => heard[n]!.length, SOON).toBe(60)
      expect(new Set(heard[n]!.map((one) => one.what)).size).toBe(60)
      const others = heard[n]!.filter((one) => !one.own).map((one) => one.seq)
      expect(others).toHaveLength(30)
      expect(others).toEqual([...others].sort((a, b) => a - b))
    }
  })

  test('who was cut off from the database hears what was said meanwhile', async () => {
    for (const list of heard) list.length = 0
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'`.execute(stores[0]!.db)
    await say(0, 'while nobody heard')
    await expect.poll(() => words(1), SOON).toEqual(['other while nobody heard'])
    await say(0, 'after')
    await expect.poll(() => words(1), SOON).toEqual(['other while nobody heard', 'other after'])
  })
})
