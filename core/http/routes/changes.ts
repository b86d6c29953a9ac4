/** Changes of the system's own code. Deciding one is the review queue's; taking one back is a person's. */
import { mustAllow } from '../../auth/principal.ts'
import type { Changes } from '../../self/change.ts'
import type { Handlers } from '../router.ts'

type Names =
  | 'changes'
  | 'change'
  | 'changeGate'
  | 'changeDiff'
  | 'changeViews'
  | 'viewChange'
  | 'rollbackChange'
  | 'selfState'
  | 'slots'
  | 'saveAutonomy'
  | 'pullSource'
  | 'pushSource'

export function changeRoutes({ changes }: { changes: Changes }): Pick<Handlers, Names> {
  return {
    changes: ({ query }) => changes.list(query),
    change: ({ param }) => changes.get(param('id')),
    changeGate: ({ param }) => changes.gateLog(param('id'), param('name')),
    changeDiff: ({ param, query }) => changes.diff(param('id'), query.path),
    changeViews: async ({ param, by }) => ({ items: await changes.views(param('id'), by), nextCursor: null }),
    viewChange: async ({ param, body, by }) => ({ items: await changes.setViews(param('id'), by, body), nextCursor: null }),
    async rollbackChange({ param, body, by }) {
      mustAllow(by, 'evolve')
      return changes.rollback(param('id'), by.name, body.comment ?? null)
    },
    async pullSource({ body, by }) {
      mustAllow(by, 'evolve')
      return changes.pull(body ?? {}, by.name)
    },
    async pushSource({ body, by }) {
      mustAllow(by, 'evolve')
      return changes.push(body ?? {}, by.name)
    },
    selfState: () => changes.state(),
    slots: () => changes.slots(),
    async saveAutonomy({ body, by }) {
      mustAllow(by, 'admin')
      await changes.saveAutonomy(body.autonomy, by.name)
      return changes.state()
    },
  }
}
