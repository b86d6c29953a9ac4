/** Logins at MCP servers with OAuth, over the routes of a whole engine, against an authorization server that checks what it is sent. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServerDetail } from '../contract/api-servers.ts'
import { engine, type Running } from '../http/fixture/engine.ts'
import { type Guarded, serveGuarded } from './fixture/authorization.ts'

let running: Running
let guarded: Guarded
beforeAll(async () => {
  running = await engine()
  guarded = await serveGuarded()
})
afterAll(async () => {
  await running.stop()
  await guarded.stop()
})

const server = async (name: string) => (await running.ask<ServerDetail>('GET', `/api/servers/${name}`)).json
const restart = async (name: string) => (await running.ask<ServerDetail>('POST', `/api/servers/${name}/restart`)).json
const add = (name: string, url: string) => running.ask<ServerDetail>('POST', '/api/servers', { name, url })
/** Opens the page as a browser does, and answers where it sends the browser back to. */
async function agree(name: string, own?: object): Promise<string> {
  const begun = await running.ask<{ url: string }>('POST', `/api/servers/${name}/login`, own)
  expect(begun.status, begun.text).toBe(200)
  const page = await fetch(begun.json.url, { redirect: 'manual' })
  return page.headers.get('location') ?? ''
}

describe('a server that wants a login', () => {
  test('says so, is logged in at by a person in a browser, and is met then', async () => {
    const added = await add('tickets', guarded.url)
    expect(added.status, added.text).toBe(201)
    expect(added.json).toMatchObject({
      state: 'failed',
      login: 'needed',
      inner: true,
      problem: expect.stringContaining('it wants a login: `banyan mcp login tickets`'),
    })
    const back = await agree('tickets')
    expect(back.startsWith(`${running.url}/oauth/callback?code=`)).toBe(true)
    const page = await fetch(back)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('logged in at the MCP server tickets')])
    expect(await server('tickets')).toMatchObject({ state: 'running', login: 'done', problem: null, tools: { offered: 1, pending: 1 } })
  })

  test('keeps its tokens among the secrets, without a value that anybody is shown', async () => {
    const { items } = (await running.ask<{ items: { name: string; grants: string[] }[] }>('GET', '/api/secrets')).json
    expect(items.map((item) => item.name)).toEqual(['MCP_TICKETS_ACCESS_TOKEN', 'MCP_TICKETS_REFRESH_TOKEN'])
    expect(items.flatMap((item) => item.grants)).toEqual([])
    expect((await running.ask('GET', '/api/servers/tickets')).text).not.toMatch(/access-|refresh-/)
  })

  test('takes the browser back once', async () => {
    const back = await agree('tickets')
    expect((await fetch(back)).status).toBe(200)
    const again = await fetch(back)
    expect([again.status, await again.text()]).toEqual([400, expect.stringContaining('was finished already')])
  })

  test('renews a token that ended once, however many ask at the same moment, also after a restart of Banyan', async () => {
    await running.restart()
    guarded.expire()
    const before = guarded.asked.length
    const met = await Promise.all([restart('tickets'), restart('tickets'), restart('tickets')])
    expect(met.map((one) => one.problem)).toEqual([null, null, null])
    expect(guarded.asked.slice(before)).toEqual(['refresh_token'])
    expect(guarded.clients.size).toBe(1)
  })

  test('asks for a person again when its tokens were taken back', async () => {
    guarded.revoke()
    expect(await restart('tickets')).toMatchObject({
      state: 'failed',
      login: 'needed',
      problem: expect.stringContaining('`banyan mcp login tickets` begins one'),
    })
    expect((await fetch(await agree('tickets'))).status).toBe(200)
    expect(await server('tickets')).toMatchObject({ state: 'running', login: 'done' })
  })

  test('has its tools after a restart of Banyan, and is started by the first call', async () => {
    const { toolList } = await server('tickets')
    await running.ask('POST', '/api/servers/tickets/approve', { tools: { [toolList[0]!.id]: toolList[0]!.sha } })
    await running.restart()
    expect(await server('tickets')).toMatchObject({ state: 'stopped', tools: { approved: 1 } })
    const tried = await running.ask<{ treeId: string }>('POST', '/api/tools/mcp__tickets__who/try', { input: {} })
    expect(tried.status, tried.text).toBeLessThan(300)
    const { result } = await running.over(tried.json.treeId)
    expect(result).toMatch(/came in with Bearer/)
    expect(result).not.toMatch(/access-/)
    expect(await server('tickets')).toMatchObject({ state: 'running' })
  })

  test('leaves nothing behind when it is removed', async () => {
    expect((await running.ask('DELETE', '/api/servers/tickets')).status).toBe(204)
    expect((await running.ask<{ items: unknown[] }>('GET', '/api/secrets')).json.items).toEqual([])
  })
})

test('a server that wants a login that may do more says so, and the next login asks for that beside what it had', async () => {
  const more = await serveGuarded({ wantsMore: 'tools:all' })
  try {
    await add('more', more.url)
    await fetch(await agree('more'))
    expect(await server('more')).toMatchObject({
      login: 'needed',
      problem: expect.stringContaining('it wants a login that may do more (tools:all): `banyan mcp login more` begins one'),
    })
    await fetch(await agree('more'))
    expect(await server('more')).toMatchObject({ state: 'running', login: 'done', problem: null })
    expect(more.scopes()).toEqual(['tools', 'tools tools:all'])
  } finally {
    await more.stop()
  }
})

test('a login page that registers nobody takes the client that a person was given, with a secret that is kept', async () => {
  const redirect = `${running.url}/oauth/callback`
  const known = await serveGuarded({ own: { id: 'banyan-of-this-test', secret: 'a-secret-of-this-test', redirect } })
  try {
    await add('known', known.url)
    const without = await running.ask('POST', '/api/servers/known/login')
    expect([without.status, without.text]).toEqual([503, expect.stringContaining('--client-id')])
    await running.ask('PUT', '/api/secrets/KNOWN_SECRET', { value: 'a-secret-of-this-test' })
    await fetch(await agree('known', { clientId: 'banyan-of-this-test', clientSecret: 'secret:KNOWN_SECRET' }))
    expect(await server('known')).toMatchObject({ state: 'running', login: 'done', problem: null })
    await fetch(await agree('known'))
    expect(await server('known')).toMatchObject({ state: 'running', login: 'done', problem: null })
    expect((await running.ask('GET', '/api/servers/known')).text).not.toContain('a-secret-of-this-test')
  } finally {
    await known.stop()
  }
})

test('a page that sends the browser back in the name of somebody else logs nobody in', async () => {
  const strange = await serveGuarded({ strangeIssuer: true })
  try {
    await add('strange', strange.url)
    const back = await fetch(await agree('strange'))
    expect([back.status, await back.text()]).toEqual([400, expect.stringContaining('did not work')])
    expect(strange.asked).toEqual([])
    expect(await server('strange')).toMatchObject({ login: 'needed' })
  } finally {
    await strange.stop()
  }
})

test('a server whose login leads to another address of this machine does not get it asked', async () => {
  let hits = 0
  const inner = createServer((_, response) => {
    hits++
    response.writeHead(404).end()
  })
  inner.listen(0, '127.0.0.2')
  await once(inner, 'listening')
  const elsewhere = `http://127.0.0.2:${(inner.address() as AddressInfo).port}/latest/meta-data`
  const misleading = createServer((_, response) => {
    response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${elsewhere}"` }).end()
  })
  misleading.listen(0, '127.0.0.1')
  await once(misleading, 'listening')
  try {
    await add('misleading', `http://127.0.0.1:${(misleading.address() as AddressInfo).port}/mcp`)
    const begun = await running.ask('POST', '/api/servers/misleading/login')
    expect([begun.status, begun.text]).toEqual([503, expect.stringContaining('The login at the MCP server misleading did not work')])
    expect(hits).toBe(0)
  } finally {
    misleading.close()
    inner.close()
  }
})

test('who Banyan is can be read by pages that ask for it by its address', async () => {
  const answer = await fetch(`${running.url}/oauth/client.json`)
  expect(await answer.json()).toMatchObject({
    client_id: `${running.url}/oauth/client.json`,
    client_name: 'Banyan',
    redirect_uris: [`${running.url}/oauth/callback`],
  })
})
