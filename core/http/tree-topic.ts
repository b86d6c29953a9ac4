/**
 * Trees over the live line: the skeleton as it was at one number, then that tree's facts. A client that comes back is told what it missed,
 * fact by fact or, when that is more than its nodes are, as current rows; one that reads slower than facts come is treated the same, so
 * that nothing grows for it. Facts are turned into JSON once for all who follow a tree.
 */
import type { Event } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { LiveFrame, Topic } from '../contract/live.ts'
import { factForTree } from '../contract/node.ts'
import type { Store } from '../store/store.ts'
import { readNodes, readSkeleton } from '../tasks/skeleton.ts'

/** Where frames of one socket go. */
export type Outlet = {
  send(text: string): void
  /** False while it has more to read than it should have; `drained` of its topics is called when that is over. */
  ready(): boolean
}

type Follower = {
  outlet: Outlet
  treeId: string
  topic: Topic
  /** Number up to which it was told everything; null: it knows nothing. */
  seq: number | null
  busy: boolean
  /** Something was committed while it was busy. */
  again: boolean
  gone: boolean
  /** Parts of a snapshot that wait for room. */
  parts: string[]
}

/** Facts told one by one to who missed them; more are told as rows. */
const FACTS = 500
/** Facts looked through for what changed, and nodes told as rows; beyond either the whole tree is told. */
const [LOOKED_AT, ROWS] = [20_000, 2_000]
const BATCH = 2_000

export function openTreeTopics(store: Store, refused: (outlet: Outlet, topic: Topic, error: unknown) => void) {
  const followers = new Map<string, Set<Follower>>()
  const say = (follower: Follower, frame: LiveFrame) => follower.outlet.send(JSON.stringify(frame))

  function committed(events: readonly Event[]): void {
    if (followers.size === 0) return
    const [first, last] = [events[0]!.seq, events.at(-1)!.seq]
    const told = new Map<string, Event[]>()
    for (const event of events) {
      if (event.treeId === null || !followers.has(event.treeId)) continue
      const fact = factForTree(event)
      if (!fact) continue
      const own = told.get(event.treeId)
      if (own) own.push(fact)
      else told.set(event.treeId, [fact])
    }
    for (const [treeId, those] of followers) {
      const facts = told.get(treeId)
      let text: string | undefined
      for (const follower of those) {
        if (follower.busy || follower.parts.length > 0 || follower.seq !== first - 1 || !follower.outlet.ready()) {
          void tell(follower)
          continue
        }
        follower.seq = last
        if (!facts) continue
        text ??= JSON.stringify({ type: 'facts', topic: follower.topic, seq: last, events: facts } satisfies LiveFrame)
        follower.outlet.send(text)
      }
    }
  }

  /** Tells it everything up to now, or as much as it takes; then `drained` comes back here. */
  async function tell(follower: Follower): Promise<void> {
    if (follower.busy) {
      follower.again = true
      return
    }
    follower.busy = true
    try {
      do {
        follower.again = false
        while (!follower.gone && follower.outlet.ready()) {
          const part = follower.parts.shift()
          if (part !== undefined) follower.outlet.send(part)
          else if (follower.seq === null) await readWhole(follower)
          else if (!(await catchUp(follower, follower.seq))) break
        }
      } while (follower.again && !follower.gone && follower.outlet.ready())
    } catch (error) {
      if (!follower.gone) {
        drop(follower)
        refused(follower.outlet, follower.topic, error)
      }
    } finally {
      follower.busy = false
    }
  }

  async function readWhole(follower: Follower): Promise<void> {
    const { seq, head, reviews, chunks } = await readSkeleton(store, follower.treeId)
    const { topic } = follower
    follower.parts = chunks.map((nodes, part) => {
      const last = part === chunks.length - 1
      return JSON.stringify({ type: 'tree', topic, seq, part, last, nodes, ...(part === 0 ? { head, reviews } : {}) } satisfies LiveFrame)
    })
    follower.seq = seq
  }

  /** True when there may be more to do. */
  async function catchUp(follower: Follower, after: number): Promise<boolean> {
    const { treeId, topic } = follower
    const passed = await store.lastSeq()
    // A number that is not there yet was given by another database, or by this one before it was put back.
    if (passed < after) return startAnew(follower)
    const facts = await store.eventsAfter(after, { treeId, limit: FACTS + 1 })
    if (facts.length <= FACTS) {
      follower.seq = Math.max(passed, facts.at(-1)?.seq ?? 0)
      const events = facts.flatMap((fact) => factForTree(fact) ?? [])
      if (events.length > 0) say(follower, { type: 'facts', topic, seq: follower.seq, events })
      return false
    }
    const ids = await changedSince(treeId, after)
    if (!ids) return startAnew(follower)
    const { seq, head, reviews, nodes } = await readNodes(store, treeId, [...ids])
    follower.seq = seq
    say(follower, { type: 'nodes', topic, seq, head, reviews, nodes })
    return true
  }
  function startAnew(follower: Follower): true {
    say(follower, { type: 'resync', topic: follower.topic })
    follower.seq = null
    return true
  }

  /** Ids of the nodes that facts since then name; null: too many. */
  async function changedSince(treeId: string, after: number): Promise<Set<string> | null> {
    const ids = new Set<string>()
    let seq = after
    for (let looked = 0; looked < LOOKED_AT; looked += BATCH) {
      const facts = await store.eventsAfter(seq, { treeId, limit: BATCH })
      for (const event of facts) {
        const fact = factForTree(event)
        if (fact?.type === 'task.created') ids.add(fact.task.id)
        else if (fact && 'taskId' in fact) ids.add(fact.taskId)
      }
      if (ids.size > ROWS) return null
      if (facts.length < BATCH) return ids
      seq = facts.at(-1)!.seq
    }
    return null
  }

  function drop(follower: Follower): void {
    follower.gone = true
    follower.parts = []
    const those = followers.get(follower.treeId)
    those?.delete(follower)
    if (those?.size === 0) followers.delete(follower.treeId)
  }

  return {
    committed,
    /** `after`: number up to which it knows the tree. Call `drained` when its socket has room again, `stop` when nobody wants it. */
    follow(outlet: Outlet, treeId: string, after: number | undefined): { drained(): void; stop(): void } {
      if (treeId === '') throw new Fault('invalid', 'A tree topic names its tree: tree:ID.')
      const follower: Follower = {
        outlet,
        treeId,
        topic: `tree:${treeId}`,
        seq: after ?? null,
        busy: false,
        again: false,
        gone: false,
        parts: [],
      }
      const those = followers.get(treeId)
      if (those) those.add(follower)
      else followers.set(treeId, new Set([follower]))
      void tell(follower)
      return { drained: () => void tell(follower), stop: () => drop(follower) }
    },
    /** Something may have been committed elsewhere. */
    wake(): void {
      for (const those of followers.values()) for (const follower of those) void tell(follower)
    },
  }
}
