/**
 * One HTTP request to an address that was already checked. It is the address itself that is dialled, so a name server that answers
 * differently the second time changes nothing. No redirect is followed, no cookie or login is sent, and everything has an end: the wait
 * for headers, silence, the size after decompression; the time in all is the signal's.
 */
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { type Duplex, PassThrough, pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { Fault } from '../contract/fault.ts'
import type { Address } from './address.ts'

export type Ask = {
  url: URL
  /** Dialled instead of the name in the URL. */
  addresses: readonly Address[]
  /** Differs from the URL's port only where a test plays the internet. */
  port: number
  method?: 'GET' | 'POST'
  headers: Readonly<Record<string, string>>
  body?: string
  headerTimeoutMs: number
  idleTimeoutMs: number
}
export type Answer = {
  status: number
  headers: IncomingMessage['headers']
  /** The body, decompressed; `complete` is false when it was cut at `most` bytes. Call it once, or `drop`. */
  read(most: number): Promise<{ bytes: Buffer; complete: boolean }>
  drop(): void
}

const MOST_HEADER_BYTES = 32_768
/** Compressions around one body; nobody honest needs two. */
const MOST_CODINGS = 2

export function exchange(ask: Ask, signal: AbortSignal): Promise<Answer> {
  const { url, addresses } = ask
  const first = addresses[0]!
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const options: RequestOptions = {
    method: ask.method ?? 'GET',
    host: isIP(name) ? first.address : name,
    port: ask.port,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'accept-encoding': 'gzip, deflate, br, zstd', connection: 'close', ...ask.headers },
    // A name is not looked up again: this gives the addresses that were checked. Node asks for either form.
    lookup: (_host, { all }, done) => {
      if (all) done(null, [...addresses])
      else done(null, first.address, first.family)
    },
    agent: false,
    maxHeaderSize: MOST_HEADER_BYTES,
    insecureHTTPParser: false,
    timeout: ask.idleTimeoutMs,
    signal,
  }
  const who = url.host
  return new Promise<Answer>((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(options)
    const late = setTimeout(
      () => request.destroy(new Fault('unavailable', `${who} sent no answer within ${ask.headerTimeoutMs / 1_000} s.`)),
      ask.headerTimeoutMs,
    )
    request.on('timeout', () => request.destroy(new Fault('unavailable', `${who} was silent for ${ask.idleTimeoutMs / 1_000} s.`)))
    request.on('error', (error) => {
      clearTimeout(late)
      reject(faultOf(error, who))
    })
    request.on('response', (response) => {
      clearTimeout(late)
      response.on('error', () => undefined) // whoever reads the body is told; a dropped one has no reader
      resolve({
        status: response.statusCode!,
        headers: response.headers,
        read: (most) => readBody(response, most, who),
        drop: () => void response.destroy(),
      })
    })
    request.end(ask.body)
  })
}

/** Bytes are counted before and after decompression, and the connection is closed at the first one too many. */
async function readBody(response: IncomingMessage, most: number, who: string): Promise<{ bytes: Buffer; complete: boolean }> {
  const codings = (response.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  try {
    if (codings.length > MOST_CODINGS)
      throw new Fault('unprocessable', `${who} compressed its answer ${codings.length} times over; it is not unpacked.`)
    const steps = codings.reverse().map((coding) => decoderOf(coding, who))
    let arrived = 0
    // Something packed that never unpacks to anything would not be noticed below.
    if (steps.length > 0)
      response.on('data', (chunk: Buffer) => {
        arrived += chunk.length
        if (arrived > most) response.destroy()
      })
    const last: Duplex = steps.at(-1) ?? new PassThrough()
    // With the callback form a failure anywhere ends the last stream, which the loop below reads.
    pipeline([response, ...(steps.length > 0 ? steps : [last])], () => undefined)
    const parts: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of last as AsyncIterable<Buffer>) {
        parts.push(chunk)
        size += chunk.length
        if (size > most) return { bytes: Buffer.concat(parts).subarray(0, most), complete: false }
      }
    } catch (error) {
      if (arrived > most) return { bytes: Buffer.concat(parts).subarray(0, most), complete: false }
      throw error
    }
    return { bytes: Buffer.concat(parts), complete: true }
  } catch (error) {
    throw faultOf(error, who)
  } finally {
    response.destroy()
  }
}

function decoderOf(coding: string, who: string): Duplex {
  if (coding === 'gzip' || coding === 'x-gzip') return createGunzip()
  if (coding === 'deflate') return createInflate()
  if (coding === 'br') return createBrotliDecompress()
  if (coding === 'zstd') return createZstdDecompress()
  throw new Fault('unprocessable', `${who} compressed its answer in a way that is not known here (${coding.slice(0, 40)}).`)
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'does not accept connections at that port',
  ECONNRESET: 'broke the connection off',
  EPIPE: 'broke the connection off',
  ERR_STREAM_PREMATURE_CLOSE: 'broke the connection off',
  ETIMEDOUT: 'does not answer',
  EHOSTUNREACH: 'cannot be reached from this machine',
  ENETUNREACH: 'cannot be reached from this machine',
  EADDRNOTAVAIL: 'cannot be reached from this machine',
  HPE_HEADER_OVERFLOW: `sent more than ${MOST_HEADER_BYTES / 1_024} KiB of headers`,
  Z_DATA_ERROR: 'sent a body that cannot be decompressed',
  Z_BUF_ERROR: 'sent a compressed body that ends too early',
}

/** What went wrong on the line, in words; an error that is none of the line's goes on as it is. */
export function faultOf(error: unknown, who: string): unknown {
  if (error instanceof Fault) return error
  const { code = '', name } = error as NodeJS.ErrnoException
  if (name === 'AbortError' || name === 'TimeoutError') return error // the signal's owner says what it means
  if (error instanceof AggregateError && error.errors.length > 0) return faultOf(error.errors[0], who)
  const words =
    WORDS[code] ??
    (code.startsWith('HPE_') ? 'does not speak HTTP properly' : undefined) ??
    (/^(ERR_)?(Z_|BROTLI|ZSTD|_ERROR_)/i.test(code) ? 'sent a body that cannot be decompressed' : undefined) ??
    (/CERT|SSL|TLS|SIGNATURE|ALTNAME/.test(code) ? `has no certificate that can be trusted (${code})` : undefined)
  return words ? new Fault('unavailable', `${who} ${words}.`, { cause: error }) : error
}
