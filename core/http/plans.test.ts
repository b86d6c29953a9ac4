import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Plan } from '../contract/api-plans.ts'
import type { PlanItem } from '../contract/plan.ts'
import { engine, type Running } from './fixture/engine.ts'

let server: Running
beforeAll(async () => {
  server = await engine()
})
afterAll(() => server.stop())

const LIST = '1. Run `echo one > one.txt`\n2. Then run `cat one.txt`\n3. Run `echo three`'
async function planned(goal = LIST) {
  const { json } = await server.submit(goal, { plan: true })
  const review = await server.asked(json.treeId)
  const plan = (await server.ask<Plan>('GET', `/api/plans/${json.treeId}`)).json
  return { id: json.treeId, review, plan }
}
const save = (plan: Plan, items: PlanItem[], hash = plan.hash) => server.ask<Plan>('PUT', `/api/plans/${plan.id}`, { hash, items })
const item = (id: string, instruction: string, more: Partial<PlanItem> = {}): PlanItem => ({
  id,
  title: id,
  instruction,
  after: [],
  children: [],
  ...more,
})
const shape = async (id: string) =>
  (await server.tree(id)).tasks.map((task) => [task.title, task.status, task.origin] as const).sort((a, b) => a[0].localeCompare(b[0]))
const wait = (id: string) =>
  server.until(
    () => server.tree(id),
    (tree) => tree.tasks.some((task) => task.reason === 'review'),
  )

test('a list becomes a plan, and nothing is done before it is approved; then exactly its tasks are', async () => {
  const { id, review, plan } = await planned()
  expect(review).toMatchObject({ kind: 'plan', actionHash: plan.hash })
  expect(plan).toMatchObject({
    treeId: id,
    state: 'open',
    items: [
      { id: 'p1', instruction: 'Run `echo one > one.txt`', after: [] },
      { id: 'p2', after: ['p1'] },
      { id: 'p3', after: [] },
    ],
    cost: { range: { lowDollars: 0, highDollars: 0 }, basis: 'No model is called, so nothing is spent.' },
  })
  expect(plan.needs[0]).toMatchObject({ agent: 'generalist', model: 'playbook' })
  expect(plan.needs[0]!.tools).toContainEqual({ name: 'use_terminal', permission: 'exec' })
  expect((await server.tree(id)).taskCount).toBe(1)
  expect(existsSync(join(server.folder, 'workspaces', id))).toBe(false)

  expect((await server.decide(review, 'approve')).status).toBe(200)
  const tree = await server.over(id)
  expect(tree.result).toContain('3 of 3 parts are done.')
  expect(tree).toMatchObject({ status: 'done', planned: true, taskCount: 4 })
  expect((await server.ask<Plan>('GET', `/api/plans/${plan.id}`)).json).toMatchObject({
    state: 'decided',
    decision: 'approve',
    decidedBy: 'owner',
  })
})

test('an edited plan runs as edited: renamed, reordered, split under a frame, deleted, added', async () => {
  const { id, plan } = await planned()
  const saved = await save(plan, [
    item('frame', 'Both of these', { children: [item('b', 'Run `cat one.txt`', { after: ['a'] }), item('a', plan.items[0]!.instruction)] }),
    item('new', 'Run `echo added`', { after: ['frame'], title: 'Added by a person' }),
  ])
  expect(saved.status, saved.text).toBe(200)
  const decided = await server.decide({ id: plan.reviewId, actionHash: saved.json.hash }, 'approve')
  expect(decided.status, decided.text).toBe(200)
  const tree = await server.over(id)
  expect(tree.status, tree.result ?? '').toBe('done')
  expect(await shape(id)).toEqual(
    [
      [tree.tasks[0]!.title, 'done', 'person'],
      ['a', 'done', 'person'],
      ['Added by a person', 'done', 'person'],
      ['b', 'done', 'person'],
      ['frame', 'done', 'person'],
    ].sort((x, y) => x[0]!.localeCompare(y[0]!)),
  )
  expect(tree.result).toContain('added')
})

describe('an approval binds to the plan as it was read', () => {
  test('a plan that changed meanwhile is 409, for whoever approves it and for whoever saves over it', async () => {
    const { id, review, plan } = await planned()
    const saved = await save(plan, [item('only', 'Run `echo only`')])
    expect(saved.json.hash).not.toBe(plan.hash)
    const stale = await server.decide(review, 'approve')
    expect([stale.status, (await server.tree(id)).taskCount]).toEqual([409, 1])
    expect((await save(plan, [item('x', 'y')])).status).toBe(409)
    expect((await server.decide({ id: review.id, actionHash: saved.json.hash }, 'approve')).status).toBe(200)
    expect((await server.over(id)).taskCount).toBe(2)
    expect((await save(saved.json, [item('x', 'y')])).status).toBe(409)
  })

  test('without saying which plan it means it is refused, and so is an edit inside the decision', async () => {
    const { review, plan } = await planned()
    const decide = (body: object) => server.ask('POST', `/api/reviews/${review.id}/decision`, body)
    expect((await decide({ decision: 'approve' })).json).toMatchObject({ detail: expect.stringContaining('needs `actionHash`') })
    expect((await decide({ decision: 'approve', actionHash: plan.hash, edit: { items: [] } })).status).toBe(400)
  })
})

test.each([
  ['no part', [], 'items'],
  ['two parts of one id', [item('a', 'x'), item('a', 'y')], 'Two parts have the id a'],
  ['a circle', [item('a', 'x', { after: ['b'] }), item('b', 'y', { after: ['a'] })], 'wait for each other'],
  ['a wait for a stranger', [item('a', 'x', { after: ['z'] })], 'waits for z, which is not beside it'],
  ['an agent that is not there', [item('a', 'x', { agent: 'nobody' })], 'There is no agent "nobody"'],
  ['too many side by side', Array.from({ length: 21 }, (_, i) => item(`i${i}`, 'x')), 'allows 20'],
  [
    'too many levels',
    [Array.from({ length: 9 }).reduce<PlanItem>((below, _, i) => item(`l${i}`, 'x', { children: [below] }), item('leaf', 'x'))],
    'levels',
  ],
])('a plan with %s is refused with the reason', async (_, items, words) => {
  const { plan } = await planned()
  const refused = await save(plan, items)
  expect(refused.status).toBe(400)
  expect(refused.json.detail).toContain(words)
})

test('a rejected plan leaves nothing behind', async () => {
  const { id, review } = await planned()
  await server.decide(review, 'reject', 'not today')
  expect(await server.over(id)).toMatchObject({ status: 'failed', taskCount: 1, result: expect.stringContaining('not today') })
  expect(existsSync(join(server.folder, 'workspaces', id, 'one.txt'))).toBe(false)
})

test('a part marked "ask me" waits with a question before it starts; an answer lets it start, a refusal ends it alone', async () => {
  const { id, plan } = await planned('1. Run `echo left`\n2. Run `echo right`')
  const saved = await save(
    plan,
    plan.items.map((one) => ({ ...one, askMe: true })),
  )
  await server.decide({ id: plan.reviewId, actionHash: saved.json.hash }, 'approve')
  await wait(id)
  const open = await server.until(
    async () =>
      (
        await server.ask<{ items: { id: string; kind: string; title: string; actionHash: string }[] }>(
          'GET',
          `/api/reviews?state=open&treeId=${id}`,
        )
      ).json.items,
    (items) => items.length === 2,
  )
  expect(open.map((one) => one.kind)).toEqual(['question', 'question'])
  const [left, right] = [open.find((one) => one.title.includes('left'))!, open.find((one) => one.title.includes('right'))!]
  await server.decide(left, 'answer', 'go')
  await server.decide(right, 'reject', 'never')
  const tree = await server.over(id)
  expect(tree.result).toContain('1 of 2 parts are done.')
  expect(tree.result).toContain('never')
  expect(tree.tasks.find((task) => task.instruction === 'Run `echo left`')!.result).toContain('left')
})

test('what a person typed into the plan runs as their own; what was proposed and only moved stays what it was', async () => {
  const { id, plan } = await planned('Think about it')
  expect(plan.items).toMatchObject([{ instruction: 'Think about it' }])
  const saved = await save(plan, [item('typed', 'Run `echo typed`')])
  expect(saved.json.items[0]).toMatchObject({ typed: true })
  await server.decide({ id: plan.reviewId, actionHash: saved.json.hash }, 'approve')
  expect((await server.over(id)).result).toContain('typed')
})

test('a plan that a person asks to be changed comes back; a retry plans what is left', async () => {
  const { id, review } = await planned('1. Run `true`\n2. Run `test -f later.txt`')
  await server.decide(review, 'changes', 'think again')
  const again = await server.asked(id)
  expect(again.id).not.toBe(review.id)
  await server.decide(again, 'approve')
  expect((await server.over(id)).status).toBe('failed')
  await server.ask('PUT', `/api/trees/${id}/files?path=later.txt`, new Uint8Array([1]))
  await server.ask('POST', `/api/tasks/${id}/retry`, {})
  const left = await server.asked(id)
  expect((left.action as { items: PlanItem[] }).items).toMatchObject([{ instruction: 'Run `test -f later.txt`' }])
  await server.decide(left, 'approve')
  expect((await server.over(id)).status).toBe('done')
})

test('a plan that is not there is 404', async () => {
  expect((await server.ask('GET', '/api/plans/nothing')).status).toBe(404)
})
