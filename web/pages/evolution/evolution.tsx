/** All changes of Banyan's own code, newest first, below what runs and what lands without a person. What is asked for is in the address. */
import { getRouteApi } from '@tanstack/react-router'
import { GitPullRequestArrow, Plus } from 'lucide-react'
import { useRef } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { Change } from '../../../core/contract/change.ts'
import { changeLabelOf } from '../../../core/contract/label.ts'
import { useActions } from '../../actions.ts'
import { useConnection } from '../../data/use-connection.ts'
import { useGoalWords } from '../../data/use-home.ts'
import { preview } from '../../format.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { writeSearch } from '../../search.ts'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Link } from '../../ui/link.tsx'
import { Reading } from '../../ui/reading.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { Drawn } from '../../ui/shape.tsx'
import { WhileOnline } from '../../ui/while-online.tsx'
import { evolution as words } from '../../words/evolution.ts'
import { firstLine } from '../reviews/queue.ts'
import { Lessons } from './lessons.tsx'
import { CHANGE_FILTERS, changePath } from './paths.ts'
import { Runs } from './runs.tsx'
import { sentenceOf } from './say.ts'
import { LevelBadge, Lines } from './state.tsx'
import './evolution.css'

const route = getRouteApi('/evolution')
const A_PAGE = 40

export function Evolution() {
  const { f, cursor } = route.useSearch()
  const go = useGo()
  const list = useRef<HTMLUListElement>(null)
  const { stale } = useConnection()
  const read = useRead(ROUTES.changes, { query: { limit: String(A_PAGE), state: f, cursor } }, { follow: true, keep: true })
  const self = useRead(ROUTES.selfState, undefined, { follow: true }).data
  const ask = useAskPath()
  const to = (change: { f?: (typeof CHANGE_FILTERS)[number] | undefined; cursor?: string }) => `/evolution${writeSearch({ f, ...change })}`
  const step = (by: 1 | -1) => () => {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('a.change-link') ?? [])]
    const at = all.indexOf(document.activeElement as HTMLElement)
    all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))]?.focus()
  }
  const group = words.title
  useActions([
    ...(ask ? [{ id: 'evolution.ask', label: words.ask, group, keys: 'n', run: () => go(ask) }] : []),
    { id: 'evolution.next', label: words.keys.next, group, keys: 'j', keyOnly: true, run: step(1) },
    { id: 'evolution.previous', label: words.keys.previous, group, keys: 'k', keyOnly: true, run: step(-1) },
    ...([undefined, ...CHANGE_FILTERS] as const).map((one, i) => ({
      id: `evolution.filter.${one ?? 'all'}`,
      label: `${words.filter}: ${words.filters[one ?? 'all']}`,
      group,
      keys: String(i + 1),
      run: () => go(to({ f: one })),
    })),
    ...(read.data?.nextCursor
      ? [{ id: 'evolution.older', label: words.older, group, keys: '>', run: () => go(to({ cursor: read.data.nextCursor! })) }]
      : []),
  ])
  return (
    <div className="column wide evolution">
      <header className="page-head">
        <div>
          <h1>{words.title}</h1>
          <p className="dim">{words.about}</p>
        </div>
        {ask && self?.on !== false && (
          <Link to={ask} className="button primary">
            <Plus aria-hidden="true" /> {words.ask}
          </Link>
        )}
      </header>
      <WhileOnline>
        <Runs />
      </WhileOnline>
      <nav className="chips" aria-label={words.filter}>
        {([undefined, ...CHANGE_FILTERS] as const).map((one) => (
          <Link key={one ?? 'all'} to={to({ f: one })} className="chip" aria-current={f === one ? 'true' : undefined}>
            {words.filters[one ?? 'all']}
          </Link>
        ))}
      </nav>
      <Reading read={read} label={words.reading} failed={words.failed} effect={words.effect} lines={8}>
        {({ items, nextCursor }) =>
          items.length === 0 ? (
            f === undefined && cursor === undefined ? (
              <EmptyState icon={GitPullRequestArrow} title={words.none}>
                {self?.on === false ? words.noneOff : words.noneHow}
              </EmptyState>
            ) : (
              <EmptyState
                icon={GitPullRequestArrow}
                title={words.noneOpen}
                act={
                  <Link to="/evolution" className="button">
                    {words.showAll}
                  </Link>
                }
              >
                {words.noneOpenHow}
              </EmptyState>
            )
          ) : (
            <>
              <ul className={stale || read.isPlaceholderData ? 'changes is-stale' : 'changes'} ref={list} aria-label={words.list}>
                {items.map((change) => (
                  <ChangeRow key={change.id} change={change} />
                ))}
              </ul>
              {(nextCursor || cursor) && (
                <nav className="pager" aria-label={words.pages}>
                  {cursor && (
                    <Link to={to({})} className="button">
                      {words.newest}
                    </Link>
                  )}
                  {nextCursor && (
                    <Link to={to({ cursor: nextCursor })} className="button">
                      {words.older}
                    </Link>
                  )}
                </nav>
              )}
            </>
          )
        }
      </Reading>
      <Lessons />
    </div>
  )
}

/** Where a change is asked for: a goal for an agent that can propose one; null: none can. */
function useAskPath(): string | null {
  const agents = useRead(ROUTES.agents).data
  const able = agents?.items.find((agent) => agent.enabled && agent.tools.includes('propose_change'))
  return able ? `/goals/new${writeSearch({ agent: able.name })}` : null
}

function ChangeRow({ change }: { change: Change }) {
  const goal = useGoalWords(change.treeId)
  const { word, shape, tone } = changeLabelOf(change)
  return (
    <li>
      <Link to={changePath(change.id)} className="change-link">
        <span className={`change-mark tone-${tone}`} aria-hidden="true">
          <Drawn shape={shape} />
        </span>
        <span className="change-main">
          <strong className="change-title">{change.title}</strong>
          {change.note && (change.state === 'refused' || change.state === 'undone') && (
            <span className="change-note">{preview(sentenceOf(change.note), 200)}</span>
          )}
          <span className="change-about">
            <span className={`change-word tone-${tone}`}>{word}</span>
            <span>{words.by(change.author)}</span>
            {goal && <span className="change-goal">{preview(firstLine(goal), 70)}</span>}
          </span>
        </span>
        <span className="change-side">
          <LevelBadge level={change.level} />
          {change.files.length > 0 && (
            <span className="change-size">
              <Lines files={change.files} /> <span className="dim">{words.files(change.files.length)}</span>
            </span>
          )}
        </span>
        <span className="change-time dim">
          <RelativeTime at={change.updatedAt} />
        </span>
      </Link>
    </li>
  )
}
