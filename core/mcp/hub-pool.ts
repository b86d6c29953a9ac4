/**
 * Connections that are open: started at the first call, by one of those who want them at the same moment; one for all tasks or one for each;
 * ended when nobody has called for a while. Nothing of it is remembered: after a restart the first call starts it again.
 */
import { Fault } from '../contract/fault.ts'
import type { Connection } from './hub-connect.ts'

type Entry = {
  server: string
  taskId: string | null
  starting: Promise<Connection>
  /** Whoever ends it does not wait until it has started. */
  stop: AbortController
  open: Connection | null
  calls: number
  idle: NodeJS.Timeout | undefined
  retired: boolean
}
export type Pool = ReturnType<typeof openPool>

export function openPool(parts: {
  /** `stop`: it is not wanted any more. `closed`: to be called when it is over. */
  start(server: string, taskId: string | null, stop: AbortSignal, closed: () => void): Promise<Connection>
  idleMs: number
  /** Open at the same time. */
  most: number
}) {
  const entries = new Map<string, Entry>()
  const keyOf = (server: string, taskId: string | null) => `${server}\0${taskId ?? ''}`
  let closed = false

  function entryFor(server: string, taskId: string | null): Entry {
    const key = keyOf(server, taskId)
    const there = entries.get(key)
    if (there) return there
    if (entries.size >= parts.most) makeRoom()
    const entry: Entry = {
      server,
      taskId,
      starting: undefined as never,
      stop: new AbortController(),
      open: null,
      calls: 0,
      idle: undefined,
      retired: false,
    }
    const forget = () => {
      clearTimeout(entry.idle)
      if (entries.get(key) === entry) entries.delete(key)
    }
    entry.starting = parts.start(server, taskId, entry.stop.signal, forget)
    entries.set(key, entry)
    entry.starting.then((open) => (entry.open = open), forget)
    return entry
  }
  /** The one that was idle longest goes. */
  function makeRoom(): void {
    const idle = [...entries.values()].find((entry) => entry.calls === 0)
    if (!idle) throw new Fault('limited', `${parts.most} MCP servers run and all are being called; try again later.`)
    void end(idle)
  }
  async function end(entry: Entry): Promise<void> {
    clearTimeout(entry.idle)
    const key = keyOf(entry.server, entry.taskId)
    if (entries.get(key) === entry) entries.delete(key)
    if (entry.open === null) entry.stop.abort()
    const open = await entry.starting.catch(() => null) // it never began
    await open?.close()
  }

  function retire(which: (entry: Entry) => boolean): void {
    for (const [key, entry] of entries) {
      if (!which(entry)) continue
      entry.retired = true
      entries.delete(key)
      if (entry.calls === 0) void end(entry)
    }
  }

  return {
    /** Does something with a connection, which stays open at least as long. Rejects with a Fault when it cannot be started. */
    async use<T>(server: string, taskId: string | null, signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T> {
      if (closed) throw new Fault('unavailable', 'The system is stopping and starts no more servers.')
      const entry = entryFor(server, taskId)
      clearTimeout(entry.idle)
      entry.calls++
      try {
        return await work(await abortable(entry.starting, signal))
      } finally {
        entry.calls--
        if (entry.retired && entry.calls === 0) void end(entry)
        // Last in the order in which room is made.
        const key = keyOf(server, taskId)
        if (entries.get(key) === entry) {
          entries.delete(key)
          entries.set(key, entry)
          if (entry.calls === 0) entry.idle = setTimeout(() => void end(entry), parts.idleMs).unref()
        }
      }
    },
    /** Nobody new gets it; it ends when those have ended who call it now. */
    retire: (connection: Connection): void => retire((entry) => entry.open === connection),
    /** The same for all of a server: the next call starts it anew. */
    renew: (server: string): void => retire((entry) => entry.server === server),
    /** Ends those of a server, or of a task. Resolves when they have ended. */
    async stop(which: { server: string } | { taskId: string }): Promise<void> {
      const meant = [...entries.values()].filter((entry) =>
        'server' in which ? entry.server === which.server : entry.taskId === which.taskId,
      )
      await Promise.all(meant.map(end))
    },
    /** Servers that a task has for itself. */
    of: (taskId: string): string[] => [...entries.values()].filter((entry) => entry.taskId === taskId).map((entry) => entry.server),
    load(server: string): { running: number; starting: number; calls: number } {
      const own = [...entries.values()].filter((entry) => entry.server === server)
      return {
        running: own.filter((entry) => entry.open !== null).length,
        starting: own.filter((entry) => entry.open === null).length,
        calls: own.reduce((sum, entry) => sum + entry.calls, 0),
      }
    },
    async close(): Promise<void> {
      closed = true
      await Promise.all([...entries.values()].map(end))
    },
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener('abort', abort))
}
