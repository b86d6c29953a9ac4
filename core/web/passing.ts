/** The two ways in which bytes of a command pass the proxy: a tunnel, and one plain HTTP request. Whether they may is decided before. */
import { type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { connect, type LookupFunction, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { Fault } from '../contract/fault.ts'
import type { Address, Site } from './address.ts'
import { faultOf } from './exchange.ts'

/** Where to, by addresses that were judged, and who is told of what passes. */
export type Place = {
  site: Site
  addresses: readonly Address[]
  /** Differs from the site's only where a test plays the internet. */
  port: number
  limits: { dialMs: number; idleMs: number; headerBytes: number }
  failed(error: Fault): void
  /** False: it was too much, and the connection must be broken off. */
  count(way: 'up' | 'down', bytes: number): boolean
}

/** A name is not looked up again: this gives the addresses that were judged. Node asks for either form. */
const fixed =
  (addresses: readonly Address[]): LookupFunction =>
  (_host, { all }, done) => {
    if (all) done(null, [...addresses])
    else done(null, addresses[0]!.address, addresses[0]!.family)
  }

/** Connects and joins the two; a Fault when nobody answers, and then nothing was written to the client. */
export async function tunnel(place: Place, client: Socket, head: Buffer): Promise<void> {
  const server = await dial(place)
  if (client.destroyed) return void server.destroy()
  const apart = () => {
    client.destroy()
    server.destroy()
  }
  // Silence is counted here, on both sides together.
  client.setTimeout(0)
  server.setTimeout(place.limits.idleMs, apart)
  const guarded = (way: 'up' | 'down') => (chunk: Buffer) => {
    if (!place.count(way, chunk.length)) apart()
  }
  client.write('HTTP/1.1 200 Connection established\r\n\r\n')
  // Before anybody listens: bytes put back into a flowing stream go to whoever is there already.
  if (head.length > 0) client.unshift(head)
  client.on('data', guarded('up'))
  server.on('data', guarded('down'))
  const ended = (error?: Error | null) => {
    if (error) apart()
  }
  pipeline(client, server, ended)
  pipeline(server, client, ended)
}

function dial({ site, addresses, port, limits, failed }: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const server = connect({ host: site.host, port, lookup: fixed(addresses), allowHalfOpen: true })
    const late = setTimeout(
      () => server.destroy(new Fault('unavailable', `${site.host} does not answer within ${limits.dialMs / 1_000} s.`)),
      limits.dialMs,
    )
    const refused = (error: unknown) => {
      clearTimeout(late)
      const fault = inWords(error, site.host)
      failed(fault)
      reject(fault)
    }
    server.once('error', refused)
    server.once('connect', () => {
      clearTimeout(late)
      // How a tunnel ends, by a reset too, is between its two ends; the pipes see it.
      server.off('error', refused).on('error', () => undefined)
      resolve(server)
    })
  })
}

/** Of one hop only, or about it (RFC 9110, 7.6.1). */
const ONE_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'proxy-authentication-info'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'host', 'http2-settings'],
])
function endToEnd({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()))
  const kept: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    // What frames a body is never dropped because somebody names it in "Connection".
    if (!ONE_HOP.has(name) && (name === 'content-length' || !named.has(name))) kept.push(rawHeaders[i]!, rawHeaders[i + 1]!)
  }
  return kept
}

/**
 * Sends the request on, framed anew: what a body is was read by a strict parser, and is written by this side, so no two readers can differ
 * on where it ends. The host asked is that of the URL, whatever the request's own Host says. A Fault when there is no answer to pass back.
 */
export function passOn(place: Place, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { site, addresses, port, limits } = place
  const coding = request.headers['transfer-encoding']
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    return Promise.reject(new Fault('invalid', `A body with the transfer encoding "${coding.slice(0, 40)}" is not passed on.`))
  const body = coding !== undefined || request.headers['content-length'] !== undefined
  const headers = [
    'Host',
    site.url.host,
    ...endToEnd(request),
    ...(coding === undefined ? [] : ['Transfer-Encoding', 'chunked']),
    'Connection',
    'close',
  ]
  const path = `${site.url.pathname}${site.url.search}`
  return new Promise((resolve, reject) => {
    if (!place.count('up', path.length + headers.join('').length)) return void request.socket.destroy()
    let answered = false
    const outward = requestHttp({
      method: request.method ?? 'GET',
      host: site.host,
      port,
      path,
      headers,
      setHost: false,
      lookup: fixed(addresses),
      agent: false,
      maxHeaderSize: limits.headerBytes * 4,
      insecureHTTPParser: false,
      timeout: limits.idleMs,
    })
    const late = setTimeout(
      () => outward.destroy(new Fault('unavailable', `${site.host} does not answer within ${limits.dialMs / 1_000} s.`)),
      limits.dialMs,
    )
    outward.on('socket', (socket) => socket.once('connect', () => clearTimeout(late)))
    outward.on('timeout', () => outward.destroy(new Fault('unavailable', `${site.host} was silent for ${limits.idleMs / 1_000} s.`)))
    outward.on('error', (error) => {
      clearTimeout(late)
      const fault = inWords(error, site.host)
      if (!answered) place.failed(fault)
      reject(fault)
    })
    outward.on('response', (answer) => {
      answered = true
      const told = endToEnd(answer)
      const apart = () => {
        outward.destroy()
        response.destroy()
      }
      if (!place.count('down', told.join('').length)) return apart()
      answer.on('data', (chunk: Buffer) => {
        if (!place.count('down', chunk.length)) apart()
      })
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', told)
      pipeline(answer, response, () => resolve()) // cut off on one side is cut off on the other
    })
    response.once('close', () => {
      if (!response.writableFinished) outward.destroy()
    })
    if (!body) return void outward.end()
    request.on('data', (chunk: Buffer) => {
      if (!place.count('up', chunk.length)) {
        outward.destroy()
        request.socket.destroy()
      }
    })
    request.once('error', () => outward.destroy())
    request.pipe(outward)
  })
}

function inWords(error: unknown, host: string): Fault {
  const said = faultOf(error, host)
  return said instanceof Fault ? said : new Fault('unavailable', `${host} cannot be reached.`, { cause: error })
}
