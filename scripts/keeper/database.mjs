/** What the keeper does with an embedded database between two runs of the engine. Only SQLite opens its files: copies go through its backup call. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'

const COLUMNS = `select m.name || '.' || c.name as name from sqlite_master m, pragma_table_info(m.name) c
  where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\'`

/** Tables and columns, and how many tasks; null where there is no database yet, `damaged` where it cannot be read. */
export function shapeOf(path) {
  if (path === '' || !existsSync(path)) return null
  let db = null
  try {
    db = new DatabaseSync(path, { timeout: 5_000 })
    const columns = db.prepare(COLUMNS).all().map(({ name }) => name) // biome-ignore format: one step
    const ask = (column, sql) => (columns.includes(column) ? db.prepare(sql).get().n : null)
    const tasks = Number(ask('tasks.id', 'select count(*) as n from tasks'))
    return { columns, tasks, schema: ask('schema_migrations.number', 'select max(number) as n from schema_migrations') }
  } catch (error) {
    return { damaged: error.message, columns: [], tasks: 0, schema: null }
  } finally {
    db?.close()
  }
}

/** What `after` lacks of `before`, in words; null: nothing. */
export function lossOf(before, after) {
  if (before && !after) return 'it removed the database'
  if (after?.damaged) return `the database cannot be read any more (${after.damaged})`
  const gone = (before?.columns ?? []).filter((column) => !after?.columns.includes(column))
  if (gone.length > 0) return `it took ${gone.slice(0, 3).join(', ')}${gone.length > 3 ? ' and more' : ''} out of the database`
  if (before && after && after.tasks < before.tasks) return `it removed ${before.tasks - after.tasks} tasks from the database`
  return null
}

/** Copies the database to the folder of backups; answers the path, or null where there is nothing to copy. The engine writes its manifest. */
export async function save(path, folder, why) {
  const shape = shapeOf(path)
  if (!shape) return null
  if (shape.damaged) throw new Error(shape.damaged)
  const file = join(folder, `${new Date().toISOString().replace(/[:.]/g, '-')}-${why}.db`)
  await copy(path, `${file}.new`)
  renameSync(`${file}.new`, file)
  return file
}

/** Puts a backup in place of the database; what it replaces is backed up first, if it can be read at all. */
export async function restore(from, path, folder) {
  await save(path, folder, 'replaced').catch(() => null) // damaged beyond reading: there is nothing to keep
  // A file that is no database any more cannot be written over page by page.
  if (shapeOf(path)?.damaged) for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  await copy(from, path)
}

async function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 })
  const db = new DatabaseSync(from, { timeout: 5_000 })
  try {
    await backup(db, to, { rate: 10_000 })
  } finally {
    db.close()
  }
}
