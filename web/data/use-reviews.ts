/** Review items that are open or snoozed, oldest first. */
import { useSyncExternalStore } from 'react'
import { useBanyan } from '../banyan.ts'
import type { ReviewsState } from './data.ts'

export function useReviews(): ReviewsState {
  const { data } = useBanyan().live
  return useSyncExternalStore(data.reviews.subscribe, data.reviews.get)
}
