/** What waits for a person, the most pressing first. Nothing is drawn when nothing waits. */
import { lazy, Suspense, useMemo } from 'react'
import { pressing, useReviews } from '../../data/use-reviews.ts'
import { Link } from '../../ui/link.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { home as words } from '../../words/home.ts'

const Decision = lazy(() => import('../reviews/decision.tsx').then((file) => ({ default: file.Decision })))

export function NeedsYou({ most }: { most: number }) {
  const { reviews } = useReviews()
  const open = useMemo(() => pressing(reviews), [reviews])
  if (open.length === 0) return null
  return (
    <section aria-labelledby="needs-you">
      <h2 id="needs-you">
        {words.needsYou} <span className="dim">{open.length}</span>
      </h2>
      <Suspense fallback={<Skeleton lines={6} label={words.needsYou} />}>
        <div className="stack">
          {open.slice(0, most).map((review) => (
            <Decision key={review.id} review={review} place="page" />
          ))}
        </div>
      </Suspense>
      {open.length > most && (
        <p>
          <Link to="/reviews">{words.allThatWait(open.length)}</Link>
        </p>
      )}
    </section>
  )
}
