/** What all parts about servers share: their address, when they are read, and how their state looks. */
import { ROUTES } from '../../../core/contract/api.ts'
import type { ServerItem } from '../../../core/contract/api-servers.ts'
import { useNow } from '../../banyan.ts'
import { writeSearch } from '../../search.ts'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { servers as words } from '../../words/servers.ts'
import { stateOf } from './server-words.ts'

/** What is stale when a server was changed. */
export const STALE = [ROUTES.servers, ROUTES.server, ROUTES.tools]
/** A server starts and rests without a fact. */
export const LOOK_MS = 5_000
export const serverPath = (name?: string, more: Record<string, string | undefined> = {}): string =>
  `/settings/servers${writeSearch({ server: name, ...more })}`

export function ServerState({ server }: { server: ServerItem }) {
  const { word, shape, tone } = stateOf(server, useNow())
  return (
    <span className={`status tone-${tone}`}>
      <span className="shape" aria-hidden="true">
        <Drawn shape={shape} />
      </span>
      <span className="word">{word}</span>
    </span>
  )
}

export function NextTry({ server }: { server: Pick<ServerItem, 'retryAt' | 'state'> }) {
  const now = useNow()
  if (server.state !== 'failed' || server.retryAt === null || Date.parse(server.retryAt) <= now) return null
  return (
    <>
      {' '}
      · {words.retry} <RelativeTime at={server.retryAt} />
    </>
  )
}
