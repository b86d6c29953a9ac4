/** What a review asks, said once. Pure. */
import type { Review } from '../core/contract/review.ts'

/**
 * The whole words of the question, and of the action what they do not say already. A title is cut to fit a list; where the action holds
 * the same words uncut, those are shown.
 */
export function askedBy(review: Pick<Review, 'title' | 'action'>): { words: string; action: unknown } {
  const { title, action } = review
  if (typeof action === 'string') return says(title, action) ? { words: title, action: null } : { words: title, action }
  if (typeof action !== 'object' || action === null || Array.isArray(action)) return { words: title, action }
  const start = uncut(title)
  const whole = Object.values(action).find((value): value is string => typeof value === 'string' && value.startsWith(start))
  const words = whole ?? title
  return {
    words,
    action: Object.fromEntries(Object.entries(action).filter(([, value]) => !(typeof value === 'string' && says(words, value)))),
  }
}
const uncut = (text: string): string => text.replace(/…$/, '').trimEnd()
/** Short values are kept: "true" or "3" within a sentence says nothing about a field of that value. */
const says = (words: string, value: string): boolean => value.length > 8 && words.includes(uncut(value))
