/** Listens to the keyboard for the whole page and starts what the keys stand for. */
import { useEffect, useRef } from 'react'
import { keysOf, useAllActions } from '../actions.ts'
import { createSequences, isForSomethingElse } from '../keys.ts'
import { usePrefs } from '../prefs.ts'
import { isMac } from '../ui/kbd.tsx'

export function KeyLayer() {
  const actions = useAllActions()
  const [prefs] = usePrefs()
  const bound = useRef(new Map<string, () => void>())
  useEffect(() => {
    bound.current = new Map(actions.flatMap((action) => (keysOf(action, prefs) ? [[keysOf(action, prefs)!, action.run]] : [])))
  }, [actions, prefs])
  useEffect(() => {
    const sequences = createSequences(isMac())
    const listen = (event: KeyboardEvent) => {
      const withMod = event.ctrlKey || event.metaKey
      if (isForSomethingElse(event, withMod)) return
      const keys = sequences.press(event, [...bound.current.keys()])
      if (keys === null) return
      event.preventDefault()
      bound.current.get(keys)?.()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [])
  return null
}
