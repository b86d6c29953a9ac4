/**
 * The fact log as it grows, over WebSocket (`/api/live?after=seq`; topics beside it are in `topics.ts`) and as server-sent events: in order, without a gap. A client that lost
 * the line comes back with the last number it saw and misses nothing. A client that reads slower than facts come is not buffered for: it
 * falls behind and is read to from the store as fast as it takes. Deltas are the exception: they are not kept and a slow client gets none.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { mustAllow, type Principal } from '../auth/principal.ts'
import type { Problem } from '../contract/api.ts'
import type { Event } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { BEAT_MS, CLIENT_FRAME_BYTES, type LiveFrame } from '../contract/live.ts'
import type { Store } from '../store/store.ts'
import type { Auth } from './auth.ts'
import { headersOf, notLoggedIn, problemOfError } from './problem.ts'
import { openTopics, type TopicClient } from './topics.ts'

export type Live = ReturnType<typeof openLive>

/** One reader of the log. */
type Line = {
  /** Number of the last fact that it was sent. */
  seq: number
  treeId: string | undefined
  /** `text` is the fact as JSON. */
  send(event: Event, text: string): void
  /** False while it has more to read than it should have. */
  ready(): boolean
  end(why: 'restart' | 'broken'): void
  /** It is being read to from the store. */
  busy: boolean
  /** Facts came while it was. */
  again: boolean
  gone: boolean
}

/** Bytes that wait for a client from which its topics are told as rows. */
const TOPIC_BYTES = 1024 * 1024
/** Facts read at once. */
const BATCH = 500
/** Sockets that do not close when told to are cut off after this. */
const CLOSING_MS = 1_000

export function openLive(parts: {
  store: Store
  auth: Auth
  revision: string
  log: (words: string, cause: unknown) => void
  heartbeatMs?: number
  /** WebSockets and streams together. */
  maxConnections?: number
  /** Bytes that wait for a client from which it counts as slow. */
  slowBytes?: number
}) {
  const { store, auth, log } = parts
  const { heartbeatMs = BEAT_MS, maxConnections = 200, slowBytes = 4 * 1024 * 1024 } = parts
  const sockets = new WebSocketServer({ noServer: true, maxPayload: CLIENT_FRAME_BYTES, perMessageDeflate: false })
  const lines = new Set<Line>()
  const pings = new Set<() => void>()
  /** Sockets that are told of topics alone. */
  const following = new Map<WebSocket, TopicClient>()
  /** Whose connections are open, and what cuts one off. */
  const guests = new Map<() => void, Principal>()
  let closed = false
  /** Topics can be told shorter, so they begin to be at less. */
  const topicBytes = Math.min(slowBytes, TOPIC_BYTES)
  const topics = openTopics({ store, log: (words, cause) => closed || log(words, cause), liveConnections: () => pings.size })
  const stopTopics = store.onCommit(topics.committed)

  /** Facts that follow directly on what a line has are sent as they are committed, turned into JSON once for all lines. */
  const stopListening = store.onCommit((events) => {
    if (events.some((event) => event.type === 'access.changed')) void turnAway()
    if (lines.size === 0) return
    const texts = events.map((event) => JSON.stringify(event))
    for (const line of lines) {
      if (line.busy || !line.ready() || events[0]!.seq !== line.seq + 1) void catchUp(line)
      else for (const [i, event] of events.entries()) give(line, event, texts[i]!)
    }
  })
  const heartbeat = setInterval(() => {
    for (const ping of pings) ping()
    void turnAway() // sessions and tokens expire without a fact
    // What another process committed tells nobody here; and a line that a failed read left behind goes on.
    wake()
  }, heartbeatMs)
  heartbeat.unref()
  function wake(): void {
    for (const line of lines) void catchUp(line)
    topics.wake()
  }

  /** Ends the connections of those whose session or token is good no more. */
  async function turnAway(): Promise<void> {
    for (const [cut, principal] of [...guests]) {
      try {
        if (!(await auth.mayStill(principal, 'read')) && guests.delete(cut)) cut()
      } catch (error) {
        if (closed) return
        log('whether a live connection may go on cannot be told', error)
      }
    }
  }

  function give(line: Line, event: Event, text: string): void {
    line.seq = event.seq
    if (line.treeId === undefined || line.treeId === event.treeId) line.send(event, text)
  }

  /** Reads to a line from the store until it has everything, or has enough to read: then its own `drained` comes back here. */
  async function catchUp(line: Line): Promise<void> {
    if (line.busy) {
      line.again = true
      return
    }
    line.busy = true
    try {
      do {
        line.again = false
        while (!line.gone && line.ready()) {
          // Facts of other trees are passed over in one step, up to what was committed before this read.
          const passed = line.treeId === undefined ? 0 : await store.lastSeq()
          const events = await store.eventsAfter(line.seq, { limit: BATCH, ...(line.treeId === undefined ? {} : { treeId: line.treeId }) })
          for (const event of events) {
            if (line.gone || !line.ready()) return
            give(line, event, JSON.stringify(event))
          }
          if (events.length < BATCH) {
            line.seq = Math.max(line.seq, passed)
            break
          }
        }
      } while (line.again && !line.gone && line.ready())
    } catch (error) {
      if (closed) return
      log('a live connection cannot be read to', error)
      line.end('broken')
    } finally {
      line.busy = false
    }
  }

  function open(line: Pick<Line, 'treeId' | 'send' | 'ready' | 'end'>, seq: number): Line {
    const whole: Line = { ...line, seq, busy: false, again: false, gone: false }
    lines.add(whole)
    void catchUp(whole)
    return whole
  }
  function drop(line: Line): void {
    line.gone = true
    lines.delete(line)
  }
  function checkRoom(): void {
    if (closed) throw new Fault('unavailable', 'The system is stopping; connect again when it is back.')
    if (pings.size >= maxConnections)
      throw new Fault('unavailable', `There are ${maxConnections} live connections already; close one, or try again later.`)
  }

  /** `after` null: topics only. */
  function talk(socket: WebSocket, after: number | null, principal: Principal): void {
    let alive = true
    const ping = () => {
      if (!alive) return socket.terminate()
      alive = false
      socket.ping()
      topicClient.beat()
    }
    pings.add(ping)
    const cut = () => socket.close(1008, 'not logged in any more')
    guests.set(cut, principal)
    let line: Line | undefined
    socket.on('pong', () => {
      alive = true
    })
    socket.on('error', () => undefined) // a broken line closes, and that is all there is to do about it
    socket.on('close', () => {
      pings.delete(ping)
      following.delete(socket)
      topicClient.stop()
      guests.delete(cut)
      if (line) drop(line)
    })
    socket.on('message', (data, isBinary) => {
      alive = true
      topicClient.take(isBinary ? null : String(data))
    })
    /** It was found not ready: when it has read half of what it has, it is gone on with. */
    let waiting = false
    const send = (frame: string) =>
      socket.send(frame, () => {
        if (waiting && line && socket.bufferedAmount < slowBytes / 2) void catchUp(line)
        if (waitingTopics && socket.bufferedAmount < topicBytes / 2) {
          waitingTopics = false
          topicClient.drained()
        }
      })
    let waitingTopics = false
    const topicClient = topics.client({
      send,
      ready: () => {
        if (socket.readyState !== socket.OPEN) return false
        if (socket.bufferedAmount >= topicBytes) waitingTopics = true
        return !waitingTopics
      },
      close: (why) => socket.close(1008, why),
    })
    if (after === null) following.set(socket, topicClient)
    store.lastSeq().then(
      (newest) => {
        if (socket.readyState !== socket.OPEN) return
        send(JSON.stringify({ type: 'hello', seq: newest, revision: parts.revision } satisfies LiveFrame))
        if (after === null) return
        line = open(
          {
            treeId: undefined,
            send: (_, text) => send(`{"type":"event","event":${text}}`),
            ready: () => {
              waiting = socket.bufferedAmount >= slowBytes
              return !waiting
            },
            end: (why) => (why === 'restart' ? socket.close(1012, 'the system restarts') : socket.close(1011)),
          },
          Math.min(after, newest),
        )
      },
      (error) => {
        log('a live connection cannot be begun', error)
        socket.close(1011)
      },
    )
  }

  return {
    /** Takes over a connection that asks to become a WebSocket, or answers why not. For the server's `upgrade` event. */
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      const read = (name: string) => header(request, name)
      socket.on('error', () => socket.destroy()) // it broke while it was refused
      const admit = async () => {
        auth.checkAddress(read)
        const url = URL.parse(request.url ?? '/', 'http://live')
        if (url?.pathname !== '/api/live') throw new Fault('not_found', 'The live line is /api/live.')
        const principal = await auth.identify(read, true, request.socket.remoteAddress)
        if (!principal) throw notLoggedIn()
        mustAllow(principal, 'read')
        const from = url.searchParams.get('after')
        const after = from === null && url.searchParams.get('topics') === '1' ? null : afterOf(from)
        checkRoom()
        sockets.handleUpgrade(request, socket, head, (ws) => talk(ws, after, principal))
      }
      admit().catch((error: unknown) => refuse(socket, problemOfError(error, randomUUID(), log), headersOf(error)))
    },

    /** The body of a server-sent event stream: each fact under its number, until the client goes or the system stops. */
    async stream(principal: Principal, after: number, treeId?: string): Promise<ReadableStream<Uint8Array>> {
      const newest = await store.lastSeq()
      checkRoom()
      const encoder = new TextEncoder()
      let line: Line | undefined
      let ping: (() => void) | undefined
      let cut: (() => void) | undefined
      let waiting = false
      const end = () => {
        if (cut) guests.delete(cut)
        if (ping) pings.delete(ping)
        if (line) drop(line)
      }
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            const write = (text: string) => controller.enqueue(encoder.encode(text))
            ping = () => {
              if ((controller.desiredSize ?? 0) > 0) write(': still here\n\n')
            }
            pings.add(ping)
            cut = () => {
              end()
              controller.close()
            }
            guests.set(cut, principal)
            write('retry: 1000\n\n')
            line = open(
              {
                treeId,
                send: (event, text) => write(`id: ${event.seq}\ndata: ${text}\n\n`),
                ready: () => {
                  waiting = (controller.desiredSize ?? 0) <= 0
                  return !waiting
                },
                end: cut,
              },
              Math.min(after, newest),
            )
          },
          pull() {
            if (waiting && line) void catchUp(line)
          },
          cancel: end,
        },
        new ByteLengthQueuingStrategy({ highWaterMark: Math.min(slowBytes, 1024 * 1024) }),
      )
    },

    /** Text that a model is writing just now. Nothing keeps it. */
    delta(taskId: string, text: string): void {
      if (sockets.clients.size === 0) return
      const frame = JSON.stringify({ type: 'delta', taskId, text } satisfies LiveFrame)
      for (const socket of sockets.clients)
        if (socket.readyState === socket.OPEN && socket.bufferedAmount < slowBytes / 4 && following.get(socket)?.hearsOf(taskId) !== false)
          socket.send(frame)
    },

    /** Call it when facts were committed by another process. */
    wake,

    load: (): { connections: number; bufferedBytes: number } => ({
      connections: pings.size,
      bufferedBytes: [...sockets.clients].reduce((sum, socket) => sum + socket.bufferedAmount, 0),
    }),

    /** Says goodbye to every client (1012: it may come back at once) and lets go of what does not answer. */
    async close(): Promise<void> {
      if (closed) return
      closed = true
      stopListening()
      stopTopics()
      topics.stop()
      clearInterval(heartbeat)
      for (const line of lines) line.end('restart')
      const open = [...sockets.clients]
      for (const socket of open) socket.close(1012, 'the system restarts')
      const cut = setTimeout(() => {
        for (const socket of open) socket.terminate()
      }, CLOSING_MS)
      await Promise.all(open.map((socket) => socket.readyState === socket.CLOSED || new Promise((done) => socket.once('close', done))))
      clearTimeout(cut)
      sockets.close()
    },
  }
}

/** The number after which a client wants facts. */
export function afterOf(text: string | null | undefined): number {
  const after = text ? Number(text) : 0
  if (!Number.isSafeInteger(after) || after < 0) throw new Fault('invalid', '`after` must be the number of a fact, or 0.')
  return after
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function refuse(socket: Duplex, problem: Problem, more: Record<string, string>): void {
  const headers = Object.entries(more).map(([name, value]) => `${name}: ${value}\r\n`)
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers.join('')}connection: close\r\n\r\n${body}`,
  )
}
