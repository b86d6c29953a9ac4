/** Review items that are open or snoozed, oldest first. */
import { useSyncExternalStore } from 'react'
import type { WaitingReview } from '../../core/contract/live.ts'
import { useBanyan } from '../banyan.ts'
import type { ReviewsState } from './data.ts'

export function useReviews(): ReviewsState {
  const { data } = useBanyan().live
  return useSyncExternalStore(data.reviews.subscribe, data.reviews.get)
}
/** Whether it is known yet. */
export function useReviewsLoaded(): boolean {
  const { reviews } = useBanyan().live.data
  return useSyncExternalStore(reviews.subscribe, () => reviews.get().loaded)
}
/** How many wait for a person now. */
export function useAsked(): number {
  const { reviews } = useBanyan().live.data
  return useSyncExternalStore(reviews.subscribe, () => reviews.get().reviews.filter((review) => review.state === 'open').length)
}

const RISK = { high: 0, medium: 1, low: 2 }
/** Open items, the most pressing first: overdue ones, then the riskiest, and of those the oldest. */
export function pressing(reviews: readonly WaitingReview[]): WaitingReview[] {
  return reviews
    .filter((review) => review.state === 'open')
    .sort(
      (a, b) =>
        Number(b.escalatedAt !== null) - Number(a.escalatedAt !== null) ||
        RISK[a.risk] - RISK[b.risk] ||
        a.createdAt.localeCompare(b.createdAt) ||
        a.id.localeCompare(b.id),
    )
}
