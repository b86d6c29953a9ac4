/** The chosen task. It moves at once; the address, and with it what is read for the details, follows when the walking stops. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { TreeAsk, useTreeAddress } from './address.ts'

/** Shorter than between two presses of a key that is held down would make the details flicker. */
const SETTLE_MS = 90

/** On a narrow screen nothing is chosen until somebody chooses: the list is shown first. */
export function useChosen(treeId: string, ask: TreeAsk, set: ReturnType<typeof useTreeAddress>['set'], narrow: boolean) {
  const wanted = ask.task ?? (narrow ? null : treeId)
  const [chosen, setChosen] = useState(wanted)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const going = useRef<string | null>(null)
  useEffect(() => {
    // What comes back from the address while the walk has gone on is already past.
    if (going.current !== null && going.current !== wanted) return
    going.current = null
    setChosen(wanted)
  }, [wanted])
  useEffect(() => () => clearTimeout(timer.current), [])
  const choose = useCallback(
    (id: string, when: 'now' | 'soon' = 'soon') => {
      clearTimeout(timer.current)
      going.current = id
      const arrive = () => {
        // The root is named too where nothing chosen means something else.
        set({ task: id === treeId && !narrow ? undefined : id }, narrow ? 'push' : 'replace')
        timer.current = setTimeout(() => {
          going.current = null
        }, SETTLE_MS)
      }
      if (narrow || when === 'now') {
        setChosen(id)
        return arrive()
      }
      setChosen(id)
      timer.current = setTimeout(arrive, SETTLE_MS)
    },
    [set, treeId, narrow],
  )
  return { chosen, choose }
}
