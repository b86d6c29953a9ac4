/** Listening: one server for HTTP and WebSocket, with limits on how long a request may take to arrive. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { Hono } from 'hono'
import { Fault } from '../contract/fault.ts'
import type { Live } from './live.ts'
import type { Env } from './router.ts'

/** For headers and whole requests to arrive. */
const [HEADERS_MS, REQUEST_MS] = [20_000, 60_000]
/** Requests under way at the end are waited for this long. */
const CLOSING_MS = 5_000
const IDLE_MS = 50

/** Resolves when connections are taken. `close` says goodbye to live clients, lets requests under way end, and cuts what does not. */
export async function listen(
  app: Hono<Env>,
  live: Live,
  { host, port }: { host: string; port: number },
): Promise<{ port: number; close(): Promise<void> }> {
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS },
  }) as Server
  server.on('upgrade', live.upgrade)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => void faultOf(error, host, port).then(reject))
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await live.close()
      // A connection whose last answer goes out just now becomes idle a moment later, and would be kept for the next request.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS)
      const cut = setTimeout(() => server.closeAllConnections(), CLOSING_MS)
      await closed
      clearInterval(idle)
      clearTimeout(cut)
    },
  }
}

async function faultOf(error: Error, host: string, port: number): Promise<unknown> {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new Fault(
        'unavailable',
        `Port ${port} is in use (by ${await whoAnswers(host, port)}); set PORT=${port + 1} or stop the other program.`,
      )
    case 'EACCES':
      return new Fault('unavailable', `Port ${port} may not be used by this user; set PORT to one above 1023.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new Fault('unavailable', `HOST ${host} is not an address of this machine; set HOST=127.0.0.1 or to one that it has.`)
    default:
      return error
  }
}

async function whoAnswers(host: string, port: number): Promise<string> {
  const at = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  try {
    const answer = await fetch(`http://${at}:${port}/health`, { signal: AbortSignal.timeout(1_000) })
    const health = (await answer.json()) as { status?: unknown; revision?: unknown } | null
    if (health?.status === 'ok' && typeof health.revision === 'string') return `another Banyan, revision ${health.revision.slice(0, 40)}`
  } catch {
    // whatever it is, it does not speak like one of us
  }
  return 'another program'
}
