/** MCP servers of others: all of them, or the one that the address names. */
import { useSearch } from '@tanstack/react-router'
import { Blocks } from 'lucide-react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ServerItem } from '../../../core/contract/api-servers.ts'
import { useActions } from '../../actions.ts'
import { useMay } from '../../me.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { servers as words } from '../../words/servers.ts'
import { settings } from '../../words/settings.ts'
import { ServerForm } from './server-form.tsx'
import { OneServer } from './server-page.tsx'
import { LOOK_MS, NextTry, ServerState, serverPath } from './server-state.tsx'
import './servers.css'

export function Servers() {
  const { server, add } = useSearch({ strict: false })
  return server === undefined ? <AllServers adding={add !== undefined} /> : <OneServer key={server} name={server} />
}

function AllServers({ adding }: { adding: boolean }) {
  const read = useRead(ROUTES.servers, undefined, { follow: true, every: LOOK_MS })
  const may = useMay()
  const go = useGo()
  const add = () => go(serverPath(undefined, { add: 'one' }))
  useActions(may('admin') ? [{ id: 'servers.add', label: words.add, group: settings.sections.servers, keys: 'n', run: add }] : [])
  const some = (read.data?.items.length ?? 0) > 0
  return (
    <div className="settings-part">
      <div className="setting-head">
        <p className="dim grow">{words.intro}</p>
        {may('admin') && some && (
          <Button look="primary" onClick={add}>
            {words.add}
          </Button>
        )}
      </div>
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState
              icon={Blocks}
              title={words.none}
              act={
                may('admin') && (
                  <Button look="primary" onClick={add}>
                    {words.add}
                  </Button>
                )
              }
            >
              {words.noneHow}
            </EmptyState>
          ) : (
            <ul className="setting-list">
              {items.map((one) => (
                <li key={one.id}>
                  <Line server={one} />
                </li>
              ))}
            </ul>
          )
        }
      </Reading>
      <Dialog sends open={adding && may('admin')} setOpen={(open) => !open && go(serverPath(), 'replace')} title={words.add}>
        <ServerForm close={() => go(serverPath(), 'replace')} added={(name) => go(serverPath(name), 'replace')} />
      </Dialog>
    </div>
  )
}

function Line({ server }: { server: ServerItem }) {
  const waiting = server.tools.pending + server.tools.changed
  return (
    <Link to={serverPath(server.id)} className="server-line">
      <span className="server-top">
        <strong className="mono">{server.id}</strong>
        <ServerState server={server} />
        {waiting > 0 && <Badge tone="you">{words.waiting(waiting)}</Badge>}
      </span>
      <span className="dim server-at mono">{server.url ?? server.command?.join(' ')}</span>
      {server.problem !== null && server.state === 'failed' && <span className="server-problem">{server.problem}</span>}
      <span className="dim setting-note">
        {server.about === null && server.tools.offered === 0 ? words.notSeen : words.approved(server.tools.approved, server.tools.offered)}{' '}
        · {words.policy}: {words.policies[server.policy].toLowerCase()}
        {server.calls > 0 && ` · ${words.calls(server.calls)}`}
        <NextTry server={server} />
      </span>
    </Link>
  )
}
