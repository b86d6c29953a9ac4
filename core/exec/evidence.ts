/** Looks whether what a task says it produced is there. */
import { stat } from 'node:fs/promises'
import type { Change } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import type { CheckedEvidence, Evidence } from '../contract/task.ts'

/** A change of the system that the goal of the task proposed; null: it has proposed none of that id. */
export type OwnChange = (id: string) => Promise<Pick<Change, 'id' | 'title' | 'state' | 'note'> | null>
type Files = { existing(path: string): Promise<string> }

/**
 * A file must exist in the workspace; its size is recorded. A command counts as what its exit code says: whether it ran at all is known to
 * the log, not here. A link is judged by its form and never fetched. A change must be the goal's own and have landed; its state is recorded.
 */
export async function checkEvidence(
  files: Files,
  evidence: readonly Evidence[],
  ownChange: OwnChange = async () => null,
): Promise<CheckedEvidence[]> {
  return Promise.all(evidence.map((item) => check(files, item, ownChange)))
}

async function check(files: Files, item: Evidence, ownChange: OwnChange): Promise<CheckedEvidence> {
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
    case 'change': {
      const change = await ownChange(item.id)
      if (change === null) return { ...item, ok: false, problem: `Your goal has proposed no change ${JSON.stringify(item.id)}.` }
      const { id, title, state } = change
      return { ...item, title, state, ...standing(id, change) }
    }
  }
}

/** Whether a change counts as done, and what is still open about it or went wrong. */
function standing(id: string, { state, note }: Pick<Change, 'state' | 'note'>): { ok: boolean; problem?: string } {
  const because = note === null ? '' : ` (${note.replace(/[.\s]+$/, '')})`
  switch (state) {
    case 'kept':
      return { ok: true }
    case 'merged':
      return { ok: true, problem: 'It has landed on the main branch, and is not kept yet: it runs from the next start on.' }
    case 'restarting':
      return { ok: true, problem: 'It has landed on the main branch, and is not kept yet: the system restarts with it.' }
    case 'watching':
      return { ok: true, problem: 'It runs and is being watched, and is not kept yet: if it does not work, it is taken back.' }
    case 'undone':
      return { ok: false, problem: `The change ${id} was taken back${because}.` }
    case 'refused':
      return { ok: false, problem: `The change ${id} was refused${because}.` }
    default:
      return { ok: false, problem: `The change ${id} has not landed yet: it is in the state ${state}.` }
  }
}
