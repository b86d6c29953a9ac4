import { afterEach, beforeEach, expect, test } from 'vitest'
import { openReview } from '../tasks/review.ts'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
beforeEach(async () => {
  server = await serve()
})
afterEach(() => server.stop())

test('of 50 clients that decide the same item at once one gets 200 and the others 409', async () => {
  const id = encodeURIComponent(await server.flag(await server.goal()))
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      server.ask('POST', `/api/reviews/${id}/decision`, { body: { decision: i % 2 ? 'approve' : 'reject' } }),
    ),
  )
  expect(answers.filter((one) => one.status === 200)).toHaveLength(1)
  expect(answers.filter((one) => one.status === 409)).toHaveLength(49)
})

test('a batch answers for each item by itself', async () => {
  const tree = await server.goal()
  const ids = [await server.flag(tree, 'a'), await server.flag(tree, 'b')]
  const { status, json } = await server.ask('POST', '/api/reviews/batch', { body: { ids: [...ids, 'none'], decision: 'approve' } })
  expect(status).toBe(200)
  expect(json).toMatchObject({ items: [{ ok: true, review: { state: 'decided' } }, { ok: true }, { ok: false, code: 'not_found' }] })
  expect((await server.ask('POST', '/api/reviews/batch', { body: { ids: [], decision: 'approve' } })).status).toBe(400)
})

test('an item is put off until a time, and brought back', async () => {
  const id = encodeURIComponent(await server.flag(await server.goal()))
  const until = new Date(Date.now() + 60_000).toISOString()
  expect((await server.ask('POST', `/api/reviews/${id}/snooze`, { body: { until } })).json).toMatchObject({
    state: 'snoozed',
    snoozedUntil: until,
  })
  expect((await server.ask('GET', '/api/reviews?state=open')).json).toMatchObject({ items: [] })
  expect((await server.ask('POST', `/api/reviews/${id}/snooze`, { body: { until: null } })).json).toMatchObject({
    state: 'open',
    snoozedUntil: null,
  })
  expect((await server.ask('POST', `/api/reviews/${id}/snooze`, { body: { until: 'soon' } })).status).toBe(400)
  expect((await server.ask('POST', `/api/reviews/${id}/snooze`, { body: { until: '2020-01-01T00:00:00Z' } })).status).toBe(400)
})

test('rules that narrow are added and taken back; one that widens cannot be added', async () => {
  const made = await server.ask('POST', '/api/rules', { body: { verdict: 'deny', scope: 'program', signature: 'rm' } })
  expect(made.status).toBe(201)
  const { id } = made.json as { id: string }
  expect((await server.ask('GET', '/api/rules')).json).toMatchObject({ items: [{ id, verdict: 'deny', createdBy: 'owner', hits: 0 }] })
  expect((await server.ask('DELETE', `/api/rules/${id}`)).status).toBe(204)
  expect((await server.ask('DELETE', `/api/rules/${id}`)).status).toBe(409)
  expect((await server.ask('DELETE', '/api/rules/none')).status).toBe(404)
  expect((await server.ask('GET', '/api/rules')).json).toMatchObject({ items: [] })
  expect((await server.ask('GET', '/api/rules?state=all')).json).toMatchObject({ items: [{ id, revokedAt: expect.any(String) }] })
  for (const body of [
    { verdict: 'allow', scope: 'tool', signature: '*' },
    { verdict: 'deny', scope: 'exact', signature: 'x' },
    { verdict: 'deny', scope: 'tool', signature: '' },
  ])
    expect((await server.ask('POST', '/api/rules', { body })).status).toBe(400)
})

test('an approval becomes an always-allow of what the item offered, and of nothing else', async () => {
  const treeId = await server.goal()
  const id = `${treeId}/a-permission`
  const offers = [{ scope: 'exact' as const, signature: 'sig', label: 'exactly this: ls' }]
  const policy = { reason: 'an agent thought of this command', signature: 's', taint: ['web' as const], offers }
  const item = {
    id,
    kind: 'permission',
    treeId,
    taskId: treeId,
    callId: null,
    title: 'Run ls',
    action: { command: 'ls' },
    risk: 'low',
    policy,
  } as const
  await server.store.transact((tx) => openReview(tx, item))
  const decide = (remember: object) =>
    server.ask('POST', `/api/reviews/${encodeURIComponent(id)}/decision`, { body: { decision: 'approve', remember } })
  expect((await server.ask('GET', `/api/reviews/${encodeURIComponent(id)}`)).json).toMatchObject({ ...policy, waiting: [] })
  expect((await decide({ scope: 'command' })).status).toBe(422)
  expect((await decide({ scope: 'everything' })).status).toBe(400)
  expect((await decide({ scope: 'exact', expiresInSeconds: 0 })).status).toBe(400)
  expect((await decide({ scope: 'exact', expiresInSeconds: 60 })).status).toBe(200)
  const { items } = (await server.ask('GET', '/api/rules')).json as { items: object[] }
  expect(items).toMatchObject([
    { verdict: 'allow', scope: 'exact', signature: 'sig', label: 'exactly this: ls', tainted: false, createdBy: 'owner' },
  ])
})
