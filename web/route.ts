/** Where the page is. Everything that a reload or a shared link must bring back is in the address. */
import { useSyncExternalStore } from 'react'

export type Route =
  | { view: 'home' }
  | { view: 'reviews' }
  /** `taskId` is the selected task; null: the goal itself. */
  | { view: 'tree'; treeId: string; taskId: string | null }
  | { view: 'unknown'; path: string }

export function routeOf(url: { pathname: string; search: string }): Route {
  const parts = url.pathname.split('/').filter(Boolean)
  if (parts.length === 0) return { view: 'home' }
  if (parts.length === 1 && parts[0] === 'reviews') return { view: 'reviews' }
  if (parts.length === 2 && parts[0] === 'trees') {
    const treeId = decode(parts[1]!)
    if (treeId !== null) return { view: 'tree', treeId, taskId: new URLSearchParams(url.search).get('task') }
  }
  return { view: 'unknown', path: url.pathname }
}
function decode(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null // a broken escape is nobody's id
  }
}

export const treePath = (treeId: string, taskId?: string): string =>
  `/trees/${encodeURIComponent(treeId)}${taskId && taskId !== treeId ? `?task=${encodeURIComponent(taskId)}` : ''}`

const MOVED = 'banyan:moved'

/** `replace` for a change that "back" should not undo. */
export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  if (path === location.pathname + location.search) return
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', path)
  dispatchEvent(new Event(MOVED))
}

const follow = (listener: () => void) => {
  addEventListener('popstate', listener)
  addEventListener(MOVED, listener)
  return () => {
    removeEventListener('popstate', listener)
    removeEventListener(MOVED, listener)
  }
}
/** The present address; the caller draws again when it changes. */
export function useAddress(): string {
  return useSyncExternalStore(follow, () => location.pathname + location.search)
}
