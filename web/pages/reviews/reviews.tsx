/** The queue: items on the left, one of them in the middle, its place in the goal beside it. Everything shown is in the address. */
import { useParams, useSearch } from '@tanstack/react-router'
import { ArrowLeft, Bell, BellRing, CircleCheckBig, Scale } from 'lucide-react'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ROUTES } from '../../../core/contract/api.ts'
import type { WaitingReview } from '../../../core/contract/live.ts'
import type { DecisionWord, Review } from '../../../core/contract/review.ts'
import { useActions } from '../../actions.ts'
import { useBanyan } from '../../banyan.ts'
import { useHomePart } from '../../data/use-home.ts'
import { useOutbox } from '../../data/use-outbox.ts'
import { useReviews } from '../../data/use-reviews.ts'
import { decisionOf } from '../../outbox.ts'
import { usePrefs } from '../../prefs.ts'
import { useRead } from '../../read.ts'
import { useGo } from '../../route.ts'
import { allowNotices } from '../../shell/notices.ts'
import { readLocal, writeLocal } from '../../theme.ts'
import { useTitle } from '../../title.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { notices } from '../../words/notices.ts'
import { reviews as words } from '../../words/reviews.ts'
import { Context } from './context.tsx'
import { Decision, type Hand } from './decision.tsx'
import { useDone } from './done.ts'
import { Filters } from './filters.tsx'
import { useFrozen } from './frozen.ts'
import { List } from './list.tsx'
import { KeyOf } from './marks.tsx'
import { useUndo } from './outcome.tsx'
import { batchProblem, fits, inOrder, type QueueSearch, queueSearch, reviewPath, step, TYPED_ABOVE } from './queue.ts'
import './reviews.css'

const LOOKED = 'banyan-reviews-looked'
const LOOKED_MAX = 500

export function Reviews() {
  const search = queueSearch(useSearch({ strict: false }) as Record<string, unknown>)
  const { id: chosen = null } = useParams({ strict: false }) as { id?: string }
  const tab = search.tab ?? 'you'
  const live = useReviews()
  const done = useDone(tab === 'done')
  const { waiting, taken } = useOutbox()
  const trees = useHomePart((state) => state.trees)
  const goalOf = useCallback((treeId: string) => trees.find((tree) => tree.id === treeId)?.goal ?? '', [trees])
  const key = JSON.stringify(search)
  const now = useMemo(() => {
    const how = JSON.parse(key) as QueueSearch
    const all = tab === 'done' ? done.items : live.reviews.filter((one) => one.state === (tab === 'snoozed' ? 'snoozed' : 'open'))
    const own = all.filter((one) => fits(one, how, goalOf))
    return tab === 'done' ? own : own.sort(inOrder(how.sort ?? 'urgent'))
  }, [key, tab, done.items, live.reviews, goalOf])
  const newest = useCallback(
    (id: string) => live.reviews.find((one) => one.id === id) ?? live.decided.findLast((one) => one.id === id),
    [live.reviews, live.decided],
  )
  const { rows, fresh, refresh } = useFrozen<WaitingReview>(key, now, newest)

  const isGone = useCallback(
    (one: Review) =>
      one.state === 'decided' ||
      one.state !== (tab === 'snoozed' ? 'snoozed' : 'open') ||
      decisionOf({ waiting, taken }, one.id) !== undefined,
    [tab, waiting, taken],
  )
  const wide = useWide()
  const current = chosen ?? (wide ? (rows[0]?.id ?? null) : null)
  const listed = rows.find((row) => row.id === current) ?? (current === null ? undefined : newest(current))
  const read = useRead(ROUTES.review, { params: { id: current ?? '' } }, { when: current !== null && listed === undefined, follow: true })
  const item = listed ?? (read.data as WaitingReview | undefined)
  useTitle(item && chosen ? item.title : null)

  const looked = useLooked(item?.id ?? null)
  const go = useGo()
  const show = (id: string | null) => go(reviewPath(id, search), chosen === null && !wide ? 'push' : 'replace')
  const at = rows.findIndex((row) => row.id === current)
  const move = (by: 1 | -1) => {
    const row = rows[step(chosen === null && !wide ? -1 : at, by, rows.length)]
    if (row) show(row.id)
  }
  /** The next one that waits, from here on and then from the start; with new ones when those shown are done. */
  const next = (fits: (one: WaitingReview) => boolean = () => true) => {
    const isNext = (one: WaitingReview) => one.id !== current && !isGone(one) && fits(one)
    const row = [...rows.slice(at + 1), ...rows.slice(0, Math.max(at, 0))].find(isNext) ?? (fresh > 0 ? refresh().find(isNext) : undefined)
    if (row) show(row.id)
    return row !== undefined
  }
  const onDecided = (by: Hand) => {
    if (by === 'key') next()
    else document.querySelector<HTMLElement>('.review-title')?.focus({ preventScroll: true })
  }

  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const toggle = useCallback(
    (id: string) =>
      setSelected((known) => {
        const now = new Set(known)
        if (!now.delete(id)) now.add(id)
        return now
      }),
    [],
  )
  const alike =
    item && item.signature !== null && item.state === 'open' ? rows.filter((row) => row.signature === item.signature && !isGone(row)) : []
  const chosenItems = rows.filter((row) => selected.has(row.id) && !isGone(row))
  const batch = useBatch(() => {
    setSelected(new Set())
    next((one) => !selected.has(one.id) && !alike.includes(one))
  })
  const together = (decision: DecisionWord) => batch.ask(chosenItems.length > 0 ? chosenItems : alike, decision)
  const undo = useUndo()
  const gone = rows.filter(isGone).length
  const tidy = () => {
    refresh()
    setSelected(new Set())
  }
  const filter = useRef<HTMLInputElement>(null)
  const { group, ...say } = words.keys
  useActions([
    { id: 'reviews.next', label: say.next, group, keys: 'j', keyOnly: true, run: () => move(1) },
    { id: 'reviews.prev', label: say.prev, group, keys: 'k', keyOnly: true, run: () => move(-1) },
    { id: 'reviews.down', label: say.next, group, keys: 'n', keyOnly: true, run: () => move(1) },
    { id: 'reviews.up', label: say.prev, group, keys: 'p', keyOnly: true, run: () => move(-1) },
    {
      id: 'reviews.unread',
      label: say.unread,
      group,
      keys: '.',
      keyOnly: true,
      run: () => void (next((one) => !looked.has(one.id)) || next()),
    },
    { id: 'reviews.open', label: say.open, group, keys: 'enter', keyOnly: true, run: () => current !== null && show(current) },
    { id: 'reviews.select', label: say.select, group, keys: 'x', keyOnly: true, run: () => current !== null && toggle(current) },
    { id: 'reviews.batch.approve', label: say.batchApprove, group, keys: 'shift+a', run: () => together('approve') },
    { id: 'reviews.batch.reject', label: say.batchReject, group, keys: 'shift+r', run: () => together('reject') },
    { id: 'review.undo', label: say.undo, group, keys: 'u', run: () => undo() },
    { id: 'reviews.tidy', label: say.tidy, group, keys: 'z', run: tidy },
    { id: 'reviews.filter', label: say.filter, group, keys: '/', run: () => filter.current?.focus() },
    { id: 'reviews.rules', label: words.rules, group, keys: 'g u', run: () => go('/reviews/rules') },
  ])

  const { loaded, fault } = tab === 'done' ? done : live
  const open = live.reviews.filter((one) => one.state === 'open' && decisionOf({ waiting, taken }, one.id) === undefined).length
  const snoozed = live.reviews.filter((one) => one.state === 'snoozed').length
  return (
    <div className="reviews" data-open={chosen !== null}>
      <div className="reviews-list">
        <div className="reviews-fixed">
          <div className="reviews-top">
            <h1>{words.title}</h1>
            <span className="grow" />
            <Notify />
            <Link to="/reviews/rules" className="button quiet">
              <Scale aria-hidden="true" /> {words.rules}
            </Link>
          </div>
          <nav className="review-tabs" aria-label={words.tabList}>
            {(['you', 'snoozed', 'done'] as const).map((one) => (
              <Link
                key={one}
                to={reviewPath(null, { ...search, tab: one === 'you' ? undefined : one } as QueueSearch)}
                aria-current={tab === one ? 'page' : undefined}
              >
                {words.tabs[one]} {one === 'you' && open > 0 && <span className="place-count">{open}</span>}
                {one === 'snoozed' && snoozed > 0 && <span className="dim">{snoozed}</span>}
              </Link>
            ))}
          </nav>
          <Filters search={search} box={filter} sorted={tab !== 'done'} />
          <div className="review-state" aria-live="polite">
            {chosenItems.length > 0 ? (
              <>
                <span>{words.selected(chosenItems.length)}</span>
                <Button small look="primary" onClick={() => together('approve')}>
                  {words.batch.approve} <KeyOf id="reviews.batch.approve" keys="shift+a" />
                </Button>
                <Button small look="danger" onClick={() => together('reject')}>
                  {words.batch.reject} <KeyOf id="reviews.batch.reject" keys="shift+r" />
                </Button>
                <Button small look="quiet" onClick={() => setSelected(new Set())}>
                  {words.unselect}
                </Button>
              </>
            ) : (
              <>
                <span className="dim">{words.shown(rows.length - (tab === 'done' ? 0 : gone))}</span>
                <span className="grow" />
                {fresh > 0 && (
                  <Button small look="primary" onClick={tidy}>
                    {words.fresh(fresh)}
                  </Button>
                )}
                {tab !== 'done' && gone > 0 && (
                  <Button small look="quiet" onClick={tidy}>
                    {words.tidy(gone)} <KeyOf id="reviews.tidy" keys="z" />
                  </Button>
                )}
              </>
            )}
          </div>
        </div>
        {!loaded && fault === null && <Skeleton lines={8} label={words.title} />}
        {fault !== null && rows.length === 0 && <ErrorState title={words.failed.title} cause={fault} effect={words.failed.effect} />}
        {loaded && fault === null && rows.length === 0 && <Nothing search={search} />}
        {rows.length > 0 && <List rows={rows} current={current} search={search} selected={selected} toggle={toggle} looked={looked} />}
        {tab === 'done' && done.older !== null && <Button onClick={() => void done.more()}>{words.olderRows}</Button>}
        <Sending />
      </div>
      <div className="reviews-item">
        {/* The list, which has the heading, is not shown beside it. */}
        {!wide && chosen !== null && <h1 className="hidden">{words.title}</h1>}
        {chosen !== null && (
          <Link className="review-back" to={reviewPath(null, search)}>
            <ArrowLeft aria-hidden="true" /> {words.title}
          </Link>
        )}
        {item ? (
          <Decision key={item.id} review={item} keys onDecided={onDecided} />
        ) : current !== null && read.error ? (
          <ErrorState title={words.failed.missing} cause={read.error.message} effect={words.failed.missingWhy} />
        ) : current !== null ? (
          <Skeleton lines={8} label={words.title} />
        ) : (
          loaded && rows.length > 0 && <EmptyState title={words.empty.pick}>{words.empty.pickWhy}</EmptyState>
        )}
      </div>
      {item && (
        <Context
          review={item}
          alike={alike.some((one) => one.id === item.id) ? alike.length - 1 : 0}
          selectAlike={() => setSelected(new Set(alike.map((one) => one.id)))}
        />
      )}
      {batch.dialog}
    </div>
  )
}

/** Off until it is switched on here. */
function Notify() {
  const [prefs, setPrefs] = usePrefs()
  const toast = useToast()
  const set = async () => {
    const problem = prefs.notify ? null : await allowNotices()
    if (problem === null) setPrefs({ notify: !prefs.notify })
    else toast(problem, { tone: 'bad' })
  }
  const label = prefs.notify ? notices.off : notices.on
  useActions([{ id: 'reviews.notify', label, group: words.keys.group, run: () => void set() }])
  return <IconButton icon={prefs.notify ? BellRing : Bell} label={label} aria-pressed={prefs.notify} onClick={() => void set()} />
}

function Nothing({ search }: { search: QueueSearch }) {
  const { empty, filters } = words
  const filtered = search.kind ?? search.risk ?? search.tree ?? search.q
  if (filtered !== undefined)
    return (
      <EmptyState
        title={empty.filtered}
        act={
          <Link className="button" to={reviewPath(null, search.tab ? { tab: search.tab } : {})}>
            {filters.clear}
          </Link>
        }
      />
    )
  const tab = search.tab ?? 'you'
  return (
    <EmptyState icon={CircleCheckBig} title={empty[tab]} act={tab === 'you' ? <Link to="/goals">{empty.goals}</Link> : undefined}>
      {empty[`${tab}Why`]}
    </EmptyState>
  )
}

/** Decisions that are not sent yet, always in the same place. */
function Sending() {
  const { waiting, stuck, refused } = useOutbox()
  const undo = useUndo()
  const [first] = Object.keys(refused)
  const count = waiting.reduce((sum, one) => sum + one.ids.length, 0)
  return (
    <div className={`review-sending${stuck ? ' is-stuck' : ''}`} role="status" hidden={count === 0 && first === undefined}>
      {first !== undefined && (
        <p>
          {words.refused.some(Object.keys(refused).length)} <Link to={reviewPath(first)}>{words.refused.look}</Link>
        </p>
      )}
      {count > 0 && (
        <p>
          {stuck ? words.decide.stuck(count) : words.decide.sending(count)}{' '}
          {!stuck && (
            <Button small onClick={() => undo()}>
              {words.decide.undo} <KeyOf id="review.undo" keys="u" />
            </Button>
          )}
        </p>
      )}
    </div>
  )
}

/** One word for several items: refused with a reason, asked again for many, then sent like any other. */
function useBatch(sent: () => void) {
  const { outbox } = useBanyan()
  const toast = useToast()
  const [asked, setAsked] = useState<{ items: readonly WaitingReview[]; decision: DecisionWord } | null>(null)
  const put = (items: readonly WaitingReview[], decision: DecisionWord) => {
    outbox.put(items, decision)
    sent()
  }
  return {
    ask(items: readonly WaitingReview[], decision: DecisionWord): void {
      const problem = batchProblem(items, decision)
      if (problem !== null) toast(words.batch[problem], { tone: 'bad' })
      else if (items.length > TYPED_ABOVE) setAsked({ items, decision })
      else put(items, decision)
    },
    dialog: (
      <ConfirmDialog
        key={asked ? `${asked.decision} ${asked.items.length}` : ''}
        open={asked !== null}
        setOpen={(open) => !open && setAsked(null)}
        title={asked?.decision === 'reject' ? words.batch.askReject(asked.items.length) : words.batch.askApprove(asked?.items.length ?? 0)}
        yes={asked?.decision === 'reject' ? words.batch.reject : words.batch.approve}
        look={asked?.decision === 'reject' ? 'danger' : 'primary'}
        word={String(asked?.items.length ?? '')}
        onYes={() => {
          if (asked) put(asked.items, asked.decision)
          setAsked(null)
        }}
      >
        {words.batch.meaning(asked?.items[0]?.title ?? '')}
      </ConfirmDialog>
    ),
  }
}

/** Items that were shown to this person in this browser. */
function useLooked(id: string | null): ReadonlySet<string> {
  const [looked, setLooked] = useState<ReadonlySet<string>>(() => new Set(readLocal(LOOKED).split('\n')))
  useEffect(() => {
    if (id === null) return
    setLooked((known) => {
      if (known.has(id)) return known
      const now = [...known, id].slice(-LOOKED_MAX)
      writeLocal(LOOKED, now.join('\n'))
      return new Set(now)
    })
  }, [id])
  return looked
}

/** Whether list and item stand side by side. */
const WIDE = '(min-width: 48rem)'
function useWide(): boolean {
  const [wide, setWide] = useState(() => matchMedia(WIDE).matches)
  useEffect(() => {
    const query = matchMedia(WIDE)
    const tell = () => setWide(query.matches)
    query.addEventListener('change', tell)
    return () => query.removeEventListener('change', tell)
  }, [])
  return wide
}
