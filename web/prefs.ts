/** What a person chose for this browser: how wide the rail is, how dense lists are, which keys do what. Kept between visits, shared by tabs. */
import { useSyncExternalStore } from 'react'
import { useBanyan } from './banyan.ts'
import { readLocal, writeLocal } from './theme.ts'

export type Prefs = {
  rail: 'full' | 'icons'
  density: 'comfortable' | 'compact'
  /** `less`: nothing moves, whatever the system says. */
  motion: 'system' | 'less'
  /** The browser tells of what waits for the person while the page is hidden. */
  notify: boolean
  /** False: no key of one letter does anything (WCAG 2.1.4); the palette's own key stays. */
  keysOn: boolean
  /** Keys in place of the usual ones, by the action's id; '' takes the key away. */
  keys: Readonly<Record<string, string>>
}
export type PrefStore = ReturnType<typeof createPrefs>

const KEY = 'banyan-prefs'
const USUAL: Prefs = { rail: 'full', density: 'comfortable', motion: 'system', notify: false, keysOn: true, keys: {} }

/** Whatever was kept, only what is understood counts. */
export function parsePrefs(text: string): Prefs {
  let kept: Partial<Record<keyof Prefs, unknown>>
  try {
    kept = (JSON.parse(text || '{}') ?? {}) as typeof kept
  } catch {
    return USUAL // somebody else's text under our name
  }
  const keys = typeof kept.keys === 'object' && kept.keys !== null ? kept.keys : {}
  return {
    rail: kept.rail === 'icons' ? 'icons' : 'full',
    density: kept.density === 'compact' ? 'compact' : 'comfortable',
    motion: kept.motion === 'less' ? 'less' : 'system',
    notify: kept.notify === true,
    keysOn: kept.keysOn !== false,
    keys: Object.fromEntries(Object.entries(keys).filter((one): one is [string, string] => typeof one[1] === 'string')),
  }
}

export function createPrefs() {
  let prefs = parsePrefs(readLocal(KEY))
  const listeners = new Set<() => void>()
  const show = () => {
    document.documentElement.dataset.density = prefs.density
    document.documentElement.dataset.motion = prefs.motion
    for (const listener of listeners) listener()
  }
  addEventListener('storage', (event) => {
    if (event.key !== KEY) return
    prefs = parsePrefs(event.newValue ?? '')
    show()
  })
  show()
  return {
    get: () => prefs,
    set(change: Partial<Prefs>): void {
      prefs = { ...prefs, ...change }
      writeLocal(KEY, JSON.stringify(prefs))
      show()
    },
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The choices as they are now, and how to change some. */
export function usePrefs(): [Prefs, PrefStore['set']] {
  const { prefs } = useBanyan()
  return [useSyncExternalStore(prefs.subscribe, prefs.get), prefs.set]
}
