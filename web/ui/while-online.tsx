/** What changes something on the server: while it is not reached, none of it can be used, and one line above says why. */
import type { ReactNode } from 'react'
import { useConnection } from '../data/use-connection.ts'
import { kit } from '../words/kit.ts'

/** What only reads or leads somewhere stays outside. Whether the page is still connecting for the first time makes no difference. */
export function WhileOnline({ children }: { children: ReactNode }) {
  const { connection } = useConnection()
  const away = connection === 'offline' || connection === 'reconnecting'
  return (
    <fieldset className="while-online" disabled={away}>
      {away && (
        <p className="why tone-you" role="status">
          {kit.notWhileOffline}
        </p>
      )}
      {children}
    </fieldset>
  )
}
