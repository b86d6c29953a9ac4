/** What every database must do for Banyan; run on SQLite, on PGlite, and on a real PostgreSQL server where one is found. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Fact } from '../contract/event.ts'
import { prepare } from './prepared.ts'
import { openStore, type Store } from './store.ts'
import type { Database } from './tables.ts'

const fact = (what: string): Fact => ({ type: 'sweep.repaired', taskId: 't', what })
const allPrompts = prepare<Record<never, never>>()((db) => db.selectFrom('prompts').select(['hash', 'at']).orderBy('hash'))
const prompt = (hash: string) => ({ hash, body: `body of ${hash}`, at: 1 })

export function storeSuite(name: string, fresh: () => Promise<{ url: string; end(): Promise<void> }>): void {
  describe(name, () => {
    let place: { url: string; end(): Promise<void> }
    let store: Store
    beforeEach(async () => {
      place = await fresh()
      store = await openStore(place.url)
    })
    afterEach(async () => {
      await store.close()
      await place.end()
    })

    test('a row and its fact commit together, and a listener hears of them after the commit', async () => {
      const heard: string[] = []
      store.onCommit((events) => heard.push(...events.map((e) => e.type)))
      await store.transact(async (tx) => {
        await tx.db.insertInto('prompts').values(prompt('a')).execute()
        tx.record(null, fact('one'))
        expect(heard).toEqual([])
      })
      expect(heard).toEqual(['sweep.repaired'])
      expect(await store.db.selectFrom('prompts').select('hash').execute()).toEqual([{ hash: 'a' }])
      expect((await store.eventsAfter(0)).map((e) => e.type === 'sweep.repaired' && e.what)).toEqual(['one'])
    })

    test('work that throws leaves neither row nor fact, and the works that shared its commit keep theirs', async () => {
      const works = ['a', 'b', 'c'].map((hash) =>
        store.transact(async (tx) => {
          await tx.db.insertInto('prompts').values(prompt(hash)).execute()
          tx.record(null, fact(hash))
          if (hash === 'b') throw new Error('b will not')
          return hash
        }),
      )
      const ends = await Promise.allSettled(works)
      expect(ends.map((e) => e.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect((await store.db.selectFrom('prompts').select('hash').orderBy('hash').execute()).map((r) => r.hash)).toEqual(['a', 'c'])
      expect((await store.eventsAfter(0)).map((e) => e.type === 'sweep.repaired' && e.what)).toEqual(['a', 'c'])
    })

    test('a reader beside a writer sees only what is committed', async () => {
      let seen: unknown[] | undefined
      await store.transact(async (tx) => {
        await tx.db.insertInto('prompts').values(prompt('a')).execute()
        if (store.kind === 'sqlite') seen = await store.db.selectFrom('prompts').selectAll().execute()
      })
      if (store.kind === 'sqlite') expect(seen).toEqual([])
      expect(await store.db.selectFrom('prompts').selectAll().execute()).toHaveLength(1)
    })

    test('a snapshot sees one moment, whatever is committed while it reads', async () => {
      const add = (hash: string) =>
        store.transact(async (tx) => {
          await tx.db.insertInto('prompts').values(prompt(hash)).execute()
          tx.record(null, fact(hash))
        })
      for (const hash of ['a', 'b', 'c']) await add(hash)
      // PGlite has one connection, so there a writer waits until the snapshot is over.
      const alone = place.url.startsWith('pglite:')
      const seen = await store.snapshot(async (reader) => {
        const before = await reader.lastSeq()
        const hashes: unknown[][] = []
        for await (const batch of reader.batches(allPrompts, {}, 2)) {
          hashes.push(...batch)
          if (!alone) await add(`later ${hashes.length}`)
        }
        return { before, after: await reader.lastSeq(), hashes, read: await reader.read(allPrompts, {}) }
      })
      expect(seen).toEqual({
        before: 3,
        after: 3,
        hashes: [
          ['a', 1],
          ['b', 1],
          ['c', 1],
        ],
        read: [
          { hash: 'a', at: 1 },
          { hash: 'b', at: 1 },
          { hash: 'c', at: 1 },
        ],
      })
      expect(await store.lastSeq()).toBe(alone ? 3 : 5)
      await expect(store.snapshot(() => Promise.reject(new Error('it broke')))).rejects.toThrow('it broke')
      expect(await store.snapshot((reader) => reader.lastSeq())).toBe(alone ? 3 : 5)
    })

    test('many writers at once lose nothing, and a reader that follows the numbers misses none', async () => {
      const second = place.url.startsWith('postgres') ? await openStore(place.url) : store
      const followed: number[] = []
      let writing = true
      const follow = (async () => {
        for (let seq = 0; ; ) {
          const last = !writing
          const events = await store.eventsAfter(seq, { limit: 7 })
          followed.push(...events.map((e) => e.seq))
          seq = events.at(-1)?.seq ?? seq
          if (last && events.length === 0) return
          await new Promise(setImmediate)
        }
      })()
      await Promise.all(
        Array.from({ length: 200 }, (_, i) =>
          (i % 2 ? store : second).transact(async (tx) => {
            await tx.db
              .insertInto('prompts')
              .values(prompt(`p${i}`))
              .execute()
            tx.record(null, fact(`${i}`))
            tx.record(null, fact(`${i} again`))
          }),
        ),
      )
      writing = false
      await follow
      expect(followed).toHaveLength(400)
      expect(new Set(followed).size).toBe(400)
      expect(followed).toEqual([...followed].sort((a, b) => a - b))
      if (second !== store) await second.close()
    })

    test('every table of tables.ts is in the database, with just those columns', async () => {
      const columns: { [T in keyof Database]: readonly (keyof Database[T])[] } = COLUMNS
      for (const [table, names] of Object.entries(columns)) {
        const real = (await store.db.introspection.getTables()).find((t) => t.name === table)
        expect(real?.columns.map((c) => c.name).sort(), table).toEqual([...names].sort())
      }
    })

    test('opening it again applies nothing and loses nothing', async () => {
      await store.transact(async (tx) => tx.record(null, fact('kept')))
      await store.close()
      store = await openStore(place.url)
      expect(await store.lastSeq()).toBe(1)
    })
  })
}

const ENTRY = ['name', 'version', 'description', 'body', 'enabled', 'seed_hash', 'author', 'updated_at'] as const
// biome-ignore format: one table a paragraph
const COLUMNS = {
  schema_migrations: ['number', 'name', 'at'],
  meta: ['key', 'value'],
  trees: ['id', 'goal', 'mode', 'workspace', 'limits', 'turns', 'tokens', 'cost_micros', 'unpriced_calls', 'reserved_turns', 'reserved_tokens', 'reserved_cost_micros', 'tasks', 'paused_reason', 'paused_at', 'started_at', 'submitted_by', 'idempotency_key', 'request_hash', 'approval', 'model', 'plan', 'forked_from', 'conversation', 'watched', 'created_at'],
  tasks: ['id', 'tree_id', 'parent_id', 'call_id', 'kind', 'agent', 'title', 'instruction', 'instruction_hash', 'origin', 'status', 'reason', 'note', 'priority', 'depth', 'after', 'deadline_at', 'wake_at', 'stopped_by_person', 'workspace', 'grants', 'result', 'summary', 'evidence', 'verdict', 'closing', 'rounds', 'handover', 'turns', 'tokens', 'cost_micros', 'unpriced_calls', 'messages', 'model_calls', 'children', 'round', 'nudges', 'faults', 'wish', 'step', 'attempts', 'lease_worker', 'lease_token', 'lease_until', 'taint', 'plan', 'model', 'watch', 'criteria', 'held_by', 'created_at', 'updated_at'],
  provider_holds: ['provider', 'account', 'kind', 'why', 'since', 'until', 'rounds', 'probe', 'probe_until', 'opening'],
  watches: ['task_id', 'tree_id', 'seq', 'body', 'due_at'],
  messages: ['task_id', 'n', 'role', 'body', 'at'],
  prompts: ['hash', 'body', 'at'],
  calls: ['id', 'task_id', 'n', 'tool', 'input', 'state', 'effect', 'attempts', 'waits', 'wait_ids', 'approved', 'begun_at', 'ended_at', 'ok'],
  model_calls: ['task_id', 'n', 'tree_id', 'provider', 'model', 'state', 'lease_token', 'reserved_tokens', 'reserved_cost_micros', 'input', 'output', 'reasoning', 'cache_read', 'cache_write', 'tokens', 'cost_micros', 'latency_ms', 'outcome', 'at'],
  reviews: ['id', 'kind', 'state', 'tree_id', 'task_id', 'call_id', 'title', 'action', 'action_hash', 'risk', 'created_at', 'decided_at', 'decision', 'comment', 'decided_by', 'signature', 'reason', 'taint', 'offers', 'edit', 'snoozed_until', 'expires_at', 'escalated_at'],
  rules: ['id', 'verdict', 'scope', 'signature', 'label', 'tree_id', 'agent', 'tainted', 'created_by', 'created_at', 'expires_at', 'hits', 'last_hit_at', 'revoked_at'],
  file_changes: ['tree_id', 'n', 'task_id', 'call_id', 'path', 'before_hash', 'before_bytes', 'before_mode', 'after_hash', 'after_bytes', 'after_mode', 'why_not', 'by', 'at'],
  jobs: ['id', 'tree_id', 'task_id', 'name', 'command', 'cwd', 'isolation', 'terminal', 'state', 'ending', 'exit_code', 'output', 'output_bytes', 'cpu_ms', 'peak_memory_bytes', 'starts', 'started_at', 'ended_at', 'seen_at'],
  mcp_sessions: ['id', 'principal', 'initialize', 'subscriptions', 'created_at', 'last_seen_at'],
  mcp_clients: ['principal', 'name', 'version', 'protocol', 'user_id', 'first_seen_at', 'last_seen_at'],
  act_keys: ['by', 'key', 'hash', 'at'],
  mcp_servers: ['name', 'spec', 'enabled', 'policy', 'tainted', 'trusted', 'about', 'offered', 'failures', 'retry_at', 'problem', 'login', 'created_by', 'created_at', 'updated_at'],
  mcp_tools: ['tool', 'server', 'name', 'definition', 'sha', 'approved', 'approved_sha', 'state', 'problem', 'policy', 'seen_at'],
  events: ['seq', 'at', 'tree_id', 'fact'],
  web_searches: ['id', 'engine', 'query', 'at', 'task_id', 'results', 'outcome', 'hits'],
  web_pages: ['url', 'final_url', 'title', 'content_type', 'text', 'links', 'notes', 'etag', 'last_modified', 'fetched_at', 'fresh_until'],
  web_citations: ['task_id', 'id', 'url', 'title', 'fetched_at'],
  made_tools: [
    ...(['name', 'sha', 'tree_id', 'task_id', 'passed', 'failed', 'report', 'test_ms', 'tested_at'] as const),
    ...(['approved_by', 'approved_at', 'failures', 'runs', 'broken'] as const),
  ],
  templates: ['name', 'body', 'author', 'created_at', 'updated_at'],
  uploads: ['id', 'name', 'type', 'bytes', 'by', 'created_at'],
  agents: ENTRY,
  documents: ENTRY,
  tools: ENTRY,
  secrets: ['name', 'value', 'description', 'grants', 'created_at', 'updated_at', 'last_used_at'],
  users: ['id', 'name', 'email', 'role', 'created_at', 'last_login_at', 'disabled_at'],
  identities: ['provider', 'subject', 'user_id', 'email', 'created_at', 'last_used_at'],
  sessions: ['id', 'hash', 'user_id', 'how', 'user_agent', 'created_at', 'last_seen_at', 'expires_at'],
  api_tokens: ['id', 'hash', 'user_id', 'name', 'scopes', 'created_at', 'expires_at', 'last_used_at', 'revoked_at'],
  login_attempts: ['state_hash', 'provider', 'browser_hash', 'return_to', 'link_user_id', 'expires_at'],
  outside_agents: ['name', 'capabilities', 'description', 'repository', 'webhook', 'max_tasks', 'created_at', 'last_seen_at'],
  outside_tasks: ['task_id', 'capability', 'agent', 'lease', 'lease_until', 'told', 'lapses', 'claimed_at'],
  outside_calls: ['task_id', 'n', 'agent', 'key', 'hash', 'tool', 'input', 'call_id', 'told', 'at', 'usage'],
  versions: ['kind', 'name', 'version', 'body', 'author', 'at', 'cause'],
  // biome-ignore format: columns
  changes: [
    'id', 'kind', 'state', 'title', 'why', 'evidence', 'effect', 'author', 'tree_id', 'task_id', 'call_id', 'tainted', 'submitted', 'level', 'reasons',
    'note', 'files', 'base', 'commit_hash', 'tree', 'round', 'review_id', 'approved_tree', 'approved_gates', 'keeper_told', 'decided_by', 'landing', 'landed',
    'join_command', 'reverts', 'created_at', 'updated_at',
  ],
  change_story: ['change_id', 'n', 'state', 'note', 'at'],
  change_views: ['change_id', 'user_id', 'path', 'hash', 'at'],
  lessons: ['id', 'state', 'tool', 'title', 'why', 'change', 'cases', 'seen', 'judgement', 'version', 'decided_by', 'created_at', 'updated_at'],
  change_gates: ['change_id', 'round', 'n', 'name', 'verdict', 'summary', 'log', 'digest', 'ms', 'at'],
} as const
