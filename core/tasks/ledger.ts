/**
 * What model calls cost: held before the call, settled after it, counted as spent if the process died in between. The sums of a tree and of
 * a task equal those of their settled calls, in the same commit.
 */
import { sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { type Spend, tokensOf, type Usage } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { openTree, saveTree, type TaskRow, type TreeRow } from './rows.ts'

const reserve = prepare<
  Pick<
    Database['model_calls'],
    'task_id' | 'n' | 'tree_id' | 'provider' | 'model' | 'lease_token' | 'reserved_tokens' | 'reserved_cost_micros' | 'at'
  >
>()((db, p) =>
  db.insertInto('model_calls').values({
    task_id: p.task_id,
    n: p.n,
    tree_id: p.tree_id,
    provider: p.provider,
    model: p.model,
    state: 'reserved',
    lease_token: p.lease_token,
    reserved_tokens: p.reserved_tokens,
    reserved_cost_micros: p.reserved_cost_micros,
    at: p.at,
  } as never),
)
type Settle = { task_id: string; n: number } & Pick<
  Database['model_calls'],
  'model' | 'input' | 'output' | 'reasoning' | 'cache_read' | 'cache_write' | 'tokens' | 'cost_micros' | 'latency_ms' | 'outcome'
>
const settle = prepare<Settle>()((db, p) =>
  db
    .updateTable('model_calls')
    .set({
      state: 'settled',
      model: p.model,
      input: p.input,
      output: p.output,
      reasoning: p.reasoning,
      cache_read: p.cache_read,
      cache_write: p.cache_write,
      tokens: p.tokens,
      cost_micros: p.cost_micros,
      latency_ms: p.latency_ms,
      outcome: p.outcome,
    })
    .where('task_id', '=', p.task_id)
    .where('n', '=', p.n)
    .where('state', '=', sql.lit('reserved'))
    .returning(['reserved_tokens', 'reserved_cost_micros', 'provider']),
)
const reservedOf = prepare<{ task_id: string }>()((db, p) =>
  db.selectFrom('model_calls').selectAll().where('task_id', '=', p.task_id).where('state', '=', sql.lit('reserved')),
)
const settleLost = prepare<{ task_id: string; n: number }>()((db, p) =>
  db
    .updateTable('model_calls')
    .set((e) => ({ state: 'settled', outcome: 'lost', tokens: e.ref('reserved_tokens'), cost_micros: e.ref('reserved_cost_micros') }))
    .where('task_id', '=', p.task_id)
    .where('n', '=', p.n),
)

/** Holds what one call may cost at most. The caller saves the task row. Returns the call's number within the task. */
export async function reserveCall(
  tx: Tx,
  task: TaskRow,
  tree: TreeRow,
  ask: { provider: string; model: string; tokens: number; costMicros: number },
): Promise<number> {
  const n = ++task.model_calls
  await tx.query(reserve, {
    task_id: task.id,
    n,
    tree_id: tree.id,
    provider: ask.provider,
    model: ask.model,
    lease_token: task.lease_token,
    reserved_tokens: ask.tokens,
    reserved_cost_micros: ask.costMicros,
    at: tx.now,
  })
  tree.reserved_turns += 1
  tree.reserved_tokens += ask.tokens
  tree.reserved_cost_micros += ask.costMicros
  await saveTree(tx, tree)
  return n
}

/** Writes what a call really cost in place of what was held for it. */
export async function settleCall(
  tx: Tx,
  task: TaskRow,
  n: number,
  call: { provider: string; model: string; usage: Usage | null; costMicros: number | null; latencyMs: number; outcome: 'ok' | 'fault' },
): Promise<void> {
  const u = call.usage
  const tokens = u ? tokensOf(u) : 0
  const spend: Spend = { turns: 1, tokens, costMicros: call.costMicros ?? 0, unpricedCalls: call.costMicros === null ? 1 : 0 }
  const [held] = await tx.query(settle, {
    task_id: task.id,
    n,
    model: call.model,
    input: u?.input ?? 0,
    output: u?.output ?? 0,
    reasoning: u?.reasoning ?? 0,
    cache_read: u?.cacheRead ?? 0,
    cache_write: u?.cacheWrite ?? 0,
    tokens,
    cost_micros: call.costMicros,
    latency_ms: Math.round(call.latencyMs),
    outcome: call.outcome,
  })
  if (!held) throw new Fault('conflict', `Model call ${n} of task ${task.id} is settled already.`)
  const tree = await openTree(tx, task.tree_id)
  tree.reserved_turns -= 1
  tree.reserved_tokens -= held.reserved_tokens
  tree.reserved_cost_micros -= held.reserved_cost_micros
  for (const sum of [tree, task]) {
    sum.turns += 1
    sum.tokens += spend.tokens
    sum.cost_micros += spend.costMicros
    sum.unpriced_calls += spend.unpricedCalls
  }
  await saveTree(tx, tree)
  tx.record(task.tree_id, {
    type: 'model.called',
    taskId: task.id,
    n,
    provider: call.provider,
    model: call.model,
    spend,
    latencyMs: Math.round(call.latencyMs),
    outcome: call.outcome,
  })
}

/** A model call whose process died or was cut off is counted as if it had cost all that was reserved: spend may be too high, never too low. */
export async function settleLostCalls(tx: Tx, task: TaskRow): Promise<void> {
  for (const call of await tx.query(reservedOf, { task_id: task.id })) {
    await tx.query(settleLost, { task_id: call.task_id, n: call.n })
    const tree = await openTree(tx, task.tree_id)
    tree.reserved_turns -= 1
    tree.reserved_tokens -= call.reserved_tokens
    tree.reserved_cost_micros -= call.reserved_cost_micros
    const spend = { turns: 1, tokens: call.reserved_tokens, costMicros: call.reserved_cost_micros, unpricedCalls: 0 }
    for (const sum of [tree, task]) {
      sum.turns += spend.turns
      sum.tokens += spend.tokens
      sum.cost_micros += spend.costMicros
    }
    await saveTree(tx, tree)
    tx.record(task.tree_id, {
      type: 'model.called',
      taskId: task.id,
      n: call.n,
      provider: call.provider,
      model: call.model,
      spend,
      latencyMs: 0,
      outcome: 'lost',
    })
  }
}
