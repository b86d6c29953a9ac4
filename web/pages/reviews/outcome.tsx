/** What became of an item: decided here a moment ago, decided by somebody, or decided too late. */
import { Check, CircleSlash, MessageSquare, Undo2 } from 'lucide-react'
import type { DecisionWord, Review } from '../../../core/contract/review.ts'
import { useOutbox } from '../../data/use-outbox.ts'
import type { Refusal, Sending } from '../../outbox.ts'
import { useToast } from '../../toasts.ts'
import { Button } from '../../ui/button.tsx'
import { Data } from '../../ui/data.tsx'
import { DiffView } from '../../ui/diff-view.tsx'
import { RelativeTime } from '../../ui/relative-time.tsx'
import { reviews as words } from '../../words/reviews.ts'
import { KeyOf } from './marks.tsx'

const ICONS = { approve: Check, reject: CircleSlash, changes: MessageSquare, answer: MessageSquare } as const
const TONES = { approve: 'good', reject: 'bad', changes: 'you', answer: 'good' } as const
export function DecidedMark({ decision }: { decision: DecisionWord }) {
  const Icon = ICONS[decision]
  return (
    <span className={`decided-mark tone-${TONES[decision]}`}>
      <Icon aria-hidden="true" /> {words.done[decision]}
    </span>
  )
}

const who = (name: string | null) => (name === 'system' || name === null ? words.decide.bySystem : words.decide.by(name))

export function Outcome({ review, pending, named }: { review: Review; pending: Sending | null; named: boolean }) {
  const { waiting } = useOutbox()
  const undo = useUndo()
  const decision = pending?.decision ?? review.decision
  if (!decision) return null
  const comment = pending ? pending.comment : review.comment
  return (
    <section className="review-bar review-outcome" aria-label={named ? words.decide.bar : undefined}>
      <p>
        <DecidedMark decision={decision} />{' '}
        {pending ? (
          <span className="dim">{waiting.includes(pending) ? words.decide.leaving : words.decide.sent}</span>
        ) : (
          <span className="dim">
            {who(review.decidedBy)}
            {review.decidedAt && (
              <>
                {', '}
                <RelativeTime at={review.decidedAt} />
              </>
            )}
          </span>
        )}
        {pending && waiting.includes(pending) && (
          <Button small onClick={() => undo(review.id)}>
            <Undo2 aria-hidden="true" /> {words.decide.undo} <KeyOf id="review.undo" keys="u" />
          </Button>
        )}
      </p>
      {comment && <blockquote className="plain">{comment}</blockquote>}
      {!pending && review.edit && (
        <details>
          <summary>{words.decide.edited}</summary>
          <Data value={review.edit} />
        </details>
      )}
    </section>
  )
}

/** Takes a decision back while it can be, and says so. */
export function useUndo(): (id?: string) => void {
  const { outbox } = useOutbox()
  const toast = useToast()
  return (id) => {
    const undone = outbox.undo(id)
    toast(undone ? words.decide.undone : words.decide.tooLate)
  }
}

const json = (value: unknown) => JSON.stringify(value, null, 2) ?? ''
/** The server did not take the decision: why, and what is different from what was shown. */
export function Refused({ review, refusal }: { review: Review; refusal: Refusal }) {
  const { outbox } = useOutbox()
  const changed = refusal.shown !== null && refusal.shown.actionHash !== review.actionHash
  return (
    <div className="review-refused" role="alert">
      <p>
        <strong>{words.refused.title}</strong>{' '}
        {review.state === 'decided' && review.decision
          ? review.decidedBy === 'system' && review.comment
            ? words.refused.closed(review.comment)
            : words.refused.other(words.done[review.decision].toLowerCase(), review.decidedBy ?? words.decide.bySystem)
          : changed
            ? words.refused.changed
            : refusal.detail}
      </p>
      <p className="dim">
        {words.refused.wanted(words.done[refusal.decision].toLowerCase())} {refusal.comment && `“${refusal.comment}”`}
      </p>
      {changed && refusal.shown && (
        <DiffView files={[{ path: words.item.asks, before: json(refusal.shown.action), after: json(review.action), language: 'json' }]} />
      )}
      <Button small onClick={() => outbox.forget(review.id)}>
        {words.refused.ok}
      </Button>
    </div>
  )
}
