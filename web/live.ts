/**
 * What the page knows, kept up to date: snapshots by HTTP, then every fact over one WebSocket, folded by the contract's own rule. A
 * connection that breaks (network, sleep, a server that is killed) is taken up again after the last fact seen; when too much was
 * missed, or the server knows less than the page, everything is read anew. Nothing stale is shown as live.
 */

import type { Event } from '../core/contract/event.ts'
import type { LiveFrame } from '../core/contract/live.ts'
import { emptyView, type View } from '../core/contract/tree.ts'
import { type Api, ApiFault, type System } from './api.ts'
import { openChannel } from './data/channel.ts'
import { createData } from './data/data.ts'
import { applyToLists, applyToTree } from './fold.ts'
import { readLists, readOlder, readTree } from './snapshot.ts'

export type Connection = 'starting' | 'live' | 'reconnecting' | 'offline' | 'signed_out'
export type OpenTree = {
  id: string
  state: 'loading' | 'ready' | 'missing' | 'failed'
  /** Why it is not ready, for a person. */
  fault: string | null
  view: View
}
export type LiveState = {
  connection: Connection
  /** When the page last knew everything; set while it is not live. */
  lostAt: number | null
  /** Why the first snapshots could not be read. */
  fault: string | null
  system: System | null
  revision: string | null
  /** Revision that this page began with; another one means a newer page is there. */
  firstRevision: string | null
  /** Heads, root tasks and reviews. */
  lists: View
  /** False until the first snapshots are in. */
  loaded: boolean
  /** Cursor of the goals that are older than those in `lists`. */
  older: string | null
  tree: OpenTree | null
  /** Words that a model is saying now, by task; not yet a message. */
  speaking: Readonly<Record<string, string>>
  /** How often everything was read anew; what was read beside the facts (a task's messages) is then read again too. */
  reads: number
  /** Number of the newest message known, by task of the open goal. */
  written: Readonly<Record<string, number>>
}

export type Live = ReturnType<typeof startLive>

/** Facts missed beyond which snapshots are cheaper than catching up. */
const GAP = 5_000
/** One frame of the screen: facts that come together are folded and drawn together. */
const FLUSH_MS = 16
const BACKOFF_MS = [250, 500, 1_000, 2_000]
const OFFLINE_AFTER = 4
const SPOKEN_MAX = 20_000

export function startLive(deps: { api: Api; socketUrl: (after: number) => string; gap?: number }) {
  const { api } = deps
  const gap = deps.gap ?? GAP
  let state: LiveState = {
    connection: 'starting',
    lostAt: null,
    fault: null,
    system: null,
    revision: null,
    firstRevision: null,
    lists: emptyView,
    loaded: false,
    older: null,
    tree: null,
    speaking: {},
    reads: 0,
    written: {},
  }
  const listeners = new Set<() => void>()
  /** Topics go over the same socket; see `data/data.ts`. */
  const channel = openChannel()
  const data = createData(channel, api)
  let socket: WebSocket | null = null
  let seq = 0
  let failures = 0
  let stopped = false
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let flushTimer: ReturnType<typeof setTimeout> | undefined
  let frames: Extract<LiveFrame, { type: 'event' | 'delta' }>[] = []
  /** Facts of a goal whose snapshot is on its way. */
  let held: Event[] = []
  /** Changes whenever what is on its way is no longer wanted. */
  let bootRun = 0
  let treeRun = 0

  const set = (change: Partial<LiveState>) => {
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }

  const flush = () => {
    flushTimer = undefined
    const batch = frames
    frames = []
    let { lists, tree, speaking, written } = state
    for (const frame of batch) {
      if (frame.type === 'delta') {
        speaking = { ...speaking, [frame.taskId]: `${speaking[frame.taskId] ?? ''}${frame.text}`.slice(-SPOKEN_MAX) }
        continue
      }
      const { event } = frame
      lists = applyToLists(lists, event)
      if (tree?.state === 'loading') held.push(event)
      else if (tree?.state === 'ready') {
        const view = applyToTree(tree.view, tree.id, event)
        if (view !== tree.view) tree = { ...tree, view }
      }
      if (event.type === 'message.added') {
        written = { ...written, [event.taskId]: Math.max(written[event.taskId] ?? 0, event.n) }
        if (event.role === 'assistant') speaking = without(speaking, event.taskId)
      } else if (event.type === 'task.moved' && event.to !== 'active') speaking = without(speaking, event.taskId)
    }
    set({ lists, tree, speaking, written })
  }

  const take = (frame: LiveFrame) => {
    if (frame.type !== 'event' && frame.type !== 'delta') return
    if (frame.type === 'event') {
      if (frame.event.seq <= seq) return
      seq = frame.event.seq
    }
    frames.push(frame)
    flushTimer ??= setTimeout(flush, FLUSH_MS)
  }

  const lost = () => ({ lostAt: state.lostAt ?? Date.now() })

  const boot = async () => {
    const run = ++bootRun
    drop()
    try {
      const { system, view, older } = await readLists(api)
      if (stopped || run !== bootRun) return
      clearTimeout(flushTimer)
      flushTimer = undefined
      frames = []
      seq = view.seq
      const known = state.tree
      set({
        system,
        revision: system.revision,
        firstRevision: state.firstRevision ?? system.revision,
        loaded: true,
        reads: state.reads + 1,
        fault: null,
        older,
        speaking: {},
        lists: view,
      })
      if (known) void loadTree(known.id, known.view)
      connect()
    } catch (fault) {
      if (stopped || run !== bootRun) return
      if (isSignedOut(fault)) return set({ connection: 'signed_out', ...lost() })
      set({ fault: state.loaded ? null : sentence(fault) })
      retry(() => void boot())
    }
  }

  const retry = (again: () => void) => {
    failures += 1
    set({ connection: failures >= OFFLINE_AFTER ? 'offline' : state.loaded ? 'reconnecting' : 'starting', ...lost() })
    clearTimeout(retryTimer)
    const most = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1]!
    retryTimer = setTimeout(again, most * (0.5 + Math.random() / 2))
  }

  const drop = () => {
    clearTimeout(retryTimer)
    const old = socket
    socket = null
    channel.closed()
    old?.close()
  }

  const connect = () => {
    drop()
    const own = new WebSocket(deps.socketUrl(seq))
    socket = own
    own.onmessage = (message) => {
      if (socket !== own) return
      const frame = JSON.parse(String(message.data)) as LiveFrame
      channel.take(frame)
      if (frame.type === 'delta') data.spoke(frame.taskId, frame.text)
      if (frame.type !== 'hello') return take(frame)
      failures = 0
      if (frame.seq < seq || frame.seq - seq > gap) return void boot()
      channel.opened(
        (words) => own.send(JSON.stringify(words)),
        () => lose(own),
      )
      set({ connection: 'live', lostAt: null, revision: frame.revision })
      if (state.tree?.state === 'failed') void loadTree(state.tree.id, state.tree.view)
    }
    own.onclose = () => lose(own)
  }
  /** The line broke, or is silent; a silent one may take minutes to say that it is closed. */
  const lose = (own: WebSocket) => {
    if (socket !== own || stopped) return
    drop()
    retry(() => void again())
  }

  /** Asks by HTTP first: a refused WebSocket does not say why, and a login that ran out is no reason to knock for ever. */
  const again = async () => {
    const run = bootRun
    try {
      const system = await api.system()
      if (stopped || run !== bootRun) return
      set({ system })
      connect()
    } catch (fault) {
      if (stopped || run !== bootRun) return
      if (isSignedOut(fault)) set({ connection: 'signed_out', ...lost() })
      else retry(() => void again())
    }
  }

  const loadTree = async (id: string, view: View) => {
    const run = ++treeRun
    held = []
    const refreshing = Object.keys(view.tasks).length > 0
    set({ tree: { id, state: 'loading', fault: null, view }, ...(refreshing ? {} : { written: {} }) })
    try {
      let fresh = await readTree(api, id)
      if (stopped || run !== treeRun) return
      if (flushTimer !== undefined) {
        clearTimeout(flushTimer)
        flush()
      }
      for (const event of held) fresh = applyToTree(fresh, id, event)
      held = []
      set({ tree: { id, state: 'ready', fault: null, view: fresh } })
    } catch (fault) {
      if (stopped || run !== treeRun) return
      held = []
      if (isSignedOut(fault)) return set({ connection: 'signed_out', ...lost() })
      const missing = fault instanceof ApiFault && fault.status === 404
      set({ tree: { id, state: missing ? 'missing' : 'failed', fault: sentence(fault), view } })
    }
  }

  void boot()

  return {
    data,
    state: () => state,
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** Keeps all tasks of this goal, and of no other. */
    open(id: string | null): void {
      if (id === null) {
        treeRun += 1
        set({ tree: null })
      } else if (state.tree?.id === id) return
      else if (state.loaded) void loadTree(id, emptyView)
      // Before the lists are in, the line begins at a fact that is not known yet; `boot` reads the goal after them, so that none is missed.
      else set({ tree: { id, state: 'loading', fault: null, view: emptyView } })
    },
    /** Reads the open goal again after it could not be read. */
    reload(): void {
      if (state.tree) void loadTree(state.tree.id, state.tree.view)
    },
    /** Adds the next page of older goals. */
    async loadOlder(): Promise<void> {
      if (state.older === null) return
      const { trees, tasks, older } = await readOlder(api, state.older)
      const { lists } = state
      set({ lists: { ...lists, trees: { ...trees, ...lists.trees }, tasks: { ...tasks, ...lists.tasks } }, older })
    },
    /** Something happened that makes a dead connection likely (the machine woke, the network came back): takes it up again at once. */
    wake(): void {
      if (stopped || state.connection === 'signed_out') return
      failures = 0
      if (!state.loaded) void boot()
      else {
        drop()
        set({ connection: 'reconnecting', ...lost() })
        void again()
      }
    },
    stop(): void {
      stopped = true
      clearTimeout(flushTimer)
      drop()
    },
  }
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in record)) return record
  const { [key]: _, ...rest } = record
  return rest
}
const isSignedOut = (fault: unknown): boolean => fault instanceof ApiFault && fault.status === 401

/** What went wrong, in words for a person. */
export function sentence(fault: unknown): string {
  return fault instanceof Error ? fault.message : String(fault)
}
