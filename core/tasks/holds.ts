/**
 * Providers that take no calls because of their limits. The first call that meets a limit holds the whole provider: every other task waits in
 * its row until the time that the provider named, without a call, an attempt or a reservation. Then one call tries; when it goes through, the
 * others go on a few at a time. All of it is rows, so that a restart and several processes on one database keep the same hold.
 */
import { type HoldKind, heldText } from '../contract/holds.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { ready } from './move.ts'
import { openTask } from './rows.ts'

/** A limit that a call met. `until`: when it is over, milliseconds since 1970; null: the provider did not say. */
export type Limit = { provider: string; account: string; kind: HoldKind; why: string; until: number | null }
export type Hold = Database['provider_holds']
/** What a task may do at a provider now. `try`: its call tries for all; tell with `passed` that it went through. */
export type Pass = { kind: 'go' } | { kind: 'try' } | { kind: 'held'; hold: Hold }

/** Waits where the provider names no time; each doubles with every call that tried in vain, up to the longest. */
const FIRST_MS: Readonly<Record<HoldKind, number>> = { rate: 2_000, quota: 300_000 }
const LONGEST_MS: Readonly<Record<HoldKind, number>> = { rate: 300_000, quota: 3_600_000 }
/** Nobody is believed further ahead; a call tries then. */
const FURTHEST_MS = 24 * 3_600_000
/** How long the task whose call tries may take to make it. Another one tries after it. */
export const TRY_MS = 120_000
/** Tasks that a step of going on wakes, at most. */
const MOST_AT_ONCE = 64

const holdOf = prepare<{ provider: string }>()((db, p) => db.selectFrom('provider_holds').selectAll().where('provider', '=', p.provider))
const allHolds = prepare<object>()((db) => db.selectFrom('provider_holds').selectAll().orderBy('provider'))
const heldProviders = prepare<object>()((db) =>
  db.selectFrom('tasks').select('held_by').distinct().where('held_by', 'is not', null).limit(1_000),
)
const heldTasks = prepare<{ provider: string; limit: number }>()((db, p) =>
  db
    .selectFrom('tasks')
    .select(['id', 'tree_id'])
    .where('held_by', '=', p.provider)
    .orderBy('priority', 'desc')
    .orderBy('created_at')
    .limit(p.limit),
)

const statusOf = prepare<{ id: string }>()((db, p) => db.selectFrom('tasks').select('status').where('id', '=', p.id))

const isHeld = (hold: Hold): boolean => hold.opening === null

export type Holds = ReturnType<typeof openHolds>

/** `accounts`: whose limits count at each provider now. */
export function openHolds(store: Store, accounts: () => ReadonlyMap<string, string> = () => new Map()) {
  const isAnothers = ({ provider, account }: Hold): boolean => (accounts().get(provider) ?? account) !== account
  return {
    /** Every provider that takes no calls now. */
    list: async (): Promise<Hold[]> => (await store.read(allHolds, {})).filter(isHeld),

    /** Asked before each call. Only the first that asks after the hold's time gets `try`. `now`: milliseconds since 1970. */
    async pass(provider: string, account: string, taskId: string, now: number): Promise<Pass> {
      const [hold] = await store.read(holdOf, { provider })
      if (!hold || !isHeld(hold)) return { kind: 'go' }
      if (hold.account !== account) {
        await store.transact((tx) => release(tx, provider, 'another key'))
        return { kind: 'go' }
      }
      if (hold.probe === taskId) return { kind: 'try' }
      if (!isDue(hold, now)) return { kind: 'held', hold }
      return store.transact(async (tx) => {
        const [again] = await tx.query(holdOf, { provider })
        if (!again || !isHeld(again)) return { kind: 'go' }
        if (!isDue(again, tx.now)) return { kind: 'held', hold: again }
        await change(tx, provider, { probe: taskId, probe_until: tx.now + TRY_MS })
        return { kind: 'try' }
      })
    },

    /** The call that tried went through: the others go on. */
    passed: (provider: string, taskId: string): Promise<number> =>
      store.transact(async (tx) => {
        const [hold] = await tx.query(holdOf, { provider })
        return hold?.probe === taskId && isHeld(hold) ? release(tx, provider, null) : 0
      }),

    /** A person has it asked again now: one call tries, and the others go on when that went through. False: it is not held. */
    tryNow: (provider: string): Promise<boolean> =>
      store.transact(async (tx) => {
        const [hold] = await tx.query(holdOf, { provider })
        if (!hold || !isHeld(hold)) return false
        await change(tx, provider, { until: Math.min(hold.until, tx.now), probe: null, probe_until: null })
        await wakeProbe(tx, provider)
        return true
      }),

    /** What is due: a call that tries, and the next of those that go on. Answers how many tasks moved. Asked each second. */
    async sweep(now: number): Promise<number> {
      const [holds, held] = await Promise.all([store.read(allHolds, {}), store.read(heldProviders, {})])
      let moved = 0
      for (const hold of holds) {
        if (hold.probe !== null && !(await mayCall(store, hold.probe)))
          await store.transact(async (tx) => {
            const [row] = await tx.query(holdOf, { provider: hold.provider })
            if (row?.probe === hold.probe) await change(tx, hold.provider, { probe: null, probe_until: null })
          })
        else if (isHeld(hold) && !isDue(hold, now) && !isAnothers(hold)) continue
        moved += await store.transact(async (tx) => {
          const [row] = await tx.query(holdOf, { provider: hold.provider })
          if (!row) return 0
          if (!isHeld(row)) return goOn(tx, row)
          if (isAnothers(row)) return release(tx, row.provider, 'another key')
          return isDue(row, tx.now) ? wakeProbe(tx, row.provider) : 0
        })
      }
      // Nobody holds these: whoever let them wait is gone.
      for (const { held_by } of held)
        if (!holds.some((hold) => hold.provider === held_by)) moved += await store.transact((tx) => wake(tx, held_by!, MOST_AT_ONCE))
      return moved
    },
  }
}

/** False: it was stopped, paused or set aside before its call was made. */
async function mayCall(store: Store, id: string): Promise<boolean> {
  const [task] = await store.read(statusOf, { id })
  return task !== undefined && ['pending', 'assigned', 'active'].includes(task.status)
}

const isDue = (hold: Hold, now: number): boolean => now >= hold.until && (hold.probe_until === null || now >= hold.probe_until)

/**
 * Holds the provider of a call that met its limit. Answers when it is asked again. Calls that were under way meet the limit after the first:
 * they only make a hold longer.
 */
export async function hold(tx: Tx, taskId: string, limit: Limit): Promise<Hold> {
  const { provider, account, kind, why } = limit
  const [had] = await tx.query(holdOf, { provider })
  const same = had?.account === account ? had : undefined
  const again = same !== undefined && (!isHeld(same) || same.probe === taskId)
  const rounds = again ? Number(same.rounds) + 1 : Number(same?.rounds ?? 0)
  const named = limit.until ?? tx.now + Math.min(LONGEST_MS[kind], FIRST_MS[kind] * 2 ** Math.min(rounds, 20))
  const until = Math.min(Math.max(named, tx.now), tx.now + FURTHEST_MS)
  if (same && isHeld(same) && same.probe !== taskId && same.until >= until) return same
  const row: Hold = {
    ...{ provider, account, kind, why: why.slice(0, 1_000), rounds },
    since: same && isHeld(same) ? same.since : tx.now,
    until,
    probe: null,
    probe_until: null,
    opening: null,
  }
  const { provider: _, ...rest } = row
  await tx.db
    .insertInto('provider_holds')
    .values(row)
    .onConflict((c) => c.column('provider').doUpdateSet(rest))
    .execute()
  tx.record(null, { type: 'provider.held', provider, kind, why: row.why, until: new Date(until).toISOString() })
  return row
}

/** What a person reads at a task that waits for it. */
export const heldWords = ({ provider, kind, until }: Hold): string =>
  heldText({ provider, kind: kind as HoldKind, until: new Date(Number(until)).toISOString() })

async function release(tx: Tx, provider: string, by: string | null): Promise<number> {
  await change(tx, provider, { opening: 0, probe: null, probe_until: null })
  tx.record(null, { type: 'provider.released', provider, by })
  return goOn(tx, (await tx.query(holdOf, { provider }))[0]!)
}

/** Lets the next ones go on, twice as many as in the step before; the hold is forgotten with the last. */
async function goOn(tx: Tx, { provider, opening }: Hold): Promise<number> {
  const step = Number(opening)
  const count = Math.min(MOST_AT_ONCE, 2 ** Math.min(step + 1, 20))
  const woken = await wake(tx, provider, count)
  if (woken < count) await tx.db.deleteFrom('provider_holds').where('provider', '=', provider).execute()
  else await change(tx, provider, { opening: step + 1 })
  return woken
}

async function wakeProbe(tx: Tx, provider: string): Promise<number> {
  const [first] = await tx.query(heldTasks, { provider, limit: 1 })
  if (!first) return 0
  await change(tx, provider, { probe: first.id, probe_until: tx.now + TRY_MS })
  return wake(tx, provider, 1)
}

async function wake(tx: Tx, provider: string, count: number): Promise<number> {
  const rows = await tx.query(heldTasks, { provider, limit: count })
  for (const { id, tree_id } of rows) await ready(tx, await openTask(tx, id, tree_id))
  return rows.length
}

const change = (tx: Tx, provider: string, set: Partial<Hold>) =>
  tx.db.updateTable('provider_holds').set(set).where('provider', '=', provider).execute()
