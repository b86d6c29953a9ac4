/** What the keeper does with an embedded database between two runs of the engine. Only SQLite opens its files: copies go through its backup call. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'

/** Tables and columns, and how many tasks; null where there is no database yet, `damaged` where it cannot be read. */
export function shapeOf(path) {
  if (path === '' || !existsSync(path)) return null
  let db = null
  try {
    db = new DatabaseSync(path, { timeout: 5_000 })
    const tables = db.prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'").all()
    const columns = tables.flatMap(({ name }) =>
      db
        .prepare('select name from pragma_table_info(?)')
        .all(name)
        .map((one) => `${name}.${one.name}`),
    )
    const count = (name) => (tables.some((one) => one.name === name) ? Number(db.prepare(`select count(*) as n from ${name}`).get().n) : 0)
    const schema = count('schema_migrations') > 0 ? Number(db.prepare('select max(number) as n from schema_migrations').get().n) : null
    return { columns, tasks: count('tasks'), schema }
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

/** Copies the database to the folder of backups, with a manifest beside it; answers the path, or null where there is nothing to copy. */
export async function save(path, folder, why) {
  const shape = shapeOf(path)
  if (!shape) return null
  if (shape.damaged) throw new Error(shape.damaged)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = new Date().toISOString()
  const file = join(folder, `${at.replace(/[:.]/g, '-')}-${why}.db`)
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    await backup(db, file, { rate: 10_000 })
  } finally {
    db.close()
  }
  const manifest = {
    file: basename(file),
    at,
    why,
    kind: 'sqlite',
    schema: shape.schema,
    tasks: shape.tasks,
    bytes: statSync(file).size,
    sha256: sha256(file),
  }
  writeFileSync(`${file}.json`, `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600 })
  return file
}

/** Puts a backup in place of the database; what it replaces is backed up first, if it can be read at all. */
export async function restore(from, path, folder) {
  await save(path, folder, 'replaced').catch(() => null) // damaged beyond reading: there is nothing to keep
  mkdirSync(dirname(path), { recursive: true })
  // A file that is no database any more cannot be written over page by page.
  if (shapeOf(path)?.damaged) for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true })
  const db = new DatabaseSync(from, { readOnly: true })
  try {
    await backup(db, path, { rate: 10_000 })
  } finally {
    db.close()
  }
}

function sha256(file) {
  const [hash, buffer, open] = [createHash('sha256'), Buffer.alloc(1 << 20), openSync(file)]
  for (let n = readSync(open, buffer); n > 0; n = readSync(open, buffer)) hash.update(buffer.subarray(0, n))
  closeSync(open)
  return hash.digest('hex')
}
