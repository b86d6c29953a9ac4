/**
 * Decisions on their way to the server. Each waits for a few seconds in which it can be undone. It is kept in this browser until the server
 * has answered: leaving the page sends it at once, and what a crash or a dead line held back is sent when a page is opened again. Sending
 * twice does no harm, because an item is decided once and each decision is bound to what was shown.
 */
import type { BatchDecision, Decision, DecisionWord, Review } from '../core/contract/review.ts'
import { type Api, ApiFault } from './api.ts'
import { sentence } from './live.ts'

/** Milliseconds in which a decision can be undone. */
export const GRACE_MS = 5_000
/** After this long another page takes over what the one that kept it did not send. */
const ORPHAN_MS = 5_000
/** Older ones are not sent: the person has forgotten them, and their items still wait. */
const STALE_MS = 24 * 3_600_000
const RETRY_MS = [1_000, 2_000, 5_000, 15_000, 30_000]
const PREFIX = 'banyan-decision:'

/** One decision, of one item or of several that are alike. `hashes` by id bind it to what was shown. */
export type Sending = {
  key: string
  ids: readonly string[]
  decision: DecisionWord
  comment?: string
  remember?: Decision['remember']
  hashes: Readonly<Record<string, string>>
  at: number
  due: number
  /** Whose decision it is, as facts name them; nobody else's page sends it. */
  who: string | null
}
type Said = { comment?: string; remember?: Decision['remember'] }
/** Why the server did not take a decision. `shown`: the item as the person saw it; null after a reload. */
export type Refusal = { detail: string; decision: DecisionWord; comment: string | null; shown: Review | null }
export type OutboxState = {
  waiting: readonly Sending[]
  /** By item: what the server took from this page. The fact of it may reach the page later than the answer. */
  taken: Readonly<Record<string, Sending>>
  refused: Readonly<Record<string, Refusal>>
  /** The server did not answer: decisions wait for it. */
  stuck: boolean
}

/** The decision that was made of this item on this page and not refused; undefined: it may still be decided here. */
export const decisionOf = (state: Pick<OutboxState, 'waiting' | 'taken'>, id: string): Sending | undefined =>
  state.waiting.find((one) => one.ids.includes(id)) ?? state.taken[id]

type Shelf = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>
export type Outbox = ReturnType<typeof createOutbox>

export function createOutbox(deps: {
  api: Pick<Api, 'decide' | 'decideBatch' | 'review'>
  /** As facts name who is logged in. */
  who: () => Promise<string | null>
  shelf: Shelf | null
  newKey: () => string
  now?: () => number
}) {
  const { api, shelf } = deps
  const now = deps.now ?? Date.now
  let state: OutboxState = { waiting: [], taken: {}, refused: {}, stuck: false }
  let me: string | null = null
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const busy = new Set<string>()
  const tries = new Map<string, number>()
  const shown = new Map<string, Review>()
  const listeners = new Set<() => void>()
  const set = (change: Partial<OutboxState>) => {
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }

  const keep = (one: Sending) => {
    try {
      shelf?.setItem(PREFIX + one.key, JSON.stringify(one))
    } catch {
      // full or switched off: the decision is sent all the same, only a crash within the grace would lose it
    }
  }
  const kept = (key: string): Sending | null => {
    try {
      return JSON.parse(shelf?.getItem(PREFIX + key) ?? 'null') as Sending | null
    } catch {
      return null // not written by us
    }
  }
  const drop = (key: string) => {
    clearTimeout(timers.get(key))
    timers.delete(key)
    tries.delete(key)
    shelf?.removeItem(PREFIX + key)
    set({ waiting: state.waiting.filter((one) => one.key !== key) })
  }
  const plan = (one: Sending, at: number) => {
    clearTimeout(timers.get(one.key))
    timers.set(
      one.key,
      setTimeout(() => void send(one), Math.max(0, at - now())),
    )
  }
  const refuse = (one: Sending, id: string, detail: string) =>
    set({
      refused: {
        ...state.refused,
        [id]: { detail, decision: one.decision, comment: one.comment ?? null, shown: shown.get(id) ?? null },
      },
    })

  /** A conflict is no refusal when it is this very decision that was there first: its answer was lost on the way. */
  const arrived = async (one: Sending, id: string): Promise<boolean> => {
    if (!tries.has(one.key)) return false
    try {
      const review = await api.review(id)
      return (
        review.state === 'decided' &&
        review.decision === one.decision &&
        review.comment === (one.comment ?? null) &&
        one.who !== null &&
        review.decidedBy === one.who
      )
    } catch {
      return false // it is told as refused, with the server's words
    }
  }

  async function send(one: Sending): Promise<void> {
    if (busy.has(one.key)) return
    busy.add(one.key)
    clearTimeout(timers.get(one.key))
    try {
      const words = { decision: one.decision, ...(one.comment === undefined ? {} : { comment: one.comment }) }
      const [only] = one.ids
      if (one.ids.length === 1 && only !== undefined) {
        const actionHash = one.hashes[only]
        const decision: Decision = {
          ...words,
          ...(actionHash === undefined ? {} : { actionHash }),
          ...(one.remember === undefined ? {} : { remember: one.remember }),
        }
        try {
          await api.decide(only, decision)
        } catch (fault) {
          if (!(fault instanceof ApiFault) || mayPass(fault)) throw fault
          if (fault.status !== 409 || !(await arrived(one, only))) refuse(one, only, fault.message)
        }
      } else {
        const batch: BatchDecision = { ids: [...one.ids], ...words, actionHashes: { ...one.hashes } }
        const { items } = await api.decideBatch(batch)
        for (const item of items) if (!item.ok && !(await arrived(one, item.id))) refuse(one, item.id, item.detail)
      }
      const taken = one.ids.filter((id) => state.refused[id] === undefined)
      set({ taken: { ...state.taken, ...Object.fromEntries(taken.map((id) => [id, one])) } })
      drop(one.key)
      if (state.stuck) set({ stuck: false })
    } catch (fault) {
      if (fault instanceof ApiFault && !mayPass(fault)) {
        for (const id of one.ids) refuse(one, id, sentence(fault))
        drop(one.key)
        return
      }
      const failed = (tries.get(one.key) ?? 0) + 1
      tries.set(one.key, failed)
      set({ stuck: true })
      plan(one, now() + RETRY_MS[Math.min(failed, RETRY_MS.length) - 1]!)
    } finally {
      busy.delete(one.key)
    }
  }

  /** It may have arrived already, and only its answer was lost with the page that sent it. */
  async function sendAgain(one: Sending): Promise<void> {
    const there = await Promise.all(one.ids.map((id) => arrived(one, id)))
    if (there.every(Boolean)) drop(one.key)
    else await send(one)
  }

  /** What an earlier page left behind. */
  async function takeUp(): Promise<void> {
    const found: Sending[] = []
    for (let i = 0; i < (shelf?.length ?? 0); i++) {
      const name = shelf?.key(i) ?? ''
      const one = name.startsWith(PREFIX) ? kept(name.slice(PREFIX.length)) : null
      if (one !== null && !state.waiting.some((other) => other.key === one.key)) found.push(one)
    }
    for (const one of found) {
      if (now() - one.at > STALE_MS) drop(one.key)
      else if (one.who === null || one.who === me) {
        // The page that kept it may still be there and undo it, so it is looked for once more before it is sent.
        timers.set(
          one.key,
          setTimeout(
            () => {
              if (kept(one.key) === null) return
              tries.set(one.key, 1)
              set({ waiting: [...state.waiting, one] })
              void sendAgain(one)
            },
            Math.max(0, one.due + ORPHAN_MS - now()),
          ),
        )
      }
    }
  }

  const sendingOf = (reviews: readonly Review[], decision: DecisionWord, how: Said): Sending => ({
    key: deps.newKey(),
    ids: reviews.map((review) => review.id),
    decision,
    ...(how.comment ? { comment: how.comment } : {}),
    ...(how.remember ? { remember: how.remember } : {}),
    hashes: Object.fromEntries(reviews.map((review) => [review.id, review.actionHash])),
    at: now(),
    due: now() + GRACE_MS,
    who: me,
  })

  return {
    get: () => state,
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    /** Call once: learns who decides here, and takes up what an earlier page left behind. */
    async start(): Promise<void> {
      me = await deps.who().catch(() => null) // not logged in: nothing of anybody is sent
      if (me !== null) await takeUp()
    },
    /**
     * Decides these items with one word, after the grace. What was decided here already is left out: a key may be pressed again before
     * the page has drawn the first press. False: nothing was left to decide.
     */
    put(asked: readonly Review[], decision: DecisionWord, how: Said = {}): boolean {
      const reviews = asked.filter((review) => decisionOf(state, review.id) === undefined)
      if (reviews.length === 0) return false
      const one = sendingOf(reviews, decision, how)
      for (const review of reviews) shown.set(review.id, review)
      const refused = { ...state.refused }
      for (const id of one.ids) delete refused[id]
      keep(one)
      set({ waiting: [...state.waiting, one], refused })
      plan(one, one.due)
      return true
    },
    /** The server took this decision, which was sent to it another way. */
    tookAlready(review: Review, decision: DecisionWord): void {
      set({ taken: { ...state.taken, [review.id]: sendingOf([review], decision, {}) } })
    },
    /** Takes back the newest decision whose grace is not over, or that of an item; null: there is none. */
    undo(id?: string): Sending | null {
      const one = state.waiting.findLast((each) => each.due > now() && !busy.has(each.key) && (id === undefined || each.ids.includes(id)))
      if (!one) return null
      drop(one.key)
      return one
    },
    /** Sends everything now: the page is left, or the line is back. */
    flush(): void {
      for (const one of state.waiting) void send(one)
    },
    forget(id: string): void {
      const { [id]: _, ...refused } = state.refused
      set({ refused })
    },
  }
}

/** The decision may be taken later as it is: the server was away or busy, or the login ran out. */
const mayPass = (fault: ApiFault): boolean => fault.status === 0 || fault.status === 401 || fault.status === 429 || fault.status >= 500
