/** Who is logged in and who may be: sessions, tokens for programs, people. */
import type { People } from '../../auth/people.ts'
import { mustAllow, type Principal } from '../../auth/principal.ts'
import { SCOPES } from '../../contract/access.ts'
import { Fault } from '../../contract/fault.ts'
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

type Names = 'me' | 'sessions' | 'endSession' | 'endOtherSessions' | 'tokens' | 'makeToken' | 'revokeToken' | 'people' | 'changePerson'

export function accessRoutes({ auth, people }: { auth: Auth; people: People }): Pick<Handlers, Names> {
  const { sessions, tokens } = auth
  const isAdmin = (by: Principal) => by.scopes.has('admin')
  /** null: everybody's. */
  const whose = (by: Principal, of: 'me' | 'everybody'): string | null => {
    if (of === 'me') return by.userId
    mustAllow(by, 'admin')
    return null
  }
  const person = async (id: string) => {
    const [found] = await people.list(id)
    if (!found) throw new Fault('not_found', 'There is no such person.')
    return found
  }
  const all = <T>(items: T[]) => ({ items, nextCursor: null })

  return {
    me: async ({ by }) => ({
      person: await person(by.userId),
      name: by.name,
      scopes: SCOPES.filter((scope) => by.scopes.has(scope)),
      via: by.via.kind,
      sessionId: by.via.kind === 'session' ? by.via.id : null,
    }),

    sessions: async ({ by, query }) =>
      all(
        (await sessions.list(whose(by, query.of))).map((one) => ({ ...one, current: by.via.kind === 'session' && by.via.id === one.id })),
      ),
    async endSession({ by, param }): Promise<undefined> {
      await sessions.end(by, param('id'), isAdmin(by))
    },
    endOtherSessions: async ({ by }) => ({ ended: await sessions.endOthers(by) }),

    tokens: async ({ by, query }) => all(await tokens.list(whose(by, query.of))),
    makeToken: ({ by, body }) => tokens.create(by, { ...body, expiresAt: body.expiresAt === null ? null : Date.parse(body.expiresAt) }),
    async revokeToken({ by, param }): Promise<undefined> {
      await tokens.revoke(by, param('id'), isAdmin(by))
    },

    people: async () => all(await people.list()),
    async changePerson({ by, param, body }) {
      await people.change(by, param('id'), body)
      return person(param('id'))
    },
  }
}
