/** What waits for a person, the most pressing first. Nothing is drawn when nothing waits. */
import { useMemo } from 'react'
import type { Review } from '../../../core/contract/review.ts'
import { useNow } from '../../banyan.ts'
import { pressing, useReviews } from '../../data/use-reviews.ts'
import { preview } from '../../format.ts'
import { ReviewCard } from '../../parts/review-card.tsx'
import { Link } from '../../ui/link.tsx'
import { home as words } from '../../words/home.ts'
import { planPath } from '../composer/started.ts'

export function NeedsYou({ most }: { most: number }) {
  const { reviews } = useReviews()
  const open = useMemo(() => pressing(reviews), [reviews])
  const now = useNow(open.length > 0)
  if (open.length === 0) return null
  return (
    <section aria-labelledby="needs-you">
      <h2 id="needs-you">
        {words.needsYou} <span className="dim">{open.length}</span>
      </h2>
      <div className="stack">
        {open
          .slice(0, most)
          .map((review) =>
            review.kind === 'plan' ? (
              <PlanCard key={review.id} review={review} />
            ) : (
              <ReviewCard key={review.id} review={review} now={now} />
            ),
          )}
      </div>
      {open.length > most && (
        <p>
          <Link to="/reviews">{words.allThatWait(open.length)}</Link>
        </p>
      )}
    </section>
  )
}

/** A plan is looked at on its own page, where it can be changed. */
function PlanCard({ review }: { review: Review }) {
  return (
    <article className="card plan-card" aria-label={words.plan}>
      <p>{preview(review.title)}</p>
      <Link to={planPath(review.treeId)} className="button">
        {words.planOpen}
      </Link>
    </article>
  )
}
