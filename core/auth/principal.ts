/** Who sent a request and what they may do. Every way in ends in one of these, and `mustAllow` is the one place that says no. */
import { type Role, type RouteScope, type Scope, scopesOf } from '../contract/access.ts'
import { Fault } from '../contract/fault.ts'

export type Principal = {
  /** `agent`: a program whose model works tasks. It may never do what a person must decide. */
  kind: 'person' | 'agent'
  /** As facts tell it (`by`): `owner`, an email address that was verified, or either with the token that spoke for it. */
  name: string
  userId: string
  role: Role
  scopes: ReadonlySet<Scope>
  /** What proved it: the admin token, a session of a browser, or a token for programs. */
  via: { kind: 'admin' } | { kind: 'session'; id: string } | { kind: 'token'; id: string }
}

export const OWNER_ID = 'owner'
/** Whoever holds the admin token. */
export const OWNER: Principal = {
  kind: 'person',
  name: 'owner',
  userId: OWNER_ID,
  role: 'owner',
  scopes: new Set(scopesOf('owner')),
  via: { kind: 'admin' },
}

/** Logged in, in the page or with the admin token; not a token for programs. */
export const isPerson = (principal: Principal): boolean => principal.kind === 'person' && principal.via.kind !== 'token'

/** Refuses with the scope that is missing. */
export function mustAllow(principal: Principal, scope: RouteScope): void {
  if (principal.kind === 'agent') {
    if (scope === 'work' && principal.scopes.has('work')) return
    throw new Fault('forbidden', 'The token of an outside agent is for claiming and working tasks at /mcp; anything else is for people.')
  }
  if (scope === 'none') return
  if (scope === 'person') {
    if (principal.via.kind === 'token')
      throw new Fault(
        'forbidden',
        'A token for programs may not do this; a person who is logged in may, in the page or with the admin token.',
      )
    return
  }
  if (principal.scopes.has(scope)) return
  throw new Fault(
    'forbidden',
    principal.via.kind === 'token'
      ? `This token lacks the scope ${scope}; make one that has it with \`banyan token create NAME --scope ${scope}\`.`
      : `This needs the scope ${scope}, which the role ${principal.role} does not have; ask the owner for another role.`,
  )
}
