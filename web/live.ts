/**
 * The page's line to the server: one WebSocket a tab, on which it follows topics (see `data/data.ts`). A connection that breaks (network,
 * sleep, a server that is killed) is taken up again, and each topic from where it was; nothing stale is shown as live.
 */
import type { LiveFrame } from '../core/contract/live.ts'
import { type Api, ApiFault, type System } from './api.ts'
import { openChannel } from './data/channel.ts'
import { createData } from './data/data.ts'

export type Connection = 'starting' | 'live' | 'reconnecting' | 'offline' | 'signed_out'
export type LiveState = {
  connection: Connection
  /** When the page last knew everything; set while it is not live. */
  lostAt: number | null
  /** The server said that it goes away to come back; false again once it has. */
  restarting: boolean
  /** Why the page cannot begin. */
  fault: string | null
  /** As it was when the line was last taken up. */
  system: System | null
  revision: string | null
  /** Revision that this page began with; another one means a newer page is there. */
  firstRevision: string | null
  /** Number of the newest fact that the page was told of; what was read beside the topics may be older. */
  seq: number
  /** How often the line was taken up; what was read beside the topics is then read again. */
  reads: number
}
export type Live = ReturnType<typeof startLive>

const BACKOFF_MS = [250, 500, 1_000, 2_000]
const OFFLINE_AFTER = 4
/** Code with which a server that stops in an orderly way closes its sockets (RFC 6455, "Service Restart"). */
const RESTARTS = 1012

export function startLive(deps: { api: Api; socketUrl: string }) {
  const { api } = deps
  let state: LiveState = {
    connection: 'starting',
    lostAt: null,
    restarting: false,
    fault: null,
    system: null,
    revision: null,
    firstRevision: null,
    seq: 0,
    reads: 0,
  }
  const listeners = new Set<() => void>()
  const channel = openChannel()
  const data = createData(channel, api)
  let socket: WebSocket | null = null
  let failures = 0
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Changes whenever what is on its way is no longer wanted. */
  let run = 0

  const set = (change: Partial<LiveState>) => {
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }
  const lost = () => ({ lostAt: state.lostAt ?? Date.now() })

  const retry = () => {
    failures += 1
    set({ connection: failures >= OFFLINE_AFTER ? 'offline' : state.reads > 0 ? 'reconnecting' : 'starting', ...lost() })
    clearTimeout(timer)
    const most = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1]!
    timer = setTimeout(() => void begin(), most * (0.5 + Math.random() / 2))
  }

  const drop = () => {
    clearTimeout(timer)
    const old = socket
    socket = null
    channel.closed()
    old?.close()
  }

  /** Asks by HTTP first: a refused WebSocket does not say why, and a login that ran out is no reason to knock for ever. */
  const begin = async () => {
    const own = ++run
    drop()
    try {
      const system = await api.system()
      if (stopped || own !== run) return
      set({ system, fault: null })
      connect()
    } catch (fault) {
      if (stopped || own !== run) return
      if (fault instanceof ApiFault && fault.status === 401) return set({ connection: 'signed_out', ...lost() })
      set({ fault: state.reads > 0 ? null : sentence(fault) })
      retry()
    }
  }

  const connect = () => {
    const own = new WebSocket(deps.socketUrl)
    socket = own
    const lose = () => {
      if (socket !== own || stopped) return
      drop()
      retry()
    }
    own.onmessage = (message) => {
      if (socket !== own) return
      const frame = JSON.parse(String(message.data)) as LiveFrame
      channel.take(frame)
      if (frame.type === 'delta') return data.spoke(frame.taskId, frame.text)
      if (frame.type !== 'hello') {
        if ('seq' in frame && frame.seq > state.seq) set({ seq: frame.seq })
        return
      }
      failures = 0
      // A line that is silent may take minutes to say that it is closed, so the channel tells when it is.
      channel.opened((words) => own.send(JSON.stringify(words)), lose)
      const { revision, seq } = frame
      set({
        connection: 'live',
        lostAt: null,
        restarting: false,
        revision,
        firstRevision: state.firstRevision ?? revision,
        seq,
        reads: state.reads + 1,
      })
    }
    own.onclose = ({ code }) => {
      if (socket === own && code === RESTARTS) set({ restarting: true })
      lose()
    }
  }

  // Any fact moves it, so that reads beside the topics hear that there is something new.
  data.system.subscribe(() => undefined)
  void begin()

  return {
    data,
    state: () => state,
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** Something happened that makes a dead connection likely (the machine woke, the network came back): takes it up again at once. */
    wake(): void {
      if (stopped || state.connection === 'signed_out') return
      failures = 0
      if (state.reads > 0) set({ connection: 'reconnecting', ...lost() })
      void begin()
    },
    stop(): void {
      stopped = true
      drop()
    },
  }
}

/** What went wrong, in words for a person. */
export function sentence(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault)
}
