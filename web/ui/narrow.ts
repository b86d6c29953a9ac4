/** Whether the screen has the width of a phone, where one thing is shown at a time. */
import { useSyncExternalStore } from 'react'

const NARROW = '(max-width: 48rem)'

const subscribe = (listener: () => void) => {
  const query = matchMedia(NARROW)
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}

export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => matchMedia(NARROW).matches)
