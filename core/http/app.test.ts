import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { BODY_LIMIT, GOAL_LIMIT, Problem, ROUTES, type Route, type RouteName } from '../contract/api.ts'
import { type Answer, type Server, serve, TOKEN } from './fixture/serve.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.stop())

const routes = Object.entries(ROUTES) as [RouteName, Route][]
/** The answer has the shape and status that the table promises, and is returned. */
function as<N extends RouteName>(name: N, answer: Answer) {
  const route: Route = ROUTES[name]
  expect(answer.status, answer.text).toBe(route.status)
  // Strict, so that a field which the table does not name is found here.
  const shape = route.response instanceof z.ZodObject ? route.response.strict() : route.response
  return (shape ? shape.parse(answer.json) : undefined) as (typeof ROUTES)[N] extends { response: infer S extends z.ZodType }
    ? z.output<S>
    : undefined
}
function problem(answer: Answer, status: number, code: string): Problem {
  expect(answer.status, answer.text).toBe(status)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  const told = Problem.strict().parse(answer.json)
  expect(told).toMatchObject({ status, code, requestId: answer.headers['x-request-id'] })
  return told as Problem
}

describe('a goal', () => {
  test('becomes a tree that can be looked at, with its task, history and cost', async () => {
    const made = as('submitGoal', await server.ask('POST', '/api/goals', { body: { goal: 'List the files.', budget: { dollars: 2 } } }))
    expect(made).toEqual({ treeId: made.treeId, taskId: made.treeId, url: `${server.url}/trees/${made.treeId}` })
    const tree = as('tree', await server.ask('GET', `/api/trees/${made.treeId}`))
    expect(tree).toMatchObject({
      goal: 'List the files.',
      status: 'pending',
      submittedBy: 'owner',
      cost: { dollars: 0, unpricedCalls: 0 },
      limits: { costMicros: 2_000_000 },
    })
    expect(tree.tasks.map((task) => [task.id, task.agent, task.origin])).toEqual([[made.taskId, 'generalist', 'person']])
    expect(as('task', await server.ask('GET', `/api/tasks/${made.taskId}`))).toEqual(tree.tasks[0])
    const history = as('messages', await server.ask('GET', `/api/tasks/${made.taskId}/messages`))
    expect(history).toMatchObject({ items: [{ n: 1, role: 'user', from: 'person', text: 'List the files.' }], nextCursor: null })
    const { items } = as('trees', await server.ask('GET', '/api/trees?limit=1'))
    expect(items[0]?.id).toBe(made.treeId)
  })

  test('sent twice under one key is one goal; under the same key another goal is refused', async () => {
    const send = (goal: string, key: string) => server.ask('POST', '/api/goals', { body: { goal }, headers: { 'idempotency-key': key } })
    const first = as('submitGoal', await send('Once only.', 'key-1'))
    expect(as('submitGoal', await send('Once only.', 'key-1'))).toEqual(first)
    expect(problem(await send('Something else.', 'key-1'), 422, 'unprocessable').detail).toMatch(
      /Idempotency-Key was used with another goal/,
    )
    expect(as('submitGoal', await send('Once only.', 'key-2')).treeId).not.toBe(first.treeId)
    expect(problem(await send('Once only.', 'x'.repeat(300)), 400, 'invalid').detail).toMatch(/1 to 255/)
  })

  test('and what is said to it twice under one key is said once', async () => {
    const { taskId } = as('submitGoal', await server.ask('POST', '/api/goals', { body: { goal: 'Listen.' } }))
    const say = (message: string) =>
      server.ask('POST', `/api/tasks/${taskId}/steer`, { body: { message }, headers: { 'idempotency-key': 'said' } })
    expect(as('steer', await say('Hurry.'))).toMatchObject({ id: taskId })
    expect(as('steer', await say('Hurry.'))).toMatchObject({ id: taskId })
    expect(problem(await say('Wait.'), 422, 'unprocessable').detail).toContain('use a new key')
    const { items } = as('messages', await server.ask('GET', `/api/tasks/${taskId}/messages`))
    expect(items.filter((message) => message.role === 'user').map((message) => message.text)).toEqual(['Listen.', 'Hurry.'])
  })

  test('for an agent that is not there is refused with the names of those that are', async () => {
    const answer = await server.ask('POST', '/api/goals', { body: { goal: 'x', agent: 'nobody' } })
    expect(problem(answer, 400, 'invalid').detail).toBe('There is no agent "nobody"; there are generalist, researcher.')
  })

  test('from an example that is not there is refused with the names of those that are', async () => {
    const answer = await server.ask('POST', '/api/goals', { body: { goal: 'x', example: '../etc' } })
    expect(problem(answer, 400, 'invalid').detail).toBe('There is no example "../etc"; there are inventory.')
  })

  test('may be as long as the limit, and not a character longer', async () => {
    const before = as('trees', await server.ask('GET', '/api/trees?limit=200')).items.length
    as('submitGoal', await server.ask('POST', '/api/goals', { body: { goal: 'é'.repeat(GOAL_LIMIT) } }))
    const longer = await server.ask('POST', '/api/goals', { body: { goal: 'x'.repeat(GOAL_LIMIT + 1) } })
    expect(problem(longer, 413, 'too_large').detail).toMatch(/`goal` is longer than 200,000 characters; put the long part into a file/)
    expect(as('trees', await server.ask('GET', '/api/trees?limit=200')).items.length).toBe(before + 1)
  })

  test.each([
    ['with its length announced', false],
    ['in chunks of unknown length', true],
  ])('of 5 MB is answered, not cut off, %s', async (_, chunked) => {
    const body = { goal: 'x'.repeat(5_000_000) }
    const answer = await server.ask('POST', '/api/goals', {
      body,
      headers: chunked ? { 'content-length': undefined, 'transfer-encoding': 'chunked' } : {},
    })
    expect(problem(answer, 413, 'too_large').detail).toBe(
      `The body is larger than ${BODY_LIMIT / 1e6} MB; send less, or put the long part into a file.`,
    )
    expect((await server.ask('GET', '/health')).status).toBe(200)
  })
})

describe('a body that is not right is answered with what is wrong and where', () => {
  const nested = (depth: number) => `{"goal":"x","budget":${'['.repeat(depth)}${']'.repeat(depth)}}`
  test.each([
    ['not JSON', 'hello', 400, 'The body is not JSON: unexpected "h" at line 1, column 1.'],
    ['cut off', '{"goal": "x', 400, 'The body is not JSON: it ends too early at line 1, column 12.'],
    ['a comma too many', '{"goal": "x",\n}', 400, 'The body is not JSON: unexpected "}" at line 2, column 1.'],
    ['a word that is none', '{"goal": nope}', 400, 'The body is not JSON: unexpected "n" at line 1, column 10.'],
    ['two values', '{"goal":"x"} {}', 400, 'The body is not JSON: unexpected "{" at line 1, column 14.'],
    ['empty', '', 400, 'The body is not JSON: it ends too early at line 1, column 1.'],
    ['a list', '[]', 400, 'The body is not right: Invalid input: expected object, received array.'],
    ['null', 'null', 400, 'The body is not right: Invalid input: expected object, received null.'],
    ['no goal', '{}', 400, 'The body is not right: `goal` is not right: Invalid input: expected string, received undefined.'],
    ['an empty goal', '{"goal":" \\n"}', 400, 'The body is not right: `goal` must say what is to be done.'],
    ['a number as goal', '{"goal":5}', 400, 'The body is not right: `goal` is not right: Invalid input: expected string, received number.'],
    ['an unknown field', '{"goal":"x","gaol":1}', 400, 'The body is not right: it has no field "gaol".'],
    ['__proto__', '{"goal":"x","__proto__":{"a":1}}', 400, 'The body is not right: it has no field "__proto__".'],
    ['an unknown budget', '{"goal":"x","budget":{"euro":1}}', 400, 'The body is not right: `budget` has no field "euro".'],
    [
      'a negative budget',
      '{"goal":"x","budget":{"dollars":-1}}',
      400,
      'The body is not right: `budget.dollars` is not right: Too small: expected number to be >=0.',
    ],
    [
      'an unknown mode',
      '{"goal":"x","mode":"fast"}',
      400,
      'The body is not right: `mode` is not right: Invalid option: expected one of "auto"|"step".',
    ],
    ['a NUL', '{"goal":"a\\u0000b"}', 400, 'goal holds a NUL character; leave it out.'],
    ['nested 64 levels', nested(63), 400, 'The body is not right: `budget` is not right: Invalid input: expected object, received array.'],
    ['nested 65 levels', nested(64), 400, 'The body is nested deeper than 64 levels.'],
    ['nested 200,000 levels', nested(200_000), 400, 'The body is nested deeper than 64 levels.'],
  ] as const)('%s', async (_, body, status, detail) => {
    // biome-ignore format: rows of a table
    expect(problem(await server.ask('POST', '/api/goals', { body }), status, 'invalid').detail).toBe(detail)
  })

  test('bytes that are not UTF-8', async () => {
    const answer = await server.ask('POST', '/api/goals', { body: Buffer.from('7b22676f616c223a22ff227d', 'hex') })
    expect(problem(answer, 400, 'invalid').detail).toBe('The body is not UTF-8 text.')
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined])(
    'content of type %s',
    async (type) => {
      const answer = await server.ask('POST', '/api/goals', { body: '{"goal":"x"}', headers: { 'content-type': type } })
      expect(problem(answer, 415, 'unsupported_media_type').detail).toMatch(/Content-Type: application\/json/)
    },
  )

  test.each([
    ['/api/trees?limit=0', '`limit`'],
    ['/api/trees?limit=many', '`limit` must be a whole number'],
    ['/api/trees?status=finished', '`status`'],
    ['/api/trees?cursor=nonsense', 'The cursor is not one that a list gave'],
    ['/api/reviews?state=closed', '`state`'],
    ['/api/events?after=-1', '`after` must be a whole number'],
    ['/api/events?after=1e9', '`after` must be a whole number'],
  ])('the query %s', async (path, words) => {
    expect(problem(await server.ask('GET', path), 400, 'invalid').detail).toContain(words)
  })
})

describe('a task', () => {
  test('obeys a person, and refuses what its state does not allow', async () => {
    const id = await server.goal()
    const control = (verb: string, body?: object) => server.ask('POST', `/api/tasks/${id}/${verb}`, { body })
    expect(as('pause', await control('pause'))).toMatchObject({ status: 'paused', reason: 'person' })
    expect(as('resume', await control('resume', {})).status).toBe('pending')
    expect(problem(await control('resume'), 409, 'conflict').detail).toBe(`Task ${id} is not paused (it is pending).`)
    expect(problem(await control('retry'), 409, 'conflict').detail).toMatch(/Only a task that did not succeed/)
    as('steer', await control('steer', { message: 'Use French.' }))
    expect(problem(await control('steer'), 400, 'invalid').detail).toContain('`message`')
    expect(problem(await control('steer', { message: '  ' }), 400, 'invalid').detail).toContain('`message` must say')
    expect(as('rerun', await control('rerun', { restoreFiles: true })).status).toBe('pending')
    expect(as('rerun', await control('rerun', { from: 1, message: 'Anew.' })).status).toBe('pending')
    expect(problem(await control('rerun', { from: 99 }), 400, 'invalid').detail).toContain('`from` must be between 1 and')
    expect(as('abort', await control('abort', { scope: 'node', comment: 'no' }))).toMatchObject({
      status: 'cancelled',
      stoppedByPerson: true,
    })
    expect(problem(await control('abort'), 409, 'conflict').detail).toBe(`Task ${id} has ended (cancelled) and cannot be aborted.`)
    expect(as('retry', await control('retry')).status).toBe('pending')
    expect(problem(await control('explode'), 404, 'not_found').detail).toContain('/explode')
  })

  test('has a history that is read page by page', async () => {
    const id = await server.goal()
    for (const message of ['one', 'two', 'three', 'four']) await server.ask('POST', `/api/tasks/${id}/steer`, { body: { message } })
    const seen: number[] = []
    let after: string | null = '0'
    while (after !== null) {
      const page: { items: { n: number }[]; nextCursor: string | null } = as(
        'messages',
        await server.ask('GET', `/api/tasks/${id}/messages?after=${after}&limit=2`),
      )
      seen.push(...page.items.map((message) => message.n))
      after = page.nextCursor
    }
    expect(seen).toEqual([1, 2, 3, 4, 5])
  })

  test.each(['/api/trees/nope', '/api/tasks/nope', '/api/tasks/nope/messages', '/api/reviews/nope', '/api/reviews/no/pe', '/api/prompts/nope', '/api/agents/nope', '/api/agents/nope/versions', '/api/nope', '/api', '/metrics/nope'])(
    '%s is not there, and that is said',
    async (path) => void problem(await server.ask('GET', path), 404, 'not_found'),
  ) // biome-ignore format: a list
})

describe('a review item', () => {
  test('is decided once, whether its id is sent encoded or as it is', async () => {
    const tree = await server.goal()
    const [first, second] = [await server.flag(tree, 'a'), await server.flag(tree, 'b')]
    const open = as('reviews', await server.ask('GET', `/api/reviews?state=open&treeId=${tree}`))
    expect(open.items.map((item) => item.id)).toEqual([first, second])
    expect(as('review', await server.ask('GET', `/api/reviews/${encodeURIComponent(first)}`))).toEqual(open.items[0])
    expect(as('review', await server.ask('GET', `/api/reviews/${first}`))).toEqual(open.items[0])
    const decide = (id: string, body: object) => server.ask('POST', `/api/reviews/${id}/decision`, { body })
    const { actionHash } = open.items[0]!
    expect(problem(await decide(first, { decision: 'approve', actionHash: 'another' }), 409, 'conflict').detail).toMatch(
      /changed since it was shown/,
    )
    expect(as('decide', await decide(first, { decision: 'approve', actionHash, comment: 'fine' }))).toMatchObject({
      state: 'decided',
      decision: 'approve',
      decidedBy: 'owner',
      comment: 'fine',
    })
    expect(problem(await decide(encodeURIComponent(first), { decision: 'reject' }), 409, 'conflict').detail).toBe(
      'This item was decided already (approve by owner).',
    )
    expect(as('decide', await decide(encodeURIComponent(second), { decision: 'answer', comment: 'Yes.' })).decision).toBe('answer')
    expect(problem(await decide(second, { decision: 'maybe' }), 400, 'invalid').detail).toContain('`decision`')
    expect(problem(await decide(`${tree}/none`, { decision: 'approve' }), 404, 'not_found').detail).toContain('no review item')
    expect(as('reviews', await server.ask('GET', `/api/reviews?state=open&treeId=${tree}`)).items).toEqual([])
    expect(as('reviews', await server.ask('GET', `/api/reviews?treeId=${tree}`)).items).toHaveLength(2)
  })
})

describe('the registry', () => {
  test('adds, reads, saves and removes, and each save is a version', async () => {
    const agent = { name: 'poet', description: 'Writes', instruction: 'Rhyme.' }
    const made = as('addAgent', await server.ask('POST', '/api/agents', { body: agent }))
    expect(made).toMatchObject({ ...agent, id: 'poet', version: 1, author: 'owner', enabled: true })
    expect(problem(await server.ask('POST', '/api/agents', { body: agent }), 409, 'conflict').detail).toContain(
      'The agent "poet" exists already',
    )
    // What was read can be changed and sent back whole.
    const saved = as('saveAgent', await server.ask('PUT', '/api/agents/poet', { body: { ...made, instruction: 'Do not rhyme.' } }))
    expect(saved).toMatchObject({ version: 2, instruction: 'Do not rhyme.' })
    expect(as('agent', await server.ask('GET', '/api/agents/poet'))).toEqual(saved)
    expect(as('agents', await server.ask('GET', '/api/agents')).items.map((item) => item.id)).toEqual(['generalist', 'poet', 'researcher'])
    expect(problem(await server.ask('PUT', '/api/agents/poet', { body: { ...agent, name: 'other' } }), 400, 'invalid').detail).toContain(
      'a name cannot be changed',
    )
    expect(problem(await server.ask('PUT', '/api/agents/ghost', { body: { ...agent, name: 'ghost' } }), 404, 'not_found').detail).toBe(
      'There is no agent "ghost".',
    )
    expect(problem(await server.ask('POST', '/api/agents', { body: { ...agent, name: 'No Good' } }), 400, 'invalid').detail).toContain(
      'a name is 1 to 64',
    )
    expect(
      problem(await server.ask('POST', '/api/agents', { body: { ...agent, name: 'x', documents: ['none'] } }), 400, 'invalid').detail,
    ).toContain('there is no document "none"')
    as('removeAgent', await server.ask('DELETE', '/api/agents/poet'))
    problem(await server.ask('GET', '/api/agents/poet'), 404, 'not_found')
    problem(await server.ask('DELETE', '/api/agents/poet'), 404, 'not_found')
    const versions = as('agentVersions', await server.ask('GET', '/api/agents/poet/versions'))
    expect(versions.items.map((item) => [item.version, item.instruction])).toEqual([[2, 'Do not rhyme.'], [1, 'Rhyme.']]) // biome-ignore format: a table
  })

  test('does the same with documents and tools', async () => {
    as(
      'addDocument',
      await server.ask('POST', '/api/documents', { body: { name: 'house_rules', description: 'Rules', content: '# Be kind' } }),
    )
    expect(as('document', await server.ask('GET', '/api/documents/house_rules')).content).toBe('# Be kind')
    as('addTool', await server.ask('POST', '/api/tools', { body: { name: 'hammer', description: 'Hits' } }))
    expect(
      as('saveTool', await server.ask('PUT', '/api/tools/hammer', { body: { name: 'hammer', description: 'Hits', enabled: false } }))
        .enabled,
    ).toBe(false)
    expect(as('documents', await server.ask('GET', '/api/documents')).items).toHaveLength(1)
    expect(as('tools', await server.ask('GET', '/api/tools')).items).toHaveLength(1)
  })
})

describe('the system', () => {
  test('says how it is', async () => {
    expect(as('health', await server.ask('GET', '/health', { headers: { authorization: undefined } }))).toMatchObject({
      status: 'ok',
      revision: 'r1',
      uptimeSeconds: 12.3,
    })
    const system = as('system', await server.ask('GET', '/api/system'))
    expect(system).toMatchObject({
      version: '1.2.3',
      nodeVersion: process.version,
      isolation: 'plain',
      seq: await server.store.lastSeq(),
      liveConnections: 0,
    })
    expect(system.tasks).toEqual(await server.tasks.counts())
    expect(as('goalExamples', await server.ask('GET', '/api/goal-examples')).items.map((item) => item.name)).toEqual(['inventory'])
  })

  test('ends when it is asked to, after it has answered', async () => {
    expect(as('shutdown', await server.ask('POST', '/admin/graceful-shutdown')).status).toBe('stopping')
    expect(as('shutdown', await server.ask('POST', '/admin/graceful-shutdown?restart=1')).status).toBe('restarting')
    expect(server.asked).toEqual(['stop', 'restart'])
  })

  test('tells nobody the cause of its own faults but the log', async () => {
    const broken = await serve()
    await broken.store.close()
    const told = problem(await broken.ask('GET', '/api/trees'), 500, 'internal')
    expect(told.detail).toBe(`This is a fault of Banyan's own; the log says more under ${told.requestId}.`)
    expect(broken.logged).toEqual([{ words: `request ${told.requestId} failed`, cause: expect.any(Error) }])
    await broken.stop()
  })
})

describe('methods', () => {
  test('a wrong one is answered with those that are right', async () => {
    const answer = await server.ask('DELETE', '/api/goals')
    problem(answer, 405, 'method_not_allowed')
    expect(answer.headers.allow).toBe('POST, OPTIONS')
    expect((await server.ask('POST', '/api/trees/x')).headers.allow).toBe('GET, HEAD, OPTIONS')
    const options = await server.ask('OPTIONS', '/api/agents')
    expect([options.status, options.headers.allow, options.headers['access-control-allow-origin']]).toEqual([
      204,
      'GET, HEAD, POST, OPTIONS',
      undefined,
    ])
  })

  test('HEAD answers as GET does, without the body, and holds no stream open', async () => {
    const head = await server.ask('HEAD', '/api/trees')
    expect([head.status, head.text, head.headers['content-type']]).toEqual([200, '', 'application/json'])
    expect((await server.ask('HEAD', '/api/events', { headers: { accept: 'text/event-stream' } })).status).toBe(200)
    expect(server.live.load().connections).toBe(0)
  })
})

describe('every route', () => {
  const withId = (path: string) => path.replace(/\{\w+\}/g, 'some-id')
  test.each(routes.map(([name, route]) => [name, route.method, withId(route.path), route.open === true] as const))(
    '%s (%s %s) asks who it is, unless it is open: %s',
    async (_, method, path, open) => {
      for (const authorization of [undefined, 'Bearer', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, TOKEN]) {
        server.clock.now += 60_000 // whoever guesses slowly is not slowed down further
        const answer = await server.ask(method, path, { headers: { authorization }, ...(method === 'GET' ? {} : { body: {} }) })
        if (open && path === '/login') expect(answer.text).toContain('login link was used already')
        else if (open) expect([200, 303, 400, 404]).toContain(answer.status)
        else {
          problem(answer, 401, 'unauthorized')
          expect(answer.headers['www-authenticate']).toBe('Bearer realm="banyan"')
        }
      }
    },
  )

  test('is in the OpenAPI document, whose references all lead somewhere', async () => {
    const document = (await server.ask('GET', '/openapi.json')).json as Record<string, never>
    const shape = z.object({
      openapi: z.literal('3.1.0'),
      info: z.object({ title: z.string(), version: z.literal('1.2.3') }),
      paths: z.record(
        z.string().startsWith('/'),
        z
          .record(
            z.enum(['get', 'post', 'put', 'delete']),
            z.object({
              operationId: z.string(),
              summary: z.string(),
              parameters: z.array(
                z.object({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean(), schema: z.looseObject({}) }),
              ),
              requestBody: z
                .object({ content: z.object({ 'application/json': z.object({ schema: z.object({ $ref: z.string() }) }) }) })
                .optional(),
              responses: z.record(z.string().regex(/^([1-5]\d\d|default)$/), z.looseObject({})),
            }),
          )
          .or(
            z.partialRecord(
              z.enum(['get', 'post', 'put', 'delete']),
              z.looseObject({ operationId: z.string(), responses: z.looseObject({}) }),
            ),
          ),
      ),
      components: z.object({
        schemas: z.record(z.string().regex(/^[A-Za-z0-9._-]+$/), z.looseObject({})),
        securitySchemes: z.looseObject({}),
      }),
    })
    const parsed = shape.parse(document)
    for (const [name, route] of routes) {
      const operation = (
        parsed.paths[route.path] as Record<string, { operationId: string; parameters: { name: string; in: string }[]; responses: object }>
      )[route.method.toLowerCase()]!
      expect(operation.operationId).toBe(name)
      expect(Object.keys(operation.responses)).toEqual([String(route.status), 'default'])
      expect(operation.parameters.filter((p) => p.in === 'path').map((p) => p.name)).toEqual(
        [...route.path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]),
      )
    }
    const text = JSON.stringify(document)
    const refs = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((m) => m[1]!))
    expect(refs.size).toBeGreaterThan(20)
    for (const ref of refs)
      expect(
        ref.split('/').reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], document),
        ref,
      ).toBeDefined()
    expect(text).not.toMatch(/"\$ref":"[^#]|"\$schema"|"\$id"|__shared/)
  })

  test('carries the headers that keep browsers from doing more than was meant', async () => {
    for (const path of ['/health', '/api/trees', '/api/nope', '/', '/openapi.json']) {
      const { headers } = await server.ask('GET', path)
      expect(headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
        'cross-origin-opener-policy': 'same-origin',
      })
      const policy = headers['content-security-policy']
      expect(policy, path).toContain("default-src 'self'")
      expect(policy, path).not.toContain('unsafe-inline')
      if (path.startsWith('/api')) expect(headers['cache-control'], path).toBe('no-store')
    }
  })
})
