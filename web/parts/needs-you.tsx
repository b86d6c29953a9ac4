/** What waits for a person, the most pressing first. Nothing is drawn when nothing waits. */
import { useMemo } from 'react'
import { useLive, useNow } from '../banyan.ts'
import { openReviews } from '../fold.ts'
import { Link } from '../ui/link.tsx'
import { ReviewCard } from './review-card.tsx'

export function NeedsYou({ most }: { most: number }) {
  const reviews = useLive((state) => state.lists.reviews)
  const open = useMemo(() => openReviews(reviews), [reviews])
  const now = useNow(open.length > 0)
  if (open.length === 0) return null
  return (
    <section aria-labelledby="needs-you">
      <h2 id="needs-you">
        Needs you <span className="dim">{open.length}</span>
      </h2>
      <div className="stack">
        {open.slice(0, most).map((review) => (
          <ReviewCard key={review.id} review={review} now={now} />
        ))}
      </div>
      {open.length > most && (
        <p>
          <Link to="/reviews">All {open.length} that wait for you</Link>
        </p>
      )}
    </section>
  )
}
