/** The items as lines. Decided ones stay where they are, greyed; new ones wait behind a button, so nothing moves under the pointer. */
import { Check } from 'lucide-react'
import { memo, useEffect, useRef, useState } from 'react'
import type { WaitingReview } from '../../../core/contract/live.ts'
import { useGoalWords } from '../../data/use-home.ts'
import { useOutbox } from '../../data/use-outbox.ts'
import { preview } from '../../format.ts'
import { decisionOf } from '../../outbox.ts'
import { Button } from '../../ui/button.tsx'
import { Link } from '../../ui/link.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { KindIcon, RiskBadge } from './marks.tsx'
import { DecidedMark } from './outcome.tsx'
import { firstLine, type QueueSearch, reviewPath } from './queue.ts'

/** Lines drawn at first and added each time: a browser with a thousand lines answers late. */
const STEP = 150

export function List(props: {
  rows: readonly WaitingReview[]
  current: string | null
  search: QueueSearch
  selected: ReadonlySet<string>
  toggle: (id: string) => void
  looked: ReadonlySet<string>
}) {
  const { rows, current } = props
  const [most, setMost] = useState(STEP)
  const at = rows.findIndex((row) => row.id === current)
  const shown = rows.slice(0, Math.max(most, at + 1))
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    if (current !== null) list.current?.querySelector('[aria-current="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [current])
  return (
    <>
      <ul className="review-list" aria-label={words.list} ref={list}>
        {shown.map((row) => (
          <Line
            key={row.id}
            review={row}
            to={reviewPath(row.id, props.search)}
            isCurrent={row.id === current}
            isSelected={props.selected.has(row.id)}
            isUnread={!props.looked.has(row.id) && row.state !== 'decided'}
            toggle={props.toggle}
          />
        ))}
      </ul>
      {shown.length < rows.length && (
        <Button className="review-more" onClick={() => setMost(shown.length + STEP)}>
          {words.moreRows(Math.min(STEP, rows.length - shown.length))}
        </Button>
      )}
    </>
  )
}

const Line = memo(function Line(props: {
  review: WaitingReview
  to: string
  isCurrent: boolean
  isSelected: boolean
  isUnread: boolean
  toggle: (id: string) => void
}) {
  const { review } = props
  const goal = useGoalWords(review.treeId)
  const sent = useOutbox()
  const decision = review.decision ?? decisionOf(sent, review.id)?.decision
  const gone = decision !== null && decision !== undefined
  return (
    <li className={`review-line${gone ? ' is-decided' : ''}${props.isCurrent ? ' is-current' : ''}`}>
      {!gone && (
        // biome-ignore lint/a11y/useSemanticElements: keys of the page would be silent in a real check box, as in any field
        <button
          type="button"
          role="checkbox"
          className="review-check"
          aria-checked={props.isSelected}
          aria-label={words.select(review.title)}
          onClick={() => props.toggle(review.id)}
        >
          {props.isSelected && <Check aria-hidden="true" />}
        </button>
      )}
      <Link to={props.to} replace aria-current={props.isCurrent ? 'true' : undefined} className="review-link">
        <span className="review-line-top">
          <KindIcon kind={review.kind} />
          <span className="dim">{words.kinds[review.kind]}</span>
          {!gone && review.risk !== 'low' && <RiskBadge risk={review.risk} />}
          {props.isUnread && !props.isCurrent && <span className="unread" role="img" aria-label={words.unread} />}
          <span className="grow" />
          <span className="dim">
            <RelativeTime at={review.decidedAt ?? review.createdAt} />
          </span>
        </span>
        <span className="review-line-title">{preview(review.title, 140)}</span>
        <span className="review-line-foot dim">
          {gone && decision ? <DecidedMark decision={decision} /> : null}
          {review.state === 'decided' && review.decidedBy && review.decidedBy !== 'system' && words.decide.by(review.decidedBy)}
          {!gone && goal && <span className="review-line-goal">{preview(firstLine(goal), 60)}</span>}
          {!gone && review.expiresAt && (
            <span className="due">
              {words.item.due} <RelativeTime at={review.expiresAt} />
            </span>
          )}
        </span>
      </Link>
    </li>
  )
})
