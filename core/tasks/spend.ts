/** What all goals together spend: a limit a day, and what was spent on what. A day is one of UTC. */
import { sql } from 'kysely'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Reached } from './limits.ts'

export const DAY_MS = 86_400_000
export const dayStart = (now: number): number => now - (now % DAY_MS)
const keyOf = (now: number): string => `daily_limit:${new Date(now).toISOString().slice(0, 10)}`

const spentSince = prepare<{ since: number }>()((db, p) =>
  db
    .selectFrom('model_calls')
    .select((e) => [
      e.fn.coalesce(e.fn.sum<number>('cost_micros'), e.lit(0)).as('settled'),
      e.fn.coalesce(e.fn.sum<number>(sql<number>`case when state = 'reserved' then reserved_cost_micros else 0 end`), e.lit(0)).as('held'),
    ])
    .where('at', '>=', p.since),
)
const raisedTo = prepare<{ key: string }>()((db, p) => db.selectFrom('meta').select('value').where('key', '=', p.key))

/** Today's limit, with what a person added to it today. */
async function limitOf(read: (key: string) => Promise<{ value: string }[]>, limit: number, now: number): Promise<number> {
  const [row] = await read(keyOf(now))
  return Math.max(limit, Number(row?.value ?? 0))
}

/** Whether a call of this price, the highest it may have, still fits into the day. A call whose price is unknown is not held back. */
export async function dayReaches(tx: Tx, limit: number | null, costMicros: number): Promise<Reached | null> {
  if (limit === null || costMicros === 0) return null
  const [spent] = await tx.query(spentSince, { since: dayStart(tx.now) })
  const used = Number(spent?.settled ?? 0) + Number(spent?.held ?? 0)
  const cap = await limitOf((key) => tx.query(raisedTo, { key }), limit, tx.now)
  return used + costMicros > cap ? { limit: 'dailyMicros', used, cap } : null
}

/** A person lets today cost more; tomorrow the setting holds again. */
export async function raiseDay(tx: Tx, micros: number): Promise<void> {
  const value = String(micros)
  await tx.db
    .insertInto('meta')
    .values({ key: keyOf(tx.now), value })
    .onConflict((c) => c.column('key').doUpdateSet({ value }))
    .execute()
}

type Sum = { dollars: number; calls: number; tokens: number; unpricedCalls: number }
export type SpendReport = {
  today: Sum
  week: Sum
  days: (Sum & { day: string })[]
  byModel: (Sum & { provider: string; model: string })[]
  byAgent: (Sum & { agent: string })[]
  limit: { dollars: number; usedPercent: number } | null
}

/** The last seven days, today among them. Calls that are under way are not in it. */
export async function spendReport(store: Store, limit: number | null, now: number): Promise<SpendReport> {
  const first = dayStart(now) - 6 * DAY_MS
  const { rows } = await sql<{ day: number; provider: string; model: string; agent: string } & Record<string, number | string>>`
    select c.at / ${sql.lit(DAY_MS)} as day, c.provider as provider, c.model as model, t.agent as agent,
      coalesce(sum(c.cost_micros), 0) as cost, count(*) as calls, coalesce(sum(c.tokens), 0) as tokens,
      sum(case when c.cost_micros is null then 1 else 0 end) as unpriced
    from model_calls c join tasks t on t.id = c.task_id
    where c.at >= ${first} and c.state = 'settled'
    group by 1, 2, 3, 4`.execute(store.db)
  const sumOf = (some: typeof rows): Sum => {
    const total = (name: string) => some.reduce((sum, row) => sum + Number(row[name]), 0)
    return { dollars: total('cost') / 1e6, calls: total('calls'), tokens: total('tokens'), unpricedCalls: total('unpriced') }
  }
  const grouped = <K extends object>(keys: (row: (typeof rows)[number]) => K) =>
    [...Map.groupBy(rows, (row) => JSON.stringify(keys(row)))]
      .map(([key, some]) => ({ ...(JSON.parse(key) as K), ...sumOf(some) }))
      .sort((a, b) => b.dollars - a.dollars || b.tokens - a.tokens)
  const today = sumOf(rows.filter((row) => Number(row.day) === dayStart(now) / DAY_MS))
  const cap = limit === null ? null : await limitOf((key) => store.read(raisedTo, { key }), limit, now)
  return {
    today,
    week: sumOf(rows),
    days: Array.from({ length: 7 }, (_, i) => {
      const day = first / DAY_MS + i
      return { day: new Date(day * DAY_MS).toISOString().slice(0, 10), ...sumOf(rows.filter((row) => Number(row.day) === day)) }
    }),
    byModel: grouped(({ provider, model }) => ({ provider, model })),
    byAgent: grouped(({ agent }) => ({ agent })),
    limit: cap === null ? null : { dollars: cap / 1e6, usedPercent: cap === 0 ? 100 : Math.round((today.dollars * 1e8) / cap) },
  }
}
