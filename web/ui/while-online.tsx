/** What changes something on the server: while it is not reached, none of it can be used, and one line above says why. */
import { createContext, type ReactNode } from 'react'
import { useConnection } from '../data/use-connection.ts'
import { kit } from '../words/kit.ts'

/** Banyan was reached and is not now. Whether the page is still connecting for the first time makes no difference. */
export function useAway(): boolean {
  const { connection } = useConnection()
  return connection === 'offline' || connection === 'reconnecting'
}

/** True below a dialog that would send something and cannot: its buttons that act are off, what was typed stays. */
export const CannotSend = createContext(false)

export function AwayNote() {
  return (
    <p className="why tone-you" role="status">
      {kit.notWhileOffline}
    </p>
  )
}

/** What only reads or leads somewhere stays outside. */
export function WhileOnline({ children }: { children: ReactNode }) {
  const away = useAway()
  return (
    <fieldset className="while-online" disabled={away}>
      {away && <AwayNote />}
      {children}
    </fieldset>
  )
}
