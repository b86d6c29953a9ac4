/**
 * Logins at other people's MCP servers with OAuth 2.1, done by the SDK: PKCE, discovery, registration. Tokens and what the registration keeps
 * secret are in the secrets of this system, by names of their own, so they are sealed and taken out of everything that is told. A login that is
 * on its way is in memory only: after a restart it is begun anew.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  type AuthProvider,
  auth,
  extractWWWAuthenticateParams,
  type OAuthClientMetadata,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
} from '@modelcontextprotocol/client'
import { Fault } from '../contract/fault.ts'
import type { Secrets } from '../secrets/secrets.ts'
import type { GuardedFetch } from '../web/guarded-fetch.ts'
import { LOGIN_NEEDED } from './hub-connect.ts'
import { cleanedLine } from './hub-words.ts'

/** What is kept of a login beside its secrets. */
export type KeptLogin = {
  /** `needed`: the server asked for one and there is none that it takes. */
  state: 'needed' | 'done'
  /** As it was registered, without its secret. `own`: by a person, at the login page's makers; it is never registered anew. */
  client?: Omit<StoredOAuthClientInformation, 'client_secret'> & { redirect_uris?: string[]; own?: true }
  tokens?: Omit<StoredOAuthTokens, 'access_token' | 'refresh_token' | 'id_token'>
  expiresAt?: number | null
  /** What a login asks for from now on, in words of OAuth, because a call was refused without it. */
  scope?: string
  discovery?: OAuthDiscoveryState
}
export type LoginParts = {
  secrets: Pick<Secrets, 'save' | 'remove' | 'forSystem'>
  kept(server: string): KeptLogin | null
  keep(server: string, login: KeptLogin | null): Promise<void>
  now(): number
  /** Address of the document that says who we are, for login pages that read one; left out: ours, where they can reach us. */
  document?: string
}
/** What the makers of a login page gave a person who registered Banyan there. */
export type OwnClient = { id: string; secret?: string | undefined }

const ATTEMPT_MS = 10 * 60_000
const MOST_ATTEMPTS = 100
/** A token that ends so soon is renewed before it is used. */
const EARLY_MS = 30_000

/** Where secrets of a server's login are kept. */
const PARTS = ['ACCESS_TOKEN', 'REFRESH_TOKEN', 'CLIENT_SECRET'] as const
const secretName = (server: string, part: (typeof PARTS)[number]): string => `MCP_${server.toUpperCase().replaceAll('-', '_')}_${part}`

export const clientMetadata = (redirectUrl: string): OAuthClientMetadata => ({
  client_name: 'Banyan',
  redirect_uris: [redirectUrl],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
})

type Target = { server: string; url: string; fetch: GuardedFetch }
type Attempt = { target: Target; redirectUrl: string; verifier: string; url: URL | null; until: number }

export type Logins = ReturnType<typeof openLogins>

export function openLogins(parts: LoginParts) {
  const { secrets } = parts
  const attempts = new Map<string, Attempt>()
  const renewing = new Map<string, Promise<void>>()
  const hashOf = (state: string): string => createHash('sha256').update(state).digest('base64url')

  async function keepSecret(server: string, part: (typeof PARTS)[number], value: string | undefined): Promise<void> {
    const name = secretName(server, part)
    if (value !== undefined) {
      if (secrets.forSystem(name) !== value)
        await secrets.save(name, { value, description: `login at the MCP server ${server}`, grants: [] }, 'system')
    } else if (secrets.forSystem(name) !== null) await secrets.remove(name, 'system')
  }
  const change = (server: string, more: Partial<KeptLogin>) => parts.keep(server, { state: 'needed', ...parts.kept(server), ...more })

  /** `attempt`: a person is there to open a page. Without one, whatever needs a person ends with a Fault. */
  function provider(target: Target, attempt: Attempt | null, state?: string): OAuthClientProvider {
    const { server } = target
    const redirectUrl = attempt?.redirectUrl ?? parts.kept(server)?.client?.redirect_uris?.[0] ?? 'http://127.0.0.1/oauth/callback'
    return {
      redirectUrl,
      clientMetadata: clientMetadata(redirectUrl),
      // Login pages may read who we are only where they can reach us.
      ...(redirectUrl.startsWith('https:') ? { clientMetadataUrl: parts.document ?? new URL('/oauth/client.json', redirectUrl).href } : {}),
      ...(state === undefined ? {} : { state: () => state }),
      clientInformation() {
        const { own, ...client } = parts.kept(server)?.client ?? { client_id: null }
        if (client.client_id === null) return undefined
        // Registered for another address of ours: the login page would not send anybody back here.
        const elsewhere = attempt !== null && client.redirect_uris !== undefined && !client.redirect_uris.includes(redirectUrl)
        if (elsewhere && !own) return undefined
        const secret = secrets.forSystem(secretName(server, 'CLIENT_SECRET'))
        return { ...client, ...(secret === null ? {} : { client_secret: secret }) } as StoredOAuthClientInformation
      },
      async saveClientInformation(given) {
        const { client_secret, ...client } = given
        await keepSecret(server, 'CLIENT_SECRET', client_secret)
        const own = parts.kept(server)?.client
        const same = own?.own === true && own.client_id === client.client_id
        await change(server, { client: { redirect_uris: [redirectUrl], ...client, ...(same ? { own: true } : {}) } })
      },
      tokens() {
        const access = secrets.forSystem(secretName(server, 'ACCESS_TOKEN'))
        if (access === null) return undefined
        const refresh = secrets.forSystem(secretName(server, 'REFRESH_TOKEN'))
        return {
          token_type: 'Bearer',
          ...parts.kept(server)?.tokens,
          access_token: access,
          ...(refresh === null ? {} : { refresh_token: refresh }),
        }
      },
      async saveTokens({ access_token, refresh_token, id_token: _, ...tokens }) {
        // The one that can make the other goes first: cut off in between, the next call mends it.
        if (refresh_token !== undefined || attempt !== null) await keepSecret(server, 'REFRESH_TOKEN', refresh_token)
        await keepSecret(server, 'ACCESS_TOKEN', access_token)
        const expiresAt = typeof tokens.expires_in === 'number' ? parts.now() + tokens.expires_in * 1_000 : null
        await change(server, { state: 'done', tokens, expiresAt })
      },
      redirectToAuthorization(url) {
        if (attempt === null) throw needed(server)
        attempt.url = url
      },
      saveCodeVerifier(verifier) {
        if (attempt !== null) attempt.verifier = verifier
      },
      codeVerifier() {
        if (attempt === null || attempt.verifier === '') throw needed(server)
        return attempt.verifier
      },
      async saveDiscoveryState(discovery) {
        await change(server, { discovery })
      },
      discoveryState: () => parts.kept(server)?.discovery,
      async invalidateCredentials(what) {
        if (what === 'all' || what === 'tokens')
          for (const part of ['ACCESS_TOKEN', 'REFRESH_TOKEN'] as const) await keepSecret(server, part, undefined)
        const kept = parts.kept(server)
        if (!kept) return
        const { client, tokens, discovery, ...rest } = kept
        await parts.keep(server, {
          ...rest,
          state: 'needed',
          ...(client && what !== 'all' && what !== 'client' ? { client } : {}),
          ...(discovery && what !== 'all' && what !== 'discovery' ? { discovery } : {}),
          ...(tokens && what !== 'all' && what !== 'tokens' ? { tokens } : {}),
        })
      },
    }
  }

  /** One at a time for each server: a token that renews works once with many. */
  function renew(target: Target, asked: { resourceMetadataUrl?: URL; scope?: string }): Promise<void> {
    const under = renewing.get(target.server)
    if (under) return under
    const work = (async () => {
      try {
        // Without it only a person can begin anew.
        if (secrets.forSystem(secretName(target.server, 'REFRESH_TOKEN')) === null) throw needed(target.server)
        if ((await auth(provider(target, null), { serverUrl: target.url, fetchFn: target.fetch, ...asked })) !== 'AUTHORIZED')
          throw needed(target.server)
      } catch (error) {
        await change(target.server, { state: 'needed' })
        if (error instanceof Fault) throw error
        throw new Fault(
          'unavailable',
          `${LOGIN_NEEDED}, and the one it had could not be renewed ("${cleanedLine((error as Error).message, 200)}"): \`banyan mcp login ${target.server}\` begins one.`,
          { cause: error },
        )
      }
    })().finally(() => renewing.delete(target.server))
    renewing.set(target.server, work)
    return work
  }

  return {
    /** For a connection: tokens that are there, renewed where that takes nobody. */
    authOf(target: Target): AuthProvider {
      const access = () => secrets.forSystem(secretName(target.server, 'ACCESS_TOKEN'))
      let sent: string | null = null
      return {
        async token() {
          const { expiresAt = null } = parts.kept(target.server) ?? {}
          const renewable = secrets.forSystem(secretName(target.server, 'REFRESH_TOKEN')) !== null
          if (access() !== null && renewable && expiresAt !== null && expiresAt < parts.now() + EARLY_MS)
            await renew(target, {}).catch(() => undefined) // the server says so then
          sent = access()
          return sent ?? undefined
        },
        async onUnauthorized({ response }) {
          await renewing.get(target.server)
          // Somebody else renewed it meanwhile.
          if (access() !== null && access() !== sent) return
          const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response)
          await renew(target, { ...(resourceMetadataUrl ? { resourceMetadataUrl } : {}), ...(scope ? { scope } : {}) })
        },
      }
    },
    /** The page that a person opens. A Fault says why there is none. */
    async begin(target: Target, redirectUrl: string, own?: OwnClient): Promise<string> {
      const now = parts.now()
      for (const [state, attempt] of attempts) if (attempt.until <= now) attempts.delete(state)
      if (attempts.size >= MOST_ATTEMPTS)
        throw new Fault('limited', 'Too many logins are on their way; finish one, or try again in ten minutes.')
      const state = randomBytes(32).toString('base64url')
      const attempt: Attempt = { target, redirectUrl, verifier: '', url: null, until: now + ATTEMPT_MS }
      try {
        const asked = await challenge(target)
        // Where its login page is, it says anew: it may have moved.
        const { discovery: _, ...kept } = parts.kept(target.server) ?? { state: 'needed' }
        await parts.keep(target.server, { ...kept, ...(own ? { client: { client_id: own.id, own: true } } : {}) })
        if (own) await keepSecret(target.server, 'CLIENT_SECRET', own.secret)
        const scope = joined(asked.scope, kept.scope)
        const options = { serverUrl: target.url, fetchFn: target.fetch, forceReauthorization: true, ...asked, ...(scope ? { scope } : {}) }
        await auth(provider(target, attempt, state), options)
      } catch (error) {
        throw failed(target.server, error)
      }
      if (attempt.url === null || !/^https?:$/.test(attempt.url.protocol))
        throw failed(target.server, new Error('it named no page to open'))
      attempts.set(hashOf(state), attempt)
      return attempt.url.href
    },
    /** What the browser brought back. Answers whose login it was. A Fault says why it does not count. */
    async finish(given: {
      state?: string | undefined
      code?: string | undefined
      iss?: string | undefined
      error?: string | undefined
    }): Promise<string> {
      const key = hashOf(given.state ?? '')
      const attempt = attempts.get(key)
      attempts.delete(key)
      if (!attempt || attempt.until <= parts.now())
        throw new Fault(
          'unauthorized',
          'This login was finished already, took longer than ten minutes, or was begun before a restart; begin it again with `banyan mcp login`.',
        )
      const { target } = attempt
      if (given.error !== undefined || given.code === undefined)
        throw new Fault(
          'forbidden',
          `The login page of the MCP server ${target.server} refused (${cleanedLine(given.error ?? 'it sent no code', 100)}); begin again with \`banyan mcp login ${target.server}\`.`,
        )
      try {
        await auth(provider(target, attempt), {
          serverUrl: target.url,
          authorizationCode: given.code,
          fetchFn: target.fetch,
          ...(given.iss === undefined ? {} : { iss: given.iss }),
        })
      } catch (error) {
        throw failed(target.server, error)
      }
      return target.server
    },
    /** A call needs a login that may do more; the next one asks for that too. What its caller is told. */
    async wantsMore(server: string, scope: string | undefined): Promise<Fault> {
      const kept = parts.kept(server)
      const all = joined(kept?.scope, kept?.tokens?.scope, scope)
      await change(server, { state: 'needed', ...(all ? { scope: all } : {}) })
      return needed(server, scope === undefined ? ' that may do more' : ` that may do more (${cleanedLine(scope, 200)})`)
    },
    async forget(server: string): Promise<void> {
      for (const part of PARTS) await keepSecret(server, part, undefined)
    },
  }
}

const needed = (server: string, which = ''): Fault =>
  new Fault('unavailable', `${LOGIN_NEEDED}${which}: \`banyan mcp login ${server}\` begins one.`)
/** Scopes of several lists, each once; undefined where none names any. */
function joined(...lists: (string | undefined)[]): string | undefined {
  const all = new Set(lists.flatMap((list) => list?.split(' ') ?? []).filter(Boolean))
  return all.size > 0 ? [...all].join(' ') : undefined
}
function failed(server: string, error: unknown): Fault {
  if (error instanceof Fault) return error
  const { message } = error as Error
  const why = /not support dynamic client registration/i.test(message)
    ? `its login page lets no program register itself; register Banyan there by hand, then begin with \`banyan mcp login ${server} --client-id ID\``
    : cleanedLine(message, 300).replace(/[\s.:]+$/, '')
  return new Fault('unavailable', `The login at the MCP server ${server} did not work: ${why}.`, { cause: error })
}

/** What the server says when it is asked without a login. */
async function challenge({ url, fetch }: Target): Promise<{ resourceMetadataUrl?: URL; scope?: string }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
  })
  await response.body?.cancel()
  if (response.status !== 401) return {}
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(response)
  return { ...(resourceMetadataUrl ? { resourceMetadataUrl } : {}), ...(scope ? { scope } : {}) }
}
