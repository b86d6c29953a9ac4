/** What every part of the page may use: the calls, the live state, the person's choices, the acts on offer and the messages shown. */
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import type { ActionStore } from './actions.ts'
import type { Api } from './api.ts'
import type { Live, LiveState } from './live.ts'
import type { Outbox } from './outbox.ts'
import type { PrefStore } from './prefs.ts'
import type { ToastStore } from './toasts.ts'

export type Parts = { api: Api; live: Live; prefs: PrefStore; actions: ActionStore; toasts: ToastStore; outbox: Outbox }
export const Banyan = createContext<Parts | null>(null)

export function useBanyan(): Parts {
  const found = useContext(Banyan)
  if (!found) throw new Error('this part is drawn outside of App')
  return found
}

/** A part of the live state; the caller draws again only when that part changes. `select` must give the same object for the same state. */
export function useLive<T>(select: (state: LiveState) => T): T {
  const { live } = useBanyan()
  return useSyncExternalStore(live.subscribe, () => select(live.state()))
}

/** The time, once a second while `running`, so that elapsed times go on. */
export function useNow(running = true): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}
