/** The tools of a server: found by words, approved as they are shown, with a rule of their own each. What a server wrote is text. */
import { useSearch } from '@tanstack/react-router'
import { Search, Wrench } from 'lucide-react'
import { useDeferredValue, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { ServerDetail, ServerPolicy, ServerTool } from '../../../core/contract/api-servers.ts'
import { useActions } from '../../actions.ts'
import { useMay } from '../../me.ts'
import { useWrite } from '../../read.ts'
import { useGo } from '../../route.ts'
import { useToast } from '../../toasts.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { LineDiff } from '../../ui/line-diff.tsx'
import { Link } from '../../ui/link.tsx'
import { LongText } from '../../ui/long-text.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { Select } from '../../ui/select.tsx'
import { servers as words } from '../../words/servers.ts'
import { settings } from '../../words/settings.ts'
import { STALE, serverPath } from './server-state.tsx'
import { isWaiting } from './server-words.ts'

/** Drawn at first; a server may offer two hundred. */
const AT_FIRST = 30
const TONES = { pending: 'you', approved: 'good', changed: 'you', gone: 'stop', unusable: 'bad' } as const
const FILTERS = ['waiting', 'approved', 'other'] as const
type Filter = (typeof FILTERS)[number]
const isIn = (filter: Filter, tool: ServerTool): boolean =>
  filter === 'waiting'
    ? isWaiting(tool)
    : filter === 'approved'
      ? tool.state === 'approved'
      : tool.state === 'gone' || tool.state === 'unusable'
const SAME_AS_SERVER = 'server'

export function ServerTools({ server }: { server: ServerDetail }) {
  const { q = '', f } = useSearch({ strict: false })
  const filter = FILTERS.find((one) => one === f)
  const [typed, setTyped] = useState(q)
  const asked = useDeferredValue(typed).trim().toLowerCase()
  const [most, setMost] = useState(AT_FIRST)
  const [asking, setAsking] = useState(false)
  const search = useRef<HTMLInputElement>(null)
  const go = useGo()
  const may = useMay()
  const approve = useApprove(server)
  const waiting = server.toolList.filter(isWaiting)
  const to = (change: { q?: string; f?: Filter | undefined }) => serverPath(server.id, { q: typed, f: filter, ...change })
  // What waits for a person comes first.
  const found = [...waiting, ...server.toolList.filter((one) => !isWaiting(one))].filter(
    (one) => (filter === undefined || isIn(filter, one)) && `${one.name} ${one.description}`.toLowerCase().includes(asked),
  )
  const group = settings.sections.servers
  useActions([
    { id: 'server.find', label: words.search, group, keys: '/', run: () => search.current?.focus() },
    ...(waiting.length > 0 && may('registry:write')
      ? [{ id: 'server.approve', label: words.approveAll(waiting.length), group, keys: 'shift+a', run: () => setAsking(true) }]
      : []),
  ])
  return (
    <section className="settings-part" aria-labelledby="server-tools">
      <div className="setting-head">
        <h2 id="server-tools" className="grow">
          {words.tools} <span className="dim setting-note">{words.approved(server.tools.approved, server.tools.offered)}</span>
        </h2>
        {waiting.length > 0 && may('registry:write') && (
          <Button look="primary" disabled={approve.busy} onClick={() => setAsking(true)}>
            {words.approveAll(waiting.length)}
          </Button>
        )}
      </div>
      {server.toolList.length === 0 ? (
        <EmptyState icon={Wrench} title={server.about === null ? words.notSeen : words.noTools}>
          {words.noToolsHow}
        </EmptyState>
      ) : (
        <>
          <div className="server-filters">
            <SearchBox
              label={words.search}
              ref={search}
              value={typed}
              placeholder={words.searchPlaceholder}
              onChange={(event) => {
                setTyped(event.target.value)
                go(to({ q: event.target.value }), 'replace')
              }}
            />
            <nav className="chips" aria-label={words.filter}>
              {([undefined, ...FILTERS] as const).map((one) => (
                <Link key={one ?? 'all'} to={to({ f: one })} replace className="chip" aria-current={filter === one ? 'true' : undefined}>
                  {words.filters[one ?? 'all']}
                </Link>
              ))}
            </nav>
          </div>
          <p className="hidden" role="status">
            {words.shown(found.length)}
          </p>
          {found.length === 0 ? (
            <EmptyState icon={Search} title={words.noFit} />
          ) : (
            <ul className="setting-list">
              {found.slice(0, most).map((tool) => (
                <Tool key={tool.id} tool={tool} server={server} />
              ))}
            </ul>
          )}
          {found.length > most && <Button onClick={() => setMost(most + 100)}>{words.more(found.length - most)}</Button>}
        </>
      )}
      <ConfirmDialog
        open={asking}
        setOpen={setAsking}
        look="primary"
        title={words.approveAllAsk(waiting.length)}
        yes={words.approveAll(waiting.length)}
        onYes={() => approve.these(waiting)}
      >
        {words.approveAllHow}
      </ConfirmDialog>
    </section>
  )
}

/** Approves tools as they are shown: what changed meanwhile is refused by the server, which knows it by its hash. */
function useApprove(server: ServerDetail) {
  const toast = useToast()
  const approve = useWrite(ROUTES.approveTools, STALE)
  return {
    busy: approve.isPending,
    these: (tools: readonly ServerTool[]) =>
      approve.mutate(
        { params: { id: server.id }, body: { tools: Object.fromEntries(tools.map((one) => [one.id, one.sha])) } },
        {
          onSuccess: () => toast(words.approvedNow(tools.length), { tone: 'good' }),
          onError: (fault) => toast(fault.message, { tone: 'bad' }),
        },
      ),
  }
}

function Tool({ tool, server }: { tool: ServerTool; server: ServerDetail }) {
  const may = useMay()
  const toast = useToast()
  const approve = useApprove(server)
  const rules = useWrite(ROUTES.serverRules, STALE)
  const rule = (policy: ServerPolicy | null) =>
    rules.mutate(
      { params: { id: server.id }, body: { tool: tool.id, policy } },
      {
        onSuccess: () =>
          toast(words.ruled, {
            tone: 'good',
            undo: () => rules.mutate({ params: { id: server.id }, body: { tool: tool.id, policy: tool.policy } }),
          }),
        onError: (fault) => toast(fault.message, { tone: 'bad' }),
      },
    )
  const says = [tool.hints.readOnly && words.says.readOnly, tool.hints.destructive && words.says.destructive].filter((one) => one !== false)
  return (
    <li className="server-tool">
      <div className="server-tool-head">
        <strong className="mono server-tool-name">{tool.name}</strong>
        <Badge tone={TONES[tool.state]}>{words.toolStates[tool.state]}</Badge>
        {says.map((one) => (
          <span key={one} className="dim setting-note" title={words.unproven}>
            {one}
          </span>
        ))}
        <span className="grow" />
        {isWaiting(tool) && may('registry:write') && (
          <Button disabled={approve.busy} onClick={() => approve.these([tool])}>
            {tool.state === 'changed' ? words.approveChange : words.approve}
            <span className="hidden"> {tool.name}</span>
          </Button>
        )}
        {tool.state !== 'gone' && tool.state !== 'unusable' && (
          <Select
            label={words.toolPolicy(tool.name)}
            value={tool.policy ?? SAME_AS_SERVER}
            disabled={!may('registry:write') || rules.isPending}
            options={[
              { value: SAME_AS_SERVER, label: words.asServer(words.policies[server.policy]) },
              ...Object.entries(words.policies).map(([value, label]) => ({ value, label })),
            ]}
            choose={(value) => rule(value === SAME_AS_SERVER ? null : (value as ServerPolicy))}
          />
        )}
      </div>
      {tool.problem !== null && <p className="field-warning">{tool.problem}</p>}
      {tool.state === 'gone' && <p className="dim">{words.goneNow}</p>}
      {tool.diff !== null && tool.state !== 'gone' && <LineDiff text={tool.diff} label={words.changedFrom} />}
      {tool.description === '' ? (
        <p className="dim">{words.noWords}</p>
      ) : (
        tool.diff === null && (
          <div className="server-says">
            <LongText text={tool.description} shown={280} />
          </div>
        )
      )}
      <details>
        <summary>{words.arguments}</summary>
        <LongText text={JSON.stringify(tool.inputSchema, null, 2)} />
        {tool.state !== 'unusable' && <code className="dim setting-note">{tool.id}</code>}
      </details>
    </li>
  )
}
