/**
 * A provider that speaks OpenID Connect, found by its issuer's discovery document; Google is one. arctic makes the address and redeems the
 * code; jose verifies the ID token (arctic only decodes it): signature by a key of the issuer's JWKS, issuer, audience, nonce, age.
 * `docs/decisions/0009-logins.md` says why two libraries.
 */
import { CodeChallengeMethod, OAuth2Client, OAuth2RequestError } from 'arctic'
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import * as z from 'zod'
import { Fault } from '../contract/fault.ts'
import type { Identity } from './people.ts'
import { type LoginProvider, PROVIDER_MS } from './provider.ts'

/** Asymmetric ones only: with HMAC the public key could be taken for the shared secret, and `none` signs nothing. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
const DISCOVERY_MS = 3_600_000
/** Clocks may differ by this much. */
const CLOCK_SECONDS = 60
/** An ID token is used the moment it is made. */
const TOKEN_SECONDS = 600
const KEYS_AGAIN_MS = 5_000

const Discovery = z.object({ issuer: z.string(), authorization_endpoint: z.url(), token_endpoint: z.url(), jwks_uri: z.url() })
type Found = z.output<typeof Discovery> & { at: number; keys: ReturnType<typeof createRemoteJWKSet> }
const Claims = z.looseObject({
  sub: z.string().min(1).max(255),
  email: z.string().max(320).optional(),
  // Some providers write the boolean as text.
  email_verified: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]).optional(),
  name: z.string().optional(),
  hd: z.string().optional(),
})

export type OidcSettings = {
  id: string
  name: string
  issuer: string
  clientId: string
  /** null: a public client, which PKCE alone protects. */
  clientSecret: string | null
  /** The provider tells with `hd` which domain runs an account. */
  tellsDomain?: boolean
  /** A key that is not known is looked for again at most this often. */
  keysAgainMs?: number
  now?: () => number
}

export function oidcProvider(settings: OidcSettings): LoginProvider {
  const { id, name, issuer, clientId, clientSecret } = settings
  const now = settings.now ?? Date.now
  let found: Found | undefined
  const broken = (what: string, cause?: unknown): Fault =>
    new Fault('unavailable', `${name} cannot be used to sign in just now: ${what}.`, { cause })

  async function discover(): Promise<Found> {
    if (found && now() - found.at < DISCOVERY_MS) return found
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    let said: unknown
    try {
      const answer = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(PROVIDER_MS) })
      if (!answer.ok) throw new Error(`status ${answer.status}`)
      said = await answer.json()
    } catch (error) {
      if (found) return found // what it said an hour ago is better than nothing
      throw broken(`${new URL(address).host} does not tell its configuration`, error)
    }
    const parsed = Discovery.safeParse(said)
    if (!parsed.success) throw broken('its configuration is not one of OpenID Connect', parsed.error)
    if (parsed.data.issuer !== issuer) throw broken(`it calls itself ${JSON.stringify(parsed.data.issuer.slice(0, 200))} and not ${issuer}`)
    for (const url of [parsed.data.authorization_endpoint, parsed.data.token_endpoint, parsed.data.jwks_uri])
      if (!isSafe(url)) throw broken('its configuration names an address without encryption')
    const keys =
      found?.jwks_uri === parsed.data.jwks_uri
        ? found.keys
        : createRemoteJWKSet(new URL(parsed.data.jwks_uri), {
            timeoutDuration: PROVIDER_MS,
            cooldownDuration: settings.keysAgainMs ?? KEYS_AGAIN_MS,
          })
    found = { ...parsed.data, at: now(), keys }
    return found
  }

  return {
    id,
    name,
    async begin({ state, verifier, nonce, redirectUri }) {
      const { authorization_endpoint } = await discover()
      const client = new OAuth2Client(clientId, clientSecret, redirectUri)
      const url = client.createAuthorizationURLWithPKCE(authorization_endpoint, state, CodeChallengeMethod.S256, verifier, [
        'openid',
        'email',
        'profile',
      ])
      url.searchParams.set('nonce', nonce)
      return url
    },
    async finish({ verifier, nonce, redirectUri }, { code, iss }): Promise<Identity> {
      const { token_endpoint, keys } = await discover()
      if (iss !== undefined && iss !== issuer) throw new Fault('unauthorized', `The answer did not come from ${name}; sign in again.`)
      const client = new OAuth2Client(clientId, clientSecret, redirectUri)
      const token = await redeem(
        () => client.validateAuthorizationCode(token_endpoint, code, verifier),
        name,
        (tokens) => tokens.idToken(),
      )
      let payload: JWTPayload
      try {
        const options = { issuer, audience: clientId, algorithms: ALGORITHMS, clockTolerance: CLOCK_SECONDS, maxTokenAge: TOKEN_SECONDS }
        payload = (
          await jwtVerify(token, keys, { ...options, requiredClaims: ['sub', 'exp', 'iat', 'nonce'], currentDate: new Date(now()) })
        ).payload
      } catch (error) {
        if (error instanceof errors.JWKSTimeout) throw broken('its keys cannot be fetched', error)
        throw new Fault('unauthorized', `What ${name} says of you cannot be trusted; sign in again.`, { cause: error })
      }
      const claims = Claims.safeParse(payload)
      const forUs = !Array.isArray(payload.aud) || payload.aud.length === 1 ? (payload.azp ?? clientId) : payload.azp
      if (!claims.success || payload.nonce !== nonce || forUs !== clientId)
        throw new Fault('unauthorized', `What ${name} says is not about this login; sign in again.`)
      const { sub, email, email_verified, hd } = claims.data
      return {
        subject: sub,
        email: email ?? null,
        emailVerified: email_verified === true,
        name: claims.data.name ?? null,
        ...(settings.tellsDomain ? { hostedDomain: hd ?? null } : {}),
      }
    },
  }
}

/** What arctic got for the code. Its failures become one sentence; a code that was used, made up or for another verifier is among them. */
export async function redeem<T>(
  ask: () => Promise<Awaited<ReturnType<OAuth2Client['validateAuthorizationCode']>>>,
  name: string,
  pick: (tokens: Awaited<ReturnType<typeof ask>>) => T,
): Promise<T> {
  const late = AbortSignal.timeout(PROVIDER_MS)
  const tooLate = new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(late.reason), { once: true }))
  try {
    return pick(await Promise.race([ask(), tooLate]))
  } catch (error) {
    const refused = error instanceof OAuth2RequestError || (error instanceof Error && 'status' in error)
    throw new Fault(
      refused ? 'unauthorized' : 'unavailable',
      refused ? `${name} does not accept this login; sign in again.` : `${name} does not answer as it should; try again later.`,
      { cause: error },
    )
  }
}

/** Encrypted, or on this machine. */
export function isSafe(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
}
