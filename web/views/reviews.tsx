/** The whole queue of what agents may not decide. */
import { useMemo } from 'react'
import { useLive, useNow } from '../banyan.ts'
import { openReviews } from '../fold.ts'
import { ReviewCard } from '../parts/review-card.tsx'
import { Fault, Loading } from '../ui/notice.tsx'

export function Reviews() {
  const loaded = useLive((state) => state.loaded)
  const fault = useLive((state) => state.fault)
  const reviews = useLive((state) => state.lists.reviews)
  const open = useMemo(() => openReviews(reviews), [reviews])
  const now = useNow(open.length > 0)
  return (
    <div className="column">
      <h1>Needs you</h1>
      {!loaded ? (
        fault ? (
          <Fault>{fault}</Fault>
        ) : (
          <Loading what="the queue" />
        )
      ) : open.length === 0 ? (
        <p className="empty">Nothing waits for you. Agents ask here when they may not decide something themselves.</p>
      ) : (
        <div className="stack">
          {open.map((review) => (
            <ReviewCard key={review.id} review={review} now={now} />
          ))}
        </div>
      )}
    </div>
  )
}
