/**
 * Who may speak to this server: the Host and Origin check against pages that other sites trick a browser into, the admin token, one-time
 * login codes and the session cookie. Sessions are signed, not stored: a logout takes the cookie out of the browser, and a new
 * SYSTEM_SECRET_KEY or ADMIN_TOKEN ends all of them.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { parse, serialize } from 'hono/utils/cookie'
import { OWNER, type Principal } from '../auth/principal.ts'
import { Fault } from '../contract/fault.ts'

/** A request's headers by lower-case name, wherever they come from. */
export type ReadHeader = (name: string) => string | undefined
export type Auth = ReturnType<typeof openAuth>

const SESSION_MS = 30 * 24 * 3_600_000
const CODE_MS = 24 * 3_600_000
/** Login codes that wait to be used; the oldest goes first. */
const CODES = 100

export function openAuth(settings: {
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
  const cookie = (read: ReadHeader, value: string, maxAge: number) =>
    serialize(cookieName(), value, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge,
      secure: publicUrl?.protocol === 'https:' && isPublicHost(read('host')?.toLowerCase()),
    })

  function isSession(value: string | undefined): boolean {
    const [expires = '', signature = ''] = value?.split('.') ?? []
    return equal(signature, sign(expires)) && Number(expires) > now()
  }

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

    /**
     * Who sent it, by `Authorization: Bearer` or else by the session cookie; null: nobody known. `acts`: it changes something, so a cookie
     * counts only if the browser says that our own page sent it. Call it after `checkAddress`.
     */
    identify(read: ReadHeader, acts: boolean): Principal | null {
      const authorization = read('authorization')
      if (authorization !== undefined) {
        const token = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1]
        return token !== undefined && equal(token, settings.adminToken) ? OWNER : null
      }
      if (!isSession(parse(read('cookie') ?? '', cookieName())[cookieName()])) return null
      const site = read('sec-fetch-site')
      if (acts && read('origin') === undefined && site !== 'same-origin' && site !== 'none')
        throw new Fault('forbidden', 'A cookie alone does not prove that our own page sent this; send an Origin header, or a Bearer token.')
      return OWNER
    },

    /** A link that logs a browser in: once, within 24 hours, for as long as this process runs. */
    loginLink(): string {
      const code = randomBytes(24).toString('base64url')
      codes.set(sign(`code ${code}`), now() + CODE_MS)
      for (const [old] of codes) if (codes.size > CODES) codes.delete(old)
      return `${this.baseUrl()}/login?code=${code}`
    },
    /** Uses a code up; true if it was good. */
    redeem(code: string): boolean {
      const name = sign(`code ${code}`)
      const expires = codes.get(name)
      codes.delete(name)
      return expires !== undefined && expires > now()
    },
    /** The Set-Cookie that starts a session of 30 days. */
    sessionCookie(read: ReadHeader): string {
      const expires = String(now() + SESSION_MS)
      return cookie(read, `${expires}.${sign(expires)}`, SESSION_MS / 1_000)
    },
    /** The Set-Cookie that ends it. */
    endCookie: (read: ReadHeader): string => cookie(read, '', 0),
  }
}

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host.toLowerCase())
const shown = (text: string | undefined): string => (text === undefined ? '(none)' : JSON.stringify(text.slice(0, 100)))

/** Takes as long for a near miss as for a far one. */
function equal(given: string, wanted: string): boolean {
  const digest = (text: string) => createHmac('sha256', 'compare').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
