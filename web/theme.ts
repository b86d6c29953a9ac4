/** Light or dark: the system's choice, or the person's, kept on this machine. `public/theme.js` applies it before the first paint. */
import { useSyncExternalStore } from 'react'

export type Theme = 'system' | 'light' | 'dark'
const KEY = 'banyan-theme'

export function readTheme(): Theme {
  const chosen = document.documentElement.dataset.theme
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

export function setTheme(theme: Theme): void {
  writeLocal(KEY, theme === 'system' ? '' : theme)
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

/** The choice as it is now, for every part that shows it. */
export const useTheme = (): [Theme, (theme: Theme) => void] => [useSyncExternalStore(followTheme, readTheme), setTheme]

function followTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener)
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
  return () => observer.disconnect()
}

/** What is kept in this browser; '' when nothing is or when storage is switched off. */
export function readLocal(key: string): string {
  try {
    return localStorage.getItem(key) ?? ''
  } catch {
    return '' // storage is switched off: nothing is remembered
  }
}

/** Keeps a text in this browser; an empty one forgets. */
export function writeLocal(key: string, value: string): void {
  try {
    if (value) localStorage.setItem(key, value)
    else localStorage.removeItem(key)
  } catch {
    // storage is full or switched off: it is not remembered, nothing else is lost
  }
}

/** The storage itself; null when it is switched off. */
export function shelf(): Storage | null {
  try {
    return localStorage
  } catch {
    return null // switched off
  }
}
