/**
 * Writes by an agent to the system's own database, once a person has approved them: exactly the rows and values that were shown, by their
 * keys, in one transaction with the fact and with the answer of the call.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import type { Cell } from '../contract/readable.ts'
import { WRITABLE } from '../contract/writable.ts'
import type { Tx } from '../store/store.ts'
import type { WritePlan, WrittenRow } from '../store/write-plan.ts'

/** Says whether two looks would write the same: the same rows, the same values. */
export const fingerprintOf = (rows: readonly WrittenRow[]): string =>
  createHash('sha256')
    .update(JSON.stringify(rows.map(({ key, after }) => JSON.stringify([key, after])).sort()))
    .digest('base64url')

/** `shown`: what a person approved; an edited statement was shown to nobody before its editor wrote it. */
export type Approved = { by: string; shown: { fingerprint: string; rows: number } | null }

/** Rows it has changed. Refuses, and changes nothing, when what it would do is not what the person saw. */
export async function changeDatabase(
  tx: Tx,
  call: { id: string; taskId: string; treeId: string },
  { plan, rows, sql }: { plan: WritePlan; rows: readonly WrittenRow[]; sql: string },
  approved: Approved,
): Promise<number> {
  const { shown } = approved
  if (shown !== null && shown.fingerprint !== fingerprintOf(rows))
    throw new Fault(
      'conflict',
      `Nothing was changed: it would now change ${counted(rows.length)}, not the ${shown.rows} that the person saw, or other values. Look again and ask again if it is still needed.`,
    )
  const { key, set } = WRITABLE[plan.table]!
  const places = rows.map((row) => Object.fromEntries(key.map((column, i) => [column, row.key[i]!])))
  const trees = plan.table === 'tasks' ? await treesOf(tx, rows) : new Map<Cell, string>()
  for (const [i, row] of rows.entries()) {
    const values = Object.fromEntries(plan.columns.map((column, c) => [column, row.after[c]!]))
    if (!plan.columns.every((column) => Object.hasOwn(set, column))) throw new Error(`a plan writes what may not be written: ${plan.table}`)
    const changed = plan.verb === 'update' ? await update(tx, plan.table, values, places[i]!) : await remove(tx, plan.table, places[i]!)
    if (changed !== 1) throw new Fault('conflict', 'Nothing was changed: a row that it would change is gone. Look again and ask again.')
    const tree = trees.get(row.key[0]!)
    if (tree !== undefined) {
      const { title, priority, deadline_at: deadline } = values
      tx.record(tree, {
        type: 'task.changed',
        taskId: String(row.key[0]),
        ...(title === undefined ? {} : { title: String(title) }),
        ...(priority === undefined ? {} : { priority: Number(priority) }),
        ...(deadline === undefined ? {} : { deadlineAt: deadline === null ? null : new Date(Number(deadline)).toISOString() }),
      })
    }
  }
  tx.record(call.treeId, {
    type: 'database.changed',
    taskId: call.taskId,
    callId: call.id,
    verb: plan.verb,
    table: plan.table,
    columns: plan.columns,
    rows: rows.length,
    sql: sql.length > SQL_CHARS ? `${sql.slice(0, SQL_CHARS)}…` : sql,
    by: approved.by,
  })
  return rows.length
}
/** Characters of the statement that its fact carries; the whole is the call's. */
const SQL_CHARS = 2_000

export const counted = (rows: number): string => (rows === 1 ? '1 row' : `${rows} rows`)

/** Tables are named by the list of what may be written, so their types are not known here. */
type Row = Record<string, Cell>
async function update(tx: Tx, table: string, values: Row, place: Row): Promise<number> {
  let query = tx.db.updateTable(table as 'prompts').set(values as never)
  for (const [column, value] of Object.entries(place)) query = query.where(column as 'hash', '=', value as never)
  return Number((await query.executeTakeFirstOrThrow()).numUpdatedRows)
}
async function remove(tx: Tx, table: string, place: Row): Promise<number> {
  let query = tx.db.deleteFrom(table as 'prompts')
  for (const [column, value] of Object.entries(place)) query = query.where(column as 'hash', '=', value as never)
  return Number((await query.executeTakeFirstOrThrow()).numDeletedRows)
}
async function treesOf(tx: Tx, rows: readonly WrittenRow[]): Promise<Map<Cell, string>> {
  const ids = rows.map((row) => String(row.key[0]))
  const found = ids.length === 0 ? [] : await tx.db.selectFrom('tasks').select(['id', 'tree_id']).where('id', 'in', ids).execute()
  return new Map(found.map((row) => [row.id, row.tree_id]))
}
