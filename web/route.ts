/** Addresses of goals and tasks, and going there. Everything that a reload or a shared link must bring back is in the address. */
import { useRouter } from '@tanstack/react-router'
import { useCallback } from 'react'

/** The root has the address of its goal. */
export const treePath = (treeId: string, taskId?: string): string =>
  `/trees/${encodeURIComponent(treeId)}${taskId && taskId !== treeId ? `?task=${encodeURIComponent(taskId)}` : ''}`

/** Goes to an address of the page; `replace` for a change that "back" should not undo. A change after `?` leaves the page where it is scrolled to. */
export function useGo(): (path: string, how?: 'push' | 'replace') => void {
  const router = useRouter()
  return useCallback(
    (path, how = 'push') => {
      const to = new URL(path, location.origin)
      void router.navigate({ href: path, replace: how === 'replace', resetScroll: to.pathname !== location.pathname })
    },
    [router],
  )
}
