/** One server of others: how it is, what it was told it may do, and its tools. */
import { ArrowLeft, Unplug } from 'lucide-react'
import { useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ServerDetail, ServerPolicy } from '../../../core/contract/api-servers.ts'
import { useActions } from '../../actions.ts'
import { useMay } from '../../me.ts'
import { useRead, useWrite } from '../../read.ts'
import { useGo } from '../../route.ts'
import { useTitle } from '../../title.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { Fault } from '../../ui/notice.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Switch } from '../../ui/switch.tsx'
import { servers as words } from '../../words/servers.ts'
import { settings } from '../../words/settings.ts'
import { Choice } from './choice.tsx'
import { ServerLogin } from './server-login.tsx'
import { LOOK_MS, NextTry, ServerState, STALE, serverPath } from './server-state.tsx'
import { ServerTools } from './server-tools.tsx'

export function OneServer({ name }: { name: string }) {
  const read = useRead(ROUTES.server, { params: { id: name } }, { follow: true, every: LOOK_MS })
  useTitle(name)
  return (
    <div className="settings-part">
      <Link to={serverPath()} className="server-back">
        <ArrowLeft aria-hidden="true" /> {words.all}
      </Link>
      {read.error?.status === 404 ? (
        <EmptyState icon={Unplug} title={words.gone(name)}>
          {words.goneHow}
        </EmptyState>
      ) : (
        <Reading read={read} label={settings.reading} failed={settings.failed} effect={settings.effect} lines={8}>
          {(server) => (
            <>
              <Head server={server} />
              <ServerTools server={server} />
              <Rules server={server} />
              <About server={server} />
            </>
          )}
        </Reading>
      )}
    </div>
  )
}

function Head({ server }: { server: ServerDetail }) {
  const may = useMay()
  const toast = useToast()
  const go = useGo()
  const enable = useWrite(ROUTES.enableServer, STALE)
  const disable = useWrite(ROUTES.disableServer, STALE)
  const restart = useWrite(ROUTES.restartServer, STALE)
  const allowPlain = useWrite(ROUTES.allowPlainServer, STALE)
  const remove = useWrite(ROUTES.removeServer, [ROUTES.servers, ROUTES.tools])
  const [asking, setAsking] = useState(false)
  const [asksPlain, setAsksPlain] = useState(false)
  const params = { id: server.id }
  const failed = (fault: Error) => toast(fault.message, { tone: 'bad' })
  const turnOn = () => enable.mutate({ params }, { onSuccess: () => toast(words.turnedOn(server.id), { tone: 'good' }), onError: failed })
  const turnOff = () =>
    disable.mutate({ params }, { onSuccess: () => toast(words.turnedOff(server.id), { undo: turnOn }), onError: failed })
  const look = () =>
    restart.mutate(
      { params },
      {
        onSuccess: ({ problem }) =>
          problem === null ? toast(words.restarted(server.id), { tone: 'good' }) : toast(words.stillFails(server.id), { tone: 'bad' }),
        onError: failed,
      },
    )
  const busy = enable.isPending || disable.isPending || restart.isPending
  const group = settings.sections.servers
  useActions([
    ...(may('registry:write') && !busy
      ? [
          server.enabled
            ? { id: 'server.off', label: words.turnOff, group, keys: 'o', run: turnOff }
            : { id: 'server.on', label: words.turnOn, group, keys: 'o', run: turnOn },
          ...(server.enabled ? [{ id: 'server.restart', label: words.restart, group, keys: 'r', run: look }] : []),
        ]
      : []),
    ...(may('admin') && server.walls === 'asks'
      ? [{ id: 'server.plain', label: words.allowPlain, group, keys: 'p', run: () => setAsksPlain(true) }]
      : []),
    ...(may('admin') ? [{ id: 'server.remove', label: words.remove, group, keys: 'shift+d', run: () => setAsking(true) }] : []),
  ])
  return (
    <section className="card setting-card" aria-labelledby="server-name">
      <div className="server-top">
        <h2 id="server-name" className="mono">
          {server.id}
        </h2>
        <ServerState server={server} />
        {server.calls > 0 && <Badge tone="run">{words.calls(server.calls)}</Badge>}
      </div>
      {server.problem !== null && server.state === 'failed' && (
        <Fault>
          <span className="server-why">{server.problem}</span>
          <NextTry server={server} />
        </Fault>
      )}
      {server.enabled && server.login !== 'needed' && server.state === 'stopped' && <p className="dim">{words.stateHow.stopped}</p>}
      {!server.enabled && <p className="dim">{words.stateHow.off}</p>}
      {server.login === 'needed' && server.enabled && <p>{words.stateHow.login}</p>}
      <div className="actions">
        {may('admin') && server.transport === 'http' && server.enabled && <ServerLogin server={server} />}
        {may('admin') && server.walls === 'asks' && (
          <Button look="primary" disabled={allowPlain.isPending} onClick={() => setAsksPlain(true)}>
            {words.allowPlain}
          </Button>
        )}
        {may('registry:write') && server.enabled && server.walls !== 'asks' && (
          <Button disabled={busy} onClick={look}>
            {restart.isPending ? words.restarting : words.restart}
          </Button>
        )}
        {may('registry:write') &&
          (server.enabled ? (
            <Button disabled={busy} onClick={turnOff}>
              {words.turnOff}
            </Button>
          ) : (
            <Button look="primary" disabled={busy} onClick={turnOn}>
              {words.turnOn}
            </Button>
          ))}
        {may('admin') && (
          <Button look="danger" onClick={() => setAsking(true)}>
            {words.remove}
          </Button>
        )}
      </div>
      <ConfirmDialog
        open={asksPlain}
        setOpen={setAsksPlain}
        title={words.allowPlainAsk(server.id)}
        yes={words.allowPlain}
        onYes={() =>
          allowPlain.mutate({ params }, { onSuccess: () => toast(words.allowedPlain(server.id), { tone: 'good' }), onError: failed })
        }
      >
        {words.allowPlainMeaning(server.command?.join(' ') ?? server.id)}
      </ConfirmDialog>
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        title={words.removeAsk(server.id)}
        yes={words.remove}
        onYes={() =>
          remove.mutate(
            { params },
            {
              onSuccess: () => {
                toast(words.removed(server.id))
                go(serverPath(), 'replace')
              },
              onError: failed,
            },
          )
        }
      >
        {words.removeMeaning}
      </ConfirmDialog>
    </section>
  )
}

function Rules({ server }: { server: ServerDetail }) {
  const may = useMay()
  const toast = useToast()
  const save = useWrite(ROUTES.serverRules, STALE)
  type Change = { policy?: ServerPolicy; tainted?: boolean; trusted?: boolean }
  const put = (change: Change, back: Change) =>
    save.mutate(
      { params: { id: server.id }, body: change },
      {
        onSuccess: () => toast(words.ruled, { tone: 'good', undo: () => save.mutate({ params: { id: server.id }, body: back }) }),
        onError: (fault) => toast(fault.message, { tone: 'bad' }),
      },
    )
  const options = (Object.entries(words.policies) as [ServerPolicy, string][]).map(([value, label]) => ({ value, label }))
  return (
    <section className="card setting-card" aria-labelledby="server-rules">
      <h2 id="server-rules">{words.rules}</h2>
      <fieldset className="server-rules" disabled={!may('registry:write') || save.isPending}>
        <legend className="hidden">{words.rules}</legend>
        <Choice
          label={words.policy}
          value={server.policy}
          options={options}
          choose={(policy) => put({ policy }, { policy: server.policy })}
        />
        <p className="dim setting-note">{words.policyHint[server.policy]}</p>
        <Switch
          label={words.tainted}
          hint={words.taintedHint}
          on={server.tainted}
          set={(tainted) => put({ tainted }, { tainted: server.tainted })}
        />
        <Switch
          label={words.trusted}
          hint={words.trustedHint}
          on={server.trusted}
          set={(trusted) => put({ trusted }, { trusted: server.trusted })}
        />
      </fieldset>
    </section>
  )
}

function About({ server }: { server: ServerDetail }) {
  const { facts } = words
  const named = (values: ServerDetail['env']) =>
    values.map((one) => (
      <span key={one.name} className="server-pair">
        <code>{one.value === null ? one.name : `${one.name}=${one.value}`}</code>{' '}
        {one.value === null && <span className="dim">{one.secrets.length > 0 ? words.fromSecret(one.secrets) : words.hiddenValue}</span>}
      </span>
    ))
  const lines: [string, React.ReactNode][] = [
    server.url !== null
      ? [facts.address, <code key="at">{`${server.url}${server.inner ? ` (${words.inner})` : ''}`}</code>]
      : [facts.command, <code key="at">{server.command?.join(' ')}</code>],
    ...(server.about === null
      ? []
      : ([
          [facts.says, `${server.about.name} ${server.about.version}`],
          [facts.speaks, words.revision(server.about.protocol)],
        ] as [string, string][])),
    [facts.scope, words.scopes[server.scope]],
    ...(server.transport === 'stdio'
      ? ([
          [
            facts.walls,
            server.walls === 'asks'
              ? words.noWalls
              : server.walls === 'plain'
                ? words.plain
                : [words.sandbox, words.network(server.network), ...server.folders.map((one) => words.folder(one.path, one.write))].join(
                    ' · ',
                  ),
          ],
        ] as [string, string][])
      : []),
    ...(server.env.length > 0 ? ([[facts.env, named(server.env)]] as [string, React.ReactNode][]) : []),
    ...(server.headers.length > 0 ? ([[facts.headers, named(server.headers)]] as [string, React.ReactNode][]) : []),
    ...(server.login === 'done' ? ([[facts.login, words.loginDone]] as [string, string][]) : []),
    [
      facts.added,
      <span key="added">
        <RelativeTime at={server.createdAt} /> {words.by(server.createdBy)}
      </span>,
    ],
  ]
  return (
    <section className="card setting-card" aria-labelledby="server-reached">
      <h2 id="server-reached">{facts.reached}</h2>
      <dl className="server-facts">
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {server.stderr !== '' && (
        <details open={server.state === 'failed'}>
          <summary>{words.stderr}</summary>
          <LongText text={server.stderr} />
        </details>
      )}
    </section>
  )
}
