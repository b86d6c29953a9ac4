/**
 * The floor: what a runtime could cost at best. A plain better-sqlite3 loop that writes the very rows that Banyan wrote for the same job
 * (read back from its database), with kept statements, one transaction a step, WAL and synchronous=NORMAL.
 */
import { join } from 'node:path'
import BetterSqlite from 'better-sqlite3'

type Row = Record<string, string | number | null>
export type Steps = { table: string; row: Row; update?: boolean }[][]

/** The rows of one finished task in the steps that make them: create, claim, each turn, end. */
export function stepsOf(file: string, limit: number): Steps {
  const db = new BetterSqlite(file, { readonly: true })
  const tasks = db.prepare('select * from tasks where parent_id is null order by created_at, id limit ?').all(limit) as Row[]
  const steps: Steps = []
  for (const task of tasks) {
    const of = (table: string, order: string): Row[] =>
      db
        .prepare(
          `select * from ${table} where ${table === 'trees' ? 'id' : table === 'events' ? 'tree_id' : 'task_id'} = ? order by ${order}`,
        )
        .all(task.id) as Row[]
    const messages = of('messages', 'n')
    const events = of('events', 'seq').map(({ seq: _, ...row }) => row)
    const calls = of('calls', 'id')
    const modelCalls = of('model_calls', 'n')
    const tree = of('trees', 'id')[0]!
    const share = (from: number, to: number) =>
      events.slice(Math.floor(events.length * from), Math.floor(events.length * to)).map((row) => ({ table: 'events', row }))
    const touch = { table: 'tasks', row: task, update: true }
    const touchTree = { table: 'trees', row: tree, update: true }
    steps.push(
      [{ table: 'trees', row: tree }, { table: 'tasks', row: task }, { table: 'messages', row: messages[0]! }, ...share(0, 0.2)],
      [touch, ...share(0.2, 0.3)],
      [
        ...messages.slice(1, 3).map((row) => ({ table: 'messages', row })),
        { table: 'calls', row: calls[0]! },
        { table: 'model_calls', row: modelCalls[0]! },
        touch,
        touchTree,
        ...share(0.3, 0.5),
      ],
      [...messages.slice(3, 4).map((row) => ({ table: 'messages', row })), touch, ...share(0.5, 0.6)],
      [
        ...messages.slice(4).map((row) => ({ table: 'messages', row })),
        ...calls.slice(1).map((row) => ({ table: 'calls', row })),
        ...modelCalls.slice(1).map((row) => ({ table: 'model_calls', row })),
        touch,
        touchTree,
        ...share(0.6, 1),
      ],
    )
  }
  db.close()
  return steps
}

/** Milliseconds of CPU and of wall time to write them all into a fresh database with the same tables and indexes. */
export function writeSteps(steps: Steps, schemaOf: string, folder: string): { cpuMs: number; wallMs: number } {
  const source = new BetterSqlite(schemaOf, { readonly: true })
  const schema = (
    source.prepare("select sql from sqlite_master where sql is not null and name not like 'sqlite_%'").all() as { sql: string }[]
  ).map((r) => r.sql)
  source.close()
  const db = new BetterSqlite(join(folder, `floor-${process.pid}.db`))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  for (const sql of schema) db.exec(sql)
  const statements = new Map<string, BetterSqlite.Statement>()
  const statement = (table: string, row: Row, update: boolean): BetterSqlite.Statement => {
    const key = `${table}${update}`
    let kept = statements.get(key)
    if (!kept) {
      const columns = Object.keys(row)
      kept = db.prepare(
        update
          ? `update ${table} set ${columns
              .filter((c) => c !== 'id' && CHANGING.has(c))
              .map((c) => `"${c}" = @${c}`)
              .join(', ')} where id = @id`
          : `insert into ${table} (${columns.map((c) => `"${c}"`).join(', ')}) values (${columns.map((c) => `@${c}`).join(', ')})`,
      )
      statements.set(key, kept)
    }
    return kept
  }
  const cpu = process.cpuUsage()
  const wall = performance.now()
  for (const step of steps) {
    db.exec('BEGIN')
    for (const { table, row, update } of step) statement(table, row, update ?? false).run(row)
    db.exec('COMMIT')
  }
  const used = process.cpuUsage(cpu)
  const wallMs = performance.now() - wall
  db.close()
  return { cpuMs: (used.user + used.system) / 1_000, wallMs }
}
/** Columns that a step of a task's life changes. */
const CHANGING = new Set([
  'status',
  'reason',
  'lease_worker',
  'lease_token',
  'lease_until',
  'turns',
  'tokens',
  'cost_micros',
  'messages',
  'result',
  'summary',
  'updated_at',
  'reserved_turns',
  'reserved_tokens',
])
