/** Waiting for a task without asking again and again: looks when a fact that concerns it is committed, for as long as the caller likes. */
import type { Event } from '../contract/event.ts'
import type { Store } from '../store/store.ts'

/** What another process commits may be told late, so it looks by itself too; an embedded database has no other process. */
const [LOOK_MS, LOOK_ALONE_MS] = [2_000, 30_000]

/**
 * What `look` finds, as soon as it finds something; null when the time is up or the signal says that nobody waits. `concerns`: a goal, or which
 * facts are a reason to look again.
 */
export async function waitUntil<T>(
  store: Pick<Store, 'onFacts'> & { kind?: Store['kind'] },
  concerns: string | ((event: Event) => boolean),
  look: () => Promise<T | null>,
  { ms, signal }: { ms: number; signal: AbortSignal },
): Promise<T | null> {
  const end = Date.now() + ms
  const every = store.kind === 'sqlite' ? LOOK_ALONE_MS : LOOK_MS
  let changed = true
  let wake: () => void = () => undefined
  const matters = typeof concerns === 'string' ? (event: Event) => event.treeId === concerns : concerns
  const stop = store.onFacts((events) => {
    if (!events.some(matters)) return
    changed = true
    wake()
  })
  const aborted = () => wake()
  signal.addEventListener('abort', aborted)
  try {
    for (;;) {
      changed = false
      const found = await look()
      if (found !== null) return found
      const left = end - Date.now()
      if (left <= 0 || signal.aborted) return null
      if (changed) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, every))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  } finally {
    stop()
    signal.removeEventListener('abort', aborted)
  }
}
