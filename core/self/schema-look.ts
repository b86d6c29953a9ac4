/** What a database is: its schema and its rows, as hashes that can be compared before and after a migration. SQLite. */
import { createHash } from 'node:crypto'
import Sqlite from 'better-sqlite3'

export type SchemaLook = {
  /** The schema number of the newest migration. */
  number: number
  schema: string[]
  /** By table: its columns, and a hash of all rows over those columns. */
  tables: Record<string, { columns: string[]; rows: string }>
}
/** The migrator's own, which every migration writes. */
const OWN = new Set(['schema_migrations', 'meta'])
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** `like`: rows are hashed over the columns that it knows, so that a new column changes nothing. */
export function lookAtSchema(file: string, like?: SchemaLook): { look: SchemaLook; faults: string[] } {
  const database = new Sqlite(file, { readonly: true })
  try {
    const faults = (database.pragma('integrity_check') as { integrity_check: string }[])
      .map((row) => row.integrity_check)
      .filter((text) => text !== 'ok')
    for (const row of database.pragma('foreign_key_check') as object[]) faults.push(`a foreign key leads nowhere: ${JSON.stringify(row)}`)
    const objects = database
      .prepare("select type, name, sql from sqlite_master where name not like 'sqlite_%' order by type, name")
      .all() as { type: string; name: string; sql: string | null }[]
    const tables: SchemaLook['tables'] = {}
    for (const { name } of objects.filter(({ type, name }) => type === 'table' && !OWN.has(name))) {
      const columns = (database.pragma(`table_info(${quoted(name)})`) as { name: string }[]).map((column) => column.name)
      const known = like?.tables[name]?.columns.filter((column) => columns.includes(column)) ?? columns
      const hash = createHash('sha256')
      if (known.length > 0)
        for (const row of database
          .prepare(`select ${known.map(quoted).join(', ')} from ${quoted(name)} order by ${known.map((_, i) => i + 1).join(', ')}`)
          .raw()
          .iterate())
          hash.update(JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)))
      tables[name] = { columns, rows: hash.digest('hex') }
    }
    const [last] = database.prepare('select max(number) as n from schema_migrations').raw().all() as [number][]
    return { look: { number: Number(last), schema: objects.map(({ type, name, sql }) => `${type} ${name} ${sql ?? ''}`), tables }, faults }
  } finally {
    database.close()
  }
}

/** What a migration up may not have done. Pure. */
export function takenAway(before: SchemaLook, now: SchemaLook): string[] {
  const faults: string[] = []
  for (const [name, table] of Object.entries(before.tables)) {
    const after = now.tables[name]
    if (!after) {
      faults.push(`the table ${name} is gone`)
      continue
    }
    const gone = table.columns.filter((column) => !after.columns.includes(column))
    if (gone.length > 0) faults.push(`the table ${name} lost ${gone.join(', ')}`)
    else if (after.rows !== table.rows) faults.push(`rows of the table ${name} are not what they were`)
  }
  if (now.number <= before.number) faults.push('no migration was applied')
  return faults
}
/** After down everything is as it was. Pure. */
export function notBack(before: SchemaLook, now: SchemaLook): string[] {
  const faults: string[] = []
  const [had, has] = [new Set(before.schema), new Set(now.schema)]
  for (const one of now.schema) if (!had.has(one)) faults.push(`down leaves ${one.slice(0, 120)}`)
  for (const one of before.schema) if (!has.has(one)) faults.push(`down does not bring back ${one.slice(0, 120)}`)
  for (const [name, { rows }] of Object.entries(before.tables))
    if (now.tables[name]?.rows !== rows) faults.push(`down changed rows of ${name}`)
  if (now.number !== before.number) faults.push(`down leaves schema ${now.number} noted and not ${before.number}`)
  return faults
}
