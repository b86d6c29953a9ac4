import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Review } from '../core/contract/review.ts'
import { ApiFault } from './api.ts'
import { createOutbox, GRACE_MS } from './outbox.ts'

type Sent = { id: string; decision: string; comment?: string | undefined; actionHash?: string | undefined }
const review = (id: string) => ({ id, actionHash: `hash of ${id}`, state: 'open' }) as Review
const shelfOf = (): Storage => {
  const kept = new Map<string, string>()
  return {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
    key: (i) => [...kept.keys()][i] ?? null,
    clear: () => kept.clear(),
    get length() {
      return kept.size
    },
  }
}

/** A server that decides each item once, and can be away, or lose an answer on the way. */
function server() {
  const decided = new Map<string, Sent>()
  const state = { away: false, losesAnswers: false, calls: 0 }
  const decide = (one: Sent) => {
    if (decided.has(one.id)) throw new ApiFault(409, `This item was decided already (${decided.get(one.id)!.decision} by me).`)
    decided.set(one.id, one)
  }
  const api = {
    async decide(id: string, decision: object) {
      state.calls += 1
      if (state.away) throw new ApiFault(0, 'away')
      decide({ id, ...decision } as Sent)
      if (state.losesAnswers) throw new ApiFault(0, 'the answer was lost')
      return review(id)
    },
    async decideBatch({ ids, decision }: { ids: string[]; decision: string }) {
      const items = ids.map((id) => {
        try {
          decide({ id, decision })
          return { id, ok: true as const, review: review(id) }
        } catch (fault) {
          return { id, ok: false as const, code: 'conflict', detail: (fault as Error).message }
        }
      })
      return { items }
    },
    async review(id: string) {
      const one = decided.get(id)
      return { ...review(id), state: 'decided', decision: one?.decision, comment: one?.comment ?? null, decidedBy: 'me' }
    },
  }
  return { decided, state, api: api as never }
}
let keys = 0
const outboxOf = async (api: never, shelf = shelfOf(), who: string | null = 'me') => {
  const outbox = createOutbox({ api, shelf, who: async () => who, newKey: () => `k${++keys}` })
  await outbox.start()
  return outbox
}
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a decision is sent once after the grace, bound to what was shown, and nothing is kept of it then', async () => {
  const { api, decided, state } = server()
  const shelf = shelfOf()
  const outbox = await outboxOf(api, shelf)
  outbox.put([review('a')], 'approve', { comment: 'fine' })
  await vi.advanceTimersByTimeAsync(GRACE_MS - 1)
  expect(decided.size).toBe(0)
  expect(shelf.length).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([...decided.values()]).toEqual([{ id: 'a', decision: 'approve', comment: 'fine', actionHash: 'hash of a' }])
  expect([state.calls, shelf.length, outbox.get().waiting.length]).toEqual([1, 0, 0])
})

test('the newest is undone within the grace and not after it; what was undone is never sent', async () => {
  const { api, decided } = server()
  const outbox = await outboxOf(api)
  outbox.put([review('a')], 'approve')
  outbox.put([review('b')], 'reject')
  expect(outbox.undo()?.ids).toEqual(['b'])
  await vi.advanceTimersByTimeAsync(60_000)
  expect([...decided.keys()]).toEqual(['a'])
  expect(outbox.undo()).toBeNull()
})

test('leaving the page sends at once', async () => {
  const { api, decided } = server()
  const outbox = await outboxOf(api)
  outbox.put([review('a')], 'approve')
  outbox.flush()
  expect(decided.size).toBe(1)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(outbox.get().refused).toEqual({})
})

test('a page that crashed within the grace loses nothing: the next one sends it, unless it belongs to somebody else', async () => {
  const { api, decided } = server()
  const shelf = shelfOf()
  const crashed = await outboxOf({ decide: () => new Promise(() => undefined) } as never, shelf)
  crashed.put([review('a')], 'approve')
  await outboxOf(api, shelf, 'somebody else')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(decided.size).toBe(0)
  const next = await outboxOf(api, shelf)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([...decided.keys()]).toEqual(['a'])
  expect([shelf.length, next.get().waiting.length]).toEqual([0, 0])
})

test('a server that is away gets it when it is back; a lost answer is no refusal', async () => {
  const { api, decided, state } = server()
  const outbox = await outboxOf(api)
  state.away = true
  outbox.put([review('a')], 'approve')
  await vi.advanceTimersByTimeAsync(10_000)
  expect(outbox.get().stuck).toBe(true)
  state.away = false
  state.losesAnswers = true
  await vi.advanceTimersByTimeAsync(60_000)
  expect([...decided.keys()]).toEqual(['a'])
  expect(outbox.get()).toMatchObject({ waiting: [], refused: {}, stuck: false })
})

test('what the server refuses is told with its words and with what was shown; others of a batch are decided', async () => {
  const { api, decided } = server()
  decided.set('b', { id: 'b', decision: 'reject' })
  const outbox = await outboxOf(api)
  outbox.put([review('a'), review('b')], 'approve')
  await vi.advanceTimersByTimeAsync(GRACE_MS)
  expect(decided.get('a')?.decision).toBe('approve')
  expect(Object.keys(outbox.get().refused)).toEqual(['b'])
  expect(outbox.get().refused.b).toMatchObject({
    decision: 'approve',
    shown: { id: 'b' },
    detail: expect.stringContaining('decided already'),
  })
})

test('an item is decided once however often it is asked for: while it waits, in a batch, and after the server took it', async () => {
  const { api, state, decided } = server()
  const outbox = await outboxOf(api)
  expect(outbox.put([review('a')], 'approve')).toBe(true)
  expect(outbox.put([review('a')], 'reject')).toBe(false)
  outbox.put([review('a'), review('b')], 'approve')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(outbox.put([review('a')], 'approve')).toBe(false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(state.calls).toBe(2)
  expect([...decided.values()].map((one) => `${one.id} ${one.decision}`)).toEqual(['a approve', 'b approve'])
  expect(outbox.get()).toMatchObject({ waiting: [], refused: {} })
})

test('what was undone or refused may be decided again', async () => {
  const { api, decided } = server()
  decided.set('b', { id: 'b', decision: 'reject' })
  const outbox = await outboxOf(api)
  outbox.put([review('a')], 'approve')
  outbox.undo()
  expect(outbox.put([review('a')], 'reject')).toBe(true)
  outbox.put([review('b')], 'approve')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(decided.get('a')?.decision).toBe('reject')
  expect(outbox.put([review('b')], 'approve')).toBe(true)
})
