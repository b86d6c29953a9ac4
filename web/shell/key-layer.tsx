/** Listens to the keyboard for the whole page and starts what the keys stand for. */
import { useEffect, useLayoutEffect, useRef } from 'react'
import { keysOf } from '../actions.ts'
import { useBanyan } from '../banyan.ts'
import { createSequences, isForSomethingElse } from '../keys.ts'
import { usePrefs } from '../prefs.ts'
import { isMac } from '../ui/kbd.tsx'

export function KeyLayer() {
  const { actions } = useBanyan()
  const [prefs] = usePrefs()
  const newest = useRef(prefs)
  useLayoutEffect(() => {
    newest.current = prefs
  })
  useEffect(() => {
    const sequences = createSequences(isMac())
    const listen = (event: KeyboardEvent) => {
      const withMod = event.ctrlKey || event.metaKey
      if (isForSomethingElse(event, withMod)) return
      // Asked at the press: a list kept from an earlier drawing would not know the page that was just opened.
      const bound = new Map(
        actions.all().flatMap((action) => (keysOf(action, newest.current) ? [[keysOf(action, newest.current)!, action.run]] : [])),
      )
      const keys = sequences.press(event, [...bound.keys()])
      if (keys === null) return
      event.preventDefault()
      bound.get(keys)?.()
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [actions])
  return null
}
