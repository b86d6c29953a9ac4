/** Whether the screen has the width of a phone, where one thing is shown at a time. */
import { useSyncExternalStore } from 'react'

const NARROW = '(max-width: 48rem)'

/** One for the whole page: React asks at each drawing. */
const query = matchMedia(NARROW)
const subscribe = (listener: () => void) => {
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}

export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => query.matches)
