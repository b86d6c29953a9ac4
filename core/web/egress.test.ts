/** Attacks on the proxy, as raw bytes on its socket; real programs within real walls are in egress-walls.test.ts. */
import { once } from 'node:events'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AllowedHost, readHosts } from '../contract/network.ts'
import type { Door } from '../exec/egress.ts'
import { openEgress } from './egress.ts'
import { type Hosts, openHosts, PUBLIC } from './fixture/hosts.ts'

const ALLOWED = ['allowed.example', '*.below.example', 'ported.example:8443']
const allow = (...hosts: string[]) => readHosts(hosts) as AllowedHost[]
const basic = (token: string, user = 'task') => `Proxy-Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}\r\n`
const dialling = async (door: Door): Promise<Socket> => {
  const socket = connect(door.socket)
  await once(socket, 'connect')
  return socket
}
/** However it comes about: a reset is an end. */
const closed = (socket: Socket) => new Promise<void>((done) => void socket.once('close', () => done()))
/** Everything that comes back until the other side hangs up; of a tunnel that was granted, its first line. */
async function said(door: Door, bytes: string): Promise<string> {
  const socket = await dialling(door)
  const chunks: string[] = []
  socket.on('error', () => undefined) // a reset is an end
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk.toString())
    if (/^HTTP\/1\.1 200 Connection established/.test(chunks.join(''))) socket.destroy()
  })
  socket.write(Buffer.from(bytes, 'utf8'))
  await closed(socket)
  return chunks.join('')
}
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

let hosts: Hosts
let door: Door
let other: Door
const start = async (parts: Parameters<typeof openHosts>[0] = {}) => {
  hosts = await openHosts(parts)
  door = await hosts.egress.open(allow(...ALLOWED))
  other = await hosts.egress.open(allow('evil.example'))
}
afterEach(() => hosts.end())

const CONNECT = (target: string, auth: string) =>
  `CONNECT ${target} HTTP/1.1\r\nHost: ${target.replace(/[^\x21-\x7e]/g, '?')}\r\n${auth}\r\n`
const GET = (url: string, auth: string, more = '') =>
  `GET ${url} HTTP/1.1\r\nHost: allowed.example\r\nConnection: close\r\n${auth}${more}\r\n`

describe('who asks', () => {
  beforeEach(() => start())
  test.each<[string, () => string]>([
    ['nobody', () => ''],
    ['the token of another command', () => basic(other.token)],
    ['a token with one letter less', () => basic(door.token.slice(1))],
    ['the right token under another name', () => basic(door.token, 'admin')],
    ['an empty token', () => basic('')],
    ['the token as a bearer', () => `Proxy-Authorization: Bearer ${door.token}\r\n`],
    ['the token as a login of the host', () => `Authorization: Basic ${Buffer.from(`task:${door.token}`).toString('base64')}\r\n`],
    ['a wrong token with the right one after it', () => basic(other.token) + basic(door.token)],
    ['something that is no base64', () => 'Proxy-Authorization: Basic %%%%\r\n'],
  ])('with %s is not let through, by tunnel or by plain HTTP', async (_name, auth) => {
    expect(statuses(await said(door, CONNECT('allowed.example:443', auth())))).toEqual([407])
    expect(statuses(await said(door, GET('http://allowed.example/', auth())))).toEqual([407])
    expect([hosts.dialled, hosts.asked]).toEqual([[], []])
  })

  test('of a command that has ended finds no socket, and what it had open is broken off', async () => {
    const tunnel = await dialling(door)
    tunnel.write(CONNECT('allowed.example:80', basic(door.token)))
    await once(tunnel, 'data')
    const over = closed(tunnel)
    await door.close()
    await over
    expect(existsSync(door.socket)).toBe(false)
    await expect(dialling(door)).rejects.toThrow(/ENOENT|ECONNREFUSED/)
    // Its token is worth nothing at the socket of another one either.
    expect(statuses(await said(other, CONNECT('evil.example:443', basic(door.token))))).toEqual([407])
  })

  test('finds the sockets in a folder that only the runtime may enter', () => {
    expect(statSync(join(door.socket, '..')).mode & 0o777).toBe(0o700)
    expect(door.socket).not.toBe(other.socket)
    expect(door.token).not.toBe(other.token)
  })
})

describe('where to', () => {
  beforeEach(() => start())
  test.each([
    ['the host itself', 'allowed.example:443', 'allowed.example'],
    ['another spelling of it', 'ALLOWED.Example:443', 'allowed.example'],
    ['its name with a dot at the end', 'allowed.example.:443', 'allowed.example'],
    ['a name below an allowed one', 'a.b.below.example:443', 'a.b.below.example'],
    ['the port that was named', 'ported.example:8443', 'ported.example'],
  ])('%s is reached', async (_name, target, host) => {
    expect(statuses(await said(door, CONNECT(target, basic(door.token))))).toEqual([200])
    expect(door.use().connections).toMatchObject([{ host, verdict: 'ok', why: null }])
    expect(hosts.dialled).toEqual([`${PUBLIC}:${target.split(':')[1]}`])
  })

  test.each([
    ['another host', 'evil.example:443'],
    ['a name that ends in an allowed one', 'evilallowed.example:443'],
    ['a name that begins with an allowed one', 'allowed.example.evil.example:443'],
    ['a name below a host that was allowed alone', 'www.allowed.example:443'],
    ['the name above those that were allowed', 'below.example:443'],
    ['a look-alike as punycode', 'xn--llowed-4nf.example:443'],
    ['a look-alike in Cyrillic', 'аllowed.example:443'],
    ['wide letters', 'ａllowed.example:443'],
    ['a host before the real one', 'allowed.example@evil.example:443'],
    ['a login and a host', 'task:x@evil.example:443'],
    ['percent codes', '%61llowed.example:443'],
    ['a path behind the port', 'allowed.example:443/../evil.example'],
    ['two ports', 'allowed.example:443:22'],
    ['a port of shells', 'allowed.example:22'],
    ['a port of mail', 'allowed.example:25'],
    ['a port of a database', 'allowed.example:5432'],
    ['a web port that was not named', 'allowed.example:8443'],
    ['a usual port where another was named', 'ported.example:443'],
    ['port 0', 'allowed.example:0'],
    ['a port beyond all ports', 'allowed.example:65979'],
    ['no port', 'allowed.example'],
    ['an empty port', 'allowed.example:'],
    ['an empty host', ':443'],
    ['only a dot', '.:443'],
    ['two dots at the end', 'allowed.example..:443'],
    ['a public address in numbers', '93.184.216.34:443'],
    ['this machine', '127.0.0.1:443'],
    ['this machine, short', '127.1:443'],
    ['this machine, decimal', '2130706433:443'],
    ['this machine, hexadecimal', '0x7f000001:443'],
    ['this machine, octal', '0177.0.0.1:443'],
    ['this machine, IPv6', '[::1]:443'],
    ['this machine, mapped', '[::ffff:127.0.0.1]:443'],
    ['this machine, mapped in hexadecimal', '[::ffff:7f00:1]:443'],
    ['this machine by name', 'localhost:443'],
    ['the metadata of a cloud', '169.254.169.254:80'],
    ['the metadata of a cloud by name', 'metadata.google.internal:80'],
    ['a private network', '10.0.0.1:443'],
    ['a private network, IPv6', '[fd00::1]:443'],
    ['a scheme', 'https://allowed.example:443'],
  ])('%s is refused: CONNECT %s', async (_name, target) => {
    const answer = await said(door, CONNECT(target, basic(door.token)))
    expect([400, 403]).toContain(statuses(answer)[0])
    expect(answer).toMatch(/\r\n\r\n/)
    expect(hosts.dialled).toEqual([])
    expect(door.use().connections.every((one) => one.verdict === 'refused')).toBe(true)
  })

  test.each([
    ['a host before the real one', 'http://allowed.example@evil.example/'],
    ['a backslash', 'http://evil.example\\@allowed.example/'],
    ['a fragment', 'http://evil.example#@allowed.example/'],
    ['a query', 'http://evil.example?@allowed.example/'],
    ['percent codes', 'http://%65vil.example/'],
    ['a look-alike in Cyrillic', 'http://аllowed.example/'],
    ['a port of mail', 'http://allowed.example:25/'],
    ['this machine, short', 'http://127.1/'],
    ['this machine, mapped', 'http://[::ffff:127.0.0.1]/'],
    ['https without a tunnel', 'https://allowed.example/'],
    ['another scheme', 'ftp://allowed.example/'],
    ['a page of the proxy itself', '/'],
    ['a host that only the Host header names', '//allowed.example/'],
    ['everything', '*'],
  ])('%s is refused: GET %s', async (_name, url) => {
    const answer = await said(door, GET(url, basic(door.token)))
    expect([400, 403]).toContain(statuses(answer)[0])
    expect([hosts.dialled, hosts.asked]).toEqual([[], []])
  })

  test('a refusal says which hosts there are and what to do', async () => {
    const answer = await said(door, CONNECT('evil.example:443', basic(door.token)))
    expect(answer).toContain(
      'evil.example:443 is not among the hosts of this command (*.below.example, allowed.example, ported.example:8443); if it is needed, run the command again with it in "network".',
    )
    expect(door.use()).toMatchObject({ total: 1, connections: [{ host: 'evil.example', port: 443, verdict: 'refused' }] })
  })
})

describe('where a name leads', () => {
  const inside = { address: '127.0.0.1', family: 4 }
  const outside = { address: PUBLIC, family: 4 }
  test.each([
    ['this machine', [inside]],
    ['a public address and this machine', [outside, inside]],
    ['a private network', [{ address: '192.168.1.1', family: 4 }]],
    ['the metadata of a cloud', [{ address: '169.254.169.254', family: 4 }]],
    ['this machine, mapped', [{ address: '::ffff:127.0.0.1', family: 6 }]],
    ['nowhere', []],
  ])('%s: not dialled', async (_name, found) => {
    await start({ resolve: async () => found })
    for (const bytes of [CONNECT('allowed.example:443', basic(door.token)), GET('http://allowed.example/', basic(door.token))])
      expect([403, 502]).toContain(statuses(await said(door, bytes))[0])
    expect(hosts.dialled).toEqual([])
  })

  test('is asked once for each connection, and a later answer changes nothing', async () => {
    const answers = [[outside], [inside], [outside], [inside]]
    let asks = 0
    await start({ resolve: async () => answers[asks++]! })
    expect(statuses(await said(door, GET('http://allowed.example/', basic(door.token))))).toEqual([200])
    expect(statuses(await said(door, CONNECT('allowed.example:443', basic(door.token))))).toEqual([403])
    expect(statuses(await said(door, CONNECT('allowed.example:443', basic(door.token))))).toEqual([200])
    expect([asks, hosts.dialled]).toEqual([3, [`${PUBLIC}:80`, `${PUBLIC}:443`]])
  })

  test('a name server that never answers is not waited for', async () => {
    await start({ resolve: () => new Promise(() => undefined), limits: { dialMs: 50 } })
    expect(await said(door, CONNECT('allowed.example:443', basic(door.token)))).toMatch(/502[\s\S]*was not told within 0.05 s/)
  })
})

describe('what is said in plain HTTP', () => {
  beforeEach(() => start())
  const post = (lines: string, body: string) => `POST http://allowed.example/in HTTP/1.1\r\n${basic(door.token)}${lines}\r\n${body}`
  const smuggled = 'GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n'

  test.each<[string, () => string]>([
    ['both lengths', () => post('Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['both, the other way round', () => post('Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${smuggled}`)],
    ['two lengths', () => post('Host: a\r\nContent-Length: 5\r\nContent-Length: 50\r\n', `12345${smuggled}`)],
    ['a length with a sign', () => post('Host: a\r\nContent-Length: +5\r\n', `12345${smuggled}`)],
    ['a length in hexadecimal', () => post('Host: a\r\nContent-Length: 0x5\r\n', `12345${smuggled}`)],
    ['a negative length', () => post('Host: a\r\nContent-Length: -5\r\n', smuggled)],
    ['an unknown transfer encoding', () => post('Host: a\r\nTransfer-Encoding: xchunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['chunked twice', () => post('Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`)],
    ['a compressed and chunked body', () => post('Host: a\r\nTransfer-Encoding: gzip, chunked\r\n', `0\r\n\r\n`)],
    ['a space before the colon', () => post('Host: a\r\nContent-Length : 5\r\n', `12345${smuggled}`)],
    ['a folded line', () => post('Host: a\r\nX: 1\r\n Content-Length: 5\r\nContent-Length: 0\r\n', smuggled)],
    ['bare line feeds', () => post('Host: a\nContent-Length: 5\n', `12345${smuggled}`)],
    ['a NUL in a header', () => post('Host: a\r\nX: a\0b\r\n', '')],
    ['a broken chunk', () => post('Host: a\r\nTransfer-Encoding: chunked\r\n', `5\r\n123456\r\n0\r\n\r\n${smuggled}`)],
    ['another version of HTTP', () => `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`],
  ])('%s smuggles nothing', async (_name, bytes) => {
    const answer = await said(door, bytes())
    expect(statuses(answer).every((status) => status >= 400)).toBe(true)
    expect(hosts.asked.filter((one) => one.includes('evil') || one.includes('12345GET'))).toEqual([])
    expect(hosts.dialled.length).toBeLessThanOrEqual(1)
  })

  test('a second request on the same connection is judged by itself', async () => {
    const answer = await said(
      door,
      `GET http://allowed.example/one HTTP/1.1\r\nHost: a\r\n${basic(door.token)}\r\n${GET('http://evil.example/two', basic(door.token))}`,
    )
    expect(statuses(answer)).toEqual([200, 403])
    const unsigned = await said(
      door,
      `GET http://allowed.example/one HTTP/1.1\r\nHost: a\r\n${basic(door.token)}\r\n${GET('http://allowed.example/two', '')}`,
    )
    expect(statuses(unsigned)).toEqual([200, 407])
    expect(hosts.asked).toEqual(['GET allowed.example/one', 'GET allowed.example/one'])
  })

  test('goes to the host of the URL, whatever its Host says, and without what was for the proxy alone', async () => {
    const more = 'Proxy-Connection: keep-alive\r\nTE: trailers\r\nUpgrade: websocket\r\nX-Named: 1\r\nX-Kept: 2\r\n'
    const bytes = `GET http://allowed.example/x?y=1 HTTP/1.1\r\nHost: evil.example\r\n${basic(door.token)}${more}Connection: close, X-Named\r\n\r\n`
    expect(statuses(await said(door, bytes))).toEqual([200])
    expect(hosts.asked).toEqual(['GET allowed.example/x?y=1'])
    expect(hosts.headers).toEqual([{ host: 'allowed.example', 'x-kept': '2', connection: 'close' }])
  })

  test('a body is framed anew: with a length, in chunks, of any method, whatever Connection names', async () => {
    const body = (method: string, lines: string, bytes: string) =>
      `${method} http://allowed.example/b HTTP/1.1\r\nHost: a\r\nConnection: close, content-length\r\n${basic(door.token)}${lines}\r\n${bytes}`
    await said(door, body('POST', 'Content-Length: 4\r\n', 'four'))
    await said(door, body('DELETE', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'))
    expect(hosts.asked).toEqual(['POST allowed.example/b four', 'DELETE allowed.example/b abcde'])
    expect(hosts.headers.map((one) => [one['content-length'], one['transfer-encoding']])).toEqual([
      ['4', undefined],
      [undefined, 'chunked'],
    ])
  })
})

describe('how much', () => {
  test('headers beyond their size are refused', async () => {
    await start({ limits: { headerBytes: 4_096 } })
    const flood = Array.from({ length: 500 }, (_, i) => `X-${i}: ${'a'.repeat(50)}\r\n`).join('')
    expect(statuses(await said(door, GET('http://allowed.example/', basic(door.token), flood)))).toEqual([431])
    expect(hosts.dialled).toEqual([])
  })

  test.each([
    ['nothing', ''],
    ['a line without an end', 'GET http://allowed.example/'],
    ['headers without an end', 'GET http://allowed.example/ HTTP/1.1\r\nHost: a\r\nX: '],
  ])('a client that says %s is hung up on', async (_name, bytes) => {
    await start({ limits: { headerMs: 200, idleMs: 400 } })
    const socket = await dialling(door)
    const answer = text(socket).catch(() => '') // a reset is an end
    socket.write(bytes)
    expect(statuses(await answer).every((status) => status === 408)).toBe(true)
    expect(hosts.dialled).toEqual([])
  })

  test('a tunnel without a byte is closed', async () => {
    await start({ limits: { idleMs: 200 } })
    const socket = await dialling(door)
    socket.write(CONNECT('allowed.example:80', basic(door.token)))
    await once(socket, 'data')
    await closed(socket)
  })

  test('more connections at a time than allowed are dropped, and it is told', async () => {
    await start({ limits: { open: 3 } })
    const held = await Promise.all([1, 2, 3].map(() => dialling(door)))
    const fourth = await dialling(door)
    fourth.on('error', () => undefined) // a reset is an end
    fourth.resume()
    await closed(fourth)
    expect(door.use().connections).toMatchObject([{ verdict: 'cut', why: 'more than 3 connections at the same time' }])
    for (const socket of held) socket.destroy()
    await vi.waitFor(async () => expect(statuses(await said(door, GET('http://allowed.example/', basic(door.token))))).toEqual([200]))
  })

  test('more connections in all than allowed are refused', async () => {
    await start({ limits: { connections: 2 } })
    const answers = []
    for (let i = 0; i < 3; i++) answers.push(statuses(await said(door, GET('http://allowed.example/', basic(door.token))))[0])
    expect(answers).toEqual([200, 200, 429])
    expect(hosts.asked).toHaveLength(2)
  })

  test('any number of refusals takes the room of two hundred', async () => {
    await start()
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 25 }, (_, i) => said(door, CONNECT(`e${round}-${i}.example:443`, basic(door.token)))))
    expect(door.use()).toMatchObject({ total: 250, up: 0, down: 0 })
    expect(door.use().connections).toHaveLength(200)
  })

  test.each(['tunnel', 'plain'] as const)('bytes to a host are counted, and cut at the limit (%s)', async (how) => {
    await start({ limits: { upBytes: 20_000 } })
    const sent = 'x'.repeat(100_000)
    const body = `POST http://allowed.example/ HTTP/1.1\r\nHost: allowed.example\r\n${basic(door.token)}Content-Length: ${sent.length}\r\n\r\n${sent}`
    if (how === 'plain') await said(door, body)
    else {
      const socket = await dialling(door)
      socket.on('error', () => undefined) // a reset is an end
      socket.write(CONNECT('allowed.example:80', basic(door.token)))
      await once(socket, 'data')
      socket.resume().write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${sent.length}\r\n\r\n${sent}`)
      await closed(socket)
    }
    expect(hosts.asked).toEqual([])
    expect(door.use().connections).toMatchObject([{ verdict: 'cut', why: 'more than 20000 bytes up for one command' }])
  })

  test.each(['tunnel', 'plain'] as const)('bytes from a host are counted over all connections, and cut at the limit (%s)', async (how) => {
    await start({ limits: { downBytes: 30_000 }, answer: (_request, response) => void response.end('y'.repeat(20_000)) })
    const once20k = async () => {
      if (how === 'plain') return said(door, GET('http://allowed.example/', basic(door.token)))
      const socket = await dialling(door)
      socket.on('error', () => undefined) // a reset is an end
      socket.write(`${CONNECT('allowed.example:80', basic(door.token))}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
      return text(socket).catch(() => 'reset')
    }
    expect((await once20k()).match(/y/g)).toHaveLength(20_000)
    await once20k()
    expect(door.use().connections.map((one) => one.verdict)).toEqual(['ok', 'cut'])
    expect(door.use().down).toBeGreaterThan(30_000)
  })
})

describe('the proxy itself', () => {
  test('passes bytes of a tunnel on in both directions, also those sent along with CONNECT', async () => {
    await start()
    const socket = await dialling(door)
    socket.write(
      `${CONNECT('allowed.example:80', basic(door.token))}GET /tunnel HTTP/1.1\r\nHost: allowed.example\r\nConnection: close\r\n\r\n`,
    )
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 Connection established\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*hello from allowed\.example/)
    const [one] = door.use().connections
    expect(one).toMatchObject({ host: 'allowed.example', port: 80, verdict: 'ok' })
    expect([one!.up > 50, one!.down > 100]).toEqual([true, true])
  })

  test('tells a tunnel that its host ended by a reset as what it was: reached', async () => {
    await start({ answer: (request) => request.socket.resetAndDestroy() })
    const socket = await dialling(door)
    socket.on('error', () => undefined) // a reset is an end
    socket.resume().write(`${CONNECT('allowed.example:80', basic(door.token))}GET / HTTP/1.1\r\nHost: a\r\n\r\n`)
    await closed(socket)
    expect(door.use().connections).toMatchObject([{ verdict: 'ok', why: null }])
  })

  test('says so when nobody answers at an allowed host', async () => {
    await start({ resolve: async () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })) })
    for (const bytes of [CONNECT('allowed.example:443', basic(door.token)), GET('http://allowed.example/', basic(door.token))])
      expect(await said(door, bytes)).toMatch(/^HTTP\/1\.1 502[\s\S]*allowed\.example has no address/)
    expect(door.use().connections.map((one) => one.verdict)).toEqual(['failed', 'failed'])
  })

  test('removes the sockets of a runtime that was killed, and its own when it closes', async () => {
    await start()
    const folder = join(door.socket, '..')
    const again = await openEgress({ folder })
    expect(readdirSync(folder)).toEqual([])
    expect(existsSync((await again.open(allow('allowed.example'))).socket)).toBe(true)
    await again.close()
    expect(existsSync(folder)).toBe(false)
  })

  test('works below a folder whose path is longer than the name of a socket may be', async () => {
    await start({ folder: (base) => join(base, 'a'.repeat(120), 'egress') })
    expect(door.socket.length).toBeGreaterThan(120)
    expect(existsSync(door.socket)).toBe(true)
    await door.close()
    expect(existsSync(door.socket)).toBe(false)
  })
})
