import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ResponseOf } from '../contract/api.ts'
import { engine, type Running } from './fixture/engine.ts'

let server: Running
beforeAll(async () => {
  server = await engine()
})
afterAll(() => server.stop())
type Submitted = ResponseOf<'submitGoal'>

test('a past goal is given again with edits, and keeps what was not edited', async () => {
  const first = await server.submit('Run `echo one`', {
    priority: 5,
    approval: 'run_free',
    model: 'playbook',
    budget: { tasks: 7, dollars: 1 },
  })
  await server.over(first.json.treeId)
  const forked = await server.ask<Submitted>('POST', `/api/trees/${first.json.treeId}/fork`, {
    goal: 'Run `echo two`',
    budget: { dollars: 2 },
  })
  expect(forked.status, forked.text).toBe(201)
  const tree = await server.over(forked.json.treeId)
  expect(tree.result).toContain('two')
  expect(tree).toMatchObject({
    forkedFrom: first.json.treeId,
    approval: 'run_free',
    model: 'playbook',
    limits: { tasks: 7, costMicros: 2_000_000 },
  })
  expect(tree.tasks[0]).toMatchObject({ priority: 5 })
  const plain = await server.ask<Submitted>('POST', `/api/trees/${first.json.treeId}/fork`, {})
  expect((await server.over(plain.json.treeId)).result).toContain('one')
  expect((await server.ask('POST', '/api/trees/nothing/fork', {})).status).toBe(404)
})

test('a goal is kept as a template, gets places, and is run with values', async () => {
  const past = await server.submit('Run `echo hello`', { priority: 2 })
  const kept = await server.ask<ResponseOf<'template'>>('POST', `/api/trees/${past.json.treeId}/template`, { name: 'greet' })
  expect([kept.status, kept.json.goal, kept.json.variables]).toEqual([201, 'Run `echo hello`', []])
  expect((await server.ask('POST', `/api/trees/${past.json.treeId}/template`, { name: 'greet' })).status).toBe(409)
  const saved = await server.ask<ResponseOf<'template'>>('PUT', '/api/templates/greet', {
    goal: 'Run `echo {{who}} and {{ other }} and {{who}}`',
  })
  expect(saved.json.variables).toEqual(['who', 'other'])
  const run = (variables: object) => server.ask<Submitted>('POST', '/api/templates/greet/run', { variables })
  expect((await run({ who: 'a' })).json.detail).toContain('needs a value for other')
  expect((await run({ who: 'a', other: 'b', third: 'c' })).json.detail).toContain('has no place {{third}}')
  const done = await run({ who: 'x', other: '{{who}}' })
  expect((await server.over(done.json.treeId)).goal).toBe('Run `echo x and {{who}} and x`')
  expect((await server.ask<ResponseOf<'templates'>>('GET', '/api/templates')).json.items).toHaveLength(1)
  expect((await server.ask('DELETE', '/api/templates/greet')).status).toBe(204)
  expect((await server.ask('GET', '/api/templates/greet')).status).toBe(404)
})

test('what counts as done is kept with the goal, and comes along when it is given again or kept as a template', async () => {
  const criteria = ['hello is printed', 'nothing else is printed']
  const first = await server.submit('Run `echo hello`', { criteria: [' hello is printed ', 'nothing else is printed'] })
  const tree = await server.over(first.json.treeId)
  expect(tree.tasks[0]).toMatchObject({ criteria, instruction: 'Run `echo hello`' })
  const { json } = await server.ask<ResponseOf<'messages'>>('GET', `/api/tasks/${first.json.treeId}/messages`)
  expect(json.items.find((message) => message.role === 'user')).toMatchObject({ text: 'Run `echo hello`', criteria })
  const forked = await server.ask<Submitted>('POST', `/api/trees/${first.json.treeId}/fork`, { goal: 'Run `echo hello hello`' })
  expect((await server.over(forked.json.treeId)).tasks[0]).toMatchObject({ criteria })
  const without = await server.ask<Submitted>('POST', `/api/trees/${first.json.treeId}/fork`, { criteria: [] })
  expect((await server.over(without.json.treeId)).tasks[0]).not.toHaveProperty('criteria')
  await server.ask('POST', `/api/trees/${first.json.treeId}/template`, { name: 'judged' })
  const run = await server.ask<Submitted>('POST', '/api/templates/judged/run', {})
  expect((await server.over(run.json.treeId)).tasks[0]).toMatchObject({ criteria })
  for (const wrong of [['  '], ['x'.repeat(501)], Array.from({ length: 21 }, () => 'x')])
    expect((await server.submit('Run `true`', { criteria: wrong })).status).toBe(400)
})
