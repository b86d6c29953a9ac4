/** All agents, documents or tools: found by words and by how they are, with who made them and who uses them. What is asked for is in the address. */
import { BookOpen, Bot, type LucideIcon, Plus, Search, Wrench } from 'lucide-react'
import { type ReactNode, useDeferredValue, useRef, useState } from 'react'
import { useActions } from '../../actions.ts'
import { useGo } from '../../route.ts'
import { writeSearch } from '../../search.ts'
import { useToast } from '../../toasts.ts'
import { useAct } from '../../ui/act.ts'
import { Badge } from '../../ui/badge.tsx'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Fault } from '../../ui/notice.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { library } from '../../words/library.ts'
import { Author } from './author.tsx'
import { hasDraft } from './draft.ts'
import { entryPath, type ItemOf, type Kind, NEW, useEntries, useEntryActs, useRemoved } from './entries.ts'
import type { ENTRY_FILTERS } from './filters.ts'

const ICONS: Record<Kind, LucideIcon> = { agent: Bot, document: BookOpen, tool: Wrench }
type Filter = (typeof ENTRY_FILTERS)[number]
/** `origin`: where a tool comes from. `badges`, `figures`: what a kind shows beside the rest. `users`: how many agents have it; null: it is not counted, or all have it. */
export type Row = { badges: ReactNode; figures: ReactNode; users: number | null; origin?: 'file' | 'made' | 'server' }

export function EntryList<K extends Kind>(props: {
  kind: K
  ask: { q?: string; f?: Filter }
  filters: readonly Filter[]
  row: (item: ItemOf[K]) => Row
}) {
  const { kind, ask, row } = props
  const words = library.kinds[kind]
  const { data, error, refetch } = useEntries(kind)
  const [typed, setTyped] = useState(ask.q ?? '')
  const q = useDeferredValue(typed).trim().toLowerCase()
  const go = useGo()
  const search = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const to = (change: { f?: Filter | undefined; q?: string }) => `${entryPath(kind)}${writeSearch({ ...ask, ...change })}`
  const create = () => go(entryPath(kind, NEW))
  const step = (by: 1 | -1) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>('a.entry') ?? [])]
    const at = links.indexOf(document.activeElement as HTMLElement)
    links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)]?.focus()
  }
  const group = words.title
  useActions([
    { id: 'entries.find', label: library.keys.find, group, keys: '/', run: () => search.current?.focus() },
    { id: 'entries.next', label: library.keys.next, group, keys: 'j', keyOnly: true, run: () => step(1) },
    { id: 'entries.previous', label: library.keys.previous, group, keys: 'k', keyOnly: true, run: () => step(-1) },
    ...(kind === 'tool' ? [] : [{ id: `${kind}.new`, label: words.new, group, keys: 'n', run: create }]),
  ])
  const items = data?.items ?? []
  const fits = (item: ItemOf[K]): boolean => {
    if (q && !`${item.name} ${item.description} ${'content' in item ? item.content : ''}`.toLowerCase().includes(q)) return false
    if (ask.f === 'on') return item.enabled
    if (ask.f === 'off') return !item.enabled
    if (ask.f === 'changed') return item.author !== 'seed'
    if (ask.f === 'file' || ask.f === 'made' || ask.f === 'server') return row(item).origin === ask.f
    return ask.f === 'unused' ? row(item).users === 0 : true
  }
  const shown = items.filter(fits)
  return (
    <div className="column wide library">
      <header className="page-head">
        <div>
          <h1>{words.title}</h1>
          <p className="dim">{words.about}</p>
        </div>
        {kind !== 'tool' && (
          <Link to={entryPath(kind, NEW)} className="button primary">
            <Plus aria-hidden="true" /> {words.new}
          </Link>
        )}
      </header>
      <div className="filters">
        <SearchBox
          label={words.search}
          ref={search}
          value={typed}
          placeholder={library.searchPlaceholder}
          onChange={(event) => {
            setTyped(event.target.value)
            go(to({ q: event.target.value }), 'replace')
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') {
              event.preventDefault()
              step(1)
            }
          }}
        />
        <nav className="chips" aria-label={library.filter}>
          {([undefined, ...props.filters] as const).map((f) => (
            <Link key={f ?? 'all'} to={to({ f })} className="chip" aria-current={ask.f === f ? 'true' : undefined}>
              {library.filters[f ?? 'all']}
            </Link>
          ))}
        </nav>
      </div>
      {data ? (
        <>
          <p className="hidden" role="status">
            {library.shown(shown.length)}
          </p>
          {shown.length > 0 ? (
            <ul className="entries" ref={list}>
              {shown.map((item) => (
                <li key={item.id}>
                  <Line kind={kind} item={item} row={row(item)} />
                </li>
              ))}
            </ul>
          ) : items.length > 0 ? (
            <EmptyState
              icon={Search}
              title={library.noFit}
              act={
                <Button
                  onClick={() => {
                    setTyped('')
                    go(entryPath(kind))
                  }}
                >
                  {library.showAll}
                </Button>
              }
            >
              {library.noFitHow}
            </EmptyState>
          ) : (
            <EmptyState icon={ICONS[kind]} title={words.none}>
              {words.noneHow}
            </EmptyState>
          )}
          <Removed kind={kind} />
        </>
      ) : error ? (
        <ErrorState title={words.failed} cause={error.message} retry={() => void refetch()} />
      ) : (
        <Skeleton lines={8} label={words.loading} />
      )}
    </div>
  )
}

function Line<K extends Kind>({ kind, item, row }: { kind: K; item: ItemOf[K]; row: Row }) {
  const Icon: LucideIcon = ICONS[kind]
  return (
    <Link to={entryPath(kind, item.id)} className={item.enabled ? 'entry' : 'entry entry-off'}>
      <Icon className="entry-icon" aria-hidden="true" />
      <span className="entry-main">
        <span className="entry-name">
          <strong>{item.name}</strong>
          {!item.enabled && <Badge tone="stop">{library.off}</Badge>}
          {hasDraft(kind, item.id) && <Badge tone="you">{library.draft}</Badge>}
          {row.badges}
        </span>
        <span className="entry-about">{item.description}</span>
      </span>
      <span className="entry-figures">{row.figures}</span>
      <span className="entry-by">
        <Author name={item.author} />
        <span>
          {library.shortVersion(item.version)} · <RelativeTime at={item.updatedAt} />
        </span>
      </span>
    </Link>
  )
}

/** Nothing is lost by removing: the list says what was, and brings it back. */
function Removed({ kind }: { kind: Kind }) {
  const removed = useRemoved(kind)
  const { restore } = useEntryActs(kind)
  const { busy, fault, act } = useAct()
  const toast = useToast()
  if (removed.length === 0) return null
  return (
    <details className="removed">
      <summary>{library.removed(removed.length)}</summary>
      <ul className="entries">
        {removed.map((item) => (
          <li key={item.id} className="entry entry-off">
            <span className="entry-main">
              <span className="entry-name">
                <strong>{item.id}</strong>
              </span>
              <span className="entry-about">{item.description}</span>
            </span>
            <Button
              disabled={busy}
              aria-label={library.bringBackOf(item.id)}
              onClick={() =>
                void act(async () => {
                  await restore(item.id, item.version)
                  toast(library.back(item.id), { tone: 'good' })
                })
              }
            >
              {library.bringBack}
            </Button>
          </li>
        ))}
      </ul>
      {fault && <Fault>{fault}</Fault>}
    </details>
  )
}
