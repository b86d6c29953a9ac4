/**
 * Who people are. Somebody is known by what a provider calls them (its subject), never by an email address: an address may change hands.
 * A new person comes in only if the owner's list names the address, always with the role that the list gives, never as owner.
 */
import { randomUUID } from 'node:crypto'
import { type AccessChange, ROLES, type Role } from '../contract/access.ts'
import { Fault } from '../contract/fault.ts'
import type { Store, Tx } from '../store/store.ts'
import { OWNER_ID, type Principal } from './principal.ts'

/** What a provider says of somebody, after everything about it was verified. */
export type Identity = {
  subject: string
  email: string | null
  /** The provider has seen that the person reads mail at that address. */
  emailVerified: boolean
  name: string | null
  /** The domain that runs the account, where the provider tells; undefined: it never tells. */
  hostedDomain?: string | null
}
export type Person = {
  id: string
  name: string
  email: string | null
  role: Role
  disabled: boolean
  createdAt: string
  lastLoginAt: string | null
  identities: { provider: string; email: string | null; createdAt: string; lastUsedAt: string | null }[]
}
export type People = ReturnType<typeof openPeople>

/** As facts name them: an address that was verified, which nobody can choose to look like somebody else. */
export const nameOf = (userId: string, email: string | null): string => (userId === OWNER_ID ? 'owner' : (email ?? userId))
/** A role that this code does not know allows the least. */
export const roleOf = (text: string): Role => ROLES.find((role) => role === text) ?? 'viewer'

const notAllowed = (email: string | null): Fault =>
  new Fault('forbidden', `${email ?? 'This account'} is not allowed to sign in here; the owner allows it with LOGIN_ALLOWED_EMAILS.`)
const isListed = (email: string | null, allowed: readonly string[]): boolean =>
  email !== null && (allowed.includes(email) || allowed.includes(email.slice(email.lastIndexOf('@'))))

/** `allowed`: addresses and `@domains`, in small letters. */
export function mayComeIn(identity: Identity, allowed: readonly string[]): boolean {
  const email = identity.email?.toLowerCase() ?? null
  if (email === null || !identity.emailVerified) return false
  if (allowed.includes(email)) return true
  const domain = email.slice(email.lastIndexOf('@') + 1)
  // Somebody who left a company may keep a private account under its address; the provider that hosts the domain knows better.
  const vouched = identity.hostedDomain === undefined || identity.hostedDomain?.toLowerCase() === domain
  return vouched && allowed.includes(`@${domain}`)
}

export function openPeople(store: Store, now: () => number, admission: { allowed: readonly string[]; role: Exclude<Role, 'owner'> }) {
  const tell = (tx: Tx, what: AccessChange, subject: string, by: string) => tx.record(null, { type: 'access.changed', what, subject, by })
  const iso = (ms: number | null) => (ms === null ? null : new Date(Number(ms)).toISOString())

  return {
    /** The person behind an identity; a new one if the owner's list names them. Refuses everybody else. */
    signIn: (provider: string, identity: Identity): Promise<{ userId: string }> =>
      store.transact(
        async (tx) => {
          const known = await tx.db
            .selectFrom('identities')
            .innerJoin('users', 'users.id', 'identities.user_id')
            .select(['users.id as id', 'users.email as email', 'disabled_at'])
            .where('provider', '=', provider)
            .where('subject', '=', identity.subject)
            .executeTakeFirst()
          if (known) {
            if (known.disabled_at !== null) throw new Fault('forbidden', 'This account is switched off; ask the owner.')
            if (known.id !== OWNER_ID && !isListed(known.email, admission.allowed)) throw notAllowed(known.email)
            await tx.db
              .updateTable('identities')
              .set({ last_used_at: now(), email: identity.email })
              .where('provider', '=', provider)
              .where('subject', '=', identity.subject)
              .execute()
            return { userId: known.id }
          }
          const email = identity.email?.toLowerCase() ?? null
          if (email !== null && !identity.emailVerified)
            throw new Fault('forbidden', `The address ${email} is not verified at this provider; verify it there, then sign in again.`)
          if (email === null || !mayComeIn(identity, admission.allowed)) throw notAllowed(email)
          const taken = await tx.db.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
          if (taken)
            throw new Fault(
              'conflict',
              `There is an account for ${email} that signs in another way; sign in that way and add this one in the settings.`,
            )
          const id = randomUUID()
          const name = (identity.name ?? email).replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 100)
          await tx.db
            .insertInto('users')
            .values({ id, name, email, role: admission.role, created_at: now(), last_login_at: null, disabled_at: null })
            .execute()
          await tx.db
            .insertInto('identities')
            .values({ provider, subject: identity.subject, user_id: id, email, created_at: now(), last_used_at: now() })
            .execute()
          tell(tx, 'person added', email, provider)
          return { userId: id }
        },
        { durable: true },
      ),

    /** Adds a way to sign in to the account of somebody who is logged in. */
    async link(userId: string, provider: string, identity: Identity): Promise<void> {
      await store.transact(
        async (tx) => {
          const user = await tx.db.selectFrom('users').select('email').where('id', '=', userId).executeTakeFirstOrThrow()
          const known = await tx.db
            .selectFrom('identities')
            .select('user_id')
            .where('provider', '=', provider)
            .where('subject', '=', identity.subject)
            .executeTakeFirst()
          if (known?.user_id === userId) return
          if (known) throw new Fault('conflict', 'That account signs in somebody else here already.')
          await tx.db
            .insertInto('identities')
            .values({ provider, subject: identity.subject, user_id: userId, email: identity.email, created_at: now(), last_used_at: null })
            .execute()
          tell(tx, 'identity linked', nameOf(userId, user.email), provider)
        },
        { durable: true },
      )
    },
    /** Takes the caller's ways to sign in with one provider away. */
    async unlink(by: Principal, provider: string): Promise<void> {
      await store.transact(
        async (tx) => {
          const own = await tx.db.selectFrom('identities').select('provider').where('user_id', '=', by.userId).execute()
          const rest = own.filter((one) => one.provider !== provider)
          if (rest.length === own.length) throw new Fault('not_found', `You do not sign in with ${JSON.stringify(provider.slice(0, 50))}.`)
          if (rest.length === 0 && by.userId !== OWNER_ID)
            throw new Fault('conflict', 'This is your only way to sign in; add another one first.')
          await tx.db.deleteFrom('identities').where('user_id', '=', by.userId).where('provider', '=', provider).execute()
          tell(tx, 'identity removed', by.name, by.name)
        },
        { durable: true },
      )
    },

    /** Everybody, or one; oldest first. */
    async list(id?: string): Promise<Person[]> {
      const all = store.db.selectFrom('users').selectAll().orderBy('created_at').orderBy('id')
      const [users, identities] = await Promise.all([
        (id === undefined ? all : all.where('id', '=', id)).execute(),
        store.db.selectFrom('identities').selectAll().orderBy('created_at').execute(),
      ])
      return users.map((user) => ({
        id: user.id,
        name: user.name,
        email: user.email,
        role: roleOf(user.role),
        disabled: user.disabled_at !== null,
        createdAt: iso(user.created_at)!,
        lastLoginAt: iso(user.last_login_at),
        identities: identities
          .filter((one) => one.user_id === user.id)
          .map((one) => ({ provider: one.provider, email: one.email, createdAt: iso(one.created_at)!, lastUsedAt: iso(one.last_used_at) })),
      }))
    },

    /** Another role, or no access any more. The owner stays the owner. */
    async change(
      by: Principal,
      id: string,
      given: { role?: Exclude<Role, 'owner'> | undefined; disabled?: boolean | undefined },
    ): Promise<void> {
      await store.transact(
        async (tx) => {
          const user = await tx.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
          if (!user) throw new Fault('not_found', 'There is no such person.')
          if (id === OWNER_ID)
            throw new Fault('conflict', 'The owner is whoever holds the admin token; role and access of the owner cannot be changed.')
          await tx.db
            .updateTable('users')
            .set({
              ...(given.role === undefined ? {} : { role: given.role }),
              ...(given.disabled === undefined ? {} : { disabled_at: given.disabled ? (user.disabled_at ?? now()) : null }),
            })
            .where('id', '=', id)
            .execute()
          tell(tx, 'person changed', nameOf(id, user.email), by.name)
        },
        { durable: true },
      )
    },
  }
}
