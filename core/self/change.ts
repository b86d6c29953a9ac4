/**
 * The door to changes of the system's own code: an agent proposes, the gates judge, a person decides, the main branch moves, the keeper starts
 * it and keeps it or goes back. Every step is a row before it is done, and doing one again finds it done, so a kill between any two lines
 * costs a repetition and nothing else. The steps themselves are in `steps.ts`.
 */
import { createHash } from 'node:crypto'
import type { KeeperFact, SelfState } from '../contract/api-changes.ts'
import type { Autonomy, Change, ChangeKind, ChangeState, Gate } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import type { Store, Tx } from '../store/store.ts'
import type { Gates } from './gates.ts'
import type { KeeperEvent, KeeperHome } from './keeper-home.ts'
import { openRemote } from './remote.ts'
import type { Source } from './repository.ts'
import { type ChangeRow, changeOf, EMPTY, gatesOf, openChangeRows, recordMove, storyOf, toChange, toGate } from './rows.ts'
import { openSteps } from './steps.ts'
import { type Person, setViews, viewsOf } from './views.ts'

export type SelfParts = {
  store: Store
  source: Source
  /** The gates, once it is known whether there are walls for them; or why code cannot be changed here. */
  gates(): Promise<{ gates: Gates } | { why: string }>
  keeper: KeeperHome
  /** Where the gates keep built pages, by tree. */
  pages: string
  /** True while a keeper watches this process. */
  isKept(): boolean
  /** How long the keeper watches a new revision. */
  watchSeconds: number
  autonomy(): Promise<Autonomy>
  saveAutonomy(autonomy: Autonomy, by: string): Promise<void>
  /** Ends this process so that it is started again. */
  restart(): void
  redact(text: string): string
  onError(error: unknown): void
  failPoint?: ((name: string) => void) | undefined
}
/** What an author hands in. */
export type Proposal = { kind: Exclude<ChangeKind, 'rollback'>; title: string; why: string; evidence: string; effect: string }
export type Author = { agent: string; treeId: string; taskId: string; callId: string; tainted: boolean }
/** A remote of the checkout and a branch there; origin and the name of the main branch where nothing is said. */
type Where = { remote?: string | undefined; branch?: string | undefined }
export type Changes = ReturnType<typeof openChanges>

const LOOK_AGAIN_MS = 5_000
/** One goal cannot fill the queue. */
const MOST_OPEN = 20

export const changeIdOf = (callId: string): string => `ch_${createHash('sha256').update(callId).digest('hex').slice(0, 12)}`

export function openChanges(parts: SelfParts) {
  const { store, source } = parts
  const fail = parts.failPoint ?? (() => undefined)
  const steps = openSteps(parts, fail)
  const ending = new AbortController()
  let running: Promise<void> | undefined
  let again = false
  let onlyBack = false
  let timer: NodeJS.Timeout | undefined
  let forget: (() => void) | undefined

  /** Takes each open change as far as it goes; one at a time, because the gates need the whole machine and main moves once a time. */
  function wake(): void {
    if (timer === undefined || ending.signal.aborted) return
    again = true
    running ??= (async () => {
      while (again && !ending.signal.aborted) {
        again = false
        if (await alone(() => steps.advance(ending.signal, onlyBack))) again = true
      }
    })()
      .catch((error: unknown) => {
        if (!ending.signal.aborted) parts.onError(error)
      })
      .finally(() => {
        running = undefined
        if (again) wake()
      })
  }

  /** Work that needs the machine for itself, in the order in which it was asked for. */
  let last: Promise<unknown> = Promise.resolve()
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work, work)
    last = mine.catch(() => undefined) // whoever asked is told
    return mine
  }

  /** What is being started or watched; without a keeper what is merged runs from the next start on, whenever that is. */
  async function landing(): Promise<SelfState['landing']> {
    if (!parts.isKept()) return null
    const found = await store.db
      .selectFrom('changes')
      .select(['id', 'title', 'state'])
      .where('state', 'in', ['merged', 'restarting', 'watching'])
      .orderBy('updated_at', 'desc')
      .executeTakeFirst()
    return (found as SelfState['landing'] | undefined) ?? null
  }

  const remote = openRemote({ git: source.git, dir: source.dir, source })
  async function synced<T extends { remote: string; branch: string; to: string; commits: number }>(
    how: 'pull' | 'push',
    { remote = 'origin', branch }: Where,
    by: string,
    act: (where: { remote: string; branch?: string | undefined }) => Promise<T>,
  ): Promise<T> {
    const landing = (await openChangeRows(store.db)).find((one) => ['merged', 'restarting', 'watching'].includes(one.state))
    if (how === 'pull' && landing)
      throw new Fault(
        'conflict',
        `Change ${landing.id} is ${landing.state}; pull when it is kept or undone: banyan change show ${landing.id}`,
      )
    const done = await act({ remote, branch })
    if (done.commits > 0)
      await store.transact(async (tx) => {
        const { remote, branch, to, commits } = done
        tx.record(null, { type: 'source.synced', how, remote, branch, to, commits, by })
      })
    wake()
    return done
  }

  const row = async (id: string): Promise<ChangeRow> => {
    const found = await changeOf(store.db, id)
    if (!found) throw new Fault('not_found', `There is no change ${JSON.stringify(id)}.`)
    return found
  }

  return {
    wake,
    /** Takes up what was under way, and from then on whatever comes. `onlyBack`: nothing new is judged, landed changes can be taken back. */
    start(how: { onlyBack: boolean } = { onlyBack: false }): void {
      onlyBack = how.onlyBack
      // Before anything is handed over: what is ready for the keeper is in no slot yet.
      if (timer === undefined && parts.isKept() && !onlyBack) alone(() => parts.keeper.sweep(Date.now())).catch(parts.onError)
      timer ??= setInterval(wake, LOOK_AGAIN_MS).unref()
      forget ??= store.onCommit((events) => {
        if (
          events.some((event) => event.type === 'change.moved' || (event.type === 'review.decided' && event.review.kind === 'self_change'))
        )
          wake()
      })
      wake()
    },
    async stop(): Promise<void> {
      ending.abort(new Fault('unavailable', 'The system is stopping.'))
      clearInterval(timer)
      forget?.()
      await running
      await source.stop()
    },
    async state(): Promise<SelfState> {
      const found = await parts.gates()
      const why = 'why' in found ? found.why : null
      return {
        on: why === null,
        why,
        nested: 'gates' in found ? found.gates.nested : null,
        autonomy: await parts.autonomy(),
        keeper: parts.isKept(),
        landing: await landing(),
      }
    },
    slots: () => parts.keeper.slots(),
    /** The owner's word on what needs no person. */
    saveAutonomy: (autonomy: Autonomy, by: string): Promise<void> => parts.saveAutonomy(autonomy, by),
    /** Refuses, in a sentence, where code cannot be changed. */
    async mustBeOn(): Promise<Gates> {
      const found = await parts.gates()
      if ('why' in found) throw new Fault('unavailable', found.why)
      return found.gates
    },

    /** The gates on a commit that is not proposed. One such run at a time, and none while a change is judged. */
    async tryGates(
      gates: Gates,
      work: { dir: string; commit: string; callId: string; tainted: boolean },
      how: { quick: boolean; signal: AbortSignal },
    ) {
      const id = `try-${changeIdOf(work.callId)}`
      const base = await source.tip()
      await source.take(work.dir, work.commit, id)
      const made = await source.candidate(base, work.commit, { message: 'try', at: 0, author: 'Banyan' })
      if (made.conflicts)
        throw new Fault(
          'conflict',
          `The main branch has moved on and both changed ${made.conflicts.slice(0, 5).join(', ')}: merge "main" into your branch with git_operations first.`,
        )
      if (made.tree === (await source.treeOf(base)))
        throw new Fault('unprocessable', 'Your work tree changes nothing yet; edit its files first.')
      const candidate = { base, commit: made.commit, tree: made.tree, kind: 'feature' as const, tainted: work.tainted }
      const { level, gates: told } = await alone(() => gates.run(candidate, { ...how, tell: async () => undefined }))
      return { level: level.level, reasons: level.reasons, gates: told }
    },
    restart: () => parts.restart(),

    /** Hands a commit in; the call then waits until it is kept, undone or refused. The same call again finds what it made. */
    async propose(
      author: Author,
      proposal: Proposal,
      work: { dir: string; commit: string },
      wait: (tx: Tx, id: string) => Promise<void>,
    ): Promise<string> {
      const id = changeIdOf(author.callId)
      const known = await changeOf(store.db, id)
      if (!known) {
        const open = await openChangeRows(store.db)
        if (open.filter((one) => one.tree_id === author.treeId).length >= MOST_OPEN)
          throw new Fault('limited', `This goal has ${MOST_OPEN} changes under way; wait for some of them.`)
        const twin = open.find((one) => one.submitted === work.commit)
        if (twin) throw new Fault('conflict', `Exactly this is proposed already, as ${twin.id}.`)
        await source.take(work.dir, work.commit, id)
        fail('change.after-take')
      }
      await store.transact(
        async (tx) => {
          if (!known) {
            const made: ChangeRow = {
              id,
              kind: proposal.kind,
              state: 'proposed',
              title: parts.redact(proposal.title),
              why: parts.redact(proposal.why),
              evidence: parts.redact(proposal.evidence),
              effect: parts.redact(proposal.effect),
              author: author.agent,
              tree_id: author.treeId,
              task_id: author.taskId,
              call_id: author.callId,
              tainted: author.tainted ? 1 : 0,
              submitted: work.commit,
              ...EMPTY,
              created_at: tx.now,
              updated_at: tx.now,
            }
            const [row] = await tx.db
              .insertInto('changes')
              .values(made)
              .onConflict((c) => c.column('id').doNothing())
              .returningAll()
              .execute()
            if (row) await recordMove(tx, row, null)
          }
          await wait(tx, id)
        },
        { durable: true },
      )
      fail('change.after-proposed')
      wake()
      return id
    },

    async list(query: {
      cursor?: string | undefined
      limit: number
      treeId?: string | undefined
      state?: 'open' | 'all' | undefined
    }): Promise<{ items: Change[]; nextCursor: string | null }> {
      let ask = store.db
        .selectFrom('changes')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(query.limit + 1)
      if (query.treeId !== undefined) ask = ask.where('tree_id', '=', query.treeId)
      if (query.state === 'open') ask = ask.where('state', 'not in', ['kept', 'undone', 'refused'])
      if (query.cursor !== undefined) {
        const dot = query.cursor.indexOf('.')
        const [at, id] = [Number(query.cursor.slice(0, dot)), query.cursor.slice(dot + 1)]
        if (dot < 1 || !Number.isSafeInteger(at)) throw new Fault('invalid', 'The cursor is not one that a list gave; start without it.')
        ask = ask.where((e) => e.or([e('created_at', '<', at), e.and([e('created_at', '=', at), e('id', '<', id)])]))
      }
      const rows = await ask.execute()
      const shown = rows.slice(0, query.limit)
      const last = shown.at(-1)
      return { items: shown.map(toChange), nextCursor: rows.length > query.limit && last ? `${last.created_at}.${last.id}` : null }
    },
    async get(id: string): Promise<{
      change: Change
      gates: Gate[]
      story: { at: string; state: ChangeState; note: string | null }[]
      keeper: KeeperFact[]
      watchSeconds: number
    }> {
      const found = await row(id)
      const [gates, story, told] = await Promise.all([
        gatesOf(store.db, id, Number(found.round)),
        storyOf(store.db, id),
        parts.keeper.events(),
      ])
      return {
        change: toChange(found),
        gates: gates.map(toGate),
        story,
        keeper: keeperStory(found, told),
        watchSeconds: parts.watchSeconds,
      }
    },
    /** The change of that id, where the goal has proposed it. */
    async ofGoal(treeId: string, id: string): Promise<Change | null> {
      const found = await changeOf(store.db, id)
      return found?.tree_id === treeId ? toChange(found) : null
    },
    async gateLog(id: string, name: string): Promise<{ name: string; log: string }> {
      const found = await row(id)
      const gate = (await gatesOf(store.db, id, Number(found.round))).find((one) => one.name === name)
      if (!gate) throw new Fault('not_found', `Change ${id} has not gone through a gate ${JSON.stringify(name)}.`)
      return { name, log: gate.log }
    },
    /** Built from the objects that would land; before the gates ran, from what was handed in. */
    async diff(id: string, path?: string): Promise<{ text: string; cut: boolean }> {
      const found = await row(id)
      const [from, to] = found.commit_hash && found.base ? [found.base, found.commit_hash] : [await steps.beganAt(found), found.submitted]
      return source.diff(from, to, path)
    },
    views: (id: string, by: Person) => viewsOf(store, id, by),
    setViews: (id: string, by: Person, marks: Parameters<typeof setViews>[3]) => setViews(store, id, by, marks),
    /** A person takes a change back that has landed. It needs no walls: what it leads to ran before. */
    async rollback(id: string, by: string, why: string | null): Promise<Change> {
      const found = await row(id)
      if (!['merged', 'restarting', 'watching', 'kept'].includes(found.state))
        throw new Fault('conflict', `Change ${id} is ${found.state}, so there is nothing to take back.`)
      const back = await steps.takeBack(found, by, why)
      wake()
      return toChange(back)
    },
    /** A person's word: the main branch comes from, or goes to, a remote of the checkout. Not while a change lands. */
    pull: (where: Where, by: string) => synced('pull', where, by, (to) => remote.pull(to)),
    push: (where: Where, by: string) => synced('push', where, by, (to) => remote.push(to)),
    /** The revision that agents read: what runs, else the newest of main. */
    async running(): Promise<string> {
      const tip = await source.tip()
      const slot = parts.isKept() ? await parts.keeper.running() : null
      return slot !== null && (await source.isAncestor(slot.commit, tip)) ? slot.commit : tip
    },
    source,
    steps,
  }
}

/** From its first start to its end; later starts of a kept revision are no part of its story. */
function keeperStory({ id, keeper_told }: ChangeRow, newest: readonly KeeperEvent[]): KeeperFact[] {
  const before = JSON.parse(keeper_told) as KeeperEvent[]
  const own = [...before, ...newest.filter((event) => event.changeId === id && event.seq > (before.at(-1)?.seq ?? 0))]
  const end = own.findLastIndex(({ type }) => type === 'kept' || type === 'undone' || type === 'refused' || type === 'restored')
  return (end < 0 ? own : own.slice(0, end + 1)).map(({ at, type, slot, reason }) => ({ at, type, slot, reason }))
}
