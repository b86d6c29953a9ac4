import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ResponseOf, RouteName } from '../contract/api.ts'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
  for (const name of ['core_instruction', 'style_guide'])
    await server.registry.save('document', { name, description: name, content: '{agent_instruction} {documents} {tools}' }, 'seed')
  for (const name of ['read_file', 'use_terminal', 'web_fetch', 'no_such_file'])
    await server.registry.save('tool', { name, description: name }, 'seed')
})
afterAll(() => server.stop())

const ask = async <N extends RouteName>(_name: N, method: string, path: string, body?: object, headers = {}): Promise<ResponseOf<N>> => {
  const answer = await server.ask(method, path, { body, headers })
  expect(answer.status, answer.text).toBe(200)
  return answer.json
}
const detail = (answer: { json: never }) => (answer.json as { detail: string }).detail
const writer = { name: 'writer', description: 'Writes.', instruction: 'Write it.', documents: ['style_guide'], tools: ['read_file'] }

describe('two people who edit one agent', () => {
  test('do not overwrite each other: the later one is told the newer version and saves nothing', async () => {
    await server.registry.save('agent', writer, 'owner')
    const read = await server.ask('GET', '/api/agents/writer')
    expect(read.headers.etag).toBe('"1"')
    const tag = { 'if-match': read.headers.etag as string }
    await ask('saveAgent', 'PUT', '/api/agents/writer', { ...writer, instruction: 'Write it well.' }, tag)
    const late = await server.ask('PUT', '/api/agents/writer', { body: { ...writer, instruction: 'Write it fast.' }, headers: tag })
    expect(late.status).toBe(412)
    expect(late.json).toMatchObject({ code: 'stale' })
    expect(detail(late)).toMatch(/you began with version 1, and version 2 by owner is the newest; load it/)
    expect((await ask('agent', 'GET', '/api/agents/writer')).instruction).toBe('Write it well.')
    const gone = await server.ask('DELETE', '/api/agents/writer', { headers: tag })
    expect(gone.status).toBe(412)
  })

  test('who say nothing of versions save as before; a tag that is none is refused', async () => {
    expect((await ask('saveAgent', 'PUT', '/api/agents/writer', { ...writer, instruction: 'Third.' })).version).toBe(3)
    const bad = await server.ask('PUT', '/api/agents/writer', { body: writer, headers: { 'if-match': '"abc"' } })
    expect([bad.status, detail(bad)]).toEqual([400, expect.stringMatching(/If-Match must be the ETag/)])
  })
})

describe('an earlier version', () => {
  test('is read by its number and restored as a new one', async () => {
    expect((await ask('agentVersion', 'GET', '/api/agents/writer/versions/1')).instruction).toBe('Write it.')
    const back = await ask('restoreAgent', 'POST', '/api/agents/writer/versions/1/restore')
    expect(back).toMatchObject({ version: 4, instruction: 'Write it.', author: 'owner' })
    expect((await server.ask('GET', '/api/agents/writer/versions/9')).status).toBe(404)
    expect((await server.ask('GET', '/api/agents/writer/versions/x')).status).toBe(404)
  })

  test('of what was removed is listed and brings it back', async () => {
    expect((await server.ask('DELETE', '/api/agents/writer')).status).toBe(204)
    expect((await ask('removed', 'GET', '/api/removed')).items).toMatchObject([{ kind: 'agent', id: 'writer', version: 4 }])
    expect((await server.ask('GET', '/api/agents/writer')).status).toBe(404)
    const back = await ask('restoreAgent', 'POST', '/api/agents/writer/versions/4/restore')
    expect(back).toMatchObject({ version: 5, instruction: 'Write it.' })
    expect((await ask('removed', 'GET', '/api/removed')).items).toEqual([])
  })

  test('that names a document which is gone is not restored, and says which', async () => {
    await server.registry.save('document', { name: 'old_notes', description: 'x', content: 'x' }, 'owner')
    await server.registry.save('agent', { ...writer, name: 'reader', documents: ['old_notes'] }, 'owner')
    await server.registry.save('agent', { ...writer, name: 'reader', documents: [] }, 'owner')
    await server.registry.remove('document', 'old_notes', 'owner')
    const answer = await server.ask('POST', '/api/agents/reader/versions/1/restore')
    expect([answer.status, detail(answer)]).toEqual([400, expect.stringMatching(/there is no document "old_notes"/)])
  })
})

describe('validating', () => {
  const validate = (body: object) => ask('validateAgent', 'POST', '/api/agents/validate', body)
  test('a right agent finds nothing, tells its size, and saves nothing', async () => {
    const found = await validate({ ...writer, name: 'fresh' })
    expect(found).toMatchObject({ ok: true, problems: [] })
    expect(found.tokens!.prompt).toBeGreaterThan(5)
    expect(found.tokens!.tools).toBeGreaterThan(50)
    expect((await server.ask('GET', '/api/agents/fresh')).status).toBe(404)
  })

  test('names each wrong field', async () => {
    const found = await validate({ name: 'Bad Name', description: '', instruction: 'x', max_turns: 0 })
    expect(found).toMatchObject({ ok: false, tokens: null })
    expect(found.problems.map((problem) => problem.field).sort()).toEqual(['description', 'max_turns', 'name'])
  })

  test('tells errors that a save refuses from warnings that it does not', async () => {
    const found = await validate({
      ...writer,
      documents: ['nothing'],
      tools: ['read_file', 'nothing', 'no_such_file', 'web_fetch'],
      model: 'anthropic/some-model',
    })
    expect(found.problems.map(({ field, level }) => [field, level])).toEqual([
      ['documents.0', 'error'],
      ['tools.1', 'error'],
      ['tools.2', 'warning'],
      ['tools.3', 'warning'],
      ['model', 'warning'],
    ])
    expect(found.problems.at(-1)!.message).toMatch(/needs ANTHROPIC_API_KEY/)
  })
})

test('who uses a document is told: agents that list it, texts that name it, and tasks by version', async () => {
  await server.registry.save('agent', { ...writer, name: 'namer', documents: [], instruction: 'Follow `style_guide`.' }, 'owner')
  const used = await ask('documentUsedBy', 'GET', '/api/documents/style_guide/used-by')
  expect(used.agents.map(({ name, how }) => [name, how])).toEqual([
    ['namer', 'names'],
    ['writer', 'lists'],
  ])
  expect(used).toMatchObject({ tasks: [], system: false })
  expect((await ask('documentUsedBy', 'GET', '/api/documents/core_instruction/used-by')).system).toBe(true)
})

test('how many tasks ran with each version of an agent is counted from their prompts', async () => {
  const run = async (agentVersion: number) => {
    await server.goal(`Run ${agentVersion} ${Math.random()}`)
    const [lease] = await server.tasks.turns.lease('w', 1)
    const message = {
      role: 'system' as const,
      promptHash: 'h',
      agent: 'generalist',
      agentVersion,
      documents: [{ name: 'style_guide', version: 1 }],
      tools: [],
    }
    await server.tasks.turns.begin(lease!, {
      provider: 'p',
      model: 'm',
      tokens: 1,
      costMicros: 0,
      maxTurns: 5,
      prompt: { hash: 'h', body: 'x', message },
    })
    await server.tasks.turns.fail(lease!, { reason: 'error', note: 'enough' })
  }
  for (const n of [1, 1, 2]) await run(n)
  await server.tasks.rules.add({ verdict: 'deny', scope: 'program', signature: 'rm', agent: 'generalist' }, 'owner')
  expect(await ask('agentUsedBy', 'GET', '/api/agents/generalist/used-by')).toMatchObject({
    tasks: [
      { version: 2, tasks: 1 },
      { version: 1, tasks: 2 },
    ],
    rules: [{ label: 'deny the program rm' }],
  })
  expect((await ask('documentUsedBy', 'GET', '/api/documents/style_guide/used-by')).tasks).toEqual([{ version: 1, tasks: 3 }])
})

test('the figures of a list count tasks by agent and calls by tool, with what became of them', async () => {
  const found = await ask('registryFigures', 'GET', '/api/figures')
  expect(found.agents.find(({ name }) => name === 'generalist')).toMatchObject({ tasks: 3, done: 0, failed: 3, costMicros: 0 })
  expect(found.tools).toEqual([])
})

test('a tool tells its arguments, permission and effect, and may be sent back whole', async () => {
  const tool = await ask('tool', 'GET', '/api/tools/read_file')
  expect(tool).toMatchObject({
    permission: 'read',
    effect: 'read',
    requires: null,
    inputSchema: { type: 'object', properties: { path: {} } },
    stats: { calls: 0, failures: 0, p50Ms: null, p95Ms: null, lastErrors: [] },
  })
  expect((await ask('tool', 'GET', '/api/tools/use_terminal')).effect).toBeNull()
  expect((await ask('tool', 'GET', '/api/tools/no_such_file')).inputSchema).toBeNull()
  expect((await ask('saveTool', 'PUT', '/api/tools/read_file', { ...tool, description: 'Reads.' })).description).toBe('Reads.')
})
