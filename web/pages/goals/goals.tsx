/** All goals, however many: searched and narrowed by the server, a page at a time. What is asked for is in the address. */
import { getRouteApi } from '@tanstack/react-router'
import { ListTree, Plus, Search } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import { GOAL_STATES } from '../../../core/contract/goal.ts'
import { useActions } from '../../actions.ts'
import { useNow } from '../../banyan.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { writeSearch } from '../../search.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { goals as words } from '../../words/goals.ts'
import { dayAndTime } from '../../words/words.ts'
import '../home/home.css'
import { SearchBox } from '../../ui/search-box.tsx'
import { GoalMenu } from './goal-menu.tsx'
import { GoalRow, rowTimes } from './goal-row.tsx'

const route = getRouteApi('/goals')
const A_PAGE = 50
/** A pause in typing after which the server is asked. */
const TYPING_MS = 200

export function Goals() {
  const ask = route.useSearch()
  const go = useGo()
  const box = useRef<HTMLInputElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const [typed, setTyped] = useState(ask.q ?? '')
  const { stale } = useConnection()
  const now = useNow()
  const { q, f, cursor } = ask
  const { data, error, isPending, isPlaceholderData, refetch } = useRead(
    ROUTES.trees,
    { query: { limit: String(A_PAGE), q, is: f, cursor } },
    { follow: true, keep: true },
  )
  // Another page of the list, or another question, has its own address; "back" leads to the one before.
  const to = (change: { q?: string; f?: string | undefined; cursor?: string | undefined }) =>
    `/goals${writeSearch({ ...ask, cursor: undefined, ...change })}`

  useEffect(() => setTyped(q ?? ''), [q])
  useEffect(() => {
    if (typed.trim() === (q ?? '')) return
    const timer = setTimeout(() => go(to({ q: typed.trim() }), 'replace'), TYPING_MS)
    return () => clearTimeout(timer)
  })

  const step = (by: 1 | -1) => () => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('a.goal') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement)
    all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]?.focus()
  }
  const group = words.title
  useActions([
    { id: 'goals.search', label: words.search, group, keys: '/', run: () => box.current?.focus() },
    { id: 'goals.new', label: words.new, group, keys: 'n', run: () => go('/goals/new') },
    { id: 'goals.next', label: words.next, group, keys: 'j', keyOnly: true, run: step(1) },
    { id: 'goals.previous', label: words.previous, group, keys: 'k', keyOnly: true, run: step(-1) },
    ...[undefined, ...GOAL_STATES].map((state, i) => ({
      id: `goals.filter.${state ?? 'all'}`,
      label: `${words.filter}: ${words.filters[state ?? 'all']}`,
      group,
      keys: String(i + 1),
      run: () => go(to({ f: state })),
    })),
    ...(data?.nextCursor
      ? [{ id: 'goals.older', label: words.older, group, keys: '>', run: () => go(to({ cursor: data.nextCursor ?? undefined })) }]
      : []),
  ])

  const narrow = q !== undefined || f !== undefined
  const items = data?.items ?? []
  return (
    <div className="column wide">
      <header className="page-head">
        <h1>{words.title}</h1>
        <Link to="/goals/new" className="button primary">
          <Plus aria-hidden="true" /> {words.new}
        </Link>
      </header>
      <div className="filters">
        <SearchBox
          label={words.search}
          ref={box}
          value={typed}
          maxLength={200}
          placeholder={words.searchPlaceholder}
          onChange={(event) => setTyped(event.target.value)}
        />
        <nav className="chips" aria-label={words.filter}>
          {([undefined, ...GOAL_STATES] as const).map((state) => (
            <Link key={state ?? 'all'} to={to({ f: state })} className="chip" aria-current={f === state ? 'true' : undefined}>
              {words.filters[state ?? 'all']}
            </Link>
          ))}
        </nav>
      </div>
      {error && !data ? (
        <ErrorState title={words.failed} cause={error.message} effect={words.failedEffect} retry={() => void refetch()} />
      ) : isPending ? (
        <Skeleton lines={10} label={words.loading} />
      ) : items.length === 0 && !narrow && !cursor ? (
        <EmptyState
          icon={ListTree}
          title={words.none}
          act={
            <Link to="/" className="button">
              {words.new}
            </Link>
          }
        >
          {words.noneHow}
        </EmptyState>
      ) : items.length === 0 ? (
        <EmptyState icon={Search} title={words.noFit} act={<Button onClick={() => go('/goals')}>{words.clear}</Button>}>
          {words.noFitHow}
        </EmptyState>
      ) : (
        <>
          {cursor && <p className="dim">{words.from(dayAndTime(Number(cursor.split('.')[0])))}</p>}
          <ul className={stale || isPlaceholderData ? 'goals goals-stale' : 'goals'} ref={list} aria-label={words.title}>
            {items.map((tree) => (
              <GoalRow key={tree.id} tree={tree} {...rowTimes(tree, now)} menu={<GoalMenu tree={tree} />} />
            ))}
          </ul>
          {(data?.nextCursor || cursor) && (
            <nav className="pager" aria-label={words.pages}>
              {cursor && (
                <Link to={to({})} className="button">
                  {words.newer}
                </Link>
              )}
              {data?.nextCursor && (
                <Link to={to({ cursor: data.nextCursor })} className="button">
                  {words.older}
                </Link>
              )}
            </nav>
          )}
        </>
      )}
    </div>
  )
}
