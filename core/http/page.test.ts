import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, serve } from './fixture/serve.ts'

let server: Server
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-page-'))
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true })
  await writeFile(join(folder, 'dist', 'index.html'), '<!doctype html><title>Banyan</title>')
  await writeFile(join(folder, 'dist', 'assets', 'main-4fA9.js'), 'export {}')
  await writeFile(join(folder, 'dist', 'icon.svg'), '<svg/>')
  await writeFile(join(folder, 'secret'), 'not for you')
  server = await serve({ pageFolder: join(folder, 'dist') })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})
const get = (path: string, accept = 'text/html,*/*', method = 'GET') =>
  server.ask(method, path, { headers: { authorization: undefined, accept } })

test('files of the page come with their type and how long they may be kept, to anybody', async () => {
  const script = await get('/assets/main-4fA9.js', '*/*')
  expect([script.status, script.text, script.headers['content-type'], script.headers['cache-control']]).toEqual([
    200,
    'export {}',
    'text/javascript; charset=utf-8',
    'public, max-age=31536000, immutable',
  ])
  const icon = await get('/icon.svg', '*/*')
  expect([icon.status, icon.headers['cache-control']]).toEqual([200, 'no-cache'])
  expect(icon.headers['content-type']).toMatch(/^image\/svg\+xml/)
  const head = await get('/assets/main-4fA9.js', '*/*', 'HEAD')
  expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', '9'])
})

test.each(['/', '/trees/abc?task=abc.2a', '/reviews', '/no/such/view', '/api-docs'])(
  '%s is an address that the page draws',
  async (path) => {
    const page = await get(path)
    expect([page.status, page.text, page.headers['cache-control']]).toEqual([200, '<!doctype html><title>Banyan</title>', 'no-cache'])
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'self'/)
  },
)

test('every page comes with a nonce of its own, the one that its policy lets style sheets use; scripts need to be files', async () => {
  await writeFile(join(folder, 'dist', 'index.html'), '<script src="/a.js" nonce="__NONCE__"></script>')
  const policies = await Promise.all(
    ['/', '/index.html', '/trees/abc'].map(async (path) => {
      const page = await get(path)
      const policy = String(page.headers['content-security-policy'])
      const nonce = /style-src 'self' 'nonce-([^']+)'/.exec(policy)?.[1]
      expect(page.text).toBe(`<script src="/a.js" nonce="${nonce}"></script>`)
      expect(policy).toContain("script-src 'self';")
      expect(policy).not.toContain('unsafe')
      return nonce
    }),
  )
  expect(new Set(policies).size).toBe(3)
  await writeFile(join(folder, 'dist', 'index.html'), '<!doctype html><title>Banyan</title>')
})

test.each(['/api/nope', '/api', '/admin/nope', '/mcp', '/metrics', '/openapi.json'])('%s is never the page', async (path) => {
  expect((await get(path)).status).toBe(401)
})

test('what is not there is not there', async () => {
  for (const path of ['/assets/gone.js', '/assets/', '/assets'])
    expect((await get(path, path === '/assets' ? '*/*' : undefined)).status, path).toBe(404)
  expect((await get('/trees/abc', 'application/json')).status).toBe(404)
})

test.each([
  '/../secret',
  '/%2e%2e/secret',
  '/..%2fsecret',
  '/assets/../../secret',
  '/assets/..%2f..%2fsecret',
  '//secret',
  '/..\\secret',
  '/%00',
])('%s leads to nothing outside the page', async (path) => {
  expect((await get(path)).text).not.toContain('not for you')
  expect((await get(path, '*/*')).text).not.toContain('not for you')
})

test('a page that was not built is said to be that, and appears once it is there', async () => {
  const later = join(folder, 'later')
  const bare = await serve({ pageFolder: later })
  const answer = await bare.ask('GET', '/')
  expect([answer.status, answer.text]).toEqual([503, 'The web page is not built. `npm start` in the checkout builds it.\n'])
  await mkdir(later)
  await writeFile(join(later, 'index.html'), 'here')
  expect((await bare.ask('GET', '/')).text).toBe('here')
  await bare.stop()
})
