/** The facts of one task that a person reads in its timeline, and what its model calls cost by kind of token. */
import { sql } from 'kysely'
import type { ModelSpend } from '../contract/api-detail.ts'
import type { Event, Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'
import { containing } from './trees.ts'

/** Told by the messages themselves, or mere counting. */
const LEFT_OUT: ReadonlySet<Fact['type']> = new Set(['message.added', 'call.began', 'call.ended', 'model.called'])
/** Rows of one read; the facts of one task lie scattered among those of its goal. */
const STEP = 2_000

const taskOf = (event: Event): string | null =>
  'taskId' in event ? event.taskId : event.type === 'task.created' ? event.task.id : 'review' in event ? event.review.taskId : null

/** At most `limit` facts of the task after number `after`; `more`: there may be others after the last one. */
export async function factsOfTask(store: Store, id: string, after: number, limit: number): Promise<{ items: Event[]; more: boolean }> {
  const task = await store.db.selectFrom('tasks').select('tree_id').where('id', '=', id).executeTakeFirst()
  if (!task) throw new Fault('not_found', `There is no task ${id}.`)
  const items: Event[] = []
  for (let from = after; ; ) {
    const rows = await store.db
      .selectFrom('events')
      .selectAll()
      .where('tree_id', '=', task.tree_id)
      .where('seq', '>', from)
      .where(sql<boolean>`fact like ${containing(JSON.stringify(id))} escape '\\'`)
      .where(
        sql<boolean>`fact not like '{"type":"message.added"%' and fact not like '{"type":"call.%' and fact not like '{"type":"model.called"%'`,
      )
      .orderBy('seq')
      .limit(STEP)
      .execute()
    for (const row of rows) {
      const event: Event = {
        seq: Number(row.seq),
        at: new Date(row.at).toISOString(),
        treeId: row.tree_id,
        ...(JSON.parse(row.fact) as Fact),
      }
      if (LEFT_OUT.has(event.type) || taskOf(event) !== id) continue
      if (items.length === limit) return { items, more: true }
      items.push(event)
    }
    if (rows.length < STEP) return { items, more: false }
    from = Number(rows.at(-1)!.seq)
  }
}

/** Settled model calls of the task, and of it with everything below, by model. */
export async function spendOfTask(store: Store, id: string): Promise<{ own: ModelSpend[]; subtree: ModelSpend[] }> {
  const task = await store.db.selectFrom('tasks').select('tree_id').where('id', '=', id).executeTakeFirst()
  if (!task) throw new Fault('not_found', `There is no task ${id}.`)
  const { rows } = await sql<{ own: number; provider: string; model: string } & Record<string, number | string>>`
    select case when task_id = ${id} then 1 else 0 end as own, provider, model, count(*) as calls,
      sum(case when outcome = 'lost' then 1 else 0 end) as lost, coalesce(sum(tokens), 0) as tokens,
      coalesce(sum(input), 0) as input, coalesce(sum(output), 0) as output, coalesce(sum(reasoning), 0) as reasoning,
      coalesce(sum(cache_read), 0) as cache_read, coalesce(sum(cache_write), 0) as cache_write,
      coalesce(sum(cost_micros), 0) as cost, sum(case when cost_micros is null then 1 else 0 end) as unpriced
    from model_calls
    where tree_id = ${task.tree_id} and state = 'settled' and (task_id = ${id} or (task_id > ${`${id}.`} and task_id < ${`${id}/`}))
    group by 1, 2, 3`.execute(store.db)
  const sumOf = (some: typeof rows): ModelSpend[] =>
    [...Map.groupBy(some, ({ provider, model }) => JSON.stringify([provider, model]))]
      .map(([key, those]) => {
        const [provider, model] = JSON.parse(key) as [string, string]
        const sum = (name: string) => those.reduce((total, row) => total + Number(row[name]), 0)
        return {
          provider,
          model,
          calls: sum('calls'),
          lostCalls: sum('lost'),
          tokens: sum('tokens'),
          input: sum('input'),
          output: sum('output'),
          reasoning: sum('reasoning'),
          cacheRead: sum('cache_read'),
          cacheWrite: sum('cache_write'),
          costMicros: sum('cost'),
          unpricedCalls: sum('unpriced'),
        }
      })
      .sort((a, b) => b.costMicros - a.costMicros || b.tokens - a.tokens)
  return { own: sumOf(rows.filter((row) => Number(row.own) === 1)), subtree: sumOf(rows) }
}
