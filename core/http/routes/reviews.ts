/** The queue of what a person is asked, and the rules that came of their decisions. */
import { isPerson } from '../../auth/principal.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import type { Handlers } from '../router.ts'

type Names = 'reviews' | 'review' | 'decide' | 'decideBatch' | 'snooze' | 'rules' | 'addRule' | 'revokeRule'

export function reviewRoutes(tasks: Tasks): Pick<Handlers, Names> {
  return {
    reviews: ({ query }) => tasks.reviews(query),
    review: ({ param }) => tasks.review(param('id')),
    decide: ({ param, body, by, key }) => tasks.decide(param('id'), body, by.name, key, { person: isPerson(by) }),
    decideBatch: async ({ body, by }) => ({ items: await tasks.decideBatch(body, by.name, { person: isPerson(by) }) }),
    snooze: ({ param, body }) => tasks.snooze(param('id'), body.until === null ? null : Date.parse(body.until)),
    rules: ({ query }) => tasks.rules.list({ ...query, now: Date.now() }),
    addRule: ({ body, by }) => tasks.rules.add(body, by.name),
    revokeRule: async ({ param, by }) => {
      await tasks.rules.revoke(param('id'), by.name)
      return undefined
    },
  }
}
