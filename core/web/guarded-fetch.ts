/**
 * `fetch` for programs of ours that speak with a server somebody named: it goes to public addresses, and inside only to hosts that a person
 * said are theirs. The address that was checked is the one dialled. No redirect is followed, no cookie kept, and an answer has an end in bytes;
 * a stream of events may go on for ever, but not one event of it.
 */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import { Fault } from '../contract/fault.ts'
import { type Address, checkedAddresses } from './address.ts'
import { faultOf } from './exchange.ts'
import { type Resolve, type Route, resolved, systemResolve } from './resolve.ts'

export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>
export type GuardedParts = {
  /** Names and addresses that may be inside, without ports. */
  inner: readonly string[]
  /** Bytes of an answer, or of one event. */
  most: number
  /** Until the headers of an answer. */
  headerMs: number
  resolve?: Resolve
  route?: Route
  /** Told when an answer was broken off because of its size. */
  broken?(why: string): void
}

const MOST_HEADER_BYTES = 32_768

export function guardedFetch(parts: GuardedParts): GuardedFetch {
  const inner = new Set(parts.inner.map((host) => bare(host)))

  async function addressesOf(host: string): Promise<Address[]> {
    const family = isIP(host)
    const found = family !== 0 ? [{ address: host, family }] : await resolved(parts.resolve ?? systemResolve, host)
    if (inner.has(host)) return found.map(({ address }) => ({ address, family: isIP(address) as 4 | 6 }))
    return checkedAddresses(host, found)
  }

  return async (input, init = {}) => {
    const url = new URL(input)
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new Fault('forbidden', `Only http and https are spoken, not ${url.protocol.slice(0, 20)}`)
    if (url.username !== '' || url.password !== '') throw new Fault('forbidden', 'The address holds a login before "@" and is not asked.')
    const host = bare(url.hostname)
    const body = await bodyOf(init.body)
    const signal = init.signal ?? undefined
    signal?.throwIfAborted()
    const at = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
    const way = (await addressesOf(host)).map((address) => parts.route?.(address, at) ?? { address, port: at })
    const headers = new Headers(init.headers)
    if (body !== undefined) headers.set('content-length', String(body.length))
    headers.set('accept-encoding', 'identity')
    return new Promise<Response>((resolve, reject) => {
      const request = (url.protocol === 'https:' ? requestHttps : requestHttp)({
        method: init.method ?? 'GET',
        host: isIP(host) ? way[0]!.address.address : host,
        port: way[0]!.port,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, ...Object.fromEntries(headers) },
        lookup: (_host, { all }, done) => {
          if (all)
            done(
              null,
              way.map(({ address }) => address),
            )
          else done(null, way[0]!.address.address, way[0]!.address.family)
        },
        agent: false,
        maxHeaderSize: MOST_HEADER_BYTES,
        insecureHTTPParser: false,
        ...(signal ? { signal } : {}),
      })
      const late = setTimeout(
        () => request.destroy(new Fault('unavailable', `${url.host} sent no answer within ${parts.headerMs / 1_000} seconds.`)),
        parts.headerMs,
      )
      request.on('error', (error) => {
        clearTimeout(late)
        reject(faultOf(error, url.host))
      })
      request.on('response', (response) => {
        clearTimeout(late)
        const status = response.statusCode ?? 502
        const told = new Headers()
        for (let i = 0; i < response.rawHeaders.length; i += 2) told.append(response.rawHeaders[i]!, response.rawHeaders[i + 1]!)
        const events = told.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false
        let size = 0
        const counted = (chunk: Buffer): boolean => {
          // An event ends with an empty line; bytes after the last one belong to the next.
          const end = events ? Math.max(chunk.lastIndexOf('\n\n'), chunk.lastIndexOf('\n\r\n')) : -1
          size = end < 0 ? size + chunk.length : chunk.length - end
          return size <= parts.most
        }
        const stream = response.on('error', () => undefined) // whoever reads the body is told
        const bounded = Readable.from(
          (async function* () {
            for await (const chunk of stream as AsyncIterable<Buffer>) {
              if (!counted(chunk)) {
                const why = `it sent ${events ? 'an event' : 'an answer'} of more than ${parts.most / 2 ** 20} MiB`
                parts.broken?.(why)
                throw new Fault('too_large', `${url.host}: ${why}.`)
              }
              yield chunk
            }
          })(),
          { objectMode: false },
        )
        bounded.once('close', () => response.destroy())
        const empty = [101, 204, 205, 304].includes(status)
        if (empty) response.resume()
        // Response takes none below 200; nothing of ours asks for such.
        const answer = new Response(empty ? null : (Readable.toWeb(bounded) as ReadableStream<Uint8Array>), {
          status: status < 200 ? 502 : status,
          headers: told,
        })
        Object.defineProperty(answer, 'url', { value: url.href })
        resolve(answer)
      })
      request.end(body)
    })
  }
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')

async function bodyOf(body: RequestInit['body']): Promise<Buffer | undefined> {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(await new Response(body).arrayBuffer())
}
