/** Rows of rules: what people said may happen without them, or may not. What a rule covers is decided in `core/policy`. */
import { randomBytes } from 'node:crypto'
import { type Selectable, sql } from 'kysely'
import { Fault } from '../contract/fault.ts'
import type { NewRule, Offer, Remember, Rule, Taint } from '../contract/policy.ts'
import type { Review } from '../contract/review.ts'
import { POLICY_RULE } from '../policy/system-policy.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Database } from '../store/tables.ts'

type RuleRow = Selectable<Database['rules']>

const narrowing = prepare<Record<string, never>>()((db) =>
  db.selectFrom('rules').selectAll().where('verdict', '<>', sql.lit('allow')).where('revoked_at', 'is', null),
)
const allowing = prepare<{ a: string; b: string; c: string }>()((db, p) =>
  db
    .selectFrom('rules')
    .selectAll()
    .where('signature', 'in', [p.a, p.b, p.c])
    .where('verdict', '=', sql.lit('allow'))
    .where('revoked_at', 'is', null),
)
const taintOf = prepare<{ id: string }>()((db, p) => db.selectFrom('tasks').select('taint').where('id', '=', p.id))
const countHit = prepare<{ id: string; now: number }>()((db, p) =>
  db
    .updateTable('rules')
    .set((e) => ({ hits: e('hits', '+', 1), last_hit_at: p.now }))
    .where('id', '=', p.id)
    .where('revoked_at', 'is', null)
    .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', p.now)]))
    .returning('id'),
)

export type Rules = ReturnType<typeof openRules>

export function openRules(store: Store) {
  return {
    /** Every rule that narrows and is not revoked; few, and read before each reply's calls. */
    narrowing: async (): Promise<Rule[]> => (await store.read(narrowing, {})).map(toRule),
    /** Allow rules kept under one of these signatures. */
    async allowing(signatures: readonly string[]): Promise<Rule[]> {
      const [a = '', b = a, c = b] = signatures
      return (await store.read(allowing, { a, b, c })).map(toRule)
    },
    /** As committed now: a subtask may have ended while its parent worked. */
    async taintOf(taskId: string): Promise<Taint[]> {
      const [row] = await store.read(taintOf, { id: taskId })
      return row ? (JSON.parse(row.taint) as Taint[]) : []
    },
    /** Newest first. */
    async list(query: { state: 'live' | 'all'; cursor?: string | undefined; limit: number; now: number }) {
      let ask = store.db
        .selectFrom('rules')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(query.limit + 1)
      if (query.state === 'live')
        ask = ask.where('revoked_at', 'is', null).where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', query.now)]))
      if (query.cursor) {
        const [at, id = ''] = query.cursor.split('.')
        if (!/^\d+$/.test(at!)) throw new Fault('invalid', 'The cursor is not one that a list gave; start without it.')
        ask = ask.where((e) => e.or([e('created_at', '<', Number(at)), e.and([e('created_at', '=', Number(at)), e('id', '<', id)])]))
      }
      const rows = await ask.execute()
      const last = rows[query.limit - 1]
      return {
        items: rows.slice(0, query.limit).map(toRule),
        nextCursor: rows.length > query.limit && last ? `${last.created_at}.${last.id}` : null,
      }
    },
    add: (rule: NewRule, by: string): Promise<Rule> => store.transact((tx) => narrow(tx, rule, by), { durable: true }),
    /** From then on nothing is allowed, or narrowed, by it. */
    revoke: (id: string, by: string): Promise<void> =>
      store.transact(
        async (tx) => {
          const row = await tx.db.selectFrom('rules').select(['tree_id', 'revoked_at']).where('id', '=', id).executeTakeFirst()
          if (!row) throw new Fault('not_found', `There is no rule ${id}.`)
          if (row.revoked_at !== null) throw new Fault('conflict', `Rule ${id} was taken back already.`)
          await tx.db.updateTable('rules').set({ revoked_at: tx.now }).where('id', '=', id).execute()
          tx.record(row.tree_id, { type: 'rule.revoked', ruleId: id, by })
        },
        { durable: true },
      ),
  }
}

type Fresh = Pick<Rule, 'verdict' | 'scope' | 'signature' | 'label' | 'treeId' | 'agent' | 'tainted'> & {
  expiresInSeconds: number | undefined
}

/** The always-allow that an approval becomes. */
export const ruleOf = (shown: Review, offer: Offer, remember: Remember): Fresh => ({
  verdict: 'allow',
  scope: offer.scope,
  signature: offer.signature,
  label: offer.label,
  treeId: offer.scope === 'tool-in-tree' ? shown.treeId : null,
  agent: null,
  tainted: remember.tainted ?? false,
  expiresInSeconds: remember.expiresInSeconds,
})

/** A rule that asks or refuses, as a person wrote it. */
export const narrow = (tx: Tx, rule: NewRule, by: string): Promise<Rule> =>
  addRule(
    tx,
    {
      verdict: rule.verdict,
      scope: rule.scope,
      signature: rule.signature,
      label: `${rule.verdict} the ${rule.scope} ${rule.signature}`,
      treeId: rule.treeId ?? null,
      agent: rule.agent ?? null,
      tainted: false,
      expiresInSeconds: rule.expiresInSeconds,
    },
    by,
  )

export async function addRule(tx: Tx, rule: Fresh, by: string): Promise<Rule> {
  const row: RuleRow = {
    id: randomBytes(5).toString('hex'),
    verdict: rule.verdict,
    scope: rule.scope,
    signature: rule.signature,
    label: rule.label.slice(0, 500),
    tree_id: rule.treeId,
    agent: rule.agent,
    tainted: rule.tainted ? 1 : 0,
    created_by: by,
    created_at: tx.now,
    expires_at: rule.expiresInSeconds === undefined ? null : tx.now + rule.expiresInSeconds * 1_000,
    hits: 0,
    last_hit_at: null,
    revoked_at: null,
  }
  await tx.db.insertInto('rules').values(row).execute()
  const made = toRule(row)
  tx.record(made.treeId, { type: 'rule.added', rule: made })
  return made
}

/** Counts a hit. False when the rule was revoked or ran out in between: then it allows nothing. */
export const hitRule = async (tx: Tx, id: string): Promise<boolean> =>
  id === POLICY_RULE || (await tx.query(countHit, { id, now: tx.now })).length > 0

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
function toRule(row: RuleRow): Rule {
  return {
    id: row.id,
    verdict: row.verdict as Rule['verdict'],
    scope: row.scope as Rule['scope'],
    signature: row.signature,
    label: row.label,
    treeId: row.tree_id,
    agent: row.agent,
    tainted: row.tainted === 1,
    createdBy: row.created_by,
    createdAt: iso(row.created_at)!,
    expiresAt: iso(row.expires_at),
    hits: row.hits,
    lastHitAt: iso(row.last_hit_at),
    revokedAt: iso(row.revoked_at),
  }
}
