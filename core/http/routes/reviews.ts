/** The queue of what a person is asked. */
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

export function reviewRoutes(tasks: Tasks): Pick<Handlers, 'reviews' | 'review' | 'decide'> {
  return {
    reviews: ({ query }) => tasks.reviews(query),
    review: ({ param }) => tasks.review(param('id')),
    decide: ({ param, body, by }) => tasks.decide(param('id'), body, by.name),
  }
}
