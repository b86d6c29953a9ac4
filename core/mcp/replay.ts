/**
 * The newest messages of one session's streams, for a client whose stream broke and which asks for what it missed. In memory: after a restart
 * nothing of the streams before is left to send, and a client that asks for it gets a new stream.
 */
import { randomUUID } from 'node:crypto'
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server'

/** Messages and characters that are kept; the oldest go first. */
const [MOST, MOST_TEXT] = [1_000, 4_000_000]

export type Replay = EventStore & {
  /** The same request; without the number of a message that is not known here. */
  known(request: Request): Request
}

export function openReplay(): Replay {
  /** Numbers of this process are no other's. */
  const run = randomUUID().slice(0, 8)
  const kept = new Map<string, { stream: string; message: JSONRPCMessage; size: number }>()
  let count = 0
  let text = 0
  return {
    async storeEvent(stream, message) {
      count += 1
      const id = `${run}-${count}`
      const size = JSON.stringify(message).length
      kept.set(id, { stream, message, size })
      text += size
      for (const [old, { size: freed }] of kept) {
        if (kept.size <= MOST && text <= MOST_TEXT) break
        kept.delete(old)
        text -= freed
      }
      return id
    },
    getStreamIdForEventId: async (id) => kept.get(id)?.stream,
    async replayEventsAfter(last, { send }) {
      const stream = kept.get(last)?.stream
      if (stream === undefined) throw new Error('that message is kept no more')
      let after = false
      for (const [id, one] of [...kept]) {
        // An empty message only tells a client where it is.
        if (after && one.stream === stream && Object.keys(one.message).length > 0) await send(id, one.message)
        if (id === last) after = true
      }
      return stream
    },
    known(request) {
      const last = request.headers.get('last-event-id')
      if (last === null || kept.has(last)) return request
      const headers = new Headers(request.headers)
      headers.delete('last-event-id')
      return new Request(request.url, { method: request.method, headers, signal: request.signal })
    },
  }
}
