/** The fact log as it grows, over the WebSocket. A line that breaks is taken up again after the last fact seen, however long that takes. */
import { on } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Event } from '../../core/contract/event.ts'
import type { LiveFrame } from '../../core/contract/live.ts'
import { applyEvent, emptyView, type View } from '../../core/contract/tree.ts'
import { all, call, NotRunning, notRunning, Refused, type Server } from './server.ts'
import { Ended, EXIT } from './terminal.ts'

export type Heard =
  | { kind: 'event'; event: Event }
  /** Everything up to now has been told. */
  | { kind: 'current' }
  | { kind: 'lost' }
  | { kind: 'back' }
  /** The server knows less than was seen: its database was put back. What is known must be read anew; facts follow from `seq` on. */
  | { kind: 'rewound'; seq: number }

const BACKOFF_MS = [100, 250, 500, 1_000, 2_000]
const PING_MS = 15_000

/** Never ends by itself while the server may come back; ends with `signal`. Throws when the server refuses. */
export async function* follow(server: Server, after: number, signal: AbortSignal): AsyncGenerator<Heard> {
  let seq = after
  let newest = after
  let failures = 0
  let lost = false
  while (!signal.aborted) {
    try {
      for await (const frame of connection(server, seq, signal)) {
        if (frame.type === 'hello') {
          if (lost) yield { kind: 'back' }
          lost = false
          failures = 0
          if (frame.seq < seq) {
            seq = frame.seq
            yield { kind: 'rewound', seq }
          }
          if (frame.seq === seq) yield { kind: 'current' }
          newest = frame.seq
        } else if (frame.type === 'event' && frame.event.seq > seq) {
          seq = frame.event.seq
          yield { kind: 'event', event: frame.event }
          if (seq >= newest) yield { kind: 'current' }
        }
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Ended && !(error instanceof NotRunning)) throw error
    }
    if (signal.aborted) return
    if (!lost) yield { kind: 'lost' }
    lost = true
    await pause(failures++, signal)
  }
}

export async function pause(failures: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)]!, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function* connection(server: Server, after: number, signal: AbortSignal): AsyncGenerator<LiveFrame> {
  const socket = new WebSocket(`${server.url.replace(/^http/, 'ws')}/api/live?after=${after}`, {
    headers: server.token === null ? {} : { authorization: `Bearer ${server.token}` },
    handshakeTimeout: 10_000,
    perMessageDeflate: false,
  })
  let heard = true
  socket.on('pong', () => {
    heard = true
  })
  // A machine that went away says nothing; a line on which no answer comes is broken.
  const ping = setInterval(() => {
    if (!heard) return socket.terminate()
    heard = false
    if (socket.readyState === socket.OPEN) socket.ping()
  }, PING_MS)
  try {
    for await (const [data] of on(socket, 'message', { close: ['close'], signal })) yield JSON.parse(String(data)) as LiveFrame
  } catch (error) {
    const status = Number(/server response: (\d+)/.exec(error instanceof Error ? error.message : '')?.[1] ?? 0)
    if (status === 401 || status === 403)
      throw new Refused(status, `Banyan at ${server.url} does not accept the token: check --token or BANYAN_TOKEN.`, null)
    if (status === 404) throw new Ended(EXIT.failed, `What answers at ${server.url} has no live line: check --url.`)
    throw notRunning(server, error)
  } finally {
    clearInterval(ping)
    socket.on('error', () => undefined) // closing before it was open is an error to ws and nothing to us
    socket.terminate()
  }
}

/** Everything the log tells of one goal, told fact by fact; the view's `seq` is where to go on from. */
async function readTree(server: Server, treeId: string, told: (view: View, event: Event) => void): Promise<View> {
  const { seq } = await call(server, 'system')
  const events = (await all(server, 'events', { query: { treeId, limit: '1000' }, turn: 'after' })) as unknown as Event[]
  let view = emptyView
  for (const event of events) {
    view = applyEvent(view, event)
    told(view, event)
  }
  if (!view.trees[treeId]) throw new Ended(EXIT.failed, `There is no goal ${treeId}; see them with: banyan ls`)
  return { ...view, seq: Math.max(view.seq, seq) }
}

export type Told = {
  /** A fact of this tree was applied; first come those of before. */
  changed?(view: View, event: Event): void
  lost?(): void
  back?(): void
}

/**
 * Follows one goal and keeps what is known of it. Ends with what `enough` answers when that is not null; it is asked whenever everything up
 * to now is known. Survives restarts of the server; ends with null only by `signal`.
 */
export async function followTree<T>(
  server: Server,
  treeId: string,
  told: Told,
  enough: (view: View) => Promise<T | null>,
  signal: AbortSignal,
): Promise<T | null> {
  let toldUpTo = 0
  const read = async (): Promise<View | null> => {
    for (let failures = 0; !signal.aborted; ) {
      try {
        const view = await readTree(server, treeId, (known, event) => {
          if (event.seq <= toldUpTo) return
          toldUpTo = event.seq
          told.changed?.(known, event)
        })
        if (failures > 0) told.back?.()
        return view
      } catch (error) {
        if (!mayComeBack(error)) throw error
        if (failures === 0) told.lost?.()
        await pause(failures++, signal)
      }
    }
    return null
  }
  const ask = async (view: View): Promise<T | null> => {
    try {
      return await enough(view)
    } catch (error) {
      if (!mayComeBack(error)) throw error
      return null // the line will break too, and is asked again when it is back
    }
  }
  let view = await read()
  if (view === null) return null
  for await (const heard of follow(server, view.seq, signal)) {
    if (heard.kind === 'lost') told.lost?.()
    else if (heard.kind === 'back') told.back?.()
    else if (heard.kind === 'rewound') {
      view = await read()
      if (view === null) return null
    } else if (heard.kind === 'event') {
      const { event } = heard
      if (event.treeId !== treeId) view = { ...view, seq: Math.max(view.seq, event.seq) }
      else if (event.seq > view.seq) {
        view = applyEvent(view, event)
        told.changed?.(view, event)
      }
    } else {
      const answer = await ask(view)
      if (answer !== null) return answer
    }
  }
  return null
}

const mayComeBack = (error: unknown): boolean => error instanceof NotRunning || (error instanceof Refused && error.status >= 500)
