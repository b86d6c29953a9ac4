/**
 * Who may run on a data directory. Ownership is an exclusive SQLite transaction, so the kernel ends it with the process however that
 * dies; there is no pid file that could outlive its process.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Fault } from '../contract/fault.ts'

/**
 * Takes the directory (which must exist) for this process until `release` or the end of the process.
 * An owner that is just dying is waited for, two seconds at most; a living one is a Fault.
 */
export function own(dataDir: string): { release(): void } {
  const db = new Database(join(dataDir, 'owner.db'), { timeout: 2_000 })
  try {
    db.pragma('journal_mode = DELETE')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) {
      throw new Fault('conflict', `another Banyan already runs on ${dataDir}: stop it, or set DATA_DIR to another folder.`, {
        cause: error,
      })
    }
    throw error
  }
  return {
    release() {
      db.close()
    },
  }
}
