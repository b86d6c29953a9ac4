/** What was learnt from the history, a person's word on it, and how versions did. */
import { mustAllow } from '../../auth/principal.ts'
import type { Lessons } from '../../learn/lessons.ts'
import { scoresOf } from '../../learn/scores.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Store } from '../../store/store.ts'
import type { Handlers } from '../router.ts'

type Names = 'lessons' | 'lesson' | 'lookForLessons' | 'judgeLesson' | 'keepLesson' | 'declineLesson' | 'undoLesson' | 'scores'

export function lessonRoutes(parts: { lessons: Lessons; store: Store; registry: Registry }): Pick<Handlers, Names> {
  const { lessons, store, registry } = parts
  return {
    scores: ({ query }) => scoresOf({ store, registry, now: Date.now }, query),
    lessons: async () => ({ items: await lessons.list(), nextCursor: null }),
    lesson: ({ param }) => lessons.get(param('id')),
    lookForLessons: () => lessons.look(),
    judgeLesson: ({ param, body, by }) => lessons.beginJudging(param('id'), by.name, body.dollars),
    keepLesson({ param, by }) {
      mustAllow(by, 'evolve')
      return lessons.keep(param('id'), by.name)
    },
    declineLesson: ({ param, by }) => lessons.decline(param('id'), by.name),
    undoLesson({ param, by }) {
      mustAllow(by, 'evolve')
      return lessons.undo(param('id'), by.name)
    },
  }
}
