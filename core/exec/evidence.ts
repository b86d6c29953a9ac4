/** Looks whether what a task says it produced is there. */
import { stat } from 'node:fs/promises'
import { Fault } from '../contract/fault.ts'
import type { CheckedEvidence, Evidence } from '../contract/task.ts'

/**
 * A file must exist in the workspace; its size is recorded. A command counts as what its exit code says: whether it ran at all is known to
 * the log, not here. A link is judged by its form and never fetched.
 */
export async function checkEvidence(
  files: { existing(path: string): Promise<string> },
  evidence: readonly Evidence[],
): Promise<CheckedEvidence[]> {
  return Promise.all(evidence.map((item) => check(files, item)))
}

async function check(files: { existing(path: string): Promise<string> }, item: Evidence): Promise<CheckedEvidence> {
  switch (item.kind) {
    case 'file':
      try {
        const found = await stat(await files.existing(item.path))
        return found.isDirectory() ? { ...item, ok: true } : { ...item, ok: true, bytes: found.size }
      } catch (error) {
        if (error instanceof Fault) return { ...item, ok: false, problem: error.message }
        throw error
      }
    case 'command':
      return item.exitCode === 0
        ? { ...item, ok: true }
        : { ...item, ok: false, problem: `The command ended with exit code ${item.exitCode}.` }
    case 'link':
      return /^https?:$/.test(URL.parse(item.url)?.protocol ?? '')
        ? { ...item, ok: true, problem: 'Only the form of the link was checked; it was not fetched.' }
        : { ...item, ok: false, problem: 'Only http and https links count as evidence.' }
  }
}
