/** How old what is shown is. Says so plainly once it is older than it should be, or while the page is not live. */
import { RefreshCw } from 'lucide-react'
import { useNow } from '../banyan.ts'
import { useConnection } from '../data/use-connection.ts'
import { kit } from '../words/kit.ts'
import { relativeTime } from '../words/words.ts'
import { IconButton } from './icon-button.tsx'

/** `at`: when it was read, in milliseconds; 0: never. `every`: how often it is read, in milliseconds; null: only when somebody asks. */
export function ReadAge({ at, every, again, busy }: { at: number; every: number | null; again: () => void; busy?: boolean }) {
  const now = useNow()
  const { stale } = useConnection()
  const old = stale || (every !== null && now - at > 3 * every)
  return (
    <span className={old ? 'read-age old' : 'read-age'}>
      {at > 0 && <span>{(old ? kit.readOld : kit.readAt)(relativeTime(Math.min(at, now), now))}</span>}
      <IconButton icon={RefreshCw} label={kit.readAgain} onClick={again} disabled={busy ?? false} />
    </span>
  )
}
