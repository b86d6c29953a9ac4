/** Changes of Banyan over HTTP: pages of them, what is asked wrongly, and who may say what. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMPTY } from '../self/rows.ts'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
let tree: string
const ids = Array.from({ length: 5 }, (_, i) => `ch_${i}`)
beforeAll(async () => {
  server = await serve()
  tree = await server.goal()
  await server.store.transact(async ({ db }) => {
    for (const [i, id] of ids.entries()) {
      const of = {
        id,
        kind: 'feature',
        state: i % 2 === 0 ? 'refused' : 'review',
        title: `Change ${i}`,
        author: 'maker',
        submitted: 'a'.repeat(40),
      }
      const words = { why: 'w', evidence: '', effect: '', tree_id: i === 0 ? null : tree, task_id: null, call_id: null, tainted: 0 }
      await db
        .insertInto('changes')
        .values({ ...EMPTY, ...of, ...words, round: 1, created_at: 1_000 + Math.floor(i / 2), updated_at: 2_000 })
        .execute()
    }
    const file = (path: string) => ({ path, from: null, what: 'changed', added: 1, removed: 1, hash: 'seen' })
    await db
      .updateTable('changes')
      .set({ files: JSON.stringify([file('core/a.ts'), file('core/b.ts')]) })
      .where('id', '=', 'ch_3')
      .execute()
    await db
      .insertInto('change_gates')
      .values({
        change_id: 'ch_1',
        round: 1,
        n: 1,
        name: 'types',
        verdict: 'passed',
        summary: 'Every type fits.',
        log: 'all of it',
        digest: 'd',
        ms: 5,
        at: 3,
      })
      .execute()
  })
})
afterAll(() => server.stop())
type List = { items: { id: string }[]; nextCursor: string | null }
const list = async (query = ''): Promise<List> => (await server.ask('GET', `/api/changes${query}`)).json as List

describe('changes over HTTP', () => {
  test('come newest first in pages, each once, also those of one moment', async () => {
    expect((await list()).items.map(({ id }) => id)).toEqual(['ch_4', 'ch_3', 'ch_2', 'ch_1', 'ch_0'])
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: List = await list(`?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
      expect(page.items.length).toBeLessThanOrEqual(2)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(['ch_4', 'ch_3', 'ch_2', 'ch_1', 'ch_0'])
  })
  test('are those of one goal, or those under way, when asked so', async () => {
    expect((await list('?state=open')).items.map(({ id }) => id)).toEqual(['ch_3', 'ch_1'])
    expect((await list(`?treeId=${tree}&state=open&limit=1`)).items.map(({ id }) => id)).toEqual(['ch_3'])
    expect((await list('?treeId=nobody')).items).toEqual([])
  })
  test('tell what a gate said, and all that it wrote', async () => {
    const one = await server.ask('GET', '/api/changes/ch_1')
    expect(one.json).toMatchObject({ change: { id: 'ch_1', title: 'Change 1' }, gates: [{ name: 'types', verdict: 'passed', ms: 5 }] })
    expect((await server.ask('GET', '/api/changes/ch_1/gates/types')).json).toEqual({ name: 'types', log: 'all of it' })
  })
  test.each([
    ['GET', '/api/changes?state=some', 400],
    ['GET', '/api/changes?limit=0', 400],
    ['GET', '/api/changes?limit=1000000', 400],
    ['GET', '/api/changes?cursor=yesterday', 400],
    ['GET', '/api/changes/ch_9', 404],
    ['GET', '/api/changes/ch_9/diff', 404],
    ['GET', '/api/changes/ch_1/gates/lint', 404],
    ['GET', '/api/changes/ch_9/gates/types', 404],
    ['GET', '/api/changes/ch_9/viewed', 404],
    ['POST', '/api/changes/ch_9/rollback', 404],
    ['POST', '/api/changes/ch_1/rollback', 409],
    ['DELETE', '/api/changes/ch_1', 405],
  ])('%s %s is answered %d in a sentence', async (method, path, status) => {
    const answer = await server.ask(method, path, method === 'POST' ? { body: {} } : {})
    expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(/"detail":"[A-Z/].*\./)])
  })
  test('files that were viewed are marked for whoever looked, as they were seen, and told once', async () => {
    const marks = (viewed: boolean, ...files: { path: string; hash: string }[]) =>
      server.ask('PUT', '/api/changes/ch_3/viewed', { body: { files, viewed } })
    const told = async () => (await server.store.eventsAfter(0, { limit: 1_000 })).filter((event) => event.type === 'change.viewed')
    const [a, b] = [
      { path: 'core/a.ts', hash: 'seen' },
      { path: 'core/b.ts', hash: 'seen' },
    ]
    expect((await marks(true, a, b)).json).toEqual({ items: [a, b], nextCursor: null })
    expect((await marks(true, a, b)).json).toEqual({ items: [a, b], nextCursor: null })
    expect(await told()).toMatchObject([{ changeId: 'ch_3', paths: ['core/a.ts', 'core/b.ts'], viewed: true, by: 'owner', treeId: null }])
    const newer = { ...b, hash: 'changed since' }
    expect((await marks(true, newer)).json).toMatchObject({ items: [a, newer] })
    expect((await marks(false, a)).json).toMatchObject({ items: [newer] })
    expect((await server.ask('GET', '/api/changes/ch_3/viewed')).json).toEqual({ items: [newer], nextCursor: null })
    expect((await server.ask('GET', '/api/changes/ch_1/viewed')).json).toEqual({ items: [], nextCursor: null })
    expect(await told()).toHaveLength(3)
    const none = await marks(true, { path: 'core/policy.ts', hash: 'x' })
    expect([none.status, none.text]).toEqual([422, expect.stringContaining('core/policy.ts')])
    // Also one that the change does not touch any more can be let go.
    expect((await marks(false, { path: 'core/policy.ts', hash: 'x' })).status).toBe(200)
    for (const body of [{ files: [], viewed: true }, { files: [a] }, { files: [{ path: 'core/a.ts' }], viewed: true }])
      expect((await server.ask('PUT', '/api/changes/ch_3/viewed', { body })).status).toBe(400)
  })
  test('a wrong setting, or one field too many, changes nothing', async () => {
    const { json } = await server.ask('GET', '/api/system/self-change')
    const before = json as object | undefined
    for (const body of [{ autonomy: 'everything' }, { autonomy: 4 }, {}, { autonomy: 'code', by: 'me' }])
      expect((await server.ask('PUT', '/api/system/self-change', { body })).status, JSON.stringify(body)).toBe(400)
    expect((await server.ask('GET', '/api/system/self-change')).json).toEqual(before)
    expect((await server.ask('POST', '/api/changes/ch_1/rollback', { body: { comment: 'x'.repeat(100_000) } })).status).toBe(400)
  })
  test('a token reads with its scope, and no token takes a change back or sets what needs no person', async () => {
    const token = async (name: string, scopes: string[]): Promise<string> => {
      const made = await server.ask('POST', '/api/tokens', { body: { name, scopes, expiresAt: null } })
      return `Bearer ${(made.json as { token: string }).token}`
    }
    const [reads, all, works] = [
      await token('reads', ['read']),
      await token('all', ['read', 'evolve', 'admin', 'review:decide']),
      await token('works', ['work']),
    ]
    expect((await server.ask('GET', '/api/changes', { headers: { authorization: reads } })).status).toBe(200)
    expect((await server.ask('GET', '/api/changes', { headers: { authorization: works } })).status).toBe(403)
    expect((await server.ask('GET', '/api/changes', { headers: { authorization: undefined } })).status).toBe(401)
    for (const authorization of [reads, all, works]) {
      expect((await server.ask('POST', '/api/changes/ch_1/rollback', { headers: { authorization }, body: {} })).status).toBe(403)
      expect(
        (
          await server.ask('PUT', '/api/changes/ch_3/viewed', {
            headers: { authorization },
            body: { files: [{ path: 'core/a.ts', hash: 'seen' }], viewed: true },
          })
        ).status,
      ).toBe(403)
      expect((await server.ask('PUT', '/api/system/self-change', { headers: { authorization }, body: { autonomy: 'code' } })).status).toBe(
        403,
      )
    }
  })
})
