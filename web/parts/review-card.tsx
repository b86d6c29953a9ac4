/** One thing that a person is asked, with everything needed to answer it right here. */
import { useId, useState } from 'react'
import type { Taint } from '../../core/contract/policy.ts'
import { DECISIONS_OF, type DecisionWord, type Review, type ReviewKind } from '../../core/contract/review.ts'
import { askedBy } from '../asked.ts'
import { useBanyan } from '../banyan.ts'
import { useGoalWords } from '../data/use-home.ts'
import { ago, preview } from '../format.ts'
import { treePath } from '../route.ts'
import { useAct } from '../ui/act.ts'
import { Data } from '../ui/data.tsx'
import { Link } from '../ui/link.tsx'
import { Fault } from '../ui/notice.tsx'

const KINDS: Record<ReviewKind, string> = {
  permission: 'May it do this?',
  question: 'A question',
  flag: 'Something to look at',
  budget: 'A limit is reached',
  dead_task: 'A task was set aside',
  in_doubt: 'Did this happen?',
  plan: 'A plan',
}
/** What the words of a decision mean for that kind. */
const WORDS: Record<ReviewKind, Partial<Record<DecisionWord, string>>> = {
  permission: { approve: 'Approve', changes: 'Ask for changes', reject: 'Reject' },
  question: { answer: 'Answer', reject: 'No answer' },
  flag: { approve: 'Agree', answer: 'Answer', reject: 'Reject' },
  budget: { approve: 'Raise it and go on', reject: 'Stop the goal' },
  dead_task: { approve: 'Try again', reject: 'Leave it' },
  in_doubt: { approve: 'Do it again', answer: 'Tell it what happened', reject: 'Do not repeat' },
  plan: { approve: 'Do exactly this', changes: 'Ask for another plan', reject: 'Do nothing' },
}
/** Where words came from that nobody in the goal wrote. */
export const TAINT_WORDS: Record<Taint, string> = { web: 'the web', files: 'files outside the workspace', agents: 'agents of other goals' }
const NEEDS_WORDS: ReadonlySet<DecisionWord> = new Set(['answer', 'changes'])

export function ReviewCard({ review, now, inTree = false }: { review: Review; now: number; inTree?: boolean }) {
  const { api } = useBanyan()
  const goal = useGoalWords(review.treeId)
  const [comment, setComment] = useState('')
  const [always, setAlways] = useState('')
  const { busy, fault, act } = useAct()
  const id = useId()
  const { words: question, action } = askedBy(review)
  const words = DECISIONS_OF[review.kind]
  const decide = (decision: DecisionWord) =>
    act(() => {
      const remember = decision === 'approve' ? review.offers.find((offer) => offer.scope === always) : undefined
      return api.decide(review.id, {
        decision,
        actionHash: review.actionHash,
        ...(comment.trim() ? { comment: comment.trim() } : {}),
        // A rule made of an item with taint is meant for such tasks: without that it would never be used.
        ...(remember ? { remember: { scope: remember.scope, ...(review.taint.length > 0 ? { tainted: true } : {}) } } : {}),
      })
    })
  const snooze = (hours: string) => act(() => api.snooze(review.id, new Date(Date.now() + Number(hours) * 3_600_000).toISOString()))
  const main = words[0]!
  return (
    <article className="card review" aria-labelledby={`${id}-title`}>
      <header>
        <span className="status tone-you">
          <span className="shape" aria-hidden="true">
            ⚑
          </span>
          <span className="word">{KINDS[review.kind]}</span>
        </span>
        {review.risk !== 'low' && <span className={`risk risk-${review.risk}`}>{review.risk} risk</span>}
        {review.taint.length > 0 && (
          <span className="risk risk-high" title={`Its task has read: ${review.taint.map((one) => TAINT_WORDS[one]).join(', ')}`}>
            tainted
          </span>
        )}
        {review.escalatedAt !== null && <span className="risk risk-high">overdue</span>}
        <span className="dim">{ago(review.createdAt, now)}</span>
      </header>
      <h3 id={`${id}-title`}>{question}</h3>
      {!inTree && (
        <p className="dim">
          In <Link to={treePath(review.treeId, review.taskId)}>{goal ? preview(goal, 90) : `goal ${review.treeId}`}</Link>
        </p>
      )}
      <Data value={action} />
      {review.reason && <p className="dim">Asked because {review.reason}.</p>}
      <label htmlFor={`${id}-comment`} className="hidden">
        {main === 'answer' ? 'Your answer' : 'Comment'}
      </label>
      <textarea
        id={`${id}-comment`}
        rows={1}
        value={comment}
        maxLength={20_000}
        placeholder={
          main === 'answer' ? 'Your answer' : words.some((word) => NEEDS_WORDS.has(word)) ? 'Comment or answer' : 'Comment (optional)'
        }
        onChange={(event) => setComment(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return
          event.preventDefault()
          // Only an answer is sent by the keyboard from here: approving must be a choice of its own.
          if (main === 'answer' && comment.trim()) void decide('answer')
        }}
      />
      <div className="actions">
        {words.map((word) => (
          <button
            key={word}
            type="button"
            className={word === main ? 'primary' : word === 'reject' ? 'danger' : ''}
            disabled={busy || (NEEDS_WORDS.has(word) && comment.trim() === '')}
            onClick={() => void decide(word)}
          >
            {WORDS[review.kind][word] ?? word}
          </button>
        ))}
        {review.offers.length > 0 && (
          <select value={always} aria-label="Allow from now on" disabled={busy} onChange={(event) => setAlways(event.target.value)}>
            <option value="">approve only this once</option>
            {review.offers.map((offer) => (
              <option key={offer.scope} value={offer.scope}>
                always: {preview(offer.label, 60)}
              </option>
            ))}
          </select>
        )}
        <select value="" aria-label="Put off" disabled={busy} onChange={(event) => event.target.value && void snooze(event.target.value)}>
          <option value="">Put off…</option>
          <option value="1">for an hour</option>
          <option value="4">for four hours</option>
          <option value="24">for a day</option>
        </select>
      </div>
      {fault && <Fault>{fault}</Fault>}
    </article>
  )
}
