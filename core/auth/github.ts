/** GitHub, which has no ID token: its API says who the token that was just got belongs to, and which addresses are verified. */
import { CodeChallengeMethod, OAuth2Client } from 'arctic'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import { redeem } from './oidc.ts'
import type { Identity } from './people.ts'
import { type LoginProvider, PROVIDER_MS } from './provider.ts'

const GITHUB = { site: 'https://github.com', api: 'https://api.github.com' }
const User = z.object({ id: z.number().int().positive(), login: z.string(), name: z.string().nullish() })
const Emails = z.array(z.object({ email: z.string().max(320), primary: z.boolean(), verified: z.boolean() }))

/** `at`: where GitHub is; tests run one of their own. */
export function githubProvider(settings: { clientId: string; clientSecret: string }, at: typeof GITHUB = GITHUB): LoginProvider {
  const client = (redirectUri: string) => new OAuth2Client(settings.clientId, settings.clientSecret, redirectUri)

  async function get<T>(path: string, token: string, shape: z.ZodType<T>): Promise<T> {
    try {
      const answer = await fetch(`${at.api}${path}`, {
        headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'banyan' },
        redirect: 'error',
        signal: AbortSignal.timeout(PROVIDER_MS),
      })
      if (!answer.ok) throw new Error(`status ${answer.status} for ${path}`)
      return shape.parse(await answer.json())
    } catch (error) {
      throw new Fault('unavailable', 'GitHub does not answer as it should; try again later.', { cause: error })
    }
  }

  return {
    id: 'github',
    name: 'GitHub',
    async begin({ state, verifier, redirectUri }) {
      const scopes = ['read:user', 'user:email']
      return client(redirectUri).createAuthorizationURLWithPKCE(
        `${at.site}/login/oauth/authorize`,
        state,
        CodeChallengeMethod.S256,
        verifier,
        scopes,
      )
    },
    async finish({ verifier, redirectUri }, { code }): Promise<Identity> {
      const ask = () => client(redirectUri).validateAuthorizationCode(`${at.site}/login/oauth/access_token`, code, verifier)
      const token = await redeem(ask, 'GitHub', (tokens) => {
        // A refusal of GitHub's comes with status 200.
        if ('error' in tokens.data) throw Object.assign(new Error(`GitHub says ${String(tokens.data.error)}`), { status: 200 })
        return tokens.accessToken()
      })
      const [user, emails] = await Promise.all([get('/user', token, User), get('/user/emails', token, Emails)])
      const primary = emails.find((one) => one.primary)
      // The number stays with the account; the login name can be given up and taken by somebody else.
      return {
        subject: String(user.id),
        email: primary?.email ?? null,
        emailVerified: primary?.verified === true,
        name: user.name ?? user.login,
      }
    },
  }
}
