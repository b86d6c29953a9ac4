/** The door to the life of tasks: create, claim and work, wait, end, control, decide. All of it survives kill -9. */

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Trial } from '../contract/api-trials.ts'
import { Fault } from '../contract/fault.ts'
import type { Message, StoredMessage } from '../contract/message.ts'
import type { BatchDecision, Decision, ExpiryPolicy, Review, ReviewState, Waiting } from '../contract/review.ts'
import { isWatcher, type Task, type TaskKind } from '../contract/task.ts'
import { prepare } from '../store/prepared.ts'
import type { Store, Tx } from '../store/store.ts'
import { openAsks } from './asks.ts'
import { type ClosingPlan, end } from './closing.ts'
import { type Control, control } from './control.ts'
import { createGoal, knownGoal, type NewGoal } from './create.ts'
import { discard, wakeQuota } from './dead.ts'
import { type Checks, decide } from './decide.ts'
import { openHalt } from './halt.ts'
import { openHolds } from './holds.ts'
import { isNew } from './once.ts'
import { openOutside } from './outside.ts'
import { openPlans } from './plans.ts'
import { type Touched, taintOfFiles } from './provenance.ts'
import { snooze, waitingFor } from './review.ts'
import { type Claim, type TaskRow, toReview, toTask } from './rows.ts'
import { openRules } from './rules.ts'
import { sharedRead } from './shared-read.ts'
import { spendReport } from './spend.ts'
import { type Resolution, resolveStuck } from './stuck.ts'
import { quick, recover, type Swept, thorough } from './sweep.ts'
import { listTrees, type Page, readCursor, type TreeFilter, type TreeView, treesOf } from './trees.ts'
import { type Lease, openTurns } from './turns.ts'
import { openWatched } from './watched.ts'

/** What became of one item of a batch. */
export type BatchAnswer = { id: string } & ({ ok: true; review: Review } | { ok: false; code: string; detail: string })
export type Tasks = ReturnType<typeof openTasks>

const messagesAfter = prepare<{ task_id: string; after: number; limit: number }>()((db, p) =>
  db.selectFrom('messages').selectAll().where('task_id', '=', p.task_id).where('n', '>', p.after).orderBy('n').limit(p.limit),
)
const taskById = prepare<{ id: string }>()((db, p) => db.selectFrom('tasks').selectAll().where('id', '=', p.id))

const trialById = prepare<{ id: string }>()((db, p) =>
  db.selectFrom('versions').select('body').where('kind', '=', sql.lit('trial')).where('name', '=', p.id).where('version', '=', sql.lit(1)),
)

export type TasksOptions = {
  leaseMs?: number
  newId?: () => string
  /** What becomes of what a call asks a person when nobody decides it within `seconds`; without it, it waits for ever. */
  expiry?: { policy: ExpiryPolicy; seconds: number }
  /** What all goals may spend in a day together, in millionths of a dollar; asked each time, null: no limit. */
  dailyMicros?: () => number | null
  /** How long an outside agent may be silent, in milliseconds. */
  outsideLeaseMs?: number
  /** Whose limits count at each provider; asked each time. */
  accounts?: () => ReadonlyMap<string, string>
  /** What an edited call must satisfy before it is approved. */
  checks?: Checks
}

export function openTasks(store: Store, options: TasksOptions = {}) {
  const newId =
    options.newId ??
    (() =>
      BigInt(`0x${randomBytes(6).toString('hex')}`)
        .toString(36)
        .padStart(10, '0'))
  const { expiry } = options
  const outsideLease = options.outsideLeaseMs === undefined ? {} : { leaseMs: options.outsideLeaseMs }
  const outside = openOutside(store, outsideLease)
  const turns = openTurns(store, {
    outsideLeaseMs: outside.leaseMs,
    ...(options.dailyMicros ? { dailyMicros: options.dailyMicros } : {}),
    ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    ...(expiry === undefined ? {} : { reviewSeconds: expiry.seconds }),
  })
  const holds = openHolds(store, options.accounts)
  const cutListeners = new Set<(taskId: string) => void>()
  const cutAll = (ids: readonly string[]) => {
    for (const id of ids) for (const listener of cutListeners) listener(id)
  }

  return {
    turns,
    outside,
    rules: openRules(store),
    /** What a task is marked with that has read these files of its tree. */
    taintOfFiles: (treeId: string, touched: Touched, underWay: readonly { taskId: string; folder: string }[]) =>
      taintOfFiles(store, treeId, touched, underWay),
    watched: openWatched(store),
    asks: openAsks(store),
    plans: openPlans(store),
    halt: openHalt(store),
    /** Providers that take no calls because of their limits. */
    holds,
    /** Of the last seven days. Every open page asks each second in which something happens, and 100,000 calls take a tenth of a second to add up. */
    spend: sharedRead(() => spendReport(store, options.dailyMicros?.() ?? null, Date.now())),

    /** Acknowledged only when it is on stable storage. `created` is false when this idempotency key made the tree before. */
    async createGoal(goal: NewGoal & { prepare?: (treeId: string) => Promise<void> }): Promise<{ treeId: string; created: boolean }> {
      const known = await knownGoal(store.db, goal)
      if (known !== null) return { treeId: known, created: false }
      const id = newId()
      await goal.prepare?.(id) // files first: the task may be claimed the moment it is committed
      return store.transact((tx) => createGoal(tx, id, goal), { durable: true })
    },

    /** Records what end_task claimed; `plan` says who looks at it. */
    end: (lease: Lease, callId: string, claim: Claim, plan: ClosingPlan): Promise<{ ok: true } | { ok: false; problem: string }> =>
      store.transact(async (tx) => end(tx, await turns.openLeased(tx, lease), callId, claim, plan)),

    /** `key`: under the same one the same act of the same person is done once, and answers how the task stands. */
    async control(id: string, ask: Control, key?: string): Promise<Task> {
      const act = async (tx: Tx) => ((await isNew(tx, ask.by, key, ['control', id, ask])) ? control(tx, id, ask) : [])
      cutAll(await store.transact(act, { durable: true }))
      return this.task(id)
    },
    /**
     * `key`: under the same one the same decision is taken once, and answers the decided item. `person`: it is known that a person decides, who
     * is logged in; some items nobody else may decide.
     */
    async decide(id: string, decision: Decision, by: string, key?: string, { person = false }: { person?: boolean } = {}): Promise<Review> {
      const checks = { edit: () => null, ...options.checks, person }
      const act = async (tx: Tx) => ((await isNew(tx, by, key, ['decide', id, decision])) ? decide(tx, id, decision, by, checks) : null)
      const done = await store.transact(act, { durable: true })
      if (done === null) return this.review(id)
      cutAll(done.cut)
      return done.review
    },
    /** One word for many items; each is decided or refused by itself. */
    decideBatch(batch: BatchDecision, by: string, how: { person?: boolean } = {}): Promise<BatchAnswer[]> {
      const { decision, comment, actionHashes = {} } = batch
      return Promise.all(
        [...new Set(batch.ids)].map(async (id): Promise<BatchAnswer> => {
          const actionHash = actionHashes[id]
          try {
            const word = { decision, ...(comment === undefined ? {} : { comment }), ...(actionHash === undefined ? {} : { actionHash }) }
            return { id, ok: true, review: await this.decide(id, word, by, undefined, how) }
          } catch (error) {
            if (error instanceof Fault) return { id, ok: false, code: error.code, detail: error.message }
            throw error
          }
        }),
      )
    },
    /** What a supervisor decided of its charge, and the answer to its call, in one commit. */
    async resolveStuck(lease: Lease, callId: string, taskId: string, how: Resolution): Promise<void> {
      let cut: string[] = []
      await turns.act(lease, callId, async (tx) => {
        const { id, agent, parentId } = lease.task
        const done = await resolveStuck(tx, { id, agent, parentId }, taskId, how)
        cut = done.cut
        return done.said
      })
      cutAll(cut)
    },
    /** Puts a stuck task away; see `dead.ts`. */
    async discard(id: string, by: string): Promise<Task> {
      cutAll(await store.transact((tx) => discard(tx, id, by), { durable: true }))
      return this.task(id)
    },
    /** Tasks that wait for this provider ask it again now. Answers how many. */
    wakeQuota: (provider: string): Promise<number> => wakeQuota(store, provider),
    /** Puts an item off; it comes back by itself. */
    snooze: (id: string, until: number | null): Promise<Review> => store.transact((tx) => snooze(tx, id, until), { durable: true }),
    /** Called with each task whose turn under way must be cut off at once. */
    onCut(listener: (taskId: string) => void): () => void {
      cutListeners.add(listener)
      return () => cutListeners.delete(listener)
    },

    async sweep(kind: 'quick' | 'thorough', now: number): Promise<Swept> {
      const swept = kind === 'quick' ? await quick(store, now, expiry?.policy) : await thorough(store, now)
      if (kind === 'quick') swept.moved += (await outside.sweep(now)) + (await holds.sweep(now))
      cutAll(swept.cut)
      return swept
    },
    recover: (): Promise<number> => recover(store),

    async task(id: string): Promise<Task> {
      const [row] = await store.read(taskById, { id })
      if (!row) throw new Fault('not_found', `There is no task ${id}.`)
      return toTask(row as TaskRow)
    },
    async tree(id: string): Promise<TreeView & { tasks: Task[] }> {
      const [head] = await treesOf(store, [id])
      if (!head) throw new Fault('not_found', `There is no tree ${id}.`)
      const rows = await store.db.selectFrom('tasks').selectAll().where('tree_id', '=', id).orderBy('created_at').orderBy('id').execute()
      return { ...head, tasks: rows.map((row) => toTask(row as TaskRow)) }
    },
    /** Newest first. */
    trees: (query: TreeFilter & { cursor?: string | undefined; limit: number }): Promise<Page<TreeView>> => listTrees(store, query),
    /** A task's history from message `after` on. */
    async messages(taskId: string, after = 0, limit = 1_000): Promise<StoredMessage[]> {
      const rows = await store.read(messagesAfter, { task_id: taskId, after, limit })
      return rows.map((row) => ({ ...(JSON.parse(row.body) as Message), n: row.n, at: new Date(row.at).toISOString() }))
    },
    /** The end of a task's history. */
    async newestMessages(taskId: string, count: number): Promise<StoredMessage[]> {
      const rows = await store.db
        .selectFrom('messages')
        .selectAll()
        .where('task_id', '=', taskId)
        .orderBy('n', 'desc')
        .limit(count)
        .execute()
      return rows.reverse().map((row) => ({ ...(JSON.parse(row.body) as Message), n: row.n, at: new Date(row.at).toISOString() }))
    },
    async prompt(hash: string): Promise<string | null> {
      return (await store.db.selectFrom('prompts').select('body').where('hash', '=', hash).executeTakeFirst())?.body ?? null
    },
    /** Oldest first: who has waited longest is asked about first. With `order: decided` only what was decided, the last decision first. */
    async reviews(query: {
      state: ReviewState | 'all'
      treeId?: string | undefined
      signature?: string | undefined
      order?: 'asked' | 'decided' | undefined
      cursor?: string | undefined
      limit: number
    }): Promise<Page<Review & { waiting: Waiting[] }>> {
      const byDecision = query.order === 'decided'
      const time = byDecision ? 'decided_at' : 'created_at'
      const way = byDecision ? 'desc' : 'asc'
      let ask = store.db
        .selectFrom('reviews')
        .selectAll()
        .orderBy(time, way)
        .orderBy('id', way)
        .limit(query.limit + 1)
      if (byDecision) ask = ask.where('decided_at', 'is not', null)
      if (query.signature !== undefined) ask = ask.where('signature', '=', query.signature)
      // Written out, so that the partial index of what is open is used.
      if (query.state !== 'all') ask = ask.where('state', '=', sql.lit(query.state))
      if (query.treeId) ask = ask.where('tree_id', '=', query.treeId)
      if (query.cursor) {
        const [at, id] = readCursor(query.cursor)
        const further = byDecision ? '<' : '>'
        ask = ask.where((e) => e.or([e(time, further, at), e.and([e(time, '=', at), e('id', further, id)])]))
      }
      const rows = await ask.execute()
      const last = rows[query.limit - 1]
      return {
        items: await waitingFor(store.db, rows.slice(0, query.limit).map(toReview)),
        nextCursor: rows.length > query.limit && last ? `${last[time]}.${last.id}` : null,
      }
    },
    async review(id: string): Promise<Review & { waiting: Waiting[] }> {
      const row = await store.db.selectFrom('reviews').selectAll().where('id', '=', id).executeTakeFirst()
      if (!row) throw new Fault('not_found', `There is no review item ${id}.`)
      return (await waitingFor(store.db, [toReview(row)]))[0]!
    },
    /** Direct children, oldest first. */
    async children(id: string): Promise<Task[]> {
      const rows = await store.db.selectFrom('tasks').selectAll().where('parent_id', '=', id).orderBy('created_at').orderBy('id').execute()
      return rows.map((row) => toTask(row as TaskRow))
    },
    /** True for the root, and for a task that was handed the whole goal. */
    async isGoal(id: string): Promise<boolean> {
      for (let task = await store.db.selectFrom('tasks').select(['parent_id']).where('id', '=', id).executeTakeFirst(); task?.parent_id; ) {
        const parent = await store.db
          .selectFrom('tasks')
          .select(['parent_id', 'handover'])
          .where('id', '=', task.parent_id)
          .executeTakeFirst()
        if (parent?.handover !== 1) return false
        task = parent
      }
      return true
    },
    /** Tokens that a goal has spent, and those of them that went into watching it. */
    async watching(treeId: string): Promise<{ watchers: number; all: number }> {
      const rows = await store.db
        .selectFrom('tasks')
        .select(['kind', (e) => e.fn.sum<number>('tokens').as('tokens')])
        .where('tree_id', '=', treeId)
        .groupBy('kind')
        .execute()
      const sum = (some: typeof rows) => some.reduce((all, { tokens }) => all + Number(tokens), 0)
      return { watchers: sum(rows.filter(({ kind }) => isWatcher(kind as TaskKind))), all: sum(rows) }
    },
    /** What people said to a task after it began, oldest first: steering, answers, comments on their decisions. */
    async said(id: string): Promise<string[]> {
      const messages = await store.db
        .selectFrom('messages')
        .select('body')
        .where('task_id', '=', id)
        .where('role', '=', 'user')
        .where('n', '>', 1)
        .orderBy('n')
        .execute()
      const spoken = messages.map(({ body }) => JSON.parse(body) as Extract<Message, { role: 'user' }>).filter((m) => m.from === 'person')
      const decided = await store.db
        .selectFrom('reviews')
        .select(['title', 'decision', 'comment'])
        .where('task_id', '=', id)
        .where('comment', 'is not', null)
        .where('decided_by', '<>', 'system')
        .orderBy('decided_at')
        .execute()
      return [...spoken.map((m) => m.text), ...decided.map((r) => `${r.title} → ${r.decision}: ${r.comment}`)]
    },
    /** What people wrote in a tree, and nothing that a model put beside it: the goal, what they said to its tasks, comments on decisions. */
    async wordsOfPeople(treeId: string): Promise<string[]> {
      const goal = await store.db.selectFrom('trees').select('goal').where('id', '=', treeId).executeTakeFirst()
      const messages = await store.db
        .selectFrom('messages')
        .innerJoin('tasks', 'tasks.id', 'messages.task_id')
        .select('messages.body')
        .where('tasks.tree_id', '=', treeId)
        .where('messages.role', '=', 'user')
        .where('messages.n', '>', 1)
        .execute()
      const spoken = messages.map(({ body }) => JSON.parse(body) as Extract<Message, { role: 'user' }>).filter((m) => m.from === 'person')
      const decided = await store.db
        .selectFrom('reviews')
        .select('comment')
        .where('tree_id', '=', treeId)
        .where('comment', 'is not', null)
        .where('decided_by', '<>', 'system')
        .execute()
      return [...(goal ? [goal.goal] : []), ...spoken.map((m) => m.text), ...decided.map((one) => one.comment ?? '')]
    },
    /** What a person was shown when they allowed this call, and who that was; null where nobody did. */
    async approval(callId: string): Promise<{ action: unknown; edited: boolean; by: string } | null> {
      const row = await store.db
        .selectFrom('reviews')
        .select(['action', 'edit', 'decided_by'])
        .where('call_id', '=', callId)
        .where('kind', '=', 'permission')
        .where('decision', '=', 'approve')
        .orderBy('decided_at', 'desc')
        .executeTakeFirst()
      return row ? { action: JSON.parse(row.action), edited: row.edit !== null, by: row.decided_by ?? '' } : null
    },
    /** Inputs and answers of the ended calls of a task and of all below it, oldest first; at most 2,000. Ids tell lineage, so one range finds them. */
    async toolAnswers(id: string): Promise<{ tool: string; input: unknown; text: string }[]> {
      const below = store.db
        .selectFrom('tasks')
        .select('id')
        .where((e) => e.or([e('id', '=', id), e.and([e('id', '>', `${id}.`), e('id', '<', `${id}/`)])]))
      const calls = await store.db
        .selectFrom('calls')
        .select(['id', 'tool', 'input', 'task_id'])
        .where('task_id', 'in', below)
        .where('state', '=', sql.lit('ended'))
        .orderBy('begun_at')
        .limit(2_000)
        .execute()
      const answers = new Map<string, string>()
      const rows = await store.db
        .selectFrom('messages')
        .select('body')
        .where('task_id', 'in', [...new Set(calls.map((c) => c.task_id))])
        .where('role', '=', 'tool')
        .execute()
      for (const { body } of rows) {
        const message = JSON.parse(body) as Extract<Message, { role: 'tool' }>
        answers.set(message.callId, message.text)
      }
      return calls.map((call) => ({ tool: call.tool, input: JSON.parse(call.input), text: answers.get(call.id) ?? '' }))
    },
    /** The draft of a test run. */
    async trial(id: string): Promise<Trial | null> {
      const [row] = await store.read(trialById, { id })
      return row ? (JSON.parse(row.body) as Trial) : null
    },
    /** How many tasks are in each status, over all trees. */
    async counts(): Promise<Record<string, number>> {
      const rows = await store.db
        .selectFrom('tasks')
        .select(['status', (e) => e.fn.countAll<number>().as('count')])
        .groupBy('status')
        .execute()
      return Object.fromEntries(rows.map((row) => [row.status, Number(row.count)]))
    },
  }
}
