/** What was learnt from the history, and a person's word on it. */
import { mustAllow } from '../../auth/principal.ts'
import type { Lessons } from '../../learn/lessons.ts'
import type { Handlers } from '../router.ts'

type Names = 'lessons' | 'lesson' | 'lookForLessons' | 'judgeLesson' | 'keepLesson' | 'declineLesson' | 'undoLesson'

export function lessonRoutes({ lessons }: { lessons: Lessons }): Pick<Handlers, Names> {
  return {
    lessons: async () => ({ items: await lessons.list(), nextCursor: null }),
    lesson: ({ param }) => lessons.get(param('id')),
    lookForLessons: () => lessons.look(),
    judgeLesson: ({ param, by }) => lessons.beginJudging(param('id'), by.name),
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
