import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { type PrivatePostgres, startPostgres } from '../../scripts/postgres.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import type { Review } from '../contract/review.ts'
import type { ModelRequest } from '../models/provider.ts'
import { planWrite } from '../store/write-plan.ts'

/** Each must leave every row as it was and ask nobody. Those without a WHERE, with more than one statement, with tricks, and for what keeps the system safe. */
// biome-ignore format: an attack a line
const ATTACKS = [
  "UPDATE tasks SET status = 'done' WHERE id = id", "UPDATE tasks SET title = 'x', status = 'done' WHERE 1 = 1", 'UPDATE tasks SET "status" = \'done\' WHERE 1 = 1',
  "UPDATE tasks SET (title, status) = ('x', 'done') WHERE 1 = 1", "UPDATE tasks SET id = 'x' WHERE 1 = 1", "UPDATE tasks SET rowid = 1 WHERE 1 = 1",
  "UPDATE tasks SET grants = '{}' WHERE 1 = 1", "UPDATE tasks SET taint = '[]' WHERE 1 = 1", "UPDATE tasks SET origin = 'person' WHERE 1 = 1",
  "UPDATE tasks SET instruction = 'x' WHERE 1 = 1", 'UPDATE tasks SET lease_token = 9 WHERE 1 = 1', 'UPDATE tasks SET stopped_by_person = 0 WHERE 1 = 1',
  "UPDATE tasks SET result = 'x' WHERE 1 = 1", "UPDATE tasks SET plan = NULL WHERE 1 = 1", 'UPDATE tasks SET parent_id = NULL WHERE 1 = 1', 'DELETE FROM tasks WHERE 1 = 1',
  "UPDATE trees SET goal = 'x' WHERE 1 = 1", "UPDATE trees SET limits = '{}' WHERE 1 = 1", "UPDATE trees SET approval = 'run_free' WHERE 1 = 1", 'DELETE FROM trees WHERE 1 = 1',
  "UPDATE secrets SET grants = '[\"*\"]' WHERE 1 = 1", 'DELETE FROM secrets WHERE 1 = 1', "UPDATE users SET role = 'owner' WHERE 1 = 1", 'DELETE FROM users WHERE 1 = 1',
  "UPDATE identities SET user_id = 'owner' WHERE 1 = 1", 'DELETE FROM identities WHERE 1 = 1', 'DELETE FROM sessions WHERE 1 = 1', "UPDATE sessions SET user_id = 'owner' WHERE 1 = 1",
  "UPDATE api_tokens SET scopes = '[\"*\"]' WHERE 1 = 1", 'DELETE FROM api_tokens WHERE 1 = 1', 'DELETE FROM login_attempts WHERE 1 = 1',
  "UPDATE rules SET verdict = 'allow' WHERE 1 = 1", 'DELETE FROM rules WHERE 1 = 1', "UPDATE reviews SET state = 'decided', decision = 'approve' WHERE 1 = 1", 'DELETE FROM reviews WHERE 1 = 1',
  "UPDATE calls SET approved = 1 WHERE 1 = 1", 'DELETE FROM calls WHERE 1 = 1', "UPDATE messages SET body = '{}' WHERE 1 = 1", 'DELETE FROM messages WHERE 1 = 1',
  "UPDATE events SET fact = '{}' WHERE 1 = 1", 'DELETE FROM events WHERE 1 = 1', "UPDATE agents SET body = '{}' WHERE 1 = 1", "UPDATE tools SET enabled = 1 WHERE 1 = 1",
  "UPDATE documents SET body = 'x' WHERE 1 = 1", "UPDATE versions SET body = 'x' WHERE 1 = 1", 'DELETE FROM versions WHERE 1 = 1', "UPDATE meta SET value = '0' WHERE 1 = 1",
  'DELETE FROM schema_migrations WHERE 1 = 1', 'DELETE FROM model_calls WHERE 1 = 1', 'DELETE FROM prompts WHERE 1 = 1', 'DELETE FROM jobs WHERE 1 = 1', 'DELETE FROM file_changes WHERE 1 = 1',
  'DELETE FROM web_pages WHERE 1 = 1', "UPDATE web_searches SET hits = '[]' WHERE 1 = 1", "UPDATE web_citations SET url = 'http://x' WHERE 1 = 1", "UPDATE templates SET body = '{}' WHERE 1 = 1",
  'DELETE FROM sqlite_schema WHERE 1 = 1', "UPDATE sqlite_sequence SET seq = 0 WHERE 1 = 1", 'DELETE FROM sqlite_stat1 WHERE 1 = 1', "UPDATE pg_class SET relname = 'x' WHERE 1 = 1", 'DELETE FROM pg_authid WHERE 1 = 1',
  "UPDATE main.tasks SET title = 'x' WHERE 1 = 1", "UPDATE public.tasks SET title = 'x' WHERE 1 = 1", "UPDATE temp.tasks SET title = 'x' WHERE 1 = 1", 'DELETE FROM main.web_searches WHERE 1 = 1',
  "UPDATE tasks AS t SET title = 'x' WHERE 1 = 1", "UPDATE ONLY tasks SET title = 'x' WHERE 1 = 1", "UPDATE OR REPLACE tasks SET title = 'x' WHERE 1 = 1", "UPDATE tasks INDEXED BY x SET title = 'x' WHERE 1 = 1",
  "UPDATE tasks SET title = 'x'", "UPDATE tasks SET title = 'x' WHERE", 'DELETE FROM web_searches', 'DELETE FROM web_searches WHERE', 'DELETE web_searches WHERE 1 = 1',
  "UPDATE tasks SET title = 'x' -- WHERE id = 'none'\nWHERE 1 = 1", "UPDATE tasks SET title = 'x' WHERE id = 'none' -- \n OR 1 = 1", "UPDATE tasks SET title = 'x' /* */ WHERE 1 = 1", "UPDATE tasks SET title = 'x' WHERE id = 'none' /*! OR 1 = 1 */", "UPDATE tasks SET title = 'x' WHERE 1 = 1 --",
  "UPDATE tasks SET title = 'x' WHERE 1 = 1; DELETE FROM secrets", "UPDATE tasks SET title = 'x' WHERE 1 = 1; COMMIT", "DELETE FROM web_searches WHERE 1 = 1; DROP TABLE tasks",
  "UPDATE tasks SET title = 'x' WHERE 1 = 1 RETURNING *", 'DELETE FROM web_searches WHERE 1 = 1 RETURNING hits', "UPDATE tasks SET title = meta.value FROM meta WHERE 1 = 1", 'DELETE FROM web_searches USING users WHERE 1 = 1', "UPDATE tasks SET title = 'x' WHERE 1 = 1 LIMIT 1", "UPDATE tasks SET title = 'x' WHERE 1 = 1 ORDER BY id",
  "UPDATE tasks SET title = 'x' WHERE 1 = 1) OR (1 = 1", "UPDATE tasks SET title = 'x') , (SELECT 1 WHERE 1 = 1", "UPDATE tasks SET title = 'x' WHERE (1 = 1", 'UPDATE tasks SET title = ((SELECT 1) WHERE 1 = 1',
  'UPDATE tasks SET title = (SELECT value FROM meta LIMIT 1) WHERE 1 = 1', 'UPDATE tasks SET title = (SELECT value FROM secrets LIMIT 1) WHERE 1 = 1', 'UPDATE tasks SET title = (SELECT hash FROM sessions LIMIT 1) WHERE 1 = 1', "UPDATE tasks SET title = (SELECT lease_worker FROM tasks LIMIT 1) WHERE 1 = 1",
  "UPDATE tasks SET title = 'x' WHERE (SELECT count(*) FROM api_tokens) >= 0", "UPDATE tasks SET title = 'x' WHERE lease_worker IS NULL", "UPDATE tasks SET title = readfile('/etc/passwd') WHERE 1 = 1", "UPDATE tasks SET title = load_extension('x') WHERE 1 = 1", "UPDATE tasks SET title = pg_read_file('/etc/passwd') WHERE 1 = 1", "UPDATE tasks SET title = query_to_xml('select 1', true, true, '') WHERE 1 = 1",
  'UPDATE tasks SET priority = max(priority) WHERE 1 = 1', 'UPDATE tasks SET priority = count(*) WHERE 1 = 1', 'UPDATE tasks SET priority = (SELECT count(tasks.id)) WHERE 1 = 1', 'UPDATE tasks SET priority = row_number() OVER () WHERE 1 = 1',
  "UPDATE tasks SET priority = 101 WHERE 1 = 1", 'UPDATE tasks SET priority = 1.5 WHERE 1 = 1', "UPDATE tasks SET priority = 'high' WHERE 1 = 1", 'UPDATE tasks SET priority = NULL WHERE 1 = 1', "UPDATE tasks SET title = '' WHERE 1 = 1", 'UPDATE tasks SET title = NULL WHERE 1 = 1', "UPDATE tasks SET title = 'a\nb' WHERE 1 = 1", `UPDATE tasks SET title = '${'x'.repeat(201)}' WHERE 1 = 1`, 'UPDATE tasks SET deadline_at = 5 WHERE 1 = 1', 'UPDATE tasks SET title = DEFAULT WHERE 1 = 1', "UPDATE tasks SET title = 'a', title = 'b' WHERE 1 = 1", "UPDATE tasks SET title = char(8238) || 'x' WHERE 1 = 1",
  "INSERT INTO tasks (id) VALUES ('x')", "INSERT INTO rules (id) VALUES ('x')", "INSERT INTO web_citations (task_id, id, url, title, fetched_at) VALUES ('x', 'x', 'http://x', 'x', 1)", "REPLACE INTO tasks (id) VALUES ('x')", "INSERT INTO web_searches SELECT * FROM web_searches",
  "WITH x AS (SELECT 1) UPDATE tasks SET title = 'x' WHERE 1 = 1", "WITH x AS (DELETE FROM secrets RETURNING *) SELECT * FROM x", "EXPLAIN ANALYZE UPDATE tasks SET title = 'x' WHERE 1 = 1", 'SELECT 1', 'VALUES (1)',
  'DROP TABLE tasks', 'ALTER TABLE tasks ADD COLUMN x', 'CREATE TRIGGER t AFTER UPDATE ON tasks BEGIN DELETE FROM secrets; END', 'CREATE TABLE pwned (x)', "ATTACH '/tmp/pwned.db' AS p", 'DETACH main', 'PRAGMA writable_schema = ON', 'PRAGMA journal_mode = DELETE', 'VACUUM', "VACUUM INTO '/tmp/pwned.db'", 'REINDEX', 'ANALYZE', 'BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT x', 'TRUNCATE secrets', "COPY tasks TO PROGRAM 'id'", "DO $$ BEGIN DELETE FROM secrets; END $$", 'SET ROLE postgres', 'LOCK TABLE tasks', "MERGE INTO tasks USING secrets ON true WHEN MATCHED THEN DELETE", 'CALL x()', "NOTIFY x", "GRANT ALL ON tasks TO PUBLIC",
  "UPDATE [tasks] SET title = 'x' WHERE 1 = 1", "UPDATE `tasks` SET title = 'x' WHERE 1 = 1", "UPDATE 'tasks' SET title = 'x' WHERE 1 = 1", "UPDATE tasks SET [status] = 'done' WHERE 1 = 1", "UPDATE tasks SET title = ?1 WHERE 1 = 1", "UPDATE tasks SET title = $1 WHERE 1 = 1", "UPDATE tasks SET title = :x WHERE 1 = 1", "UPDATE tasks SET title = @x WHERE 1 = 1", "UPDATE tasks SET title = E'\\'' WHERE 1 = 1", "UPDATE tasks SET title = $$x$$ WHERE 1 = 1", 'UPDATE U&"t\\0061sks" SET title = \'x\' WHERE 1 = 1', "UPDATE tasks SET title = 'x' WHERE 1 = 1\u0000; DELETE FROM secrets", '', ';', 'UPDATE', 'DELETE FROM', "UPDATE constructor SET x = 1 WHERE 1 = 1", "UPDATE __proto__ SET x = 1 WHERE 1 = 1", "UPDATE tasks SET constructor = 1 WHERE 1 = 1",
  "UPDATE tasks SET title = 'x' WHERE (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c) > 0",
] as const

const kinds: [string, boolean][] = [
  ['SQLite', true],
  ['PostgreSQL', need('postgres') !== null],
]
describe.each(kinds)('a change of the database that an agent asks for, on %s', { timeout: 120_000 }, (kind, there) => {
  let server: PrivatePostgres | undefined
  let used = 0
  let h: Harness | undefined
  beforeAll(async () => {
    if (there && kind === 'PostgreSQL') server = await startPostgres()
  })
  afterAll(() => server?.stop())
  afterEach(async () => {
    expect((await h?.end()) ?? []).toEqual([])
    h = undefined
  })

  const write = (sql: string, more: object = {}): Scripted & { calls: { tool: string; input: unknown }[] } => ({
    calls: [{ tool: 'query_database', input: { sql, write: true, ...more } }],
  })
  const inOrder =
    (...steps: Scripted[]) =>
    (request: ModelRequest): Scripted =>
      steps[answersIn(request).length] ?? endWith(answersIn(request).join('\n---\n'))
  async function open(decide: (request: ModelRequest) => Scripted | Promise<Scripted>): Promise<Harness> {
    let databaseUrl: string | undefined
    if (server) {
      const { default: pg } = await import('pg')
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      await client.query(`CREATE DATABASE w${++used}`)
      await client.end()
      databaseUrl = server.url.replace(/postgres$/, `w${used}`)
    }
    h = await harness(decide, databaseUrl === undefined ? {} : { databaseUrl })
    const generalist = (await h.runtime.registry.get('agent', 'generalist'))!
    const { version: _v, author: _a, updatedAt: _u, ...agent } = generalist
    await h.runtime.registry.save('agent', { ...agent, tools: [...agent.tools, 'query_database'] }, 'test')
    return h
  }
  const asked = async (): Promise<Review[]> => (await h!.runtime.tasks.reviews({ state: 'open', limit: 50 })).items
  const waits = (id: string) => h!.until(id, (t) => t.status === 'waiting' && t.reason === 'review')
  const facts = async (type: string) => (await h!.runtime.store.eventsAfter(0, { limit: 5_000 })).filter((e) => e.type === type)
  const approve = async () => h!.runtime.tasks.decide((await asked())[0]!.id, { decision: 'approve' }, 'anna')
  const searches = async (count: number) =>
    h!.runtime.store.transact(async ({ db }) => {
      const rows = Array.from({ length: count }, (_, i) => ({
        ...{ id: `s${i}`, engine: 'e', query: `q${i}`, at: i, task_id: null, results: 0, outcome: 'ok', hits: '[]' },
      }))
      for (let from = 0; from < count; from += 500)
        await db
          .insertInto('web_searches')
          .values(rows.slice(from, from + 500))
          .execute()
    })

  test.skipIf(!there)('is shown with its rows, done once a person approves it, and told', async () => {
    const sql = "UPDATE tasks SET title = 'Better: ' || title, priority = priority + 5 WHERE parent_id IS NULL"
    const { goal, over, runtime } = await open(inOrder(write(sql)))
    const id = await goal('Name it')
    await waits(id)
    const [item] = await asked()
    expect(item).toMatchObject({ kind: 'permission', risk: 'high', reason: 'a person decides this every time', offers: [] })
    expect(item!.action).toMatchObject({
      ...{ sql, verb: 'update', table: 'tasks', columns: ['title', 'priority'], rows: 1 },
      sample: [{ row: id, title: { from: 'Name it', to: 'Better: Name it' }, priority: { from: 0, to: 5 } }],
    })
    expect(await runtime.tasks.task(id)).toMatchObject({ title: 'Name it' })
    for (const scope of ['exact', 'tool-in-tree'] as const)
      await expect(runtime.tasks.decide(item!.id, { decision: 'approve', remember: { scope } }, 'anna')).rejects.toThrow(/not at all/)
    await approve()
    expect(await over(id)).toMatchObject({ title: 'Better: Name it', priority: 5, result: 'Done: 1 row of tasks changed.' })
    expect(await facts('database.changed')).toMatchObject([
      { treeId: id, taskId: id, verb: 'update', table: 'tasks', columns: ['title', 'priority'], rows: 1, sql, by: 'anna' },
    ])
    expect(await facts('task.changed')).toMatchObject([{ treeId: id, taskId: id, title: 'Better: Name it', priority: 5 }])
  })

  test.skipIf(!there)('that a person rejects, or that a rule denies, changes nothing', async () => {
    const sql = 'DELETE FROM web_searches WHERE at >= 0'
    const { goal, over, runtime } = await open(inOrder(write(sql), write(sql)))
    await searches(3)
    const id = await goal('Forget')
    await waits(id)
    await runtime.tasks.rules.add({ verdict: 'deny', scope: 'permission', signature: 'self' }, 'owner')
    await runtime.tasks.decide((await asked())[0]!.id, { decision: 'reject' }, 'anna')
    expect((await over(id)).result).toMatch(/a person rejected it[\s\S]*Not done: a rule for the system denies the permission self/)
    expect(await runtime.store.db.selectFrom('web_searches').selectAll().execute()).toHaveLength(3)
  })

  test.skipIf(!there)('is asked about in a goal that runs free, and where an allowing rule stands', async () => {
    const sql = 'DELETE FROM web_searches WHERE at = 1'
    const { goal, runtime } = await open(inOrder(write(sql), write(sql)))
    await searches(3)
    const id = await goal('Forget', { approval: 'run_free' })
    const rule = { verdict: 'allow', label: 'all of it', tree_id: id, agent: null, tainted: 1, created_by: 'owner', created_at: 1 }
    await runtime.store.transact(async ({ db }) => {
      await db
        .insertInto('rules')
        .values({
          ...rule,
          ...{ id: 'r1', scope: 'tool-in-tree', signature: 'query_database' },
          ...{ expires_at: null, hits: 0, last_hit_at: null, revoked_at: null },
        })
        .execute()
    })
    await waits(id)
    await approve()
    await h!.until(id, (t) => t.status === 'waiting' && t.reason === 'review' && t.spend.turns === 2)
    expect(await asked()).toHaveLength(1)
  })

  test.skipIf(!there)('is not done when it would by now change something else than was shown', async () => {
    const { goal, over, runtime } = await open(inOrder(write('DELETE FROM web_searches WHERE at >= 1')))
    await searches(2)
    const id = await goal('Forget')
    await waits(id)
    await runtime.store.transact(
      async ({ db }) => void (await db.updateTable('web_searches').set({ at: 7 }).where('id', '=', 's0').execute()),
    )
    await approve()
    expect((await over(id)).result).toMatch(/^Nothing was changed: it would now change 2 rows, not the 1 that the person saw/)
    expect(await runtime.store.db.selectFrom('web_searches').selectAll().execute()).toHaveLength(2)
    expect(await facts('database.changed')).toEqual([])
  })

  test.skipIf(!there)('is edited by the person who approves it', async () => {
    const { goal, over, runtime } = await open(inOrder(write('DELETE FROM web_searches WHERE at >= 0')))
    await searches(3)
    const id = await goal('Forget')
    await waits(id)
    const edit = { sql: "DELETE FROM web_searches WHERE id = 's1'", write: true }
    await runtime.tasks.decide((await asked())[0]!.id, { decision: 'approve', edit }, 'anna')
    expect((await over(id)).result).toBe('Done: 1 row of web_searches deleted.')
    expect(await facts('database.changed')).toMatchObject([{ sql: edit.sql }])
  })

  test.skipIf(!there)('holds 1,000 rows and no more', async () => {
    const { goal, over } = await open(
      inOrder(write('DELETE FROM web_searches WHERE at >= 0'), write('DELETE FROM web_searches WHERE at < 1000')),
    )
    await searches(1_001)
    const id = await goal('Forget')
    await waits(id)
    expect((await asked())[0]!.action).toMatchObject({ rows: 1_000, sample: expect.arrayContaining([{ row: 's0' }]) })
    await approve()
    expect((await over(id)).result).toBe(
      'It would change more than 1000 rows; narrow its WHERE and do it in parts.\n---\nDone: 1000 rows of web_searches deleted.',
    )
  })

  test.skipIf(!there)(`that goes beyond what may be written changes nothing and asks nobody (${ATTACKS.length})`, async () => {
    let told: string[] = []
    const { goal, runtime } = await open((request) => {
      told = answersIn(request)
      const next = ATTACKS.slice(told.length, told.length + 25)
      return next.length > 0 ? { calls: next.map((sql) => write(sql === '' ? ' ' : sql).calls[0]!) } : endWith('done')
    })
    await searches(3)
    const tables = ['secrets', 'users', 'identities', 'sessions', 'api_tokens', 'rules', 'reviews', 'agents', 'documents', 'tools', 'versions', 'meta', 'schema_migrations', 'web_searches', 'web_citations', 'templates'] // biome-ignore format: one list
    const content = async () =>
      createHash('sha256')
        .update(
          JSON.stringify(
            await Promise.all(
              tables.map((table) =>
                runtime.store.db
                  .selectFrom(table as 'prompts')
                  .selectAll()
                  .execute(),
              ),
            ),
          ),
        )
        .digest('hex')
    const before = await content()
    const id = await goal('Attack')
    const { title, priority, deadlineAt, status } = await h!.until(id, (t) => t.status === 'done' || t.reason === 'review')
    expect((await asked()).map((item) => item.action)).toEqual([])
    expect({ title, priority, deadlineAt, status }).toEqual({ title: 'Attack', priority: 0, deadlineAt: null, status: 'done' })
    expect(told).toHaveLength(ATTACKS.length)
    for (const [i, words] of told.entries()) expect(words, ATTACKS[i]).not.toMatch(/^Done|^Rows:/)
    expect(await content()).toBe(before)
    expect(await facts('review.opened')).toEqual([])
    expect(await facts('database.changed')).toEqual([])
  })
})

describe('a refusal', () => {
  test.each([
    [
      "UPDATE tasks SET status = 'done' WHERE id = 'x'",
      /^tasks\.status cannot be written\. What may be written: UPDATE of tasks \(title, priority, deadline_at\)/,
    ],
    ['INSERT INTO documents VALUES (1)', /^New rows are not made with this tool\..*add_document saves knowledge/],
    ['DELETE FROM secrets WHERE 1 = 1', /^The table secrets cannot be written\./],
    ["UPDATE tasks SET title = 'x'", /^Say which rows with WHERE/],
    ['SELECT 1', /without "write"/],
  ])('says what may be written and what is for the rest: %s', (sql, words) => {
    expect(() => planWrite(sql)).toThrow(words)
  })
})
