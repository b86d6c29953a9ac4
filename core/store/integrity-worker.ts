/** Looks through a database file in a thread of its own; see `integrityOf`. */
import { parentPort, workerData } from 'node:worker_threads'
import { integrityOf } from './backups.ts'

let found: string | null
try {
  found = integrityOf(String(workerData))
} catch (error) {
  found = error instanceof Error ? error.message : String(error) // it is no database any more, which is what was asked
}
parentPort?.postMessage(found)
