/**
 * Signing a browser in and out. A login that a provider refused, or that cannot be trusted, goes back to the page, which says why in the words
 * of `LOGIN_REFUSALS`: nothing that came from outside is shown. The log has the cause.
 */

import { callerOf } from '../../auth/guesses.ts'
import type { Logins } from '../../auth/logins.ts'
import { safeReturn } from '../../auth/logins.ts'
import type { People } from '../../auth/people.ts'
import type { LoginRefusal } from '../../contract/access.ts'
import { Fault } from '../../contract/fault.ts'
import type { Auth, ReadHeader } from '../auth.ts'
import { isPagePath } from '../page.ts'
import type { Handlers } from '../router.ts'

type Names =
  | 'loginWays'
  | 'makeLoginLink'
  | 'login'
  | 'tokenLogin'
  | 'beginLogin'
  | 'finishLogin'
  | 'logout'
  | 'linkIdentity'
  | 'unlinkIdentity'
export type LoginParts = { auth: Auth; people: People; logins: Logins; log: (words: string, cause: unknown) => void }

export function loginRoutes({ auth, people, logins, log }: LoginParts): Pick<Handlers, Names> {
  const callback = (provider: string) => `${auth.baseUrl()}/login/${encodeURIComponent(provider)}/callback`
  const refused = (why: LoginRefusal, cookies: string[] = []) => goTo(`/?login=${why}`, cookies)

  return {
    loginWays: () => ({ providers: logins.providers }),
    makeLoginLink: () => ({ url: auth.loginLink() }),

    async login({ query, header, headOnly, address }) {
      // Whoever only looks at a link must not use it up.
      const good = !headOnly && auth.redeem(query.code, address, header('x-forwarded-for'))
      if (good) return goTo('/', [await auth.begin(header, 'link')])
      if (await auth.identify(header, false, address)) return goTo('/')
      return new Response(
        'This login link was used already, or is older than 24 hours or than the last start. `npx banyan open` makes a new one.\n',
        {
          status: 401,
          headers: { 'content-type': 'text/plain; charset=utf-8' },
        },
      )
    },
    async tokenLogin({ body, header, address }) {
      fromOurPage(header)
      if (!auth.isAdminToken(body.token.trim(), callerOf(address, header('x-forwarded-for'))))
        throw new Fault(
          'unauthorized',
          'This is not the admin token; it is in DATA_DIR/admin-token where Banyan runs, or what ADMIN_TOKEN was set to.',
        )
      return new Response(null, { status: 204, headers: { 'set-cookie': await auth.begin(header, 'token') } })
    },

    async beginLogin({ param, query, header, headOnly }) {
      if (headOnly) return new Response(null, { status: 303 })
      const returnTo = safeReturn(query.return, isPagePath)
      // The provider sends people back to one address only, and the cookie must be there then.
      if (!auth.isAtBase(header) && query.moved === undefined)
        return goTo(
          `${auth.baseUrl()}/login/${encodeURIComponent(param('provider'))}?${new URLSearchParams({ return: returnTo, moved: '1' })}`,
        )
      const provider = param('provider')
      try {
        const { url, browser } = await logins.begin({ provider, redirectUri: callback(provider), returnTo, linkUserId: null })
        return goTo(url.href, [auth.attemptCookie(header, browser)])
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'unavailable') throw error
        log(`signing in with ${provider}: ${error.message}`, error.cause)
        return refused('unavailable')
      }
    },
    async finishLogin({ param, query, header, headOnly, address }) {
      if (headOnly) return new Response(null, { status: 303 })
      const provider = param('provider')
      const over = [auth.endAttemptCookie(header)]
      if (query.error !== undefined) return refused(query.error === 'access_denied' ? 'cancelled' : 'provider', over)
      try {
        const { state = '', code = '', iss } = query
        const browser = auth.attemptOf(header)
        const back = await logins.finish({ provider, redirectUri: callback(provider), state, code, iss, browser })
        if (back.linkUserId !== null) {
          const caller = await auth.identify((name) => (name === 'authorization' ? undefined : header(name)), false, address)
          if (caller?.userId !== back.linkUserId) return refused('stale', over)
          await people.link(back.linkUserId, provider, back.identity)
          return goTo(back.returnTo, over)
        }
        const { userId } = await people.signIn(provider, back.identity)
        return goTo(back.returnTo, [await auth.begin(header, provider, userId), ...over])
      } catch (error) {
        if (!(error instanceof Fault) || error.code === 'not_found') throw error
        log(`signing in with ${provider}: ${error.message}`, error.cause)
        return refused(WHY[error.code] ?? 'provider', over)
      }
    },
    async logout({ header, by }) {
      if (by.via.kind === 'session') await auth.sessions.end(by, by.via.id, false)
      return new Response(null, { status: 204, headers: { 'set-cookie': auth.endCookie(header) } })
    },

    async linkIdentity({ param, by, header }) {
      if (by.via.kind !== 'session')
        throw new Fault('conflict', 'A way to sign in is added from a browser that is logged in: open the page and its settings.')
      const provider = param('provider')
      const { url, browser } = await logins.begin({
        provider,
        redirectUri: callback(provider),
        returnTo: '/settings',
        linkUserId: by.userId,
      })
      return new Response(JSON.stringify({ url: url.href }), {
        headers: { 'content-type': 'application/json', 'set-cookie': auth.attemptCookie(header, browser) },
      })
    },
    async unlinkIdentity({ param, by }): Promise<undefined> {
      await people.unlink(by, param('provider'))
    },
  }
}

const WHY: Partial<Record<Fault['code'], LoginRefusal>> = {
  unauthorized: 'stale',
  forbidden: 'not_allowed',
  conflict: 'taken',
  unavailable: 'unavailable',
}

/** Nobody may log somebody else's browser in: a browser says where a request comes from, and a program sets no cookie that matters. */
function fromOurPage(header: ReadHeader): void {
  const site = header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Fault('forbidden', 'Another site sent this login; open the page itself and log in there.')
}

function goTo(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location, 'referrer-policy': 'no-referrer' })
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 303, headers })
}
