/** The way to one server, as a person set it up: a program within its walls, or an address. */
import { chmod, lchown, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { extractWWWAuthenticateParams, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { Fault } from '../contract/fault.ts'
import { readHosts } from '../contract/network.ts'
import type { Command, Exec } from '../exec/exec.ts'
import { siteOf } from '../web/address.ts'
import { type GuardedFetch, guardedFetch } from '../web/guarded-fetch.ts'
import type { Resolve, Route } from '../web/resolve.ts'
import type { Logins } from './hub-login.ts'
import type { Spec } from './hub-rows.ts'
import { MOST_MESSAGE, type StdioTransport, stdioTransport } from './hub-stdio.ts'
import { filledWith, type Vault } from './hub-values.ts'

export type WayParts = {
  exec: Pick<Exec, 'run' | 'isolation'>
  secrets: Pick<Vault, 'forProgram'>
  /** Below it each server that is a program has a folder of its own. */
  folder: string
  runAs?: { uid: number; gid: number }
  resolve?: Resolve
  route?: Route
}

const HEADER_MS = 60_000
const FAREWELL_MS = 1_000

/** Whether an address is written as one of an inner network: whoever adds it says so by that. */
export function isInner(url: string): boolean {
  const { port, protocol } = new URL(url)
  try {
    siteOf(url, [port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)])
    return false
  } catch (error) {
    if (error instanceof Fault) return true
    throw error
  }
}

/** Public addresses, and inside only what a person named. */
export function fetchOf(parts: WayParts, spec: Spec & { url: string }, broken: (why: string) => void): GuardedFetch {
  const url = new URL(spec.url)
  const fetch = guardedFetch({
    inner: [...(isInner(spec.url) ? [url.hostname] : []), ...spec.innerHosts],
    most: MOST_MESSAGE,
    headerMs: HEADER_MS,
    broken,
    ...(parts.resolve ? { resolve: parts.resolve } : {}),
    ...(parts.route ? { route: parts.route } : {}),
  })
  return async (to, init = {}) => {
    // Headers that a person gave are for this server, not for a login page that it names.
    if (new URL(to).origin !== url.origin || Object.keys(spec.headers).length === 0) return fetch(to, init)
    const headers = new Headers(filledWith(parts.secrets, spec.headers))
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value)
    return fetch(to, { ...init, headers })
  }
}

export function httpTransport(
  parts: WayParts,
  name: string,
  spec: Spec & { url: string },
  logins: Logins,
  cut: (why: string) => void,
): Transport {
  const plain = fetchOf(parts, spec, cut)
  const fetch: GuardedFetch = async (to, init) => {
    const response = await plain(to, init)
    const { error, scope } = response.status === 403 ? extractWWWAuthenticateParams(response) : {}
    if (error !== 'insufficient_scope') return response
    await response.body?.cancel()
    throw await logins.wantsMore(name, scope)
  }
  const transport = new StreamableHTTPClientTransport(new URL(spec.url), {
    fetch: fetch as never,
    ...(Object.keys(spec.headers).some((header) => header.toLowerCase() === 'authorization')
      ? {}
      : { authProvider: logins.authOf({ server: name, url: spec.url, fetch }) }),
    reconnectionOptions: { initialReconnectionDelay: 1_000, maxReconnectionDelay: 10_000, reconnectionDelayGrowFactor: 2, maxRetries: 3 },
  })
  const close = transport.close.bind(transport)
  transport.close = async () => {
    // A session that nobody ends stays with the server for good.
    if (transport.sessionId !== undefined)
      await Promise.race([
        transport.terminateSession().catch(() => undefined), // a courtesy; some servers know no end
        new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref()),
      ])
    await close()
  }
  return transport as Transport
}

/** Within `walls` and nothing else: it does not go down a rung by itself. The folder is made before; a program keeps what it writes there. */
export function programTransport(
  parts: WayParts,
  spec: Spec & { command: string[] },
  walls: 'sandbox' | 'plain',
  folder: string,
  cut: (why: string) => void,
): StdioTransport {
  const network = readHosts(spec.network)
  if (typeof network === 'string') throw new Fault('invalid', network)
  const enclosed = walls === 'sandbox'
  const command: Omit<Command, 'live' | 'timeoutMs' | 'outputBytes' | 'stdin'> = {
    run: { argv: spec.command },
    cwd: folder,
    env: { ...spec.publicEnv, ...filledWith(parts.secrets, spec.env) },
    isolation: walls,
    ...(enclosed && network.length > 0 ? { network } : {}),
    ...(enclosed && spec.folders.length > 0 ? { folders: spec.folders } : {}),
  }
  return stdioTransport({ exec: parts.exec, command, broken: cut })
}

/** Where a program keeps what it writes. */
export const placeOf = (parts: Pick<WayParts, 'folder'>, name: string, taskId: string | null): string =>
  join(parts.folder, name, taskId === null ? 'shared' : `task-${taskId.replace(/[^A-Za-z0-9_-]/g, '-')}`)

/** Its own folder, which other users of this machine may pass through and no more. */
export async function folderOf(parts: WayParts, name: string, taskId: string | null): Promise<string> {
  const folder = placeOf(parts, name, taskId)
  await mkdir(folder, { recursive: true })
  if (parts.runAs) {
    for (const above of [dirname(parts.folder), parts.folder, dirname(folder)]) {
      const { mode } = await stat(above)
      if ((mode & 0o001) === 0) await chmod(above, (mode & 0o777) | 0o011)
    }
    await lchown(folder, parts.runAs.uid, parts.runAs.gid)
  }
  return folder
}
