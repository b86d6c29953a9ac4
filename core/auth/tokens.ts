/**
 * Tokens for programs: `bny_`, 43 random characters, and 6 of checksum, so that a scanner knows one by its look and a mistyped one is refused
 * before the database is asked. Only the hash is kept (the value has 256 random bits, so a slow hash would add nothing). A token allows
 * what it was made for and what its maker may do at that moment, whichever is less. One with the scope `work` speaks for an outside agent of the
 * token's name.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { SCOPES, type Scope, scopesOf } from '../contract/access.ts'
import { Fault } from '../contract/fault.ts'
import { prepare } from '../store/prepared.ts'
import type { Store } from '../store/store.ts'
import { nameOf, roleOf } from './people.ts'
import type { Principal } from './principal.ts'

export type TokenEntry = {
  id: string
  name: string
  scopes: Scope[]
  /** Whose it is. */
  userId: string
  by: string
  createdAt: string
  expiresAt: string | null
  lastUsedAt: string | null
  revokedAt: string | null
}
export type Tokens = ReturnType<typeof openTokens>

const FORM = /^bny_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Uses are noted at most this often, so that looking is not writing. */
const NOTED_MS = 60_000
/** Of one person, not counting revoked ones. */
const MOST = 100

/** In base 62, padded to `width`. */
function digits(number: bigint, width: number): string {
  let text = ''
  for (let rest = number; rest > 0n; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text
  return text.padStart(width, '0')
}
const checksum = (body: string): string => digits(BigInt(crc32(`bny_${body}`)), 6)

export function newToken(): string {
  const body = digits(BigInt(`0x${randomBytes(32).toString('hex')}`), 43)
  return `bny_${body}${checksum(body)}`
}
/** Whether it can be one at all. */
export function isToken(text: string): boolean {
  const parts = FORM.exec(text)
  return parts !== null && checksum(parts[1]!) === parts[2]
}
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

// biome-ignore format: columns
const COLUMNS = [
  'api_tokens.id as id', 'api_tokens.name as name', 'scopes', 'expires_at', 'last_used_at', 'revoked_at', 'users.id as user_id',
  'users.email as email', 'role', 'disabled_at',
] as const
const byHash = prepare<{ hash: string }>()((db, p) =>
  db.selectFrom('api_tokens').innerJoin('users', 'users.id', 'api_tokens.user_id').select(COLUMNS).where('hash', '=', p.hash),
)

function principalOf(row: { id: string; name: string; scopes: string; user_id: string; email: string | null; role: string }): Principal {
  const role = roleOf(row.role)
  const own = new Set<string>(JSON.parse(row.scopes) as string[])
  if (own.has('work'))
    return {
      kind: 'agent',
      name: row.name,
      userId: row.user_id,
      role,
      scopes: new Set(scopesOf(role).filter((scope) => scope === 'work')),
      via: { kind: 'token', id: row.id },
    }
  return {
    kind: 'person',
    name: `${nameOf(row.user_id, row.email)} (token ${row.name})`,
    userId: row.user_id,
    role,
    scopes: new Set(scopesOf(role).filter((scope) => own.has(scope))),
    via: { kind: 'token', id: row.id },
  }
}

export function openTokens(store: Store, now: () => number) {
  const isLive = (row: { revoked_at: number | null; disabled_at: number | null; expires_at: number | null }): boolean =>
    row.revoked_at === null && row.disabled_at === null && Number(row.expires_at ?? Number.POSITIVE_INFINITY) > now()
  const iso = (ms: number | null) => (ms === null ? null : new Date(Number(ms)).toISOString())

  return {
    /** Who sent it; null: no token that is good now. */
    async principal(token: string): Promise<Principal | null> {
      if (!isToken(token)) return null
      const [row] = await store.read(byHash, { hash: hashOf(token) })
      if (!row || !isLive(row)) return null
      if (now() - Number(row.last_used_at ?? 0) > NOTED_MS)
        await store.transact((tx) => tx.db.updateTable('api_tokens').set({ last_used_at: now() }).where('id', '=', row.id).execute())
      return principalOf(row)
    },

    /** What this token allows now; null: nothing any more. Notes no use. */
    async current(id: string): Promise<Principal | null> {
      const row = await store.db
        .selectFrom('api_tokens')
        .innerJoin('users', 'users.id', 'api_tokens.user_id')
        .select(COLUMNS)
        .where('api_tokens.id', '=', id)
        .executeTakeFirst()
      return row && isLive(row) ? principalOf(row) : null
    },

    /** Makes one for the person who asks. The value is told here and never again. */
    async create(by: Principal, given: { name: string; scopes: readonly Scope[]; expiresAt: number | null }) {
      const beyond = given.scopes.filter((scope) => !by.scopes.has(scope))
      if (beyond.length > 0) throw new Fault('forbidden', `A token cannot do what its maker may not: leave out ${beyond.join(', ')}.`)
      if (given.expiresAt !== null && given.expiresAt <= now())
        throw new Fault('invalid', 'expiresAt lies in the past; give a later time, or null for a token without end.')
      const isAgents = given.scopes.includes('work')
      if (isAgents && given.scopes.some((scope) => scope !== 'work'))
        throw new Fault('invalid', 'The token of an outside agent has the scope work and no other; make another token for the rest.')
      const token = newToken()
      const row = {
        id: randomUUID(),
        hash: hashOf(token),
        user_id: by.userId,
        name: given.name,
        scopes: JSON.stringify(SCOPES.filter((scope) => given.scopes.includes(scope))),
        created_at: now(),
        expires_at: given.expiresAt,
        last_used_at: null,
        revoked_at: null,
      }
      await store.transact(
        async (tx) => {
          const live = await tx.db
            .selectFrom('api_tokens')
            .select('name')
            .where('user_id', '=', by.userId)
            .where('revoked_at', 'is', null)
            .execute()
          if (live.some((one) => one.name === given.name))
            throw new Fault('conflict', `You have a token named "${given.name}" already; revoke it first, or choose another name.`)
          const agents = isAgents
            ? await tx.db.selectFrom('api_tokens').select('scopes').where('name', '=', given.name).where('revoked_at', 'is', null).execute()
            : []
          if (agents.some((one) => (JSON.parse(one.scopes) as string[]).includes('work')))
            throw new Fault('conflict', `There is a token for an outside agent named "${given.name}" already; choose another name.`)
          if (live.length >= MOST) throw new Fault('conflict', `You have ${MOST} tokens already; revoke some that are not used.`)
          await tx.db.insertInto('api_tokens').values(row).execute()
          tx.record(null, { type: 'access.changed', what: 'token made', subject: given.name, by: by.name })
        },
        { durable: true },
      )
      return { ...entryOf({ ...row, email: null }, by.name), token }
    },

    /** Of one person, or of everybody; newest first. */
    async list(userId: string | null): Promise<TokenEntry[]> {
      let query = store.db
        .selectFrom('api_tokens')
        .innerJoin('users', 'users.id', 'api_tokens.user_id')
        .selectAll('api_tokens')
        .select('users.email as email')
        .orderBy('api_tokens.created_at', 'desc')
        .orderBy('api_tokens.id')
      if (userId !== null) query = query.where('user_id', '=', userId)
      return (await query.execute()).map((row) => entryOf(row))
    },

    /** Ends the tokens of an outside agent, whoever made them. */
    async revokeAgent(by: Principal, name: string): Promise<void> {
      await store.transact(
        async (tx) => {
          const rows = await tx.db.selectFrom('api_tokens').selectAll().where('name', '=', name).where('revoked_at', 'is', null).execute()
          for (const row of rows) {
            if (!(JSON.parse(row.scopes) as string[]).includes('work')) continue
            await tx.db.updateTable('api_tokens').set({ revoked_at: now() }).where('id', '=', row.id).execute()
            tx.record(null, { type: 'access.changed', what: 'token revoked', subject: name, by: by.name })
          }
        },
        { durable: true },
      )
    },

    /** By id, or by the name of a live one of the caller's. `anybodys`: also somebody else's, by id. Revoking twice is no failure. */
    async revoke(by: Principal, idOrName: string, anybodys: boolean): Promise<void> {
      await store.transact(
        async (tx) => {
          const rows = await tx.db
            .selectFrom('api_tokens')
            .selectAll()
            .where((e) =>
              e.or([e('id', '=', idOrName), e.and([e('name', '=', idOrName), e('user_id', '=', by.userId), e('revoked_at', 'is', null)])]),
            )
            .execute()
          const row = rows.find((one) => one.user_id === by.userId || (anybodys && one.id === idOrName))
          if (!row)
            throw new Fault(
              'not_found',
              `There is no token ${JSON.stringify(idOrName.slice(0, 100))} of yours; \`banyan token ls\` lists them.`,
            )
          if (row.revoked_at !== null) return
          await tx.db.updateTable('api_tokens').set({ revoked_at: now() }).where('id', '=', row.id).execute()
          tx.record(null, { type: 'access.changed', what: 'token revoked', subject: row.name, by: by.name })
        },
        { durable: true },
      )
    },
  }

  function entryOf(
    row: {
      id: string
      name: string
      scopes: string
      user_id: string
      email: string | null
      created_at: number
      expires_at: number | null
      last_used_at: number | null
      revoked_at: number | null
    },
    by = nameOf(row.user_id, row.email),
  ): TokenEntry {
    return {
      id: row.id,
      name: row.name,
      scopes: JSON.parse(row.scopes) as Scope[],
      userId: row.user_id,
      by,
      createdAt: iso(row.created_at)!,
      expiresAt: iso(row.expires_at),
      lastUsedAt: iso(row.last_used_at),
      revokedAt: iso(row.revoked_at),
    }
  }
}
