import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { type Migration, SCHEMA } from './migrate.ts'
import { MIGRATIONS } from './migration-list.ts'
import { storeSuite } from './store.suite.ts'
import { openStore } from './store.ts'

const folder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'banyan-store-'))
  return { url: `sqlite:${join(path, 'agent_system.db')}`, end: () => rm(path, { recursive: true, force: true }) }
}

storeSuite('SQLite', folder)
describe('PostgreSQL inside this process', () => {
  let first: string
  // Made with all migrations once, then copied: that takes a tenth of the processor time.
  beforeAll(async () => {
    first = join(await mkdtemp(join(tmpdir(), 'banyan-store-')), 'first')
    await (await openStore(`pglite:${first}`)).close()
  })
  afterAll(() => rm(dirname(first), { recursive: true, force: true }))
  storeSuite('PGlite', async () => {
    const path = await mkdtemp(join(tmpdir(), 'banyan-store-'))
    await cp(first, path, { recursive: true })
    return { url: `pglite:${path}`, end: () => rm(path, { recursive: true, force: true }) }
  })
})

describe.skipIf(!need('postgres'))('a real PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let databases = 0
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())
  storeSuite('PostgreSQL', async () => {
    const name = `banyan_${++databases}`
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query(`create database ${name}`)
    await client.end()
    const url = new URL(server.url)
    url.pathname = `/${name}`
    return { url: url.href, end: async () => undefined }
  })
})

describe.skipIf(!need('postgres'))('a PostgreSQL database in the order of a language', () => {
  test('finds ids by ranges and orders them as every other does, also when it was made before', { timeout: 60_000 }, async () => {
    const server = await startPostgres()
    try {
      const { default: pg } = await import('pg')
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(`create database words template template0 locale_provider icu icu_locale 'en-US'`)
      await client.end()
      const url = server.url.replace(/postgres$/, 'words')
      for (const round of ['made now', 'made before']) {
        const store = await openStore(url)
        const ids = ['x', 'x.1a', 'x.1a.2b', 'x-1', 'xa', 'X', 'x/1a', 'y.1a']
        await store.transact(async ({ db }) => {
          await db.deleteFrom('prompts').execute()
          await db
            .insertInto('prompts')
            .values(ids.map((hash) => ({ hash, body: '', at: 0 })))
            .execute()
        })
        const found = (rows: { hash: string }[]) => rows.map((row) => row.hash)
        const below = store.db.selectFrom('prompts').select('hash').where('hash', '>', 'x.').where('hash', '<', 'x/').orderBy('hash')
        expect(found(await below.execute()), round).toEqual(['x.1a', 'x.1a.2b'])
        expect(found(await store.db.selectFrom('prompts').select('hash').orderBy('hash').execute())).toEqual([...ids].sort())
        // As an older version had left it.
        if (round === 'made now') await sql`alter table prompts alter column hash type text collate "default"`.execute(store.db)
        await store.close()
      }
    } finally {
      await server.stop()
    }
  })
})

describe('code and schema of different ages', () => {
  const expand: Migration = {
    number: SCHEMA + 1,
    oldestCode: MIGRATIONS.at(-1)!.oldestCode,
    up: async (db) => void (await sql`alter table trees add column later_idea text`.execute(db)),
    down: async (db) => void (await sql`alter table trees drop column later_idea`.execute(db)),
  }

  test('older code starts on a schema that was only expanded since', async () => {
    const { url, end } = await folder()
    await (await openStore(url, { migrations: [...MIGRATIONS, expand] })).close()
    const older = await openStore(url)
    await older.transact(async (tx) => tx.record(null, { type: 'sweep.repaired', taskId: 't', what: 'written by older code' }))
    expect(await older.lastSeq()).toBe(1)
    await older.close()
    await end()
  })

  test('older code refuses a schema that says it is too old, names the mend, and changes nothing', async () => {
    const { url, end } = await folder()
    await (await openStore(url, { migrations: [...MIGRATIONS, { ...expand, oldestCode: SCHEMA + 1 }] })).close()
    await expect(openStore(url)).rejects.toThrow(/needs code of schema \d+ or newer.*start the newer version, or restore a backup/)
    const newer = await openStore(url, { migrations: [...MIGRATIONS, { ...expand, oldestCode: SCHEMA + 1 }] })
    expect(await newer.lastSeq()).toBe(0)
    await newer.close()
    await end()
  })

  test('a migration that fails half-way leaves the database as it was', async () => {
    const { url, end } = await folder()
    const broken: Migration = { ...expand, up: async (db) => { await expand.up(db); throw new Error('half-way') } } // biome-ignore format: the two steps in one line
    await expect(openStore(url, { migrations: [...MIGRATIONS, broken] })).rejects.toThrow('half-way')
    await (await openStore(url, { migrations: [...MIGRATIONS, expand] })).close()
    await end()
  })

  test('each migration goes down again to the schema before it', async () => {
    const { url, end } = await folder()
    const store = await openStore(url)
    await store.transact(async (tx) => {
      for (const migration of [...MIGRATIONS].reverse()) await migration.down(tx.db as never)
      const left = (await tx.db.introspection.getTables()).map((t) => t.name).sort()
      expect(left).toEqual(['meta', 'schema_migrations'])
    })
    await store.close()
    await end()
  })
})

test('a database that cannot be used is named with its cause and mend', async () => {
  await expect(openStore('sqlite:/dev/null/agent_system.db')).rejects.toThrow(
    '/dev/null/agent_system.db cannot be used: a part of its path is a file',
  )
  await expect(openStore('mysql://x')).rejects.toThrow('neither sqlite: nor postgres:')
})
