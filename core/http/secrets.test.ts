import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
beforeAll(async () => {
  server = await serve()
})
afterAll(() => server.stop())
const put = (name: string, body: object) => server.ask('PUT', `/api/secrets/${name}`, { body })

describe('secrets over HTTP', () => {
  test('go in, and only names, grants and times come out', async () => {
    const made = await put('GITHUB_TOKEN', { value: 'the-value-itself', description: 'pushes', grants: ['agent:generalist'] })
    expect(made.status, made.text).toBe(200)
    expect(made.json).toEqual({
      id: 'GITHUB_TOKEN',
      name: 'GITHUB_TOKEN',
      description: 'pushes',
      grants: ['agent:generalist'],
      readable: true,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
      lastUsedAt: null,
    })
    const changed = await put('GITHUB_TOKEN', { grants: ['*', 'tree:abc'] })
    expect(changed.json).toMatchObject({ description: 'pushes', grants: ['*', 'tree:abc'] })
    const list = await server.ask('GET', '/api/secrets')
    expect(list.json).toMatchObject({ items: [{ name: 'GITHUB_TOKEN' }], nextCursor: null })
    const events = await server.ask('GET', '/api/events')
    for (const answer of [made, changed, list, events]) expect(answer.text).not.toContain('the-value-itself')
    expect(events.text).toContain('secret.changed')
    expect((await server.ask('GET', '/api/secrets/GITHUB_TOKEN')).status).toBe(405)
    expect((await server.ask('DELETE', '/api/secrets/GITHUB_TOKEN')).status).toBe(204)
    expect((await server.ask('DELETE', '/api/secrets/GITHUB_TOKEN')).status).toBe(404)
    expect((await server.ask('GET', '/api/secrets')).json).toEqual({ items: [], nextCursor: null })
  })

  test.each([
    ['a new one without a value', 'TOKEN', { description: 'x' }, 404, /There is no secret "TOKEN"/],
    ['a bad name', 'to.ken', { value: 'the-value-itself' }, 400, /named like a variable/],
    ['a short value', 'TOKEN', { value: 'short' }, 400, /at least 6 characters/],
    ['a bad grant', 'TOKEN', { value: 'the-value-itself', grants: ['everybody'] }, 400, /agent:NAME/],
    ['a value that is no text', 'TOKEN', { value: { secret: 'the-value-itself' } }, 400, /`value` is not right/],
    ['an unknown field', 'TOKEN', { valeu: 'the-value-itself' }, 400, /no field "valeu"/],
  ])('%s is refused with the reason and without the value', async (_, name, body, status, words) => {
    const answer = await put(name, body)
    expect(answer.status, answer.text).toBe(status)
    expect((answer.json as { detail: string }).detail).toMatch(words)
    expect(answer.text).not.toContain('the-value-itself')
    expect((await server.ask('GET', '/api/secrets')).json).toEqual({ items: [], nextCursor: null })
  })

  test('are for nobody who is not logged in', async () => {
    for (const [method, path] of [
      ['GET', '/api/secrets'],
      ['PUT', '/api/secrets/TOKEN'],
      ['DELETE', '/api/secrets/TOKEN'],
    ] as const)
      expect((await server.ask(method, path, { headers: { authorization: undefined }, body: { value: 'the-value-itself' } })).status).toBe(
        401,
      )
  })
})

test('the key is rotated over HTTP when it is no setting of a person, and a restart follows', async () => {
  const own = await serve({ keyFile: true })
  try {
    await own.ask('PUT', '/api/secrets/TOKEN', { body: { value: 'the-value-itself' } })
    expect(await own.ask('POST', '/api/secrets/rotate')).toMatchObject({ status: 202, json: { values: 1, status: 'restarting' } })
    await expect.poll(() => own.asked).toEqual(['restart'])
    expect((await own.ask('GET', '/api/secrets')).json).toMatchObject({ items: [{ name: 'TOKEN', readable: true }] })
  } finally {
    await own.stop()
  }
  const refused = await server.ask('POST', '/api/secrets/rotate')
  expect(refused.status).toBe(409)
  expect(refused.text).toMatch(/SYSTEM_SECRET_KEY_OLD/)
})
