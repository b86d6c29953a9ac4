/** One act on the server at a time: whether it is under way, and why it did not work. */
import { useCallback, useRef, useState } from 'react'
import { sentence } from '../live.ts'

export function useAct(): {
  busy: boolean
  fault: string | null
  act: (what: () => Promise<unknown>) => Promise<boolean>
  forget: () => void
} {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const running = useRef(false)
  const act = useCallback(async (what: () => Promise<unknown>) => {
    if (running.current) return false
    running.current = true
    setBusy(true)
    setFault(null)
    try {
      await what()
      return true
    } catch (cause) {
      setFault(sentence(cause))
      return false
    } finally {
      running.current = false
      setBusy(false)
    }
  }, [])
  return { busy, fault, act, forget: useCallback(() => setFault(null), []) }
}
