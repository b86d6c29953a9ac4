/** Changes of the system's own code. Deciding one is the review queue's; taking one back is a person's. */
import { isPerson, type Principal } from '../../auth/principal.ts'
import { Fault } from '../../contract/fault.ts'
import type { Changes } from '../../self/change.ts'
import type { Handlers } from '../router.ts'

type Names = 'changes' | 'change' | 'changeGate' | 'changeDiff' | 'rollbackChange' | 'selfState' | 'saveAutonomy'

export function changeRoutes({ changes }: { changes: Changes }): Pick<Handlers, Names> {
  return {
    changes: ({ query }) => changes.list(query),
    change: ({ param }) => changes.get(param('id')),
    changeGate: ({ param }) => changes.gateLog(param('id'), param('name')),
    changeDiff: ({ param, query }) => changes.diff(param('id'), query.path),
    async rollbackChange({ param, body, by }) {
      mustBePerson(by)
      return changes.rollback(param('id'), by.name, body.comment ?? null)
    },
    selfState: () => changes.state(),
    async saveAutonomy({ body, by }) {
      mustBePerson(by)
      await changes.saveAutonomy(body.autonomy, by.name)
      return changes.state()
    },
  }
}

function mustBePerson(by: Principal): void {
  if (!isPerson(by))
    throw new Fault(
      'forbidden',
      'What Banyan is made of is decided by a person who is logged in, in the page or with the admin token; a token for programs may not.',
    )
}
