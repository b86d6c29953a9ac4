import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { need } from '../../scripts/needs.ts'
import { startPostgres } from '../../scripts/postgres.ts'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith } from '../../scripts/testing/scripted.ts'
import { figuresOf, interval, type Outcome } from './figures.ts'
import { scoresOf } from './scores.ts'

/** What a model waits for that somebody stops; let go at the end. */
let held = Promise.withResolvers<void>()
let h: Harness | undefined
afterEach(async () => {
  held.resolve()
  held = Promise.withResolvers()
  expect((await h?.end()) ?? []).toEqual([])
  h = undefined
})

describe('figures', () => {
  const outcome = (more: Partial<Outcome>): Outcome => ({
    ...{ taskId: 't', ok: true, score: null, costMicros: 0, unpricedCalls: 0, tokens: 0, ms: null, error: null },
    ...more,
  })

  test('tell how sure a rate is', () => {
    // As Wilson's formula gives it: 7 of 10 lies between 40 and 89 %.
    expect(interval(7, 10)).toEqual({ low: expect.closeTo(0.397, 3), high: expect.closeTo(0.892, 3) })
    expect(interval(3, 3)!.low).toBeLessThan(0.5)
    expect(interval(0, 0)).toBeNull()
  })

  test('say that there are too few, instead of a rate that means nothing', () => {
    expect(figuresOf([outcome({})])).toMatchObject({ n: 1, succeeded: 1, rate: 1, few: true })
    expect(figuresOf(Array.from({ length: 10 }, () => outcome({})))).toMatchObject({ n: 10, few: false })
  })

  test('name a median and a time that 95 of 100 stay under', () => {
    const times = Array.from({ length: 100 }, (_, i) => outcome({ ms: i + 1 }))
    expect(figuresOf([...times, outcome({ ms: null })])).toMatchObject({ p50Ms: 50, p95Ms: 95 })
  })

  test('count the same failure in other words as one, and name the newest task that shows it', () => {
    const { errors } = figuresOf([
      outcome({ taskId: 'new', ok: false, error: 'cat: /a/one.txt: No such file or directory' }),
      outcome({ taskId: 'old', ok: false, error: 'cat: /b/two.txt: No such file or directory' }),
      outcome({ taskId: 'else', ok: false, error: 'permission denied: it is not yours' }),
    ])
    expect(errors).toEqual([
      { pattern: expect.stringContaining('No such file or directory'), times: 2, taskId: 'new' },
      { pattern: 'permission denied: it is not yours', times: 1, taskId: 'else' },
    ])
  })
})

describe('scores', () => {
  const open = async () => {
    h = await harness(
      async (request) => {
        if (request.task.instruction.includes('until somebody stops it')) await held.promise
        if (request.task.instruction.includes('read') && answersIn(request).length === 0)
          return { calls: [{ tool: 'read_file', input: { path: 'missing.txt' } }], costMicros: 1_000 }
        const bad = request.task.instruction.includes('badly')
        return { ...endWith(bad ? 'The build failed: cannot find module "left"' : 'fine', bad ? 'failure' : 'success'), costMicros: 2_000 }
      },
      { judges: false },
    )
    const { store, registry } = h.runtime
    const scores = (ask: object) => scoresOf({ store, registry, now: Date.now }, { days: 30, ...ask })
    const run = async (text: string) => h!.over(await h!.goal(text))
    return { registry, scores, run, store }
  }
  const saveAnew = async (registry: Harness['runtime']['registry'], name: string) => {
    const { version: _v, author: _a, updatedAt: _u, ...agent } = (await registry.get('agent', name))!
    await registry.save('agent', { ...agent, instruction: `${agent.instruction}\nBe brief.` }, 'owner')
  }

  test('are of the version that a task ran with, with cost, time and what went wrong', async () => {
    const { registry, scores, run } = await open()
    await run('work well')
    await run('work well again')
    await saveAnew(registry, 'generalist')
    const failed = await run('work badly')
    const { items } = await scores({ agent: 'generalist' })
    expect(items).toMatchObject([
      { kind: 'agent', name: 'generalist', version: 2, current: true, n: 1, succeeded: 0, rate: 0, few: true, costMicros: 2_000 },
      { version: 1, current: false, n: 2, succeeded: 2, rate: 1, costMicros: 4_000, tokens: 30, errors: [] },
    ])
    expect(items[0]!.errors).toEqual([{ pattern: expect.stringContaining('The build failed'), times: 1, taskId: failed.id }])
    expect(items[0]!.p50Ms).toBeGreaterThanOrEqual(0)
  })

  test('stand beside who and what made each version', async () => {
    const { registry, scores } = await open()
    await saveAnew(registry, 'generalist')
    await registry.restore('agent', 'generalist', 1, 'anna')
    expect((await scores({ agent: 'generalist' })).versions).toMatchObject([
      { version: 3, author: 'anna', cause: { kind: 'restore', version: 1 } },
      { version: 2, author: 'owner', cause: null },
      { version: 1, author: 'seed', cause: null },
    ])
  })

  test('of a tool are of its calls, with the words of those that failed', async () => {
    const { scores, run } = await open()
    const { id } = await run('read a file')
    const { items } = await scores({ tool: 'read_file' })
    expect(items).toMatchObject([{ kind: 'tool', version: 1, current: true, n: 1, succeeded: 0 }])
    expect(items[0]!.errors).toEqual([{ pattern: expect.stringMatching(/missing|…/), times: 1, taskId: id }])
  })

  test('of a model are of its calls, with the tasks that it worked on', async () => {
    const { scores, run } = await open()
    await run('work well')
    await run('work badly')
    const { items } = await scores({ model: 'scripted' })
    expect(items).toMatchObject([
      {
        kind: 'model',
        name: expect.stringContaining('scripted'),
        version: null,
        n: 2,
        succeeded: 2,
        tasks: { ended: 2, done: 1 },
        costMicros: 4_000,
      },
    ])
  })

  test('of a document are of the tasks that had this version in their prompt', async () => {
    const { registry, scores, run } = await open()
    await run('work well')
    const name = (await registry.get('agent', 'generalist'))!.documents[0]!
    const { version: _v, author: _a, updatedAt: _u, ...document } = (await registry.get('document', name))!
    await registry.save('document', { ...document, content: `${document.content}\nMore.` }, 'owner')
    await run('work badly')
    const { items } = await scores({ document: name })
    expect(items.map(({ version, current, n, succeeded }) => ({ version, current, n, succeeded }))).toEqual([
      { version: 2, current: true, n: 1, succeeded: 0 },
      { version: 1, current: false, n: 1, succeeded: 1 },
    ])
  })

  test('leave out what a person cancelled, and what is older than the window', async () => {
    const { registry, scores, run, store } = await open()
    await run('work well')
    const held = await h!.goal('work until somebody stops it')
    await h!.until(held, (task) => task.status === 'active')
    await h!.runtime.tasks.control(held, { verb: 'abort', by: 'owner' })
    await h!.over(held)
    expect((await scores({ agent: 'generalist' })).items).toMatchObject([{ n: 1, succeeded: 1 }])
    const later = { store, registry, now: () => Date.now() + 31 * 86_400_000 }
    expect((await scoresOf(later, { days: 30, agent: 'generalist' })).items).toEqual([])
    expect((await scoresOf(later, { days: 32, agent: 'generalist' })).items).toMatchObject([{ n: 1 }])
  })

  test('of everything name each agent and tool that worked, without reading words', async () => {
    const { scores, run } = await open()
    await run('read a file')
    const { items } = await scores({})
    expect(items.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining(['agent generalist', 'tool read_file', 'tool end_task', expect.stringMatching(/^model scripted/)]),
    )
    expect(items.every(({ errors }) => errors.length === 0)).toBe(true)
  })
})

describe.skipIf(!need('postgres'))('on a real PostgreSQL server', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server?.stop())

  test('scores are the same', async () => {
    h = await harness(() => endWith('The build failed: no space left', 'failure'), { databaseUrl: server.url })
    const { store, registry } = h.runtime
    await h.over(await h.goal('work badly'))
    const { items } = await scoresOf({ store, registry, now: Date.now }, { days: 30 })
    expect(items.map(({ kind, n, succeeded, tokens }) => ({ kind, n, succeeded, tokens }))).toEqual([
      { kind: 'agent', n: 1, succeeded: 0, tokens: 15 },
      { kind: 'tool', n: 1, succeeded: 1, tokens: 0 },
      { kind: 'model', n: 1, succeeded: 1, tokens: 15 },
    ])
    const [one] = (await scoresOf({ store, registry, now: Date.now }, { days: 30, agent: 'generalist' })).items
    expect(one!.errors).toMatchObject([{ times: 1 }])
    const model = items.find(({ kind }) => kind === 'model')!.name
    expect((await scoresOf({ store, registry, now: Date.now }, { days: 30, model })).items).toMatchObject([{ name: model, n: 1 }])
  })
})
