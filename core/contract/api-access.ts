/** The part of the route table that is about who comes in: signing in and out, sessions, tokens, people. */
import * as z from 'zod'
import { ROLES, SCOPES } from './access.ts'
import { count, listOf, one, text, time } from './route.ts'

const Identity = z.object({ provider: text, email: text.nullable(), createdAt: time, lastUsedAt: time.nullable() })
const Person = z
  .object({
    id: text,
    name: text,
    email: text.nullable(),
    role: z.enum(ROLES),
    disabled: z.boolean(),
    createdAt: time,
    lastLoginAt: time.nullable(),
    identities: z.array(Identity),
  })
  .meta({ id: 'Person' })
export type PersonItem = z.output<typeof Person>

const Me = z
  .object({
    person: Person,
    /** As facts name the caller. */
    name: text,
    scopes: z.array(z.enum(SCOPES)),
    /** What proved it. */
    via: z.enum(['admin', 'session', 'token']),
    sessionId: text.nullable(),
  })
  .meta({ id: 'Me' })

/** `by`: whose it is. `how`: `link`, `token`, or a provider. It ends at `expiresAt` if it is not used before. */
const Session = z
  .object({
    id: text,
    userId: text,
    by: text,
    how: text,
    userAgent: text,
    createdAt: time,
    lastSeenAt: time,
    expiresAt: time,
    current: z.boolean(),
  })
  .meta({ id: 'Session' })
export type SessionItem = z.output<typeof Session>

const tokenFields = {
  id: text,
  name: text,
  scopes: z.array(z.enum(SCOPES)),
  userId: text,
  by: text,
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable(),
  revokedAt: time.nullable(),
}
const Token = z.object(tokenFields).meta({ id: 'Token' })
export type TokenItem = z.output<typeof Token>
/** `token` is told here and never again. */
const MadeToken = z.object({ ...tokenFields, token: text }).meta({ id: 'MadeToken' })
const TokenRequest = z
  .object({
    name: text
      .regex(
        /^[A-Za-z0-9][\w.-]{0,63}$/,
        'must be at most 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit',
      )
      .meta({ description: 'What it is for' }),
    scopes: z.array(z.enum(SCOPES)).min(1, 'must name at least one scope').max(SCOPES.length),
    expiresAt: z.iso.datetime({ offset: true }).nullable().default(null),
  })
  .strict()
  .meta({ id: 'TokenRequest' })

/** `everybody`: not only the caller's; needs the scope admin. */
const whose = z.object({ of: z.enum(['me', 'everybody']).default('me') })

export const ACCESS_ROUTES = {
  loginWays: one({
    method: 'GET',
    path: '/api/login-ways',
    scope: 'none',
    summary: 'How a browser can sign in here: links and the admin token always, and these providers',
    status: 200,
    response: z.object({ providers: z.array(z.object({ id: text, name: text })) }),
    open: true,
  }),
  makeLoginLink: one({
    method: 'POST',
    path: '/api/login-links',
    scope: 'admin',
    summary: 'Makes a link that logs a browser in as the owner, once, within 24 hours',
    status: 201,
    response: z.object({ url: text }),
  }),
  login: one({
    method: 'GET',
    path: '/login',
    scope: 'none',
    summary: 'Takes the code of a login link, sets the session cookie and goes to the page',
    status: 303,
    query: z.object({ code: text.max(200).default('') }),
    open: true,
  }),
  tokenLogin: one({
    method: 'POST',
    path: '/api/login',
    scope: 'none',
    summary: 'Logs a browser in with the admin token: sets the session cookie',
    status: 204,
    request: z.object({ token: text.min(1).max(1_000) }).strict(),
    open: true,
  }),
  beginLogin: one({
    method: 'GET',
    path: '/login/{provider}',
    scope: 'none',
    summary: 'Sends a browser to a provider to sign in; afterwards it comes to the path `return` of the page',
    status: 303,
    query: z.object({ return: text.max(2_000).optional(), moved: z.literal('1').optional() }),
    open: true,
  }),
  finishLogin: one({
    method: 'GET',
    path: '/login/{provider}/callback',
    scope: 'none',
    summary: 'Where a provider sends the browser back to; sets the session cookie and goes to the page',
    status: 303,
    query: z.object({
      code: text.max(4_000).optional(),
      state: text.max(500).optional(),
      error: text.max(500).optional(),
      iss: text.max(500).optional(),
    }),
    open: true,
  }),
  logout: one({ method: 'POST', path: '/api/logout', scope: 'none', summary: 'Ends the session and takes its cookie away', status: 204 }),

  me: one({ method: 'GET', path: '/api/me', scope: 'none', summary: 'Who asks, and what they may do', status: 200, response: Me }),
  linkIdentity: one({
    method: 'POST',
    path: '/api/identities/{provider}',
    scope: 'person',
    summary: 'Begins adding a way to sign in to the own account; the browser goes on at `url`',
    status: 200,
    response: z.object({ url: text }),
  }),
  unlinkIdentity: one({
    method: 'DELETE',
    path: '/api/identities/{provider}',
    scope: 'person',
    summary: 'Takes a way to sign in from the own account',
    status: 204,
  }),

  sessions: one({
    method: 'GET',
    path: '/api/sessions',
    scope: 'person',
    summary: 'Browsers that are logged in, the one used last first',
    status: 200,
    query: whose,
    response: listOf(Session),
  }),
  endSession: one({ method: 'DELETE', path: '/api/sessions/{id}', scope: 'person', summary: 'Ends a session', status: 204 }),
  endOtherSessions: one({
    method: 'DELETE',
    path: '/api/sessions',
    scope: 'person',
    summary: 'Ends every session of the caller but the one that asks',
    status: 200,
    response: z.object({ ended: count }),
  }),

  tokens: one({
    method: 'GET',
    path: '/api/tokens',
    scope: 'person',
    summary: 'Tokens for programs, newest first, never their values',
    status: 200,
    query: whose,
    response: listOf(Token),
  }),
  makeToken: one({
    method: 'POST',
    path: '/api/tokens',
    scope: 'person',
    summary: 'Makes a token for programs that may do no more than its maker; its value is in this answer only',
    status: 201,
    request: TokenRequest,
    response: MadeToken,
  }),
  revokeToken: one({
    method: 'DELETE',
    path: '/api/tokens/{id}',
    scope: 'person',
    summary: 'Revokes a token, by its id or by the name of an own one; it stays listed',
    status: 204,
  }),

  people: one({
    method: 'GET',
    path: '/api/people',
    scope: 'admin',
    summary: 'Everybody who ever signed in, and the owner',
    status: 200,
    response: listOf(Person),
  }),
  changePerson: one({
    method: 'PUT',
    path: '/api/people/{id}',
    scope: 'admin',
    summary: 'Gives a person another role, or switches their access off or on',
    status: 200,
    request: z
      .object({ role: z.enum(['member', 'viewer']).optional(), disabled: z.boolean().optional() })
      .strict()
      .meta({ id: 'PersonRequest' }),
    response: Person,
  }),
} as const
