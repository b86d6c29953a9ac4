import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AskItem } from '../contract/api-asks.ts'
import { engine, type Running } from './fixture/engine.ts'

let running: Running
beforeAll(async () => {
  running = await engine()
})
afterAll(() => running.stop())

const given = async (goal: string) => (await running.submit(goal)).json.treeId
const read = async (id: string) => (await running.ask<AskItem>('GET', `/api/asks/${id}`)).json
const list = async (query = '') => (await running.ask<{ items: AskItem[] }>('GET', `/api/asks${query}`)).json.items
const speak = async (words: string, conversation?: string) => {
  const { json, text, status } = await running.ask<{ treeId: string }>('POST', '/api/asks', {
    words,
    ...(conversation ? { conversation } : {}),
  })
  expect(status, text).toBe(201)
  await running.over(json.treeId)
  return read(json.treeId)
}

test('an ask tells what was done for it, by goals as they are now, and is in no list of goals', { timeout: 30_000 }, async () => {
  const goals = [await given('Write a report about trees'), await given('Write a report about rivers')]
  await Promise.all(goals.map((id) => running.asked(id)))
  const unclear = await speak('Cancel the report')
  expect(unclear).toMatchObject({ status: 'failed', acts: [{ act: 'cancel', done: false }] })
  expect(unclear.acts[0]!.goals.map((goal) => goal.id).sort()).toEqual([...goals].sort())
  const clear = await speak('Cancel the report about rivers', unclear.conversation)
  expect((await running.ask('GET', `/api/tasks/${clear.id}/messages`)).text).toMatch(/Not done yet: cancel; any of \w+, \w+ could be meant/)
  await running.over(goals[1]!)
  expect((await read(clear.id)).acts).toMatchObject([{ act: 'cancel', done: true, goals: [{ id: goals[1], status: 'cancelled' }] }])
  const begun = await speak('Start a goal: Run `echo begun`')
  expect(begun.acts).toMatchObject([{ act: 'start', done: true, goals: [{ title: 'Run `echo begun`' }] }])
  const fresh = begun.acts[0]!.goals[0]!.id
  expect((await running.over(fresh)).status).toBe('done')

  expect((await list()).map((ask) => ask.id)).toEqual([begun.id, clear.id, unclear.id])
  expect((await list(`?conversation=${unclear.id}`)).map((ask) => ask.id)).toEqual([clear.id, unclear.id])
  const { items } = (await running.ask<{ items: { id: string }[] }>('GET', '/api/trees')).json
  expect(items.map((tree) => tree.id).sort()).toEqual([...goals, fresh].sort())
})

test('without a model an ask runs nothing, asks nobody and says which words are understood', { timeout: 30_000 }, async () => {
  const open = async () => (await running.ask<{ items: unknown[] }>('GET', '/api/reviews?state=open')).json.items.length
  const before = await open()
  for (const words of ['Run `echo no`', '- Run `echo one`\n- Run `echo two`', 'Ponder the moon']) {
    const { id, status, answer } = await speak(words)
    expect({ status, answer }).toEqual({ status: 'failed', answer: expect.stringContaining('“Cancel the report”') as string })
    expect((await running.tree(id)).tasks).toHaveLength(1)
  }
  expect(await open()).toBe(before)
})

test('what goes on from an earlier ask is told of it; a conversation that is not there is refused', { timeout: 30_000 }, async () => {
  const first = await speak('What is going on?')
  const second = await speak('How are things?', first.conversation)
  const { text } = await running.ask('GET', `/api/tasks/${second.id}/messages`)
  expect(text).toContain('They said: What is going on?')
  expect(text).toContain(JSON.stringify(first.answer).slice(1, 60))
  expect(await running.ask('POST', '/api/asks', { words: 'And now?', conversation: 'nowhere' })).toMatchObject({
    status: 404,
    json: { detail: expect.stringContaining('There is no conversation nowhere') as string },
  })
  expect((await running.ask('POST', '/api/asks', { words: '  ' })).status).toBe(400)
  expect((await running.ask('GET', '/api/asks/nowhere')).status).toBe(404)
})

test('the same key asks once', { timeout: 30_000 }, async () => {
  const send = (words: string) => running.ask<{ treeId: string }>('POST', '/api/asks', { words }, { 'idempotency-key': 'once' })
  const [one, two] = [await send('What is going on?'), await send('What is going on?')]
  expect(two.json.treeId).toBe(one.json.treeId)
  expect((await send('Status')).status).toBe(422)
})
