import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { READABLE, readableColumns } from '../contract/readable.ts'
import { openQuery, type Query } from './query.ts'
import { openStore, type Store } from './store.ts'

const never = new AbortController().signal
const CAPS = { maxRows: 200, maxBytes: 50_000, timeoutMs: 10_000 }
const CANARY = 'canary-7f3a9c51e8'
/** Wherever an attack could leave something. */
const PLACES = ['/tmp/pwned', '/tmp/pwned.db', '/tmp/pwned.txt']

async function fill(store: Store): Promise<void> {
  await store.transact(async (tx) => {
    for (let i = 0; i < 300; i++)
      await tx.db
        .insertInto('prompts')
        .values({ hash: `p${String(i).padStart(3, '0')}`, body: `body ${i}`, at: i })
        .execute()
    await tx.db
      .insertInto('prompts')
      .values({ hash: 'long', body: 'x'.repeat(100_000), at: 9_007_199_254_740_000 })
      .execute()
    await tx.db.insertInto('meta').values({ key: 'token', value: CANARY }).execute()
    tx.record(null, { type: 'sweep.repaired', taskId: 't1', what: 'one' })
    await tx.db
      .insertInto('sessions')
      .values({
        id: CANARY,
        hash: CANARY,
        user_id: 'owner',
        how: 'link',
        user_agent: CANARY,
        created_at: 1,
        last_seen_at: 1,
        expires_at: 1,
      })
      .execute()
    await tx.db
      .insertInto('api_tokens')
      .values({
        id: CANARY,
        hash: CANARY,
        user_id: 'owner',
        name: CANARY,
        scopes: '[]',
        created_at: 1,
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
      })
      .execute()
    // Tables that later versions, or somebody by hand, may have: nobody listed them as readable.
    for (const [table, column] of [
      ['session_values', 'token'],
      ['api_keys', 'value'],
    ]) {
      await tx.db.schema.createTable(table!).ifNotExists().addColumn(column!, 'text').execute()
      await tx.db
        .insertInto(table as 'prompts')
        .values({ [column!]: CANARY } as never)
        .execute()
    }
    await tx.db.schema
      .alterTable('trees')
      .addColumn('access_key', 'text', (c) => c.defaultTo(CANARY))
      .execute()
    await tx.db
      .insertInto('trees')
      .values({
        id: 'g1',
        goal: 'A goal',
        mode: 'auto',
        workspace: 'task',
        limits: '{}',
        submitted_by: 'owner',
        idempotency_key: CANARY,
        created_at: 1,
      } as never)
      .execute()
  })
}

const WRITES = [
  "INSERT INTO prompts VALUES ('h','b',1)", "UPDATE prompts SET body = 'x'", 'DELETE FROM prompts', "REPLACE INTO prompts VALUES ('h','b',1)",
  'DROP TABLE prompts', 'CREATE TABLE pwned (a int)', 'CREATE TEMP TABLE pwned (a int)', 'CREATE INDEX pwned ON prompts (at)',
  'CREATE VIEW pwned AS SELECT 1', 'ALTER TABLE prompts ADD COLUMN pwned text', 'VACUUM', "VACUUM INTO '/tmp/pwned.db'", "vacuum main into '/tmp/pwned.db'",
  "/* SELECT */ VACUUM INTO '/tmp/pwned.db'", "ATTACH DATABASE '/tmp/pwned.db' AS p", "ATTACH '/tmp/pwned.db' AS p", 'DETACH DATABASE main',
  'PRAGMA journal_mode = DELETE', 'PRAGMA writable_schema = ON', 'PRAGMA user_version = 7', 'PRAGMA wal_checkpoint(TRUNCATE)', 'PRAGMA table_info(prompts)',
  'PRAGMA query_only = OFF', 'PRAGMA optimize', 'ANALYZE', 'REINDEX', 'BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT a', 'RELEASE a',
  "WITH x AS (SELECT 1) INSERT INTO prompts SELECT 'h','b',1", 'WITH x AS (SELECT 1) DELETE FROM prompts', "WITH x AS (SELECT 1) UPDATE prompts SET body = 'x'",
  "SELECT 1; DELETE FROM prompts", "SELECT 1; VACUUM INTO '/tmp/pwned.db'", "SELECT 1;;; DROP TABLE prompts", "SELECT ';'; DELETE FROM prompts",
  'SELECT 1 /* ; */; DELETE FROM prompts', 'SELECT 1 -- a\n; DELETE FROM prompts', 'SELECT 1 --\r; DELETE FROM prompts', "SELECT 'a''; --'; DELETE FROM prompts",
  'EXPLAIN DELETE FROM prompts', 'EXPLAIN QUERY PLAN DELETE FROM prompts', "SELECT load_extension('/tmp/pwned')", "SELECT writefile('/tmp/pwned.txt', 'x')",
  "SELECT readfile('/etc/passwd')", "SELECT edit('x')", "SELECT fts3_tokenizer('simple')", "SELECT * FROM pragma_wal_checkpoint('TRUNCATE')",
  "SELECT * FROM pragma_journal_mode('delete')", 'SELECT * FROM pragma_database_list', "CREATE VIRTUAL TABLE pwned USING fts5(a)", "SELECT * FROM fsdir('/')",
  'SELECT * INTO pwned FROM prompts', 'COPY prompts TO STDOUT', "COPY prompts TO '/tmp/pwned.txt'", "SELECT * FROM (DELETE FROM prompts RETURNING *) x",
  "WITH d AS (DELETE FROM prompts RETURNING *) SELECT * FROM d", 'SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE', 'DO $$ BEGIN NULL; END $$',
  "SELECT pg_read_file('/etc/passwd')", "SELECT lo_export(1, '/tmp/pwned.txt')", 'SELECT pg_terminate_backend(1)', "SELECT set_config('transaction_read_only', 'off', false)",
  "SELECT nextval('events_seq_seq')", "SELECT dblink('host=localhost', 'DELETE FROM prompts')", "SELECT 1) AS x; DELETE FROM prompts; --", 'SELECT 1) x, (SELECT 2', '',
  ';', '   -- nothing', "SELECT 'never closed", 'SELECT "never closed', 'SELECT 1 /* never closed', 'SELECT 1\0; DELETE FROM prompts', 'TRUNCATE prompts', 'LOCK TABLE prompts',
  'GRANT ALL ON prompts TO public', 'CALL pwned()', 'EXECUTE pwned', 'PREPARE p AS DELETE FROM prompts', 'LISTEN x', "NOTIFY x, 'y'", 'SELECT pg_sleep(100)', 'SELECT * FROM prompts FOR UPDATE',
] // biome-ignore format: an attack a word
const SECRETS = [
  'SELECT * FROM meta', 'SELECT value FROM meta', 'SELECT m.value FROM main.meta m', 'SELECT "value" FROM "meta"', 'SELECT * FROM META', 'SELECT count(*) FROM meta',
  "SELECT hash FROM prompts WHERE EXISTS (SELECT 1 FROM meta WHERE value LIKE 'canary%')", 'SELECT (SELECT max(value) FROM meta)', 'SELECT * FROM prompts, meta',
  'SELECT * FROM prompts p LEFT JOIN meta m ON 1 = 1', 'WITH x AS (SELECT * FROM meta) SELECT * FROM x', 'WITH x AS (SELECT count(*) AS n FROM meta) SELECT n FROM x',
  "SELECT hash FROM prompts UNION SELECT value FROM meta", 'SELECT * FROM sessions', 'SELECT token FROM sessions', 'SELECT * FROM api_keys', 'SELECT * FROM [meta]', 'SELECT * FROM `meta`',
  'SELECT * FROM sqlite_master', 'SELECT sql FROM sqlite_schema', 'SELECT name FROM sqlite_sequence', "SELECT * FROM pragma_table_info('meta')", 'SELECT * FROM dbstat',
  'SELECT access_key FROM trees', 'SELECT * FROM trees', 'SELECT idempotency_key FROM trees', "SELECT id FROM trees WHERE access_key LIKE 'canary%'",
  "SELECT 1 ORDER BY (SELECT value FROM meta WHERE key = 'token')", "SELECT json_group_array(value) FROM meta", "SELECT hash FROM prompts ORDER BY (SELECT value FROM meta)",
  "VALUES ((SELECT value FROM meta WHERE key = 'token'))", 'TABLE meta', "SELECT query_to_xml('select * from meta', true, true, '')", 'SELECT * FROM public.meta', 'SELECT * FROM "public"."meta"',
  'SELECT * FROM pg_stat_activity', 'SELECT * FROM pg_authid', 'SELECT * FROM information_schema.tables', 'SELECT ARRAY[(SELECT max(value) FROM meta)]', 'SELECT (ARRAY[1])[(SELECT count(*) FROM meta)]',
  "SELECT E'a'\n'\\' , (SELECT max(value) FROM meta) --'", "SELECT 1e'\\', (SELECT max(value) FROM meta) --'", "SELECT $é$ ' $é$, (SELECT max(value) FROM meta), $é$ ' $é$", 'SELECT * FROM U&"\\006D\\0065\\0074\\0061"',
  'SELECT 1 --\r, value FROM meta', 'SELECT t FROM trees t', 'SELECT to_json(t) FROM trees t', "SELECT m FROM meta m", "SELECT /* /* */ 1, (SELECT max(value) FROM meta) /* */ */", "SELECT database_to_xml(true, true, '')",
] // biome-ignore format: an attack a word

const kinds: [string, () => Promise<{ url: string; end(): Promise<void> }>][] = [
  [
    'SQLite',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'banyan-query-'))
      return { url: `sqlite:${join(folder, 'agent_system.db')}`, end: async () => rmSync(folder, { recursive: true, force: true }) }
    },
  ],
]
if (need('postgres'))
  kinds.push([
    'PostgreSQL',
    async () => {
      const server = await startPostgres()
      return { url: server.url, end: () => server.stop() }
    },
  ])

describe.each(kinds)('questions to the database on %s', (kind, open) => {
  let place: { url: string; end(): Promise<void> }
  let store: Store
  let door: Query
  const sqlite = kind === 'SQLite'
  const ask = (sql: string, caps: Partial<typeof CAPS> = {}) => door.query(sql, { ...CAPS, ...caps }, never)
  const refusal = (sql: string, caps: Partial<typeof CAPS> = {}) =>
    ask(sql, caps).then(
      (result) => JSON.stringify(result),
      (error: Error) => error.message,
    )
  beforeAll(async () => {
    place = await open()
    store = await openStore(place.url)
    await fill(store)
    door = openQuery(place.url)
  })
  afterAll(async () => {
    await door.close()
    await store.close()
    await place.end()
  })
  /** Every row of every table that an attack aims at. */
  const content = async () =>
    createHash('sha256')
      .update(
        JSON.stringify(
          await Promise.all(
            (['prompts', 'meta', 'trees', 'events', 'schema_migrations', 'sessions', 'api_keys'] as 'prompts'[]).map((table) =>
              store.db.selectFrom(table).selectAll().execute(),
            ),
          ),
        ),
      )
      .digest('hex')

  test('are answered with columns and rows', async () => {
    expect(await ask('SELECT hash, at FROM prompts WHERE at < 2 ORDER BY at;')).toMatchObject({
      columns: ['hash', 'at'],
      rows: [
        ['p000', 0],
        ['p001', 1],
      ],
      truncated: false,
      cut: [],
    })
    expect(
      (await ask('WITH x AS (SELECT at FROM prompts) SELECT count(*) AS n, avg(at) > 1 AS more FROM x -- how many')).rows[0]?.[0],
    ).toBe(301)
    expect((await ask('SELECT type FROM (SELECT CASE WHEN fact IS NULL THEN 1 ELSE 2 END AS type FROM events) AS x')).rows).toEqual([[2]])
    expect((await ask('SELECT 9007199254740993 AS big')).rows).toEqual([['9007199254740993']])
  })

  test('give no more rows, characters and bytes than they may, and say what is missing', async () => {
    const rows = await ask('SELECT hash FROM prompts', { maxRows: 20 })
    expect(rows.rows).toHaveLength(20)
    expect(rows).toMatchObject({ truncated: true, cut: ['Only the first 20 rows are shown; narrow the query, or count in it.'] })
    const cell = await ask("SELECT body FROM prompts WHERE hash = 'long'")
    expect(cell.rows[0]?.[0]).toMatch(/^x{4000}… \(cut: 100000 characters\)$/)
    expect(cell).toMatchObject({ truncated: true, cut: [expect.stringContaining('substr(column, from, 4000)')] })
    const bytes = await ask("SELECT substr(b.body, 1, 3000) FROM prompts a JOIN prompts b ON b.hash = 'long'")
    expect(Buffer.byteLength(JSON.stringify(bytes.rows))).toBeLessThan(51_000)
    expect(bytes.cut).toEqual(['Only the first 16 rows are shown, because the answer may have 50 kB; read fewer or shorter columns.'])
    const wide = await ask(`SELECT ${Array.from({ length: 40 }, (_, i) => `body AS b${i}`).join(', ')} FROM prompts WHERE hash = 'long'`)
    expect(wide.rows).toHaveLength(1)
    expect(Buffer.byteLength(JSON.stringify(wide.rows))).toBeLessThan(50_000)
  })

  test('that are not right are answered with what would be', async () => {
    expect(await refusal('SELECT * FROM taks')).toBe(`There is no table "taks". Tables: ${Object.keys(READABLE).join(', ')}.`)
    if (sqlite) expect(await refusal('SELECT * FROM meta')).toBe(`There is no table "meta". Tables: ${Object.keys(READABLE).join(', ')}.`)
    expect(await refusal('SELECT hsh FROM prompts')).toMatch(/hsh.*prompts has hash, at, body$/)
    expect(await refusal('SELECT FROM WHERE')).toMatch(/syntax error/)
    expect(await refusal('DELETE FROM prompts')).toMatch(/^This tool only reads: .* not DELETE\. .*add_document .*flag_for_review/)
    expect(await refusal('SELECT 1; SELECT 2')).toMatch(/^One statement at a time/)
  })

  test(`that would change something change nothing (${WRITES.length})`, async () => {
    const before = await content()
    const files = sqlite ? readdirSync(join(place.url.slice('sqlite:'.length), '..')).sort() : []
    for (const sql of WRITES) {
      const told = await refusal(sql, { timeoutMs: 2_000 })
      expect(told, sql).not.toMatch(/root:|"columns":/)
    }
    expect(await content()).toBe(before)
    if (sqlite) {
      expect(readdirSync(join(place.url.slice('sqlite:'.length), '..')).sort()).toEqual(files)
      expect((await store.db.introspection.getTables()).some((table) => table.name === 'pwned')).toBe(false)
    }
    const found = execFileSync('find', ['/tmp', '-maxdepth', '1', '-name', 'pwned*'], { encoding: 'utf8' })
    expect(found, PLACES.join()).toBe('')
  })

  test(`that reach for what is hidden do not see it (${SECRETS.length})`, async () => {
    const before = await content()
    for (const sql of SECRETS) {
      const told = await refusal(sql)
      expect(told, sql).not.toContain(CANARY)
      if (/\bmeta\b/i.test(sql) && !sql.includes('--\r')) expect(told, sql).not.toMatch(/"columns":/)
    }
    expect(await content()).toBe(before)
  })

  test('a hidden column of a readable table is absent or null, in conditions too', async () => {
    const { columns, rows, cut } = await ask('SELECT * FROM trees')
    expect(rows).toHaveLength(1)
    expect(rows[0]?.[columns.indexOf('goal')]).toBe('A goal')
    for (const name of ['access_key', 'idempotency_key']) expect(rows[0]?.[columns.indexOf(name)] ?? null).toBeNull()
    if (sqlite) {
      expect(cut).toEqual([expect.stringMatching(/^Not readable, shown as null: .*trees\.access_key/)])
      expect((await ask("SELECT id FROM trees WHERE access_key LIKE 'canary%'")).rows).toEqual([])
    }
  })

  test('a query that runs away is killed in time, and the next one works', async () => {
    const endless = 'WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c'
    const cross = 'SELECT count(*) FROM prompts a, prompts b, prompts c, prompts d WHERE a.at + b.at + c.at + d.at = -1'
    for (const sql of sqlite ? [endless, cross] : [cross]) {
      const begun = performance.now()
      expect(await refusal(sql, { timeoutMs: 1_000 })).toMatch(/^The query took longer than 1 s and was stopped/)
      expect(performance.now() - begun).toBeLessThan(6_000)
    }
    expect((await ask('SELECT count(*) FROM prompts')).rows).toEqual([[301]])
  })

  test('a query that eats memory ends itself and nobody else', async () => {
    for (const sql of sqlite
      ? [
          'SELECT hex(zeroblob(900000000))',
          "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT group_concat(n || printf('%01000d', n)) FROM c",
          'SELECT randomblob(15000000) FROM prompts a, prompts b ORDER BY 1',
        ]
      : ["SELECT repeat('x', 1000000000)", "SELECT string_agg(repeat('x', 1000000), '') FROM prompts a, prompts b"]) {
      expect(await refusal(sql, { timeoutMs: 2_000 }), sql).toMatch(/memory|too big|longer than|cut/)
    }
    expect((await ask('SELECT count(*) FROM prompts')).rows).toEqual([[301]])
  })

  test('many at once are all answered', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => ask(`SELECT ${i} AS i FROM prompts LIMIT 1`)))
    expect(answers.map((answer) => answer.rows[0]?.[0])).toEqual(Array.from({ length: 12 }, (_, i) => i))
  })

  test('a stop ends a query that runs', async () => {
    const stop = new AbortController()
    const asked = door.query('WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c', CAPS, stop.signal)
    setImmediate(() => stop.abort())
    await expect(asked).rejects.toThrow('The query was stopped.')
  })

  test('every readable column is a column of the database', async () => {
    const tables = await store.db.introspection.getTables()
    for (const [name, columns] of readableColumns()) {
      const real = tables.find((table) => table.name === name)?.columns.map((column) => column.name) ?? []
      expect(real, name).toEqual(expect.arrayContaining([...columns]))
    }
  })
})

test('a query dies with the runtime that asked it, however busy it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-query-'))
  const url = `sqlite:${join(folder, 'a.db')}`
  await (await openStore(url)).close()
  const script = `
    import { openQuery } from ${JSON.stringify(join(import.meta.dirname, 'query.ts'))}
    const door = openQuery(${JSON.stringify(url)})
    const caps = { maxRows: 1, maxBytes: 1000, timeoutMs: 600000 }
    await door.query('SELECT 1', caps, new AbortController().signal)
    void door.query('WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c', caps, new AbortController().signal)
    setTimeout(() => console.log('asked'), 50)`
  const runtime: ChildProcess = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(runtime.stdout!, 'data')
  const children = readFileSync(`/proc/${runtime.pid}/task/${runtime.pid}/children`, 'utf8').trim().split(' ')
  expect(children).toHaveLength(1)
  runtime.kill('SIGKILL')
  const alive = () => {
    try {
      return readFileSync(`/proc/${children[0]}/stat`, 'utf8').split(' ')[2] !== 'Z'
    } catch {
      return false // no such process any more
    }
  }
  await vi.waitFor(() => expect(alive()).toBe(false), { timeout: 2_000, interval: 20 })
  rmSync(folder, { recursive: true, force: true })
})
