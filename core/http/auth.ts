/**
 * Who may speak to this server: the Host and Origin check against pages that other sites trick a browser into, the admin token, tokens of
 * programs, one-time login codes and the session cookie. A new SYSTEM_SECRET_KEY or ADMIN_TOKEN ends all sessions.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { parse, serialize } from 'hono/utils/cookie'
import { type Caller, callerOf, openGuesses } from '../auth/guesses.ts'
import { mustAllow, OWNER, OWNER_ID, type Principal } from '../auth/principal.ts'
import { openSessions, SESSION_MS } from '../auth/sessions.ts'
import { openTokens } from '../auth/tokens.ts'
import type { RouteScope } from '../contract/access.ts'
import { Fault } from '../contract/fault.ts'
import type { Store } from '../store/store.ts'

/** A request's headers by lower-case name, wherever they come from. */
export type ReadHeader = (name: string) => string | undefined
export type Auth = ReturnType<typeof openAuth>

/** Characters of an admin token from which guessing is hopeless. */
const UNGUESSABLE = 24
/** A login that was sent to a provider comes back within this. */
const ATTEMPT_SECONDS = 600
const CODE_MS = 24 * 3_600_000
/** Login codes that wait to be used; the oldest goes first. */
const CODES = 100

export function openAuth(settings: {
  store: Store
  host: string
  /** Known once the server listens. */
  port: () => number
  publicUrl: string | null
  adminToken: string
  secretKey: string
  now?: () => number
}) {
  const now = settings.now ?? Date.now
  const key = createHmac('sha256', settings.secretKey).update(`session ${settings.adminToken}`).digest()
  const sign = (text: string) => createHmac('sha256', key).update(text).digest('base64url')
  const sessions = openSessions(settings.store, now, key)
  const tokens = openTokens(settings.store, now)
  const guesses = openGuesses(now)
  const publicUrl = settings.publicUrl === null ? null : new URL(settings.publicUrl)
  /** Codes are kept as their signature, so that looking one up does not depend on how much of it was guessed. */
  const codes = new Map<string, number>()

  const hosts = () => ['localhost', '127.0.0.1', '[::1]', inUrl(settings.host)].map((host) => `${host}:${settings.port()}`)
  const origins = () => new Set([...hosts().map((host) => new URL(`http://${host}`).origin), ...(publicUrl ? [publicUrl.origin] : [])])
  /** Cookies are shared by all ports of a host; two instances on one machine must not sign each other out. */
  const cookieName = () => `banyan_${settings.port()}`
  const isPublicHost = (host: string | undefined) =>
    publicUrl !== null &&
    host !== undefined &&
    (host === publicUrl.host || host === `${publicUrl.hostname}:${publicUrl.protocol === 'https:' ? 443 : 80}`)
  const isOurHost = (host: string | undefined) =>
    host !== undefined && (isPublicHost(host) || hosts().includes(host) || (settings.port() === 80 && hosts().includes(`${host}:80`)))
  /** Lax: a person who comes from a provider, or from a link in a mail, is logged in. What changes something asks for the Origin beside. */
  const cookie = (read: ReadHeader, name: string, value: string, maxAge: number) =>
    serialize(name, value, {
      httpOnly: true,
      sameSite: 'Lax',
      path: '/',
      maxAge,
      secure: publicUrl?.protocol === 'https:' && isPublicHost(read('host')?.toLowerCase()),
    })

  const attemptName = () => `${cookieName()}_login`
  const cookieOf = (read: ReadHeader, name: string): string | undefined => parse(read('cookie') ?? '', name)[name]

  return {
    /** Where a person reaches the page. */
    baseUrl: (): string =>
      publicUrl?.origin ?? `http://${/^(0\.0\.0\.0|::)$/.test(settings.host) ? 'localhost' : inUrl(settings.host)}:${settings.port()}`,

    /** Refuses, before anything else, a request that was addressed to another name or sent by another site's page. */
    checkAddress(read: ReadHeader): void {
      const host = read('host')?.toLowerCase()
      if (!isOurHost(host))
        throw new Fault('forbidden', `This server does not answer for the host ${shown(host)}; if it is its address, set PUBLIC_URL to it.`)
      const origin = read('origin')
      if (origin !== undefined && !origins().has(origin))
        throw new Fault(
          'forbidden',
          `Requests from pages of ${shown(origin)} are not answered; if it is this server's address, set PUBLIC_URL to it.`,
        )
    },

    /** Whether a browser that reached us does it at the address that providers send people back to. */
    isAtBase(read: ReadHeader): boolean {
      const host = read('host')?.toLowerCase()
      return publicUrl === null ? host === new URL(this.baseUrl()).host : isPublicHost(host)
    },

    /**
     * Who sent it, by `Authorization: Bearer` or else by the session cookie; null: nobody known. `acts`: it changes something, so a cookie
     * counts only if the browser says that our own page sent it. Call it after `checkAddress`. Tokens of programs and sessions cannot be
     * guessed, so only what is neither counts as a guess and is slowed down.
     */
    async identify(read: ReadHeader, acts: boolean, address: string | undefined): Promise<Principal | null> {
      const authorization = read('authorization')
      if (authorization !== undefined) {
        const token = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1] ?? ''
        return (await tokens.principal(token)) ?? (this.isAdminToken(token, callerOf(address, read('x-forwarded-for'))) ? OWNER : null)
      }
      const value = cookieOf(read, cookieName())
      const principal = value === undefined ? null : await sessions.principal(value)
      if (principal === null) return null
      const site = read('sec-fetch-site')
      if (acts && read('origin') === undefined && site !== 'same-origin' && site !== 'none')
        throw new Fault('forbidden', 'A cookie alone does not prove that our own page sent this; send an Origin header, or a Bearer token.')
      return principal
    },
    /**
     * Counts a wrong one as a guess. A short token, which a person made up, is refused even if it is right to whoever guessed too often; one
     * that no number of guesses finds is not, so that a program with an old token locks nobody out.
     */
    isAdminToken(token: string, caller: Caller): boolean {
      const good = equal(token, settings.adminToken)
      if (good && settings.adminToken.length >= UNGUESSABLE) return true
      guesses.check(caller)
      if (good) return true
      guesses.failed(caller)
      return false
    },
    /** Whether what proved somebody on a connection that stays open is still good, and still allows it. */
    async mayStill(principal: Principal, scope: RouteScope): Promise<boolean> {
      const { via } = principal
      if (via.kind === 'admin') return true
      const now = via.kind === 'session' ? await sessions.current(via.id) : await tokens.current(via.id)
      try {
        if (now) mustAllow(now, scope)
        return now !== null
      } catch (error) {
        if (error instanceof Fault) return false
        throw error
      }
    },

    /** A link that logs a browser in: once, within 24 hours, for as long as this process runs. */
    loginLink(): string {
      const code = randomBytes(24).toString('base64url')
      codes.set(sign(`code ${code}`), now() + CODE_MS)
      for (const [old] of codes) if (codes.size > CODES) codes.delete(old)
      return `${this.baseUrl()}/login?code=${code}`
    },
    /** Uses a code up; true if it was good. */
    redeem(code: string, address: string | undefined, forwarded: string | undefined): boolean {
      const name = sign(`code ${code}`)
      const expires = codes.get(name)
      codes.delete(name)
      const good = expires !== undefined && expires > now()
      if (good) return true
      const caller = callerOf(address, forwarded)
      guesses.check(caller)
      guesses.failed(caller)
      return false
    },
    /** The Set-Cookie of a new session; the one that the browser had ends. `how`: `link`, `token`, or a provider's id. */
    async begin(read: ReadHeader, how: string, userId = OWNER_ID): Promise<string> {
      const value = await sessions.begin(userId, how, read('user-agent') ?? '', cookieOf(read, cookieName()))
      return cookie(read, cookieName(), value, SESSION_MS / 1_000)
    },
    /** The Set-Cookie that takes the cookie out of the browser. */
    endCookie: (read: ReadHeader): string => cookie(read, cookieName(), '', 0),
    /** Binds a login that goes to a provider to this browser. */
    attemptCookie: (read: ReadHeader, value: string): string => cookie(read, attemptName(), value, ATTEMPT_SECONDS),
    endAttemptCookie: (read: ReadHeader): string => cookie(read, attemptName(), '', 0),
    attemptOf: (read: ReadHeader): string | undefined => cookieOf(read, attemptName()),
    sessions,
    tokens,
  }
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host.toLowerCase())
const shown = (text: string | undefined): string => (text === undefined ? '(none)' : JSON.stringify(text.slice(0, 100)))

/** Takes as long for a near miss as for a far one. */
function equal(given: string, wanted: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
