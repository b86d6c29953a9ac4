/**
 * The part of Docker's Engine API that running a command needs, over the engine's own unix socket. Podman's socket speaks it too. It knows
 * nothing of commands; docker.ts does. Deliberately not here: engines on other machines (a workspace is a folder of this one), logins of
 * registries, and pulling images, which a person does.
 */
import { type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'

/** What the engine answered instead of what was asked. `message` is its own sentence. */
export class EngineError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'EngineError'
    this.status = status
  }
}

export type Ask = { body?: unknown; signal?: AbortSignal; timeoutMs?: number }
export type DockerApi = {
  /** The engine's version, such as 28.2.2, and the one of its interface that is spoken. Rejects with a Fault when nobody answers. */
  version(): Promise<{ engine: string; api: string }>
  /** Rejects with EngineError for a status of 400 or more, with a Fault when the engine does not answer. Null: an answer without a body. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, ask?: Ask): Promise<unknown>
  /** One JSON object a line, as long as the engine tells them or until `signal`. */
  follow(path: string, each: (value: unknown) => void, signal: AbortSignal): Promise<void>
  /** A connection of its own to the streams of a container: what is written goes to its input, what comes is multiplexed (`demultiplexed`). */
  attach(path: string): Promise<{ socket: Duplex; head: Buffer }>
}

/** Answers that are waited for in an ordinary way; a container is made in less. */
const ANSWER_MS = 60_000
const MOST_BYTES = 10_000_000
const Told = z.object({ message: z.string() })
const Version = z.object({ Version: z.string(), ApiVersion: z.string().regex(/^\d+\.\d+$/) })

/** `DOCKER_HOST` in the words of Docker's own tools; unset is the usual place. Answers the path of the socket or why there is none. */
export function socketOf(dockerHost: string | undefined): { path: string } | { why: string; mend: string } {
  if (dockerHost === undefined) return { path: '/var/run/docker.sock' }
  const path = /^unix:\/\/(\/.+)$/.exec(dockerHost)?.[1]
  if (path !== undefined) return { path }
  return {
    why: 'DOCKER_HOST does not name a socket of this machine, and a workspace is a folder of this machine.',
    mend: 'Set DOCKER_HOST to unix:///path/of/docker.sock, or unset it for /var/run/docker.sock, and restart.',
  }
}

export function dockerApi(socketPath: string): DockerApi {
  let prefix: Promise<string> | undefined

  function send(method: string, path: string, { body, signal, timeoutMs }: Ask): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? null : JSON.stringify(body)
      const headers = {
        host: 'docker',
        ...(text === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      }
      // A connection each: an engine that was restarted leaves dead ones in a pool.
      const asked = request({ socketPath, path, method, headers, agent: false, ...(signal ? { signal } : {}) }, resolve)
      if (timeoutMs !== undefined) asked.setTimeout(timeoutMs, () => asked.destroy(new Fault('unavailable', silent(socketPath))))
      asked.once('error', (error) => reject(noAnswer(error, socketPath)))
      asked.end(text ?? undefined)
    })
  }

  async function askEngine(method: string, path: string, ask: Ask): Promise<unknown> {
    const answer = await send(method, path, { timeoutMs: ANSWER_MS, ...ask })
    const text = await textOf(answer, socketPath)
    if ((answer.statusCode ?? 500) >= 400) throw refusal(answer.statusCode ?? 500, text)
    return text === '' ? null : parsed(text)
  }

  const version = async () => {
    const said = Version.safeParse(await askEngine('GET', '/version', {}))
    if (!said.success)
      throw new Fault('unavailable', `${socketPath} is not the socket of a Docker engine; set DOCKER_HOST to the right one.`)
    return { engine: said.data.Version, api: said.data.ApiVersion }
  }
  /** An engine speaks older versions of its interface for years, and its own always. */
  const at = async (path: string): Promise<string> => {
    prefix ??= version().then(({ api }) => `/v${api}`)
    const spoken = await prefix.catch((error: unknown) => {
      prefix = undefined
      throw error
    })
    return spoken + path
  }

  return {
    version,
    call: async (method, path, ask = {}) => askEngine(method, await at(path), ask),
    async follow(path, each, signal) {
      const answer = await send('GET', await at(path), { signal })
      if ((answer.statusCode ?? 500) >= 400) throw refusal(answer.statusCode ?? 500, await textOf(answer, socketPath))
      let rest = ''
      try {
        for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
          const lines = (rest + chunk).split('\n')
          rest = lines.pop() ?? ''
          for (const line of lines) if (line.trim() !== '') each(parsed(line))
        }
      } catch (error) {
        throw noAnswer(error, socketPath)
      }
    },
    async attach(path) {
      const whole = await at(path)
      return new Promise((resolve, reject) => {
        const headers = { host: 'docker', connection: 'Upgrade', upgrade: 'tcp', 'content-length': 0 }
        const asked = request({ socketPath, path: whole, method: 'POST', headers, agent: false })
        asked.once('error', (error) => reject(noAnswer(error, socketPath)))
        asked.once('upgrade', (_answer, socket, head) => {
          socket.setTimeout(0) // a command may be silent for hours
          resolve({ socket, head })
        })
        asked.once('response', (answer) => {
          textOf(answer, socketPath).then((text) => reject(refusal(answer.statusCode ?? 500, text)), reject)
        })
        asked.setTimeout(ANSWER_MS, () => asked.destroy(new Fault('unavailable', silent(socketPath))))
        asked.end()
      })
    },
  }
}

/**
 * Takes the streams of a container apart: frames of eight bytes of header (1: output, 2: errors; length in the last four, big-endian) and
 * their content, which the connection cuts wherever it likes. Nothing of a frame is held but its header. Throws on what is no such frame.
 */
export function demultiplexed(to: { stdout(chunk: Buffer): void; stderr(chunk: Buffer): void }): (chunk: Buffer) => void {
  const header = Buffer.alloc(8)
  let have = 0
  let left = 0
  return (chunk) => {
    for (let i = 0; i < chunk.length; ) {
      if (left > 0) {
        const part = chunk.subarray(i, i + left)
        if (header[0] === 2) to.stderr(part)
        else to.stdout(part)
        left -= part.length
        i += part.length
        continue
      }
      const taken = chunk.copy(header, have, i, i + 8 - have)
      have += taken
      i += taken
      if (have < 8) return
      if (header[0]! > 2 || header[1] !== 0 || header[2] !== 0 || header[3] !== 0)
        throw new Fault(
          'unavailable',
          'The Docker engine sent the output of a command in a form that is not known; use a later version of it.',
        )
      left = header.readUInt32BE(4)
      have = 0
    }
  }
}

async function textOf(answer: IncomingMessage, socketPath: string): Promise<string> {
  let text = ''
  try {
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk
      if (text.length > MOST_BYTES)
        throw new Fault('unavailable', `The engine at ${socketPath} answered more than can be meant; is it Docker?`)
    }
  } catch (error) {
    throw noAnswer(error, socketPath)
  }
  return text
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text // such as the "OK" of a ping
  }
}
function refusal(status: number, text: string): EngineError {
  const said = Told.safeParse(parsed(text))
  return new EngineError(status, (said.success ? said.data.message : text).trim().slice(0, 500) || `status ${status}`)
}

const silent = (socketPath: string): string =>
  `The Docker engine at ${socketPath} does not answer; look whether it is overloaded, or restart it.`

function noAnswer(error: unknown, socketPath: string): unknown {
  if (error instanceof Fault || error instanceof EngineError || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ABORT_ERR') return error
  if (code === 'ENOENT' || code === 'ECONNREFUSED')
    return new Fault('unavailable', `No Docker engine answers at ${socketPath}: start it ("systemctl start docker"), or set DOCKER_HOST.`, {
      cause: error,
    })
  if (code === 'EACCES' || code === 'EPERM')
    return new Fault(
      'unavailable',
      `This user may not use the Docker engine at ${socketPath}: add it to the group "docker" (which is as much as root), or set DOCKER_HOST to an engine of its own.`,
      { cause: error },
    )
  return new Fault(
    'unavailable',
    `The Docker engine at ${socketPath} broke the connection off; look into its log ("journalctl -u docker").`,
    { cause: error },
  )
}
