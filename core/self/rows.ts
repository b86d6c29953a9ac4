/** Rows of changes and of their gates, and the one place where a change goes from one state to the next. */
import { createHash } from 'node:crypto'
import type { Change, ChangedFile, ChangeKind, ChangeState, Gate, GateVerdict, Level } from '../contract/change.ts'
import { isSettled, mayMove } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import type { Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'
import { openCall, wakeIfFree } from '../tasks/move.ts'

export type ChangeRow = Database['changes']
export type GateRow = Database['change_gates']

const iso = (ms: number): string => new Date(Number(ms)).toISOString()

export const toChange = (row: ChangeRow): Change => ({
  id: row.id,
  kind: row.kind as ChangeKind,
  state: row.state as ChangeState,
  title: row.title,
  why: row.why,
  evidence: row.evidence,
  effect: row.effect,
  author: row.author,
  treeId: row.tree_id,
  taskId: row.task_id,
  level: row.level === null ? null : (Number(row.level) as Level),
  reasons: JSON.parse(row.reasons) as string[],
  note: row.note,
  files: JSON.parse(row.files) as ChangedFile[],
  base: row.base,
  commit: row.commit_hash,
  tree: row.tree,
  round: Number(row.round),
  reviewId: row.review_id,
  decidedBy: row.decided_by,
  landed: row.landed,
  join: row.join_command,
  reverts: row.reverts,
  createdAt: iso(row.created_at),
  updatedAt: iso(row.updated_at),
})
export const toGate = (row: GateRow): Gate => ({
  name: row.name,
  verdict: row.verdict as GateVerdict,
  summary: row.summary,
  ms: Number(row.ms),
  digest: row.digest,
  at: iso(row.at),
})

export const digestOf = (...parts: readonly string[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex')
/** What a decision is bound to beside the tree: every gate, in its order. */
export const digestOfGates = (gates: readonly Pick<GateRow, 'name' | 'verdict' | 'digest'>[]): string =>
  digestOf(...gates.flatMap(({ name, verdict, digest }) => [name, verdict, digest]))

/** Changes the row and tells it. A state that cannot follow is a bug or a race, and a Fault. */
export async function moveChange(tx: Tx, row: ChangeRow, to: ChangeState, set: Partial<ChangeRow> = {}): Promise<ChangeRow> {
  const from = row.state as ChangeState
  if (!mayMove(from, to)) throw new Fault('conflict', `Change ${row.id} cannot go from ${from} to ${to}.`)
  const [next] = await tx.db
    .updateTable('changes')
    .set({ ...set, state: to, updated_at: tx.now })
    .where('id', '=', row.id)
    .where('state', '=', from)
    .where('round', '=', row.round)
    .returningAll()
    .execute()
  if (!next) throw new Fault('conflict', `Change ${row.id} was moved by somebody else.`)
  await recordMove(tx, next, from)
  return next
}
/** Tells how it stands, in the log and in its own story. */
export async function recordMove(tx: Tx, row: ChangeRow, from: ChangeState | null): Promise<void> {
  const last = await tx.db
    .selectFrom('change_story')
    .select((e) => e.fn.max('n').as('n'))
    .where('change_id', '=', row.id)
    .executeTakeFirst()
  await tx.db
    .insertInto('change_story')
    .values({ change_id: row.id, n: Number(last?.n ?? 0) + 1, state: row.state, note: row.note, at: tx.now })
    .execute()
  const { files: _, why: _why, evidence: _evidence, effect: _effect, ...change } = toChange(row)
  tx.record(row.tree_id, { type: 'change.moved', change, from })
  if (row.call_id === null) return
  // Its author waits for the gates, for a person or for the keeper, and people read which.
  const { call, task } = await openCall(tx, row.call_id)
  if (call.waits === 'change' && call.state !== 'ended') await wakeIfFree(tx, task)
}
export const isOpen = (row: ChangeRow): boolean => !isSettled(row.state as ChangeState)

export const changeOf = (db: Tx['db'], id: string): Promise<ChangeRow | undefined> =>
  db.selectFrom('changes').selectAll().where('id', '=', id).executeTakeFirst()
/** Those that are not at their end, the oldest first. */
export const openChangeRows = (db: Tx['db']): Promise<ChangeRow[]> =>
  db.selectFrom('changes').selectAll().where('state', 'not in', ['kept', 'undone', 'refused']).orderBy('created_at').orderBy('id').execute()
export const gatesOf = (db: Tx['db'], id: string, round: number): Promise<GateRow[]> =>
  db.selectFrom('change_gates').selectAll().where('change_id', '=', id).where('round', '=', round).orderBy('n').execute()

export async function storyOf(db: Tx['db'], id: string): Promise<{ at: string; state: ChangeState; note: string | null }[]> {
  const rows = await db.selectFrom('change_story').selectAll().where('change_id', '=', id).orderBy('n').execute()
  return rows.map(({ at, state, note }) => ({ at: iso(at), state: state as ChangeState, note }))
}
/** What a change has not yet when it is made. */
export const EMPTY = {
  level: null,
  reasons: '[]',
  note: null,
  files: '[]',
  base: null,
  commit_hash: null,
  tree: null,
  round: 0,
  review_id: null,
  approved_tree: null,
  approved_gates: null,
  decided_by: null,
  landing: null,
  landed: null,
  join_command: null,
  reverts: null,
  keeper_told: '[]',
} satisfies Partial<ChangeRow>
