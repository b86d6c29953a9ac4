/**
 * Tells clients that the list of their tools is another. A caller's list has a mark; when a fact may have changed lists, the marks of those who
 * listen are taken anew, and who has another one than it was shown last is told.
 */
import type { Principal } from '../auth/principal.ts'
import type { Event } from '../contract/event.ts'
import { isOver } from '../contract/task.ts'
import type { Store } from '../store/store.ts'

/** Facts of one change come close together. */
export const SETTLE_MS = 10
/** Marks of callers that may be gone. */
const MOST_MARKS = 1_000

export function openListWatch(parts: {
  store: Pick<Store, 'onFacts'>
  /** Those who listen now and whose list can change. */
  listening(): Principal[]
  markOf(by: Principal): Promise<string>
  /** The list of everybody of this name is another. */
  tell(name: string): void
  log: (words: string, cause: unknown) => void
}) {
  const shown = new Map<string, string>()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    const byName = new Map(parts.listening().map((one) => [one.name, one]))
    for (const [name, principal] of byName) note(name, await parts.markOf(principal))
  }
  function note(name: string, mark: string): void {
    const before = shown.get(name)
    shown.delete(name)
    shown.set(name, mark)
    if (before !== undefined && before !== mark) parts.tell(name)
    for (const oldest of shown.keys()) if (shown.size > MOST_MARKS) shown.delete(oldest)
  }
  /** Looks once more for whatever was committed until now. */
  function lookSoon(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      looking = looking.then(look).catch((error: unknown) => parts.log('whose list of tools changed cannot be told', error))
    }, SETTLE_MS)
  }
  const stop = parts.store.onFacts((events) => {
    if (events.some(mayChangeLists) && parts.listening().length > 0) lookSoon()
  })
  return {
    /** A caller was shown the list with this mark; another client of the same caller may have an older one. */
    note,
    async close(): Promise<void> {
      stop()
      clearTimeout(timer)
      await looking
    },
  }
}

/** What a task's agent has, or which tasks an outside agent has, may be another after it. */
function mayChangeLists(event: Event): boolean {
  switch (event.type) {
    case 'registry.saved':
    case 'registry.removed':
      return event.kind !== 'document'
    case 'task.granted':
    case 'task.rerun':
    case 'outside.claimed':
    case 'outside.lapsed':
    case 'outside.removed':
      return true
    case 'task.moved':
      return isOver(event.to) || event.reason === 'external'
    default:
      return false
  }
}
