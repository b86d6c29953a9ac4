/** Logging a browser in and out. */
import type { Auth } from '../auth.ts'
import type { Handlers } from '../router.ts'

export function loginRoutes(auth: Auth): Pick<Handlers, 'makeLoginLink' | 'login' | 'logout'> {
  return {
    makeLoginLink: () => ({ url: auth.loginLink() }),
    login({ query, header, headOnly }) {
      const good = !headOnly && auth.redeem(query.code) // whoever only looks at a link must not use it up
      if (good) return new Response(null, { status: 303, headers: { location: '/', 'set-cookie': auth.sessionCookie(header) } })
      if (auth.identify(header, false)) return new Response(null, { status: 303, headers: { location: '/' } })
      return new Response(
        'This login link was used already, or is older than 24 hours or than the last start. `npx banyan open` makes a new one.\n',
        {
          status: 401,
          headers: { 'content-type': 'text/plain; charset=utf-8' },
        },
      )
    },
    logout: ({ header }) => new Response(null, { status: 204, headers: { 'set-cookie': auth.endCookie(header) } }),
  }
}
