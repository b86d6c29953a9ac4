/** Who may use the keeper's home. */
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Takes the home for this process, or ends it with one sentence. The kernel gives it back however the process ends. */
export function own(home) {
  const db = new DatabaseSync(join(home, 'keeper.db'), { timeout: 2_000 })
  try {
    db.exec('BEGIN EXCLUSIVE')
    return db
  } catch {
    process.stderr.write(`banyan: another Banyan already runs on ${dirname(home)}: stop it, or set DATA_DIR to another folder.\n`)
    process.exit(1)
  }
}
