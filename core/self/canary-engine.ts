/**
 * A whole engine of a candidate within the walls, seen from outside: asked over HTTP, killed, started again. What it answers is material that
 * is judged here; nothing of it is run or believed.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../contract/fault.ts'
import { BRIDGE } from './canary-bridge.ts'
import type { Ended, Walls } from './walls.ts'

export type CanaryParts = {
  walls: Walls
  /** Source of the candidate, and the packages that it runs with. */
  source: string
  packages: string
  /** Folder of `canary-bridge.ts` of the code that runs. */
  bridge: string
  /** Its DATA_DIR, which the user inside may write. */
  folder: string
  env?: Readonly<Record<string, string>>
  signal: AbortSignal | undefined
}
export type Answer = { status: number; headers: IncomingMessage['headers']; text: string; json: unknown }
export type Asked = { method?: string; body?: unknown; token?: string | null; headers?: Readonly<Record<string, string>> }
export type CanaryEngine = {
  /** One request, by the owner unless another token is named; null: by nobody. Rejects with a Fault when there is no answer. */
  ask(path: string, how?: Asked): Promise<Answer>
  /** Asks again until `look` finds something; a Fault that names `what` when that takes too long or the engine ends. */
  until<T>(what: string, look: () => Promise<T | null>, ms?: number): Promise<T>
  /** SIGKILL for all of it. */
  kill(): Promise<Ended>
  /** A graceful shutdown; the exit code is in what it resolves with. */
  stop(): Promise<Ended>
}

export const CANARY_TOKEN = 'canary-admin-token-that-nobody-guesses-0123456789'
/** Where it believes to be. */
export const CANARY_HOST = '127.0.0.1:8000'
const [SHOWN, JUDGE] = ['/canary', '/judge']
const UP_MS = 120_000
const ANSWER_MS = 30_000
const MOST_BYTES = 4_000_000
/** Of Linux; Node has no name for it. A link is opened itself, not what it leads to. */
const O_PATH_NOFOLLOW = 0o10000000 | 0o400000

/** Resolves when it answers for its health. */
export async function openCanary(parts: CanaryParts): Promise<CanaryEngine> {
  const socket = join(parts.folder, BRIDGE)
  await rm(socket, { force: true })
  const cut = new AbortController()
  let over: Ended | undefined
  const ended = parts.walls
    .run({
      source: parts.source,
      packages: parts.packages,
      argv: ['node', `${JUDGE}/canary-bridge.ts`, SHOWN, '8000', 'node', 'scripts/engine.ts'],
      timeoutMs: 10 * 60_000,
      binds: [
        { from: parts.folder, to: SHOWN, write: true },
        { from: parts.bridge, to: JUDGE },
      ],
      env: {
        DATA_DIR: SHOWN,
        PORT: '8000',
        MODEL: 'playbook',
        ADMIN_TOKEN: CANARY_TOKEN,
        SYSTEM_SECRET_KEY: 'canary-system-secret-key-0123456789',
        ENVIRONMENT: 'test',
        ...parts.env,
      },
      signal: parts.signal ? AbortSignal.any([cut.signal, parts.signal]) : cut.signal,
    })
    .then((how) => (over = how))
  const engine: CanaryEngine = {
    ask: (path, how = {}) => ask(socket, path, how),
    async until(what, look, ms = 60_000) {
      const end = performance.now() + ms
      for (;;) {
        parts.signal?.throwIfAborted()
        if (over) throw new Fault('unprocessable', `It ended with ${over.code ?? 'a signal'} before ${what}: ${lastWords(over.log)}`)
        const found = await look()
        if (found !== null) return found
        if (performance.now() > end) throw new Fault('unprocessable', `It took longer than ${Math.round(ms / 1_000)} s until ${what}.`)
        await delay(50)
      }
    },
    async kill() {
      cut.abort()
      return ended
    },
    async stop() {
      await engine.ask('/admin/graceful-shutdown', { method: 'POST', body: {} })
      const late = setTimeout(() => cut.abort(), ANSWER_MS)
      return ended.finally(() => clearTimeout(late))
    },
  }
  try {
    await engine.until(
      'it answered',
      () => engine.ask('/health', { token: null }).then((answer) => (answer.status === 200 ? answer : null), waits),
      UP_MS,
    )
    return engine
  } catch (error) {
    await engine.kill()
    throw error
  }
}

const waits = (error: unknown): null => {
  if (error instanceof Fault) return null
  throw error
}
const lastWords = (log: string): string => log.trim().split('\n').slice(-3).join(' ').slice(0, 400) || 'without a word.'

async function ask(socket: string, path: string, how: Asked): Promise<Answer> {
  // The folder is the candidate's to write: what lies there must be a socket itself, not a link to another one.
  const handle = await open(socket, O_PATH_NOFOLLOW).catch(() => null)
  if (handle === null) throw new Fault('unavailable', 'It does not answer.')
  try {
    if (!(await handle.stat()).isSocket()) throw new Fault('forbidden', 'It put something else in the place of the socket.')
    return await send(handle, path, how)
  } finally {
    await handle.close()
  }
}

function send(socket: FileHandle, path: string, { method = 'GET', body, token = CANARY_TOKEN, headers = {} }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lost = (why: string) => reject(new Fault('unavailable', `${method} ${path}: ${why}`))
    const sent = request({
      socketPath: `/proc/self/fd/${socket.fd}`,
      agent: false,
      method,
      path,
      headers: {
        host: CANARY_HOST,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      timeout: ANSWER_MS,
    })
    const answer = (response: IncomingMessage, text: string) =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) })
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (more: string) => {
        text += more
        if (text.length > MOST_BYTES) sent.destroy(new Error('it answers too much'))
      })
      response.on('end', () => answer(response, text))
      response.on('error', (error) => lost(error.message))
    })
    sent.on('upgrade', (response, stream) => {
      stream.destroy()
      answer(response, '')
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
    sent.on('error', (error) => lost(error.message))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // a page, or nothing
  }
}
