/** Who may do what: the scopes that routes ask for, and the roles that people have. The page, the command line and the server read it here. */

/**
 * `read`: look at everything but values of secrets. `goals:write`: submit goals, steer tasks, put files. `review:decide`: decide what waits for a
 * person, and the rules that come of it. `registry:write`: agents, documents, tools. `evolve`: changes of Banyan itself. `admin`: people,
 * secrets, and the end of the process. `work`: claim tasks as an outside agent and work them, over MCP, and nothing else; it stands alone.
 */
export const SCOPES = ['read', 'goals:write', 'review:decide', 'registry:write', 'evolve', 'admin', 'work'] as const
export type Scope = (typeof SCOPES)[number]

/** `none`: anybody who is logged in, or nobody on an open route. `person`: a person who is logged in, never a token for programs. */
export type RouteScope = Scope | 'none' | 'person'

export const ROLES = ['owner', 'member', 'viewer'] as const
export type Role = (typeof ROLES)[number]

const OF_ROLE: Readonly<Record<Role, readonly Scope[]>> = {
  owner: SCOPES,
  member: ['read', 'goals:write', 'review:decide'],
  viewer: ['read'],
}

/** What a role allows. A token never allows more than the role of the person who made it allows now. */
export const scopesOf = (role: Role): readonly Scope[] => OF_ROLE[role]

/** What a person reads of each change of access. */
export const ACCESS_WORDS = {
  'logged in': 'logged in',
  'session ended': 'a session was ended',
  'token made': 'a token was made',
  'token revoked': 'a token was revoked',
  'program connected': 'a program called over MCP for the first time',
  'person added': 'a person was added',
  'person changed': 'role or access was changed',
  'identity linked': 'a way to sign in was added',
  'identity removed': 'a way to sign in was removed',
} as const
export type AccessChange = keyof typeof ACCESS_WORDS

/** Why a login with a provider did not work, in `?login=` of the page, and what a person reads of it. */
export const LOGIN_REFUSALS = {
  cancelled: 'You did not let the provider tell Banyan who you are. Sign in again if that was a mistake.',
  stale:
    'This login could not be trusted: it was begun in another browser, was used already, or took longer than ten minutes. Sign in again.',
  not_allowed:
    'This account may not sign in here. Its address must be verified at the provider and be named in LOGIN_ALLOWED_EMAILS; ask whoever runs Banyan.',
  taken: 'Your address belongs to an account that signs in another way. Sign in that way, then add this one in the settings.',
  provider: 'The provider refused the login. Sign in again; if it stays so, the log of Banyan says more.',
  unavailable: 'The provider does not answer as it should. Try again later, or use a login link.',
} as const
export type LoginRefusal = keyof typeof LOGIN_REFUSALS
