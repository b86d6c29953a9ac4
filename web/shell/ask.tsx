/** Where a person asks Banyan about itself, over whatever page is shown. Its conversation stays while the panel is closed. */
import { lazy, Suspense, useCallback, useState } from 'react'

const AskPanel = lazy(async () => ({ default: (await import('../pages/ask/ask-panel.tsx')).AskPanel }))

/** `given`: words to ask at once. */
export function AskOverlay(props: {
  open: boolean
  setOpen: (open: boolean) => void
  given: string | null
  setGiven: (given: null) => void
}) {
  const { open, setOpen, given, setGiven } = props
  const [conversation, setConversation] = useState<string | null>(null)
  // Fetched when it is first opened.
  const [wanted, setWanted] = useState(open)
  if (open && !wanted) setWanted(true)
  const taken = useCallback(() => setGiven(null), [setGiven])
  if (!wanted) return null
  return (
    <Suspense fallback={null}>
      <AskPanel {...{ open, setOpen, conversation, setConversation, given, taken }} />
    </Suspense>
  )
}
