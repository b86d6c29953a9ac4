/**
 * A login on its way to a provider and back. The row holds only hashes: nonce and PKCE verifier are derived from the state, which the browser
 * alone carries, so a copy of the database completes nobody's login. The state works once, for ten minutes, in the browser that began it
 * and for the provider it was made for.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'
import type { Identity } from './people.ts'
import type { Attempt, LoginProvider } from './provider.ts'

const ATTEMPT_MS = 10 * 60_000
export type Logins = ReturnType<typeof openLogins>
export type Returned = { identity: Identity; returnTo: string; linkUserId: string | null }

export function openLogins(store: Store, now: () => number, secretKey: string, providers: readonly LoginProvider[]) {
  const derive = (purpose: string, text: string): string =>
    createHmac('sha256', secretKey).update(`login ${purpose} ${text}`).digest('base64url')
  const attemptOf = (state: string, redirectUri: string): Attempt => ({
    state,
    redirectUri,
    verifier: derive('verifier', state),
    nonce: derive('nonce', state),
  })
  const provider = (id: string): LoginProvider => {
    const one = providers.find((known) => known.id === id)
    if (!one) throw new Fault('not_found', `Signing in with ${JSON.stringify(id.slice(0, 50))} is not set up here.`)
    return one
  }

  return {
    providers: providers.map(({ id, name }) => ({ id, name })),

    /** Where to send the browser, and what its login cookie must hold when it comes back. `linkUserId`: adds to that account. */
    async begin(given: {
      provider: string
      redirectUri: string
      returnTo: string
      linkUserId: string | null
    }): Promise<{ url: URL; browser: string }> {
      const state = randomBytes(32).toString('base64url')
      const browser = randomBytes(32).toString('base64url')
      const url = await provider(given.provider).begin(attemptOf(state, given.redirectUri))
      await store.transact(async (tx) => {
        await tx.db.deleteFrom('login_attempts').where('expires_at', '<=', now()).execute()
        await tx.db
          .insertInto('login_attempts')
          .values({
            state_hash: derive('state', state), provider: given.provider, browser_hash: derive('browser', browser),
            return_to: given.returnTo, link_user_id: given.linkUserId, expires_at: now() + ATTEMPT_MS,
          }) // biome-ignore format: a row
          .execute()
      })
      return { url, browser }
    },

    /** Who came back. Uses the state up before the provider is asked, whatever it then answers. */
    async finish(given: {
      provider: string
      redirectUri: string
      state: string
      code: string
      iss: string | undefined
      browser: string | undefined
    }): Promise<Returned> {
      const one = provider(given.provider)
      const row = await store.transact(
        (tx) => tx.db.deleteFrom('login_attempts').where('state_hash', '=', derive('state', given.state)).returningAll().executeTakeFirst(),
        { durable: true },
      )
      const same = row !== undefined && row.provider === given.provider && row.browser_hash === derive('browser', given.browser ?? '')
      if (!same || Number(row.expires_at) <= now())
        throw new Fault(
          'unauthorized',
          'This login was not begun in this browser, was finished already, or took longer than ten minutes; sign in again.',
        )
      const identity = await one.finish(attemptOf(given.state, given.redirectUri), { code: given.code, iss: given.iss })
      return { identity, returnTo: row.return_to, linkUserId: row.link_user_id }
    },
  }
}

/** A path of our own page, or `/`. What a link brings along must not lead a person who just signed in to somebody else's page. */
export function safeReturn(text: string | undefined, isPage: (path: string) => boolean): string {
  if (text === undefined || !/^\/(?![/\\])[\x21-\x7e]*$/.test(text) || text.includes('\\')) return '/'
  const base = 'http://return.invalid'
  const url = URL.parse(text, base)
  return url?.origin === base && isPage(url.pathname) && !url.pathname.startsWith('//') ? url.pathname + url.search + url.hash : '/'
}
