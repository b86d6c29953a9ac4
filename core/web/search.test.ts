import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { hitsOf } from './duckduckgo.ts'
import { type Internet, internet, type Site } from './fixture/internet.ts'
import type { WebParts } from './web.ts'

const saved = (name: string) => readFileSync(join(import.meta.dirname, 'fixture', name), 'utf8')
const DDG = 'html.duckduckgo.com'
const never = new AbortController().signal
const who = { taskId: 'task1' }

let net: Internet
let ends: (() => void)[] = []
afterEach(async () => {
  await net.end()
  for (const end of ends) end()
  ends = []
})
const open = async (site: Site, parts: Partial<WebParts> = {}) => {
  net = await internet({ [DDG]: site }, parts)
}
const search = (query = 'growth rings', limit = 10) => net.web.search(query, { limit }, who, never)
const outcomes = async () => (await net.web.searches({ limit: 10 })).map(({ outcome, results }) => [outcome, results])

describe('DuckDuckGo', () => {
  test('gives the results of its page: real addresses, no advertisement, nothing twice', async () => {
    await open((_, response) => void response.end(saved('duckduckgo.html.txt')))
    expect(await search()).toEqual({
      engine: 'duckduckgo',
      cached: false,
      hits: [
        {
          title: 'Dendrochronology - an encyclopedia',
          url: 'https://encyclopedia.example/wiki/Dendrochronology?lang=en&part=1',
          snippet: 'Dendrochronology is the method of dating tree rings (also called growth rings) to the exact year.',
        },
        {
          title: 'How old is this tree? Growth rings explained',
          url: 'https://forest.example/rings',
          snippet: 'Each year adds a light and a dark ring — count the dark ones.',
        },
        { title: 'Wood anatomy (PDF)', url: 'http://papers.example/wood%20anatomy.pdf', snippet: '' },
      ],
    })
    expect(net.asked(true)).toEqual([`${DDG}/html/?q=growth+rings`])
  })

  test('leaves out an advertisement that is not marked as one but leads through its counter', async () => {
    const advertisement = encodeURIComponent('https://duckduckgo.com/y.js?ad_provider=x&ad_domain=shop.example')
    const shop = `<div class="result"><a class="result__a" href="//duckduckgo.com/l/?uddg=${advertisement}">Shop</a></div>`
    await open((_, response) => void response.end(saved('duckduckgo.html.txt').replace('<div id="links"', `${shop}<div id="links"`)))
    expect((await search()).hits).toHaveLength(3)
  })

  test('that found nothing is an empty list, not an error', async () => {
    await open((_, response) => void response.end(saved('duckduckgo-none.html.txt')))
    expect((await search('zxqv')).hits).toEqual([])
  })

  test.each([
    ['a challenge', 202, saved('duckduckgo-challenge.html.txt'), 'limited', 'takes this machine for a robot'],
    ['a challenge that says 200', 200, saved('duckduckgo-challenge.html.txt'), 'limited', 'takes this machine for a robot'],
    ['403', 403, 'Forbidden', 'limited', 'takes this machine for a robot'],
    ['500', 500, 'oops', 'unavailable', 'answers 500'],
    ['a redirect', 302, '', 'unavailable', 'answers 302'],
    ['a page of another kind', 200, '<html><body>Welcome</body></html>', 'unavailable', 'is not the result page that is known here'],
    ['nothing', 200, '', 'unavailable', 'is not the result page that is known here'],
  ])('that answers with %s is told with the mend, and is not asked again from memory', async (_, status, body, code, words) => {
    await open((_request, response) => void response.writeHead(status, status === 302 ? { location: '/' } : {}).end(body))
    for (const _time of [1, 2])
      await expect(search()).rejects.toMatchObject({ code, message: expect.stringMatching(`${words}.*SEARXNG_URL`) })
    expect(await outcomes()).toEqual([
      [code, 0],
      [code, 0],
    ])
    expect(net.asked()).toHaveLength(2)
  })

  test('whose page is broken or endless gives what can be read of it, or is refused', async () => {
    await open((_, response) => void response.end('<div class="result">'.repeat(40_000)))
    const page = saved('duckduckgo.html.txt')
    for (let cut = 0; cut < page.length; cut += 97) expect(hitsOf(page.slice(0, cut)).hits.length).toBeLessThanOrEqual(3)
    await expect(search()).rejects.toThrow('is not the result page that is known here')
  })
})

describe('a SearXNG server of the owner', () => {
  const serve = async (answer: RequestListener) => {
    const server = createServer(answer)
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    ends.push(() => server.close())
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    // It is dialled as it is, without the part that plays the internet.
    net = await internet(
      {},
      { searxngUrl: base, resolve: async (host) => [{ address: host, family: 4 }], route: (address, port) => ({ address, port }) },
    )
  }

  test('may stand on this machine, and is asked for JSON', async () => {
    const asked: string[] = []
    await serve((request, response) => {
      asked.push(request.url!)
      response.setHeader('content-type', 'application/json').end(saved('searxng.json'))
    })
    expect(await search()).toEqual({
      engine: 'searxng',
      cached: false,
      hits: [
        {
          title: 'Dendrochronology - an encyclopedia',
          url: 'https://encyclopedia.example/wiki/Dendrochronology',
          snippet: 'Dendrochronology is the method of dating tree rings to the exact year.',
          published: '2024-03-01',
        },
        { title: 'How old is this tree?', url: 'https://forest.example/rings', snippet: '' },
      ],
    })
    expect(asked).toEqual(['/search?q=growth+rings&format=json'])
  })

  test('opens no way inside for pages', async () => {
    await serve((_, response) => void response.end('secret'))
    const { port } = new URL('http://127.0.0.1:8080')
    await expect(net.web.fetch(`http://127.0.0.1:${port}/`, { who }, never)).rejects.toThrow('not on the public web')
  })

  test.each([
    ['403', 403, {}, 'Forbidden', 'add "json" to search.formats'],
    ['429', 429, {}, 'Too Many', 'its limiter holds this machine back'],
    ['500', 500, {}, 'oops', 'answers 500: look at its log'],
    ['a redirect', 302, { location: 'http://169.254.169.254/' }, '', 'set SEARXNG_URL to the address it really has'],
    ['HTML', 200, {}, '<html></html>', 'is not SearXNG, or does not give JSON'],
    ['other JSON', 200, {}, '{"hits": []}', 'is not SearXNG, or does not give JSON'],
    [
      'engines that are silent',
      200,
      {},
      '{"results": [], "unresponsive_engines": [["google", "timeout"]]}',
      'do not answer (google: timeout)',
    ],
  ])('that answers with %s is told with the mend', async (_, status, headers, body, words) => {
    await serve((_request, response) => void response.writeHead(status, headers).end(body))
    await expect(search()).rejects.toThrow(words)
  })

  test('that does not run is told as such', async () => {
    const server = createServer()
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    const { port } = server.address() as AddressInfo
    await new Promise<void>((done) => server.close(() => done()))
    net = await internet(
      {},
      {
        searxngUrl: `http://127.0.0.1:${port}`,
        resolve: async (host) => [{ address: host, family: 4 }],
        route: (address, at) => ({ address, port: at }),
      },
    )
    await expect(search()).rejects.toThrow(`127.0.0.1:${port} does not accept connections at that port`)
  })
})

test('the same question within a quarter of an hour is answered from memory, and both are in the history', async () => {
  await open((_, response) => void response.end(saved('duckduckgo.html.txt')))
  await search('growth rings')
  net.clock.now += 899_000
  expect(await net.web.search('  growth   rings ', { limit: 1 }, { taskId: 'task2' }, never)).toMatchObject({ cached: true, hits: [{}] })
  net.clock.now += 2_000
  expect((await search()).cached).toBe(false)
  expect(net.asked()).toHaveLength(2)
  expect(await outcomes()).toEqual([
    ['ok', 3],
    ['cached', 3],
    ['ok', 3],
  ])
  expect(await net.web.searches({ taskId: 'task2', limit: 10 })).toMatchObject([
    { engine: 'duckduckgo', query: 'growth rings', taskId: 'task2' },
  ])
})

test('searches keep their distance', async () => {
  const at: number[] = []
  await open(
    (_, response) => {
      at.push(performance.now())
      response.end(saved('duckduckgo.html.txt'))
    },
    { now: Date.now, limits: { searchGapMs: 400 } },
  )
  await Promise.all([search('one'), search('two')])
  expect(at[1]! - at[0]!).toBeGreaterThan(250)
})

test('a question that is empty or a whole text is refused unasked', async () => {
  await open((_, response) => void response.end())
  for (const query of ['', ' \u200b ', 'x'.repeat(401)]) await expect(search(query)).rejects.toThrow('1 to 400 characters')
  expect(net.connections()).toBe(0)
})
