/**
 * Looks at what tasks did since the last look, and helps those that do not get on: says so to their agent, lets another model go on, hands them to the
 * supervisor, asks a person. What it knows is rows: a look costs what happened since the one before, whatever the history, and a restart loses
 * nothing. Of several engines on one database one looks at a time.
 */
import { randomUUID } from 'node:crypto'
import type { Event } from '../../contract/event.ts'
import type { Message, StoredMessage } from '../../contract/message.ts'
import { isOver, isWatcher } from '../../contract/task.ts'
import type { Finding, Rung, Watch } from '../../contract/watch.ts'
import type { Store, Tx } from '../../store/store.ts'
import { over } from '../../tasks/outcome.ts'
import { endStuckReviews } from '../../tasks/review.ts'
import { limitsOf, openTask, openTree, type TaskRow, toTask } from '../../tasks/rows.ts'
import { askAboutStuck, changeModel, hold, supervise, tellAgent } from '../../tasks/stuck.ts'
import { showWatch } from '../../tasks/watch-mark.ts'
import { type Episode, type Memory, MOST_PATIENCE, newMemory, nextStep } from './ladder.ts'
import { signIn } from './signs.ts'
import { afresh, emptyTrace, observe } from './trace.ts'
import { noteOf, nudge, otherModel, storyOf, stuckItem, supervisorBrief } from './words.ts'

export type WatchdogParts = {
  store: Store
  now(): number
  /** Whether a provider judges; what others repeat, a person or a rule wants repeated. */
  judges(provider: string): boolean
  /** The model that may go on in place of the one that answers for a task; null: there is no other. */
  otherModel(task: { agent: string; model: string | null }): Promise<string | null>
  /** Who judges what a rule cannot; null: nobody does. */
  supervisor(): Promise<{ agent: string; timeoutSeconds: number } | null>
  /** Within this a task that does not get on is found, and is helped or held. Milliseconds. */
  intervalMs(): number
  /** How many times more it takes than usual; null: nobody is watched. */
  patience(): number | null
  onError(error: unknown): void
}
export type Looked = { facts: number; tasks: number }
export type Watchdog = {
  /** One look; false where another engine looks. */
  look(): Promise<Looked | false>
  start(): void
  stop(): Promise<void>
}

/** The row that is no task's: how far the log is read, and by whom. */
const CURSOR = ''
/** Facts that one look reads at a time. */
const BATCH = 2_000
/** Looks within one interval: a task that loops is found early, and has time to turn before it is held. */
const LOOKS = 10
/** A task that no outside agent takes up for so long is told to people. */
const UNCLAIMED_MS = 15 * 60_000
/** Messages that a supervisor reads. */
const HISTORY = 16
const DUE = 200

type Cursor = { seq: number; holder: string; until: number }
const taskIdOf = (event: Event): string | null =>
  'taskId' in event ? event.taskId : 'review' in event && event.review.kind === 'stuck' ? event.review.taskId : null

export function openWatchdog(parts: WatchdogParts): Watchdog {
  const { store } = parts
  const holder = randomUUID()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<unknown> = Promise.resolve()
  let stopped = false
  const every = () => Math.max(1_000, Math.floor(parts.intervalMs() / LOOKS))

  /** The cursor, where it is this engine's turn to look. The first look of all begins with what happens from now on. */
  async function claim(): Promise<Cursor | null> {
    const known = await cursorIn(store.db)
    const now = parts.now()
    if (known && (store.kind === 'sqlite' || (known.holder === holder && known.until > now + every()))) return known
    const newest = known ? known.seq : await store.lastSeq()
    return store.transact(async (tx) => {
      const cursor = (await cursorIn(tx.db)) ?? { seq: newest, holder, until: 0 }
      if (cursor.holder !== holder && cursor.until > tx.now) return null
      const mine = { ...cursor, holder, until: tx.now + every() * 4 }
      await saveCursor(tx, mine)
      return mine
    })
  }
  async function cursorIn(db: Tx['db']): Promise<Cursor | null> {
    const row = await db.selectFrom('watches').select(['seq', 'body']).where('task_id', '=', CURSOR).executeTakeFirst()
    return row ? { ...(JSON.parse(row.body) as Omit<Cursor, 'seq'>), seq: Number(row.seq) } : null
  }
  async function saveCursor(tx: Tx, { seq, ...body }: Cursor): Promise<void> {
    const values = { seq, body: JSON.stringify(body) }
    await tx.db
      .insertInto('watches')
      .values({ task_id: CURSOR, tree_id: CURSOR, due_at: null, ...values })
      .onConflict((c) => c.column('task_id').doUpdateSet(values))
      .execute()
  }

  /** One look after another: two at once would each think that the other has read on. */
  function look(): Promise<Looked | false> {
    const next = looking.then(lookOnce)
    looking = next.catch(() => undefined) // whoever asked is told
    return next
  }
  async function lookOnce(): Promise<Looked | false> {
    const patience = parts.patience()
    let cursor = await claim()
    if (cursor === null) return false
    const looked: Looked = { facts: 0, tasks: 0 }
    for (;;) {
      const events = await store.eventsAfter(cursor.seq, { limit: BATCH })
      if (events.length === 0) break
      looked.facts += events.length
      if (patience !== null) looked.tasks += await readOn(events, patience)
      cursor = { ...cursor, seq: events.at(-1)!.seq }
      const next = cursor
      await store.transact((tx) => saveCursor(tx, next))
      if (events.length < BATCH) break
    }
    if (patience === null) return looked
    const due = await store.db
      .selectFrom('watches')
      .select('task_id')
      .where('due_at', '<=', parts.now())
      .orderBy('due_at')
      .limit(DUE)
      .execute()
    for (const { task_id } of due) await one(task_id, [], patience)
    looked.tasks += due.length
    await lookForUnclaimed()
    return looked
  }

  /** Facts of many tasks: those whose model judges, and those that are watched already. */
  async function readOn(events: readonly Event[], patience: number): Promise<number> {
    const byTask = new Map<string, Event[]>()
    for (const event of events) {
      const id = taskIdOf(event)
      if (id !== null) byTask.set(id, [...(byTask.get(id) ?? []), event])
    }
    const ids = [...byTask.keys()]
    const known = new Set<string>()
    for (let from = 0; from < ids.length; from += 500)
      for (const { task_id } of await store.db
        .selectFrom('watches')
        .select('task_id')
        .where('task_id', 'in', ids.slice(from, from + 500))
        .execute())
        known.add(task_id)
    let count = 0
    for (const [id, own] of byTask) {
      const last = own.findLast((event) => event.type === 'task.moved')
      if (last && isOver(last.to)) {
        if (known.has(id)) await forget(id)
        continue
      }
      if (!known.has(id) && !own.some((event) => event.type === 'model.called' && parts.judges(event.provider))) continue
      await one(id, own, patience)
      count += 1
    }
    return count
  }
  const forget = (id: string) => store.transact((tx) => tx.db.deleteFrom('watches').where('task_id', '=', id).execute())

  /** Reads what a task did, and takes the next step where it needs one: all in one transaction with what is remembered of it. */
  async function one(id: string, events: readonly Event[], patience: number): Promise<void> {
    const row = await store.db
      .selectFrom('watches')
      .innerJoin('tasks', 'tasks.id', 'watches.task_id')
      .innerJoin('trees', 'trees.id', 'watches.tree_id')
      .select(['watches.body', 'tasks.agent', 'tasks.model', 'trees.model as goalModel'])
      .where('watches.task_id', '=', id)
      .executeTakeFirst()
    const troubled = row && ((body) => body.episode !== null || body.past !== null)(JSON.parse(row.body) as Memory)
    // Asked only where it may be needed, and never inside the transaction.
    const model = troubled ? await parts.otherModel({ agent: row.agent, model: row.model ?? row.goalModel }) : null
    const supervisor = troubled ? await parts.supervisor() : null
    await store.transact(async (tx) => {
      const task = await openTask(tx, id)
      const there = await tx.db.selectFrom('watches').selectAll().where('task_id', '=', id).executeTakeFirst()
      if (isOver(task.status)) {
        if (there) await tx.db.deleteFrom('watches').where('task_id', '=', id).execute()
        return
      }
      const memory = await folded(tx, there ? (JSON.parse(there.body) as Memory) : newMemory(emptyTrace), id, events, there?.seq ?? 0)
      const due = await step(tx, task, memory, { model, supervisor, patience })
      const seq = Math.max(Number(there?.seq ?? 0), events.at(-1)?.seq ?? 0)
      const values = { body: JSON.stringify(memory), seq, due_at: due }
      await tx.db
        .insertInto('watches')
        .values({ task_id: id, tree_id: task.tree_id, ...values })
        .onConflict((c) => c.column('task_id').doUpdateSet(values))
        .execute()
    })
  }

  async function folded(tx: Tx, memory: Memory, id: string, events: readonly Event[], after: number): Promise<Memory> {
    const fresh = events.filter((event) => event.seq > after)
    const numbers = fresh.flatMap((event) => (event.type === 'message.added' ? [event.n] : []))
    const rows = numbers.length
      ? await tx.db
          .selectFrom('messages')
          .select(['n', 'body'])
          .where('task_id', '=', id)
          .where('n', '>=', Math.min(...numbers))
          .where('n', '<=', Math.max(...numbers))
          .execute()
      : []
    const messages = new Map(rows.map((row) => [row.n, JSON.parse(row.body) as Message]))
    for (const event of fresh) {
      memory.trace = observe(memory.trace, event, event.type === 'message.added' ? messages.get(event.n) : undefined, parts.judges)
      if (event.type === 'review.decided' && event.review.decision !== 'reject')
        memory.patience = Math.min(MOST_PATIENCE, memory.patience * 2)
    }
    return memory
  }

  type With = { model: string | null; supervisor: { agent: string; timeoutSeconds: number } | null; patience: number }

  /** Changes `memory`. Returns when to look again whatever happens. */
  async function step(tx: Tx, task: TaskRow, memory: Memory, { model, supervisor, patience }: With): Promise<number | null> {
    const tree = await openTree(tx, task.tree_id)
    if (tree.watched === 0) {
      if (task.watch !== null) await showWatch(tx, task, null, 'the watchdog was switched off for this goal', 'watchdog')
      memory.episode = null
      return null
    }
    const { episode } = memory
    if (episode !== null && task.watch === null) {
      // A person or the supervisor let it go on.
      memory.past = pastOf(episode, memory)
      memory.episode = null
      memory.trace = afresh(memory.trace)
    }
    if (memory.episode?.rung === 'supervised') return judged(tx, task, memory, memory.episode)
    if (task.reason === 'closing' && (memory.episode?.rung === 'nudged' || memory.episode?.rung === 'model')) {
      await showWatch(tx, task, null, 'It ended its work.', 'watchdog')
      memory.past = pastOf(memory.episode, memory)
      memory.episode = null
    }
    const canAct = task.status === 'pending' || task.status === 'assigned' || task.status === 'active'
    const limits = limitsOf(tree)
    const sign = canAct
      ? signIn({
          trace: memory.trace,
          now: tx.now,
          limits,
          createdAt: task.created_at,
          deadlineAt: task.deadline_at,
          patience: patience * memory.patience * tree.watched,
        })
      : null
    const reminder = task.deadline_at === null || memory.reminded ? null : task.created_at + (task.deadline_at - task.created_at) * 0.85
    const again = reminder === null ? null : Math.max(reminder, tx.now + every())
    if (!canAct || (task.wish !== null && task.wish !== 'step')) return again
    const means = { model: model !== null, supervisor: supervisor !== null && task.kind === 'work' }
    const next = nextStep(memory, sign, tx.now, parts.intervalMs(), means)
    switch (next.do) {
      case 'nothing':
        return again
      case 'remind':
        memory.reminded = true
        await tellAgent(tx, task, nudge(next.finding))
        tx.record(task.tree_id, {
          type: 'task.watched',
          taskId: task.id,
          watch: null,
          words: storyOf(next.finding, 'nudged', null),
          by: 'watchdog',
        })
        return null
      case 'resolved':
        await showWatch(tx, task, null, 'It gets on again.', 'watchdog')
        memory.past = pastOf(memory.episode!, memory)
        memory.episode = null
        return again
      case 'climb':
        // Who judges others is watched by rule alone: told once, then ended; what it was asked for goes on without it.
        if (isWatcher(task.kind) && next.to !== 'nudged') return endWatcher(tx, task, next.finding)
        return climb(tx, task, memory, next.finding, next.to, { model, supervisor, patience })
    }
  }

  async function climb(tx: Tx, task: TaskRow, memory: Memory, finding: Finding, to: Rung, all: With): Promise<number | null> {
    const before = memory.episode
    const rungs = before?.tried ?? memory.past?.tried ?? []
    const tried = triedWords(rungs)
    const episode: Episode = {
      finding,
      seenAt: before?.seenAt ?? tx.now,
      rung: to,
      rungAt: tx.now,
      tried: [...rungs.filter((rung) => rung !== to), to],
      turns: memory.trace.turns + (task.status === 'pending' ? 0 : 1),
      lastStep: memory.trace.pending?.n ?? memory.trace.steps.at(-1)?.n ?? 0,
      supervisor: null,
    }
    memory.episode = episode
    if (to === 'nudged') await tellAgent(tx, task, nudge(finding))
    else if (to === 'model') {
      await changeModel(tx, task, all.model!)
      await tellAgent(tx, task, otherModel(finding))
    } else if (to === 'supervised') {
      const { agent, timeoutSeconds } = all.supervisor!
      const instruction = supervisorBrief(toTask(task), finding, tried, await newest(tx, task))
      episode.supervisor = await supervise(tx, task, { agent, instruction, deadlineAt: tx.now + timeoutSeconds * 1_000 })
      if (episode.supervisor === null)
        return park(tx, task, memory, episode, tried, 'The supervisor was not asked again: it has looked at this goal as often as it may.')
      await show(tx, task, episode, null)
      await hold(tx, task, noteOf(finding, to))
      return tx.now + every()
    } else return park(tx, task, memory, episode, tried, null)
    await show(tx, task, episode, all.model)
    return null
  }

  async function endWatcher(tx: Tx, task: TaskRow, finding: Finding): Promise<null> {
    task.lease_token += 1 // its turn under way writes nothing any more
    await over(tx, task, 'failed', { reason: 'limit', note: `it did not get on: ${finding.words}` })
    return null
  }

  /** The supervisor has ended its task without resolving its charge: a person is asked, with its words. */
  async function judged(tx: Tx, task: TaskRow, memory: Memory, episode: Episode): Promise<number | null> {
    const child =
      episode.supervisor === null
        ? undefined
        : await tx.db.selectFrom('tasks').select(['status', 'result', 'note']).where('id', '=', episode.supervisor).executeTakeFirst()
    if (child && !isOver(child.status as TaskRow['status'])) return tx.now + every()
    const said = child?.result ?? child?.note ?? 'It left no word.'
    return park(tx, task, memory, { ...episode, rung: 'parked', rungAt: tx.now }, triedWords(episode.tried), said)
  }

  async function park(tx: Tx, task: TaskRow, memory: Memory, episode: Episode, tried: string[], supervisor: string | null): Promise<null> {
    memory.episode = { ...episode, rung: 'parked' }
    await show(tx, task, memory.episode, null)
    await hold(tx, task, noteOf(episode.finding, 'parked'))
    await askAboutStuck(tx, task, stuckItem(task, episode.finding, tried, supervisor))
    return null
  }

  const show = (tx: Tx, task: TaskRow, { finding, rung, rungAt }: Episode, model: string | null): Promise<void> => {
    const watch: Watch = { ...finding, rung, at: new Date(rungAt).toISOString() }
    return showWatch(tx, task, watch, storyOf(finding, rung, model), 'watchdog')
  }

  async function newest(tx: Tx, task: TaskRow): Promise<StoredMessage[]> {
    const rows = await tx.db.selectFrom('messages').selectAll().where('task_id', '=', task.id).orderBy('n', 'desc').limit(HISTORY).execute()
    return rows.reverse().map((row) => ({ ...(JSON.parse(row.body) as Message), n: row.n, at: new Date(row.at).toISOString() }))
  }

  /** Tasks that wait for outside agents, and none takes them up: people are told once, and nothing is held. */
  async function lookForUnclaimed(): Promise<void> {
    const claimed = await store.db
      .selectFrom('outside_tasks')
      .innerJoin('tasks', 'tasks.id', 'outside_tasks.task_id')
      .select('tasks.id')
      .where('outside_tasks.agent', 'is not', null)
      .where('tasks.status', '=', 'waiting')
      .where('tasks.watch', 'is not', null)
      .limit(DUE)
      .execute()
    for (const { id } of claimed)
      await store.transact(async (tx) => {
        const task = await openTask(tx, id)
        if (task.watch === null || (JSON.parse(task.watch) as Watch).sign !== 'unclaimed') return
        await endStuckReviews(tx, id, 'an outside agent took it up')
        await showWatch(tx, task, null, 'An outside agent took it up.', 'watchdog')
      })
    const found = await store.db
      .selectFrom('outside_tasks')
      .innerJoin('tasks', 'tasks.id', 'outside_tasks.task_id')
      .innerJoin('trees', 'trees.id', 'tasks.tree_id')
      .select(['tasks.id', 'outside_tasks.capability'])
      .where('outside_tasks.agent', 'is', null)
      .where('tasks.status', '=', 'waiting')
      .where('tasks.reason', '=', 'external')
      .where('tasks.watch', 'is', null)
      .where('trees.watched', '>', 0)
      .where('tasks.updated_at', '<=', parts.now() - UNCLAIMED_MS)
      .limit(DUE)
      .execute()
    for (const { id, capability } of found)
      await store.transact(async (tx) => {
        const task = await openTask(tx, id)
        if (task.status !== 'waiting' || task.reason !== 'external' || task.watch !== null) return
        const who = capability === '' ? 'outside agent' : `outside agent that can do ${capability}`
        const words = `No ${who} has taken it up for ${Math.round((tx.now - task.updated_at) / 60_000)} minutes.`
        const finding: Finding = { sign: 'unclaimed', words, since: new Date(task.updated_at).toISOString(), calls: [] }
        await showWatch(tx, task, { ...finding, rung: 'told', at: new Date(tx.now).toISOString() }, words, 'watchdog')
        await askAboutStuck(tx, task, stuckItem(task, finding, [], null))
      })
  }

  const again = () => {
    if (stopped) return
    timer = setTimeout(() => {
      void look()
        .catch((error: unknown) => {
          if (!stopped) parts.onError(error)
        })
        .finally(again)
    }, every())
    timer.unref()
  }
  return {
    look,
    start: again,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await looking
    },
  }
}

const DONE: Partial<Record<Rung, string>> = {
  nudged: 'its agent was told',
  model: 'another model went on',
  supervised: 'the supervisor looked at it',
  parked: 'a person let it go on',
}
const triedWords = (rungs: readonly Rung[]): string[] => rungs.flatMap((one) => DONE[one] ?? [])
const pastOf = ({ rung, tried }: Episode, { trace }: Memory): Memory['past'] => ({ rung, tried, replies: trace.replies })
