/** Programs that use Banyan over MCP: one is connected, those that called, and outside agents. */
import { Cable, UserRoundCog } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { McpClientItem, OutsideAgentItem } from '../../../core/contract/api-outside.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { treePath } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Status } from '../../ui/status.tsx'
import { clients as words } from '../../words/clients.ts'
import { settings } from '../../words/settings.ts'
import { Connect } from './connect.tsx'
import './clients.css'

export function Clients() {
  return (
    <div className="settings-part">
      <p className="dim">{words.intro}</p>
      <Connect />
      <Seen />
      <OutsideAgents />
    </div>
  )
}

function Seen() {
  const read = useRead(ROUTES.mcpClients, undefined, { follow: true, every: 30_000 })
  return (
    <section className="settings-part" aria-labelledby="clients-seen">
      <h2 id="clients-seen">{words.seen}</h2>
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={Cable} title={words.none}>
              {words.noneHow}
            </EmptyState>
          ) : (
            <ul className="setting-list">
              {items.map((one) => (
                <Client key={one.id} client={one} />
              ))}
            </ul>
          )
        }
      </Reading>
    </section>
  )
}

function Client({ client }: { client: McpClientItem }) {
  const toast = useToast()
  const revoke = useWrite(ROUTES.revokeToken, [ROUTES.tokens, ROUTES.mcpClients])
  const [asking, setAsking] = useState(false)
  const { token } = client
  return (
    <li className="setting-line">
      <div className="grow">
        <strong className="client-name">{client.name}</strong> <span className="dim">{client.version || words.noVersion}</span>{' '}
        {token?.revoked && <Badge tone="stop">{words.revoked}</Badge>}
        <p className="dim setting-note">
          {words.revision(client.protocol)} · {token ? words.byToken(token.name) : words.byAdmin} · {words.last}{' '}
          <RelativeTime at={client.lastSeenAt} />
        </p>
      </div>
      {token && !token.revoked && (
        <Button look="danger" onClick={() => setAsking(true)}>
          {words.revoke}
          <span className="hidden"> {client.name}</span>
        </Button>
      )}
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={words.revokeAsk(client.name)}
        yes={words.revoke}
        onYes={() =>
          token &&
          revoke.mutate(
            { params: { id: token.id } },
            {
              onSuccess: () => toast(words.revokedNow(client.name)),
              onError: (fault) => toast(fault.message, { tone: 'bad' }),
            },
          )
        }
      >
        {words.revokeMeaning}
      </ConfirmDialog>
    </li>
  )
}

function OutsideAgents() {
  const read = useRead(ROUTES.outsideAgents, undefined, { follow: true, every: 30_000 })
  return (
    <section className="settings-part" aria-labelledby="outside-agents">
      <h2 id="outside-agents">{words.agents}</h2>
      <p className="dim">{words.agentsIntro}</p>
      <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect} lines={2}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState icon={UserRoundCog} title={words.agentsNone}>
              {words.agentsNoneHow}
            </EmptyState>
          ) : (
            <ul className="setting-list">
              {items.map((one) => (
                <Agent key={one.name} agent={one} />
              ))}
            </ul>
          )
        }
      </Reading>
    </section>
  )
}

function Agent({ agent }: { agent: OutsideAgentItem }) {
  const may = useMay()
  const toast = useToast()
  const remove = useWrite(ROUTES.removeOutsideAgent, [ROUTES.outsideAgents, ROUTES.tokens, ROUTES.mcpClients])
  const [asking, setAsking] = useState(false)
  return (
    <li className="setting-line">
      <div className="grow">
        <strong className="mono">{agent.name}</strong> <Badge tone="run">{words.claimed(agent.tasks.length, agent.maxTasks)}</Badge>
        {agent.description && <p>{agent.description}</p>}
        <p className="dim setting-note">
          {words.can}: {agent.capabilities.join(', ') || words.canNothing} · {words.lastSeen} <RelativeTime at={agent.lastSeenAt} />
        </p>
        {agent.tasks.length > 0 && (
          <ul className="agent-tasks">
            {agent.tasks.map((task) => (
              <li key={task.taskId}>
                <Status task={{ status: task.status, reason: task.reason as null, attempt: 0 }} />{' '}
                <Link to={treePath(task.treeId, task.taskId)}>{task.title}</Link>
              </li>
            ))}
          </ul>
        )}
      </div>
      {may('admin') && (
        <Button look="danger" onClick={() => setAsking(true)}>
          {words.remove}
          <span className="hidden"> {agent.name}</span>
        </Button>
      )}
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={words.removeAsk(agent.name)}
        yes={words.remove}
        onYes={() =>
          remove.mutate(
            { params: { id: agent.name } },
            {
              onSuccess: () => toast(words.removed(agent.name)),
              onError: (fault) => toast(fault.message, { tone: 'bad' }),
            },
          )
        }
      >
        {words.removeMeaning}
      </ConfirmDialog>
    </li>
  )
}
