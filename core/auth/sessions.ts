/**
 * Browsers that are logged in. The cookie's value is random and only its keyed hash is kept: a copy of the database logs nobody in, and a
 * new ADMIN_TOKEN or SYSTEM_SECRET_KEY ends every session. One ends after 14 days without use and after 30 in any case.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { scopesOf } from '../contract/access.ts'
import { Fault } from '../contract/fault.ts'
import { prepare } from '../store/prepared.ts'
import type { Store } from '../store/store.ts'
import { nameOf, roleOf } from './people.ts'
import type { Principal } from './principal.ts'

const DAY_MS = 24 * 3_600_000
export const IDLE_MS = 14 * DAY_MS
export const SESSION_MS = 30 * DAY_MS
/** Uses are noted at most this often. */
const NOTED_MS = 5 * 60_000

export type SessionEntry = {
  id: string
  userId: string
  by: string
  /** `link`, `token`, or a provider's id. */
  how: string
  userAgent: string
  createdAt: string
  lastSeenAt: string
  /** When it ends at the latest if it is not used again. */
  expiresAt: string
}
export type Sessions = ReturnType<typeof openSessions>

const byHash = prepare<{ hash: string }>()((db, p) =>
  db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['sessions.id as id', 'last_seen_at', 'expires_at', 'users.id as user_id', 'users.email as email', 'role', 'disabled_at'])
    .where('hash', '=', p.hash),
)

export function openSessions(store: Store, now: () => number, key: Buffer) {
  const hashOf = (value: string): string => createHmac('sha256', key).update(`session ${value}`).digest('hex')
  const endOf = (row: { last_seen_at: number; expires_at: number }) => Math.min(Number(row.last_seen_at) + IDLE_MS, Number(row.expires_at))
  const principalOf = (row: { id: string; user_id: string; email: string | null; role: string }): Principal => {
    const role = roleOf(row.role)
    return {
      kind: 'person',
      name: nameOf(row.user_id, row.email),
      userId: row.user_id,
      role,
      scopes: new Set(scopesOf(role)),
      via: { kind: 'session', id: row.id },
    }
  }
  type Row = { id: string; last_seen_at: number; expires_at: number; disabled_at: number | null }
  const isLive = <R extends Row>(row: R | undefined): row is R => row !== undefined && row.disabled_at === null && endOf(row) > now()

  return {
    /** Who holds a cookie of this value; null: no session that is good now. */
    async principal(value: string): Promise<Principal | null> {
      const [row] = await store.read(byHash, { hash: hashOf(value) })
      if (!row || !isLive(row)) return null
      if (now() - Number(row.last_seen_at) > NOTED_MS)
        await store.transact((tx) => tx.db.updateTable('sessions').set({ last_seen_at: now() }).where('id', '=', row.id).execute())
      return principalOf(row)
    },

    /** What the holder of this session may do now; null: it ended. Notes no use. */
    async current(id: string): Promise<Principal | null> {
      const row = await store.db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select(['sessions.id as id', 'last_seen_at', 'expires_at', 'users.id as user_id', 'users.email as email', 'role', 'disabled_at'])
        .where('sessions.id', '=', id)
        .executeTakeFirst()
      return isLive(row) ? principalOf(row) : null
    },

    /** Begins one and answers the cookie's value. What the browser had before (`instead`) ends, and so do sessions past their time. */
    async begin(userId: string, how: string, userAgent: string, instead: string | undefined): Promise<string> {
      const value = randomBytes(32).toString('base64url')
      const at = now()
      await store.transact(
        async (tx) => {
          const user = await tx.db.selectFrom('users').select(['email', 'disabled_at']).where('id', '=', userId).executeTakeFirst()
          if (!user || user.disabled_at !== null) throw new Fault('forbidden', 'This account is switched off; ask the owner.')
          await tx.db
            .deleteFrom('sessions')
            .where((e) =>
              e.or([
                e('expires_at', '<=', at),
                e('last_seen_at', '<=', at - IDLE_MS),
                e('hash', '=', instead === undefined ? '' : hashOf(instead)),
              ]),
            )
            .execute()
          await tx.db
            .insertInto('sessions')
            .values({
              id: randomUUID(), hash: hashOf(value), user_id: userId, how, user_agent: userAgent.slice(0, 300),
              created_at: at, last_seen_at: at, expires_at: at + SESSION_MS,
            }) // biome-ignore format: a row
            .execute()
          await tx.db.updateTable('users').set({ last_login_at: at }).where('id', '=', userId).execute()
          const name = nameOf(userId, user.email)
          tx.record(null, { type: 'access.changed', what: 'logged in', subject: name, by: `${how}` })
        },
        { durable: true },
      )
      return value
    },

    /** Of one person, or of everybody; the one used last first. */
    async list(userId: string | null): Promise<SessionEntry[]> {
      let query = store.db
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .selectAll('sessions')
        .select(['users.email as email', 'disabled_at'])
        .orderBy('last_seen_at', 'desc')
        .orderBy('sessions.id')
      if (userId !== null) query = query.where('user_id', '=', userId)
      return (await query.execute()).filter(isLive).map((row) => ({
        id: row.id,
        userId: row.user_id,
        by: nameOf(row.user_id, row.email),
        how: row.how,
        userAgent: row.user_agent,
        createdAt: new Date(Number(row.created_at)).toISOString(),
        lastSeenAt: new Date(Number(row.last_seen_at)).toISOString(),
        expiresAt: new Date(endOf(row)).toISOString(),
      }))
    },

    /** Ends one session, of the caller or with `anybodys` of somebody else. */
    async end(by: Principal, id: string, anybodys: boolean): Promise<void> {
      const ended = await endWhere(by, (row) => row.id === id && (anybodys || row.user_id === by.userId), id)
      if (ended === 0) throw new Fault('not_found', 'There is no such session of yours; it may have ended already.')
    },
    /** Ends every session of the caller but the one that asks. Answers how many. */
    endOthers: (by: Principal): Promise<number> =>
      endWhere(by, (row) => row.user_id === by.userId && !(by.via.kind === 'session' && by.via.id === row.id)),
  }

  function endWhere(by: Principal, which: (row: { id: string; user_id: string }) => boolean, id?: string): Promise<number> {
    return store.transact(
      async (tx) => {
        const all = tx.db
          .selectFrom('sessions')
          .innerJoin('users', 'users.id', 'sessions.user_id')
          .select(['sessions.id as id', 'user_id', 'email'])
        const rows = (await (id === undefined ? all.where('user_id', '=', by.userId) : all.where('sessions.id', '=', id)).execute()).filter(
          which,
        )
        for (const row of rows) {
          await tx.db.deleteFrom('sessions').where('id', '=', row.id).execute()
          tx.record(null, { type: 'access.changed', what: 'session ended', subject: nameOf(row.user_id, row.email), by: by.name })
        }
        return rows.length
      },
      { durable: true },
    )
  }
}
