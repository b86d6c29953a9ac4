/** Values that a person gave for a server: sealed, given to the server alone, and looked for in everything that is kept or told. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Harness, harness } from '../../scripts/testing/harness.ts'
import { answersIn, endWith, type Scripted } from '../../scripts/testing/scripted.ts'
import { AddServer } from '../contract/api-servers.ts'
import type { ModelRequest } from '../models/provider.ts'
import { fixture, serveFixture } from './fixture/servers.ts'

const CANARY = 'canary-7c1f0b5e9d24'
const OTHER = 'canary-other-51ab88f03c'

let h: Harness
let http: Awaited<ReturnType<typeof serveFixture>>
beforeAll(async () => {
  http = await serveFixture()
})
afterAll(() => http.stop())
afterEach(async () => {
  vi.restoreAllMocks()
  expect(await h.end()).toEqual([])
})

const hub = () => h.runtime.hub
const program = (env: Record<string, string>, more: object = {}) => ({
  name: 'files',
  command: fixture('environment').command,
  isolation: 'plain',
  env,
  ...more,
})
const decide = (request: ModelRequest): Scripted => {
  const [answer] = answersIn(request)
  return answer === undefined ? { calls: [{ tool: 'mcp__files__echo', input: { words: 'hello' } }] } : endWith(answer)
}
async function ready(given: object): Promise<void> {
  await hub().add(AddServer.parse(given), 'owner')
  await hub().approve('files', {}, 'owner')
  await hub().rules('files', { policy: 'allow', tainted: true }, 'owner')
  const { version: _v, author: _a, updatedAt: _u, ...agent } = (await h.runtime.registry.get('agent', 'generalist'))!
  await h.runtime.registry.save('agent', { ...agent, tools: [...agent.tools, 'mcp__files__echo'] }, 'owner')
}
const result = async () => (await h.over(await h.goal('do it'))).result ?? ''
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
const filesWith = (folder: string, text: string): string[] => files(folder).filter((path) => readFileSync(path).includes(text))
const told = async (): Promise<string> => JSON.stringify([hub().list(), hub().detail('files'), await h.runtime.store.eventsAfter(0)])

describe('values of a server', () => {
  test('of a variable are in no file, row, fact, answer or log, and the server has them', async () => {
    const said: string[] = []
    vi.spyOn(console, 'error').mockImplementation((...words) => void said.push(words.join(' ')))
    h = await harness(decide)
    await ready(program({ TOKEN: CANARY, PORT: '8080' }, { publicEnv: { MODE: 'production' } }))
    const { env } = JSON.parse(await result()) as { env: Record<string, string> }
    expect(env).toMatchObject({ TOKEN: '[secret SERVER_FILES_ENV_TOKEN]', PORT: '8080', MODE: 'production' })
    expect(hub().detail('files').env).toEqual([
      { name: 'TOKEN', secrets: ['SERVER_FILES_ENV_TOKEN'], value: null },
      { name: 'PORT', secrets: ['SERVER_FILES_ENV_PORT'], value: null },
      { name: 'MODE', secrets: [], value: 'production' },
    ])
    expect((await h.runtime.secrets.list()).map(({ name, description, grants }) => ({ name, description, grants }))).toEqual([
      { name: 'SERVER_FILES_ENV_PORT', description: 'the variable PORT of the MCP server files', grants: [] },
      { name: 'SERVER_FILES_ENV_TOKEN', description: 'the variable TOKEN of the MCP server files', grants: [] },
    ])
    const { spec } = await h.runtime.store.db.selectFrom('mcp_servers').select('spec').executeTakeFirstOrThrow()
    expect(spec).not.toMatch(/8080|canary/)
    expect((await told()) + said.join('\n')).not.toContain(CANARY)
    expect(filesWith(h.dataDir, CANARY)).toEqual([])
  })

  test('of a header reach the server and nobody else', async () => {
    h = await harness(decide)
    await ready({ name: 'files', url: `${http.url}/headers`, headers: { 'X-Api-Key': CANARY, Authorization: `Bearer ${OTHER}` } })
    const headers = JSON.parse(await result()) as Record<string, string>
    expect(headers).toMatchObject({
      'x-api-key': '[secret SERVER_FILES_HEADER_X_API_KEY]',
      authorization: 'Bearer [secret SERVER_FILES_HEADER_AUTHORIZATION]',
    })
    expect(await told()).not.toMatch(/canary/)
    expect([...filesWith(h.dataDir, CANARY), ...filesWith(h.dataDir, OTHER)]).toEqual([])
  })

  test('that hold a secret keep its name, and what stands beside it is sealed as well', async () => {
    h = await harness(decide)
    await h.runtime.secrets.save('DB_PASSWORD', { value: OTHER }, 'owner')
    await ready(program({ URL: `db://${CANARY}:secret:DB_PASSWORD@host`, AUTH: 'Bearer secret:DB_PASSWORD' }))
    expect(hub().detail('files').env).toEqual([
      { name: 'URL', secrets: ['SERVER_FILES_ENV_URL', 'DB_PASSWORD'], value: null },
      { name: 'AUTH', secrets: ['DB_PASSWORD'], value: null },
    ])
    expect(await result()).toContain(':[secret DB_PASSWORD]@host')
    const { spec } = await h.runtime.store.db.selectFrom('mcp_servers').select('spec').executeTakeFirstOrThrow()
    expect(spec).not.toContain(CANARY)
  })

  test('are changed by setting the secret: the next call has the new value, and the old one stays hidden', async () => {
    h = await harness(decide)
    await ready(program({ TOKEN: CANARY }))
    const pid = async () => (JSON.parse(await result()) as { pid: number }).pid
    const first = await pid()
    expect(await pid()).toBe(first)
    await h.runtime.secrets.save('SERVER_FILES_ENV_TOKEN', { value: OTHER }, 'owner')
    await vi.waitFor(async () => expect(await pid()).not.toBe(first), { timeout: 15_000 })
    expect(h.runtime.secrets.redact(`${CANARY} ${OTHER}`)).toBe('[secret SERVER_FILES_ENV_TOKEN] [secret SERVER_FILES_ENV_TOKEN]')
    // The same with a new key of the system.
    expect(await h.runtime.secrets.sealWith('another-key-of-the-system', 'owner')).toBe(1)
    await hub().restart('files')
    expect(await result()).toContain('[secret SERVER_FILES_ENV_TOKEN]')
  })

  test('go with the server, and take no name that somebody has', async () => {
    h = await harness(decide)
    await h.runtime.secrets.save('SERVER_FILES_ENV_TOKEN', { value: OTHER }, 'owner')
    await hub().add(AddServer.parse(program({ TOKEN: CANARY, token: `${CANARY}-2`, SIGNS: '!#$%&/()=?' })), 'owner')
    const names = hub()
      .detail('files')
      .env.flatMap((one) => one.secrets)
    expect(new Set(names).size).toBe(3)
    expect(names).not.toContain('SERVER_FILES_ENV_TOKEN')
    await hub().remove('files', 'owner')
    expect((await h.runtime.secrets.list()).map(({ name }) => name)).toEqual(['SERVER_FILES_ENV_TOKEN'])
  })

  test('of a row of an earlier version are sealed at the start, and nothing of them stays in the file', async () => {
    const first = await harness(decide, { paused: true })
    await first.runtime.secrets.save('ANY', { value: OTHER }, 'owner')
    await first.runtime.hub.add(AddServer.parse(program({ TOKEN: 'secret:ANY' })), 'owner')
    await first.runtime.store.transact(async (tx) => {
      const { name: _, ...spec } = program({ TOKEN: CANARY })
      await tx.db
        .updateTable('mcp_servers')
        .set({ spec: JSON.stringify(spec) })
        .execute()
    })
    await first.runtime.close()
    expect(filesWith(first.dataDir, CANARY)).not.toEqual([])
    h = await harness(decide, { dataDir: first.dataDir, paused: true })
    expect(hub().detail('files').env).toEqual([{ name: 'TOKEN', secrets: ['SERVER_FILES_ENV_TOKEN'], value: null }])
    await h.runtime.close()
    expect(filesWith(h.dataDir, CANARY)).toEqual([])
    h = await harness(decide, { dataDir: first.dataDir })
    await hub().restart('files')
    expect(hub().detail('files')).toMatchObject({ state: 'running', problem: null })
  })
})
