/** The whole queue of what agents may not decide. */
import { Fragment, useMemo } from 'react'
import { useLive, useNow } from '../banyan.ts'
import { groupsOf, openReviews } from '../fold.ts'
import { AlikeBar } from '../parts/alike-bar.tsx'
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
          <h2 className="hidden">Open items</h2>
          {groupsOf(open).map((group) => (
            <Fragment key={group[0]!.id}>
              {group.length > 1 && <AlikeBar group={group} />}
              {group.map((review) => (
                <ReviewCard key={review.id} review={review} now={now} />
              ))}
            </Fragment>
          ))}
        </div>
      )}
    </div>
  )
}
