/**
 * The proxy through which commands within walls reach the hosts that they were allowed. Each command has a socket and a token of its own,
 * for its own hosts and as long as it runs; nothing listens on a port of this machine. Names are resolved here, once, every address is
 * judged as for web pages, and the judged address itself is dialled.
 *
 * `CONNECT` gives a tunnel, `GET http://…` and its like are passed on one by one. What goes through a tunnel is not looked into: the
 * certificate is between the command and the host, and whoever may reach a host may send it anything. Upgrades (WebSocket) work in tunnels only.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmod, type FileHandle, mkdir, open, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { Fault } from '../contract/fault.ts'
import { type AllowedHost, allowsHost, type Connection, MOST_CONNECTIONS_TOLD, type NetworkUse, writeHost } from '../contract/network.ts'
import type { Door, Egress } from '../exec/egress.ts'
import { type Address, checkedAddresses, type Site, siteOf } from './address.ts'
import { type Place, passOn, tunnel } from './passing.ts'
import { type Resolve, type Route, resolved, systemResolve } from './resolve.ts'

export type EgressParts = {
  /** A folder of its own for the sockets; emptied at the start. */
  folder: string
  /** All addresses of a name; the machine's resolver when left out. */
  resolve?: Resolve
  route?: Route
  limits?: Partial<EgressLimits>
}
export type EgressLimits = {
  /** Of one command together, in bytes. */
  upBytes: number
  downBytes: number
  /** At the same time, and in all. */
  open: number
  connections: number
  headerBytes: number
  headerMs: number
  dialMs: number
  /** Without a byte in either direction. */
  idleMs: number
}
export const EGRESS_LIMITS: EgressLimits = {
  upBytes: 256 * 2 ** 20,
  downBytes: 4 * 2 ** 30,
  open: 64,
  connections: 5_000,
  headerBytes: 16_384,
  headerMs: 10_000,
  dialMs: 15_000,
  idleMs: 120_000,
}
/** What the kernel takes as the path of a socket, with room to spare. */
const LONGEST_PATH = 100

/** Rejects when the folder cannot be made. The sockets of a runtime that was killed are removed. */
export async function openEgress(parts: EgressParts): Promise<Egress> {
  const limits = { ...EGRESS_LIMITS, ...parts.limits }
  const { folder } = parts
  await rm(folder, { recursive: true, force: true })
  // Nobody else may enter: a plain command of another user finds no socket here.
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const doors = new Set<Door>()
  let handle: FileHandle | undefined

  async function addressesOf(site: Site): Promise<{ addresses: Address[]; port: number }> {
    const found = site.literal ? [site.literal] : await soon(resolved(parts.resolve ?? systemResolve, site.host), limits.dialMs, site.host)
    const way = checkedAddresses(site.host, found).map((address) => parts.route?.(address, site.port) ?? { address, port: site.port })
    return { addresses: way.map(({ address }) => address), port: way[0]!.port }
  }

  async function openDoor(allowed: readonly AllowedHost[]): Promise<Door> {
    const token = randomBytes(24).toString('base64url')
    const use: NetworkUse = { connections: [], total: 0, up: 0, down: 0 }
    const sockets = new Set<Duplex>()
    let closed = false
    const server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerMs,
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(limits.headerMs, 2_000),
      insecureHTTPParser: false,
    })
    server.maxConnections = limits.open
    server.timeout = limits.idleMs
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      socket.on('error', () => undefined) // a command that hangs up is no failure of ours
    })
    server.on('drop', () => {
      told({ host: 'any', port: 0 }, 'cut', `more than ${limits.open} connections at the same time`)
    })

    function told({ host, port }: Pick<Connection, 'host' | 'port'>, verdict: Connection['verdict'], why: string | null): Connection {
      // Someone else's words come out as one line of plain letters.
      const one: Connection = { host: host.replace(/[^\x21-\x7e]/g, '?').slice(0, 100), port, verdict, why, up: 0, down: 0 }
      use.total++
      if (use.connections.length < MOST_CONNECTIONS_TOLD) use.connections.push(one)
      return one
    }
    /** The place that a request names, if this command may reach it; a Fault is a refusal and already told. */
    async function admit(request: IncomingMessage, asked: string): Promise<Place> {
      let site: Site
      try {
        site = request.method === 'CONNECT' ? siteOfAuthority(asked) : siteOf(asked)
        if (request.method !== 'CONNECT' && site.url.protocol !== 'http:')
          throw new Fault(
            'invalid',
            'This proxy passes https on by CONNECT only, which programs do by themselves for a proxy of this kind.',
          )
        if (!allowsHost(allowed, site.host, site.port))
          throw new Fault(
            'forbidden',
            `${site.host}:${site.port} is not among the hosts of this command (${allowed.map(writeHost).join(', ')}); if it is needed, run the command again with it in "network".`,
          )
      } catch (error) {
        told(placeIn(asked), 'refused', error instanceof Fault ? error.message : null)
        throw error
      }
      if (use.total >= limits.connections) {
        told(site, 'cut', `more than ${limits.connections} connections`)
        throw new Fault('limited', `This command has made ${limits.connections} connections, which is all it may.`)
      }
      const one = told(site, 'ok', null)
      try {
        const { addresses, port } = await addressesOf(site)
        const cut = (why: string) => {
          one.verdict = 'cut'
          one.why = why
        }
        return {
          site,
          addresses,
          port,
          limits,
          failed(error) {
            if (one.verdict !== 'ok') return
            one.verdict = 'failed'
            one.why = error.message
          },
          count(way, bytes) {
            one[way] += bytes
            use[way] += bytes
            if (use[way] <= limits[`${way}Bytes`]) return true
            cut(`more than ${limits[`${way}Bytes`]} bytes ${way} for one command`)
            return false
          },
        }
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        one.verdict = error.code === 'forbidden' ? 'refused' : 'failed'
        one.why = error.message
        throw error
      }
    }
    const knows = (request: IncomingMessage): boolean => !closed && hasToken(request.headers['proxy-authorization'], token)

    server.on('connect', (request: IncomingMessage, client: Socket, head: Buffer) => {
      client.setTimeout(limits.idleMs, () => client.destroy())
      if (!knows(request)) return refuse(client, UNKNOWN)
      admit(request, request.url ?? '').then(
        (place) => tunnel(place, client, head).catch((error: unknown) => refuse(client, answerFor(error))),
        (error: unknown) => refuse(client, answerFor(error)),
      )
    })
    server.on('request', (request, response) => {
      const say = ({ status, words, headers }: Refusal) => {
        if (response.headersSent) return void response.destroy()
        response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${words}\n`)
      }
      if (!knows(request)) return say(UNKNOWN)
      admit(request, request.url ?? '')
        .then((place) => passOn(place, request, response))
        .catch((error: unknown) => say(answerFor(error)))
    })

    const name = `${randomBytes(8).toString('hex')}.sock`
    const socket = join(folder, name)
    if (Buffer.byteLength(socket) > LONGEST_PATH) handle ??= await open(folder)
    await listening(server, Buffer.byteLength(socket) > LONGEST_PATH ? `/proc/self/fd/${handle!.fd}/${name}` : socket)
    await chmod(socket, 0o666) // the user inside the walls is another one
    const door: Door = {
      socket,
      token,
      use: () => structuredClone(use),
      async close() {
        if (closed) return
        closed = true
        doors.delete(door)
        const over = new Promise<void>((done) => server.close(() => done()))
        for (const one of sockets) one.destroy()
        await over
      },
    }
    doors.add(door)
    return door
  }

  return {
    open: openDoor,
    async close() {
      await Promise.all([...doors].map((door) => door.close()))
      await handle?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

type Refusal = { status: number; words: string; headers?: Record<string, string> }
const UNKNOWN: Refusal = {
  status: 407,
  words: 'This proxy knows a command by the name and token in its http_proxy variable; use that variable as it stands.',
  headers: { 'proxy-authenticate': 'Basic realm="banyan"' },
}
const STATUS: Readonly<Record<string, [number, string]>> = {
  invalid: [400, 'Bad Request'],
  forbidden: [403, 'Forbidden'],
  limited: [429, 'Too Many Requests'],
}
function answerFor(error: unknown): Refusal {
  if (!(error instanceof Fault)) return { status: 502, words: 'The connection could not be made.' }
  return { status: STATUS[error.code]?.[0] ?? 502, words: error.message }
}
function refuse(client: Duplex, { status, words, headers = {} }: Refusal): void {
  const body = `${words}\n`
  const lines = Object.entries({ ...headers, 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) })
  client.on('error', () => undefined) // gone already: then nobody reads the answer
  client.end(
    `HTTP/1.1 ${status} Refused\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}connection: close\r\n\r\n${body}`,
  )
}

/** `host:port` and nothing else: no login, path or spelling that two readers could take for two places. */
function siteOfAuthority(asked: string): Site {
  const shape = /^([a-z0-9._-]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(asked)
  if (!shape) throw new Fault('invalid', 'CONNECT takes a host and a port, such as "example.org:443", and nothing else.')
  return siteOf(`https://${shape[1]}:${shape[2]}/`)
}
/** For the record only. */
function placeIn(asked: string): { host: string; port: number } {
  const url = asked.includes('://') ? URL.parse(asked) : URL.parse(`https://${asked}`)
  return url ? { host: url.hostname, port: Number(url.port || (url.protocol === 'http:' ? 80 : 443)) } : { host: asked, port: 0 }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
function hasToken(header: string | undefined, token: string): boolean {
  const given = /^basic ([a-z0-9+/=_-]{1,400})$/i.exec(header ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(Buffer.from(given, 'base64').toString()), digest(`task:${token}`))
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
/** The machine's resolver cannot be stopped, so it is no longer waited for. */
function soon<T>(work: Promise<T>, ms: number, host: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Fault('unavailable', `The address of ${host} was not told within ${ms / 1_000} s.`)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
