import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { need } from './needs.ts'
import { startPostgres } from './postgres.ts'

describe.skipIf(!need('postgres'))('a private PostgreSQL', () => {
  it('answers on its own port beside another, and is gone after stop', async () => {
    const [one, two] = await Promise.all([startPostgres(), startPostgres()])
    expect(one.url).not.toBe(two.url)
    for (const { url } of [one, two]) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      expect((await client.query('select 1 + 1 as sum')).rows).toEqual([{ sum: 2 }])
      await client.end()
    }
    await Promise.all([one.stop(), two.stop()])
    await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toThrow('ECONNREFUSED')
  })
})
