/**
 * Topics that are told as rows: home, reviews, system, and one opened task. What changed is gathered and read again a moment later, once
 * for all who follow the topic, so a busy system costs the same few reads as a calm one and a slow client misses nothing it needs.
 */
import type { Event } from '../contract/event.ts'
import type { LiveFrame, SystemNow, Topic } from '../contract/live.ts'
import type { Store } from '../store/store.ts'
import { readOpenTask } from '../tasks/previews.ts'
import { waitingFor } from '../tasks/review.ts'
import { toReview } from '../tasks/rows.ts'
import { listTrees, type TreeView, treesOf } from '../tasks/trees.ts'
import type { Outlet } from './tree-topic.ts'

type Follower = { outlet: Outlet /** It must be told the whole when it is ready. */; stale: boolean; gone: boolean }
/** What a topic is: which facts concern it, and how all of it, or what changed, is read. */
type Kind = {
  /** Milliseconds between two tellings at least. */
  every: number
  /** Names what the fact changes; null: nothing of this topic. */
  touches(event: Event): string | null
  whole(): Promise<LiveFrame>
  /** Null: too much changed, or it is not told in parts. */
  changed(ids: readonly string[]): Promise<LiveFrame | null>
}
type Channel = {
  kind: Kind
  topic: Topic
  followers: Set<Follower>
  dirty: Set<string>
  timer: NodeJS.Timeout | undefined
  busy: boolean
  notBefore: number
}

/** Rows of one telling; more are told as the whole. */
const ROWS = 200
/** A telling that takes long is made less often: it takes at most this part of the time. */
const SHARE = 5
/** Goals that home begins with, newest first; and of older ones those under way. */
const [NEWEST, UNDER_WAY] = [50, 100]

/** What people ask of the system itself is no goal to look after. */
const isGoal = (view: TreeView): boolean => view.conversation === undefined

export function openRowTopics(parts: {
  store: Store
  liveConnections: () => number
  refused: (outlet: Outlet, topic: Topic, error: unknown) => void
}) {
  const { store, refused } = parts
  const channels = new Map<Topic, Channel>()

  const withCost = (view: TreeView) => ({
    ...view,
    cost: { dollars: view.spend.costMicros / 1_000_000, unpricedCalls: view.spend.unpricedCalls },
  })
  const home: Kind = {
    // The first change after a while is told at once; while changes go on, a list of goals is read five times a second, not twenty.
    every: 200,
    touches: (event) => (event.treeId !== null && changesTree(event) ? event.treeId : null),
    async whole() {
      const seq = await store.lastSeq()
      const page = await listTrees(store, { asks: false, limit: NEWEST })
      const older = await store.db
        .selectFrom('tasks')
        .select('id')
        .where('parent_id', 'is', null)
        .where('status', 'not in', ['done', 'failed', 'cancelled', 'dead'])
        .where('id', 'not in', page.items.length > 0 ? page.items.map((tree) => tree.id) : [''])
        .orderBy('created_at', 'desc')
        .limit(UNDER_WAY)
        .execute()
      const running = await treesOf(
        store,
        older.map((row) => row.id),
      )
      return {
        type: 'home',
        topic: 'home',
        seq,
        whole: true,
        trees: [...page.items, ...running].filter(isGoal).map(withCost),
        older: page.nextCursor,
      }
    },
    async changed(ids) {
      const seq = await store.lastSeq()
      return { type: 'home', topic: 'home', seq, whole: false, trees: (await treesOf(store, ids)).filter(isGoal).map(withCost) }
    },
  }
  const readReviews = async (ids: readonly string[] | null) => {
    const seq = await store.lastSeq()
    let ask = store.db.selectFrom('reviews').selectAll().orderBy('created_at').orderBy('id').limit(1_000)
    ask = ids === null ? ask.where('state', 'in', ['open', 'snoozed']) : ask.where('id', 'in', [...ids])
    return { seq, reviews: await waitingFor(store.db, (await ask.execute()).map(toReview)) }
  }
  const reviews: Kind = {
    every: 50,
    touches: (event) => ('review' in event ? event.review.id : null),
    whole: async () => ({ type: 'reviews', topic: 'reviews', whole: true, ...(await readReviews(null)) }),
    changed: async (ids) => ({ type: 'reviews', topic: 'reviews', whole: false, ...(await readReviews(ids)) }),
  }
  const readSystem = async (): Promise<LiveFrame> => {
    const seq = await store.lastSeq()
    const [counts, open] = await Promise.all([
      store.db
        .selectFrom('tasks')
        .select(['status', (e) => e.fn.countAll<number>().as('count')])
        .groupBy('status')
        .execute(),
      store.db
        .selectFrom('reviews')
        .select((e) => e.fn.countAll<number>().as('count'))
        .where('state', '=', 'open')
        .executeTakeFirstOrThrow(),
    ])
    const system: SystemNow = {
      tasks: Object.fromEntries(counts.map((row) => [row.status, Number(row.count)])),
      openReviews: Number(open.count),
      liveConnections: parts.liveConnections(),
    }
    return { type: 'system', topic: 'system', seq, system }
  }
  const system: Kind = {
    every: 1_000,
    // Whoever follows it learns by its number that there is something new, whatever it is.
    touches: () => 'system',
    whole: readSystem,
    changed: readSystem,
  }
  function taskKind(topic: Topic, id: string): Kind {
    /** Newest message that all followers were told. */
    let told = 0
    const read = async (whole: boolean, toAll: boolean): Promise<LiveFrame> => {
      const { seq, task, messages, calls, earlier } = await readOpenTask(store, id, whole ? 0 : told)
      // More came than one telling holds: what lies between would be missing.
      if (!whole && earlier > 0) return read(true, true)
      if (toAll || told === 0) told = Math.max(told, messages.at(-1)?.n ?? 0)
      return { type: 'task', topic, seq, whole, task, messages, calls, ...(whole ? { earlier } : {}) }
    }
    return {
      every: 25,
      touches: (event) =>
        ('taskId' in event && event.taskId === id) ||
        ('review' in event && event.review.taskId === id) ||
        (event.type === 'task.created' && event.task.id === id)
          ? id
          : null,
      whole: () => read(true, false),
      changed: () => read(false, true),
    }
  }
  const kindOf = (topic: Topic): Kind => {
    if (topic === 'home') return home
    if (topic === 'reviews') return reviews
    if (topic === 'system') return system
    return taskKind(topic, topic.slice('task:'.length))
  }

  function schedule(channel: Channel): void {
    if (channel.busy || channel.timer) return
    channel.timer = setTimeout(
      () => {
        channel.timer = undefined
        void tell(channel)
      },
      Math.max(0, channel.notBefore - performance.now()),
    )
    channel.timer.unref()
  }

  async function tell(channel: Channel): Promise<void> {
    channel.busy = true
    const began = performance.now()
    const { kind, dirty, followers } = channel
    try {
      const ids = [...dirty]
      dirty.clear()
      if (ids.length > ROWS) for (const follower of followers) follower.stale = true
      for (const follower of followers) if (!follower.outlet.ready()) follower.stale = true
      if (ids.length > 0 && [...followers].some((follower) => !follower.stale)) {
        const frame = await kind.changed(ids)
        const text = JSON.stringify(frame)
        for (const follower of followers) if (!follower.stale) follower.outlet.send(text)
      }
      const waiting = () => [...followers].filter((follower) => follower.stale && follower.outlet.ready())
      if (waiting().length > 0) {
        const begun = waiting()
        for (const follower of begun) follower.stale = false // what is committed from here on is told as a change
        const text = JSON.stringify(await kind.whole())
        for (const follower of begun) if (!follower.gone) follower.outlet.send(text)
      }
    } catch (error) {
      for (const follower of followers) {
        drop(channel, follower)
        refused(follower.outlet, channel.topic, error)
      }
    } finally {
      channel.busy = false
      const took = performance.now() - began
      channel.notBefore = performance.now() + Math.max(kind.every, took * SHARE)
      if (dirty.size > 0 || [...followers].some((follower) => follower.stale && follower.outlet.ready())) schedule(channel)
    }
  }

  function drop(channel: Channel, follower: Follower): void {
    follower.gone = true
    channel.followers.delete(follower)
    if (channel.followers.size > 0) return
    clearTimeout(channel.timer)
    channels.delete(channel.topic)
  }

  return {
    committed(events: readonly Event[]): void {
      for (const channel of channels.values()) {
        for (const event of events) {
          const id = channel.kind.touches(event)
          if (id !== null) channel.dirty.add(id)
        }
        if (channel.dirty.size > 0) schedule(channel)
      }
    },
    follow(outlet: Outlet, topic: Topic): { drained(): void; stop(): void } {
      let channel = channels.get(topic)
      if (!channel) {
        channel = { kind: kindOf(topic), topic, followers: new Set(), dirty: new Set(), timer: undefined, busy: false, notBefore: 0 }
        channels.set(topic, channel)
      }
      const own = channel
      const follower: Follower = { outlet, stale: true, gone: false }
      own.followers.add(follower)
      own.notBefore = Math.min(own.notBefore, performance.now() + own.kind.every)
      clearTimeout(own.timer)
      own.timer = undefined
      schedule(own)
      return {
        drained: () => {
          if (follower.stale) schedule(own)
        },
        stop: () => drop(own, follower),
      }
    },
    /** Something may have been committed elsewhere, and nobody said what: all is read again. */
    wake(): void {
      for (const channel of channels.values()) {
        for (const follower of channel.followers) follower.stale = true
        schedule(channel)
      }
    },
    stop(): void {
      for (const channel of channels.values()) clearTimeout(channel.timer)
      channels.clear()
    },
  }
}

function changesTree(event: Event): boolean {
  switch (event.type) {
    case 'tree.created':
    case 'tree.paused':
    case 'tree.resumed':
    case 'task.created':
    case 'model.called':
    case 'review.opened':
    case 'review.decided':
    case 'review.changed':
    case 'task.moved':
      return true
    default:
      return false
  }
}
