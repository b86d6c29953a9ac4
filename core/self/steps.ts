/** The steps of a change, each from one durable state to the next. Every step may be done again: it looks first what is done already. */
import { existsSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Level, mayGoAlone } from '../contract/change.ts'
import { Fault } from '../contract/fault.ts'
import { isOver } from '../contract/task.ts'
import type { Tx } from '../store/store.ts'
import { endCall, openCall, wakeIfFree } from '../tasks/move.ts'
import { openReview, settleReview } from '../tasks/review.ts'
import { save, toReview } from '../tasks/rows.ts'
import type { SelfParts } from './change.ts'
import { needsPage } from './gate-list.ts'
import type { Candidate, Gates, Told } from './gates.ts'
import type { KeeperEvent } from './keeper-home.ts'
import { type ChangeRow, changeOf, digestOf, digestOfGates, EMPTY, gatesOf, moveChange, openChangeRows, recordMove } from './rows.ts'

/** What of a diff stands in a review item; the whole is read by its route. */
const SHOWN_DIFF = 60_000
/** What of a gate's log its author is told. */
const TOLD_LOG = 6_000
const UNDER_WAY = new Set(['merged', 'restarting', 'watching'])

export function openSteps(parts: SelfParts, fail: (name: string) => void) {
  const { store, source, keeper } = parts
  const startedAt = Date.now()
  let restartAsked = false

  /** Does one step of one change. False: nothing can be done now. */
  async function advance(signal: AbortSignal, onlyBack: boolean): Promise<boolean> {
    const all = await openChangeRows(store.db)
    const rows = onlyBack ? all.filter((row) => row.kind === 'rollback' || UNDER_WAY.has(row.state)) : all
    // What was merged is kept or taken back before anything else follows it.
    const busy = rows.find((row) => UNDER_WAY.has(row.state) && (parts.isKept() || row.state !== 'merged'))
    if (busy) return step(busy, signal)
    for (const row of rows.filter((one) => one.state === 'review')) if (await step(row, signal)) return true
    for (const row of rows.filter((one) => one.state !== 'review')) if (await step(row, signal)) return true
    return false
  }
  async function step(row: ChangeRow, signal: AbortSignal): Promise<boolean> {
    try {
      if (row.state === 'proposed' || row.state === 'gating') return await gate(row, signal)
      if (row.state === 'review') return await decided(row, signal)
      if (row.state === 'merged') return await start(row)
      return await watch(row)
    } catch (error) {
      if (!(error instanceof Fault) || signal.aborted) throw error
      return wait(row, error.message)
    }
  }
  /** It cannot go on now, and a person should read why. */
  async function wait(row: ChangeRow, note: string): Promise<false> {
    if (row.note !== note)
      await store.transact(async (tx) => {
        const [next] = await tx.db
          .updateTable('changes')
          .set({ note, updated_at: tx.now })
          .where('id', '=', row.id)
          .where('state', '=', row.state)
          .returningAll()
          .execute()
        if (next) await recordMove(tx, next, next.state as never)
      })
    return false
  }
  async function refuse(row: ChangeRow, note: string, set: Partial<ChangeRow> = {}, more = ''): Promise<true> {
    await store.transact(
      async (tx) => {
        const next = await moveChange(tx, row, 'refused', { ...set, note })
        await answer(tx, next, `Change ${row.id} was refused: ${note}${more}`, true)
      },
      { durable: true },
    )
    return true
  }
  /** The author hears of the end. */
  async function answer(tx: Tx, row: ChangeRow, text: string, isError: boolean): Promise<void> {
    if (row.call_id === null) return
    const { call, task } = await openCall(tx, row.call_id)
    if (call.state === 'ended' || call.waits !== 'change' || isOver(task.status)) return
    await endCall(tx, task, call, parts.redact(text), isError)
    await save(tx, task)
    await wakeIfFree(tx, task)
  }

  async function gate(row: ChangeRow, signal: AbortSignal): Promise<boolean> {
    const found = await parts.gates()
    if ('why' in found) return refuse(row, found.why)
    if (await isStopped(row)) return refuse(row, 'The task that proposed it was stopped.')
    const base = await source.tip()
    const made = await source.candidate(base, row.submitted, { message: messageOf(row), at: Number(row.created_at), author: row.author })
    if (made.conflicts)
      return refuse(
        row,
        `The main branch has moved on and both changed ${made.conflicts.slice(0, 5).join(', ')}: merge "main" into your branch with git_operations and propose it again.`,
        { base },
      )
    if (made.tree === (await source.treeOf(base))) return refuse(row, 'It changes nothing: every file is as on the main branch.', { base })
    const begun = await store.transact(
      (tx) =>
        moveChange(tx, row, 'gating', {
          base,
          commit_hash: made.commit,
          tree: made.tree,
          round: Number(row.round) + 1,
          note: null,
          landing: null,
        }),
      { durable: true },
    )
    fail('change.after-gating')
    const candidate: Candidate = {
      base,
      commit: made.commit,
      tree: made.tree,
      kind: row.kind as Candidate['kind'],
      tainted: row.tainted === 1,
    }
    const result = await found.gates.run(candidate, {
      quick: false,
      signal,
      tell: (told, n) => store.transact((tx) => recordGate(tx, begun, told, n)),
    })
    fail('change.before-verdict')
    const { level, reasons } = result.level
    const files = await source.files(base, made.tree)
    const known = { level, reasons: JSON.stringify(reasons), files: JSON.stringify(files) }
    const bad = result.gates.find((one) => one.verdict === 'failed')
    if (bad) return refuse(begun, `the gate "${bad.name}" failed. ${bad.summary}`, known, logOf(bad))
    const gates = digestOfGates(await gatesOf(store.db, row.id, Number(begun.round)))
    const autonomy = await parts.autonomy()
    const diff = await source.diff(base, made.commit)
    await store.transact(
      async (tx) => {
        // Approved before, and main moved on without touching what was approved.
        if (begun.approved_tree === made.tree && begun.decided_by !== null) {
          await moveChange(tx, begun, 'review', { ...known, approved_gates: gates })
          return
        }
        if (mayGoAlone(level as Level, autonomy)) {
          const by = `the owner's setting for level ${level}`
          await moveChange(tx, begun, 'review', { ...known, approved_tree: made.tree, approved_gates: gates, decided_by: by })
          return
        }
        const id = `${row.id}-r${begun.round}`
        const { tree_id: treeId, task_id: taskId } = begun
        if (treeId === null || taskId === null) throw new Error(`change ${row.id} has no task that a person could be asked for`)
        await openReview(tx, {
          id,
          kind: 'self_change',
          treeId,
          taskId,
          callId: null,
          title: `Change Banyan itself: ${begun.title}`,
          action: {
            change: row.id,
            tree: made.tree,
            commit: made.commit,
            base,
            gatesDigest: gates,
            level,
            reasons,
            files,
            gates: result.gates.map(({ name, verdict, summary }) => ({ name, verdict, summary })),
            diff: diff.text.slice(0, SHOWN_DIFF),
            diffCut: diff.cut || diff.text.length > SHOWN_DIFF,
            author: {
              agent: begun.author,
              says: { kind: begun.kind, title: begun.title, why: begun.why, evidence: begun.evidence, effect: begun.effect },
            },
          },
          risk: level >= 3 ? 'high' : level === 2 ? 'medium' : 'low',
        })
        await moveChange(tx, begun, 'review', { ...known, review_id: id, approved_tree: null, approved_gates: null, decided_by: null })
      },
      { durable: true },
    )
    fail('change.after-review')
    return true
  }
  async function recordGate(tx: Tx, row: ChangeRow, told: Told, n: number): Promise<void> {
    const { name, verdict, summary, log, ms } = told
    const digest = digestOf(row.tree ?? '', name, verdict, summary)
    await tx.db
      .insertInto('change_gates')
      .values({
        change_id: row.id,
        round: Number(row.round),
        n,
        name,
        verdict,
        summary,
        log: log.replaceAll('\0', '␀'),
        digest,
        ms: Math.round(ms),
        at: tx.now,
      })
      .execute()
    tx.record(row.tree_id, {
      type: 'change.gated',
      changeId: row.id,
      round: Number(row.round),
      gate: name,
      verdict,
      summary,
      ms: Math.round(ms),
    })
  }
  async function isStopped(row: ChangeRow): Promise<boolean> {
    if (row.task_id === null) return false
    const task = await store.db.selectFrom('tasks').select('status').where('id', '=', row.task_id).executeTakeFirst()
    return task === undefined || isOver(task.status as never)
  }

  /** A person has decided, or the owner's setting has; or main has moved on and the gates run again. */
  async function decided(row: ChangeRow, signal: AbortSignal): Promise<boolean> {
    const tip = await source.tip()
    const landed = row.landing !== null && tip === row.commit_hash
    if (row.approved_tree === null) {
      const found = await store.db
        .selectFrom('reviews')
        .selectAll()
        .where('id', '=', row.review_id ?? '')
        .executeTakeFirst()
      const review = found ? toReview(found) : null
      if (review === null || review.state !== 'decided') {
        if (tip === row.base) return false
        return again(row, 'The main branch has moved on, so the gates run again.')
      }
      const { decision, comment, decidedBy } = review
      const said = comment ? ` They said: ${comment}` : ''
      const by = { decided_by: decidedBy }
      if (decision === 'changes')
        return refuse(row, `${decidedBy} asks for changes.${said} Change it in the same folder and propose it again.`, by)
      if (decision !== 'approve')
        return refuse(row, decidedBy === 'system' ? (comment ?? 'Its item was closed.') : `${decidedBy} rejected it.${said}`, by)
      const shown = review.action as { tree?: unknown; gatesDigest?: unknown }
      await store.transact(
        async (tx) => {
          const set = { approved_tree: String(shown.tree), approved_gates: String(shown.gatesDigest), ...by, note: null }
          const [next] = await tx.db
            .updateTable('changes')
            .set({ ...set, updated_at: tx.now })
            .where('id', '=', row.id)
            .where('state', '=', 'review')
            .where('round', '=', row.round)
            .returningAll()
            .execute()
          if (next) await recordMove(tx, next, 'review')
        },
        { durable: true },
      )
      fail('change.after-decision')
      return true
    }
    if (row.kind !== 'rollback') {
      const gates = digestOfGates(await gatesOf(store.db, row.id, Number(row.round)))
      if (row.approved_tree !== row.tree || row.approved_gates !== gates)
        return again(row, 'What was approved is not what would land, so it is asked anew.')
    }
    if (!landed && tip !== row.base)
      return row.kind === 'rollback' ? anew(row, tip) : again(row, 'The main branch has moved on, so the gates run again.')
    if (row.kind !== 'rollback' && !landed) {
      const found = await parts.gates()
      if ('gates' in found && (await found.gates.packages.of(row.tree!)) === null) return fetchPackages(row, found.gates, signal)
    }
    if (parts.isKept() && !landed) {
      const slot = await keeper.running()
      if (slot !== null && slot.tree !== (await source.treeOf(row.base!)))
        return wait(row, 'The main branch holds commits that do not run yet: restart Banyan with `npm start`, then this goes on.')
    }
    return land(row)
  }
  /** A person agreed to what was only read; with its packages the candidate is run, and lands if it passes. */
  async function fetchPackages(row: ChangeRow, gates: Gates, signal: AbortSignal): Promise<true> {
    try {
      await gates.packages.fetch(row.tree!, signal)
    } catch (error) {
      if (error instanceof Fault && !signal.aborted) return refuse(row, error.message)
      throw error
    }
    fail('change.after-packages')
    return again(row, 'Its packages are fetched, so everything is tried with them.')
  }
  async function again(row: ChangeRow, note: string): Promise<true> {
    await store.transact(
      async (tx) => {
        if (row.review_id !== null) await settleReview(tx, row.review_id, { decision: 'reject', comment: note, by: 'system' })
        await moveChange(tx, row, 'gating', { note, review_id: null, landing: null })
      },
      { durable: true },
    )
    return true
  }

  async function land(row: ChangeRow): Promise<true> {
    const { base, commit_hash: commit } = row
    if (base === null || commit === null) throw new Error(`change ${row.id} has no commit to land`)
    const began = row.landing !== null
    const branch = row.landing ?? (await source.landing(commit))
    if (!began)
      await store.transact(
        (tx) => tx.db.updateTable('changes').set({ landing: branch }).where('id', '=', row.id).where('state', '=', 'review').execute(),
        {
          durable: true,
        },
      )
    fail('change.before-land')
    const done = await source.land(base, commit, branch, began)
    fail('change.after-land')
    const kept = parts.isKept()
    await store.transact(
      async (tx) => {
        const note = done.join === null ? null : `Join it with your branch: ${done.join}`
        const next = await moveChange(tx, row, 'merged', { landing: branch, landed: done.branch, join_command: done.join, note })
        if (row.reverts !== null) {
          const undone = await changeOf(tx.db, row.reverts)
          if (undone && ['merged', 'restarting', 'watching', 'kept'].includes(undone.state)) {
            const last = await moveChange(tx, undone, 'undone', { note: `${row.decided_by} took it back.` })
            await answer(tx, last, `Change ${last.id} was taken back by a person.`, true)
          }
        }
        if (!kept)
          await answer(
            tx,
            next,
            `Change ${row.id} is merged on ${done.branch} as ${commit.slice(0, 12)}. It runs after the next restart; no keeper watches this process.`,
            false,
          )
      },
      { durable: true },
    )
    fail('change.after-merged')
    return true
  }

  /** Hands it to the keeper. Without one it runs from the next start on, which is seen then. */
  async function start(row: ChangeRow): Promise<boolean> {
    if (!parts.isKept()) {
      if (Number(row.updated_at) >= startedAt || row.join_command !== null) return false
      if (!(await source.isAncestor(row.commit_hash!, await source.tip()))) return false
      await store.transact((tx) => moveChange(tx, row, 'kept', { note: 'It runs since the restart; there was no keeper to watch it.' }), {
        durable: true,
      })
      return true
    }
    await request(row)
    await store.transact((tx) => moveChange(tx, row, 'restarting'), { durable: true })
    fail('change.after-restarting')
    return true
  }
  const requestId = (row: ChangeRow): string => `${row.id}-${row.commit_hash!.slice(0, 12)}`
  async function request(row: ChangeRow): Promise<void> {
    const id = requestId(row)
    if (await keeper.knows(id)) return
    const [ready, place] = [keeper.slot(row.tree!), keeper.incoming(row.tree!)]
    // What runs, or may be gone back to, is never touched.
    const isThere = (await keeper.slots()).items.some((slot) => slot.tree === row.tree) || existsSync(ready)
    if (!isThere && !existsSync(place)) {
      const draft = `${place}.new`
      await rm(draft, { recursive: true, force: true })
      await mkdir(dirname(place), { recursive: true })
      await source.materialise(row.tree!, draft)
      await rename(draft, place)
    }
    const page = await pageOf(row, isThere ? ready : place)
    await keeper.place(row.tree!)
    fail('change.before-request')
    const from = await source.treeOf(row.base!)
    await keeper.writeRequest({ id, kind: 'change', changeId: row.id, commit: row.commit_hash!, tree: row.tree!, page, from })
    fail('change.after-request')
  }

  /** Puts the built page of this revision into its folder; answers its hash. */
  async function pageOf(row: ChangeRow, folder: string): Promise<string | null> {
    if ((await source.text(row.tree!, 'web/vite.config.ts')) === null) return null
    const place = join(folder, 'web', 'dist')
    if (!existsSync(place)) {
      const draft = `${keeper.incoming(row.tree!)}.page`
      await rm(draft, { recursive: true, force: true })
      await cp(await builtPage(row), draft, { recursive: true })
      await rename(draft, place)
      await rm(join(parts.pages, row.tree!), { recursive: true, force: true })
    }
    return source.hashFolder(place)
  }
  async function builtPage(row: ChangeRow): Promise<string> {
    const running = await keeper.running()
    const theirs = running && join(keeper.slot(running.tree), 'web', 'dist')
    if (theirs && existsSync(theirs) && !needsPage(await source.files(row.base!, row.tree!))) return theirs
    const built = join(parts.pages, row.tree!)
    if (existsSync(built)) return built
    // What is taken back brings the page of before, which nobody has kept.
    const found = await parts.gates()
    if ('why' in found) throw new Fault('unavailable', found.why)
    const ended = await found.gates.buildPage(row.tree!, undefined)
    if (ended.code === 0) return built
    throw new Fault('unprocessable', 'The page of this revision could not be built; run the gates again, or look at it in the checkout.')
  }

  async function watch(row: ChangeRow): Promise<boolean> {
    const told = (await keeper.events()).filter((event) => event.changeId === row.id && (event.tree === null || event.tree === row.tree))
    const end = told.find(({ type }) => type === 'undone') ?? told.findLast(({ type }) => type === 'kept' || type === 'refused')
    const back = await takingBack(row)
    // A person's word ends the watch, also one that came while it ended.
    if (back && row.state === 'watching' && end?.type !== 'undone' && parts.isKept()) return goBack(row, back)
    if (end?.type === 'kept') {
      await store.transact(
        async (tx) => {
          const next = await moveChange(tx, row, 'kept', { note: end.reason, keeper_told: JSON.stringify(told) })
          await answer(tx, next, `Change ${row.id} is merged on ${row.landed}, runs, and is kept.`, false)
        },
        { durable: true },
      )
      return true
    }
    if (end) return undo(row, end.reason ?? (end.type === 'refused' ? 'The keeper refused it.' : 'It did not work.'), told)
    if (row.state === 'restarting' && told.some((event) => event.type === 'ready')) {
      await store.transact((tx) => moveChange(tx, row, 'watching'), { durable: true })
      return true
    }
    if (row.state === 'restarting' && parts.isKept() && told.length === 0) {
      await request(row)
      restartOnce()
    }
    return false
  }
  /** Asked once by each process: the next one sees what came of it. */
  function restartOnce(): void {
    if (!restartAsked) parts.restart()
    restartAsked = true
  }
  /** The person's wish to take back what is still watched. */
  const takingBack = async (row: ChangeRow): Promise<ChangeRow | undefined> =>
    (await openChangeRows(store.db)).find((one) => one.kind === 'rollback' && one.reverts === row.id)
  /** The keeper does it at once, from the revision that it still has; main follows when that runs. */
  async function goBack(row: ChangeRow, back: ChangeRow): Promise<false> {
    const id = requestId(back)
    if (!(await keeper.knows(id))) {
      const reason = `${back.decided_by} took it back${back.why === '' ? '.' : `: ${back.why}`}`
      fail('change.before-back')
      await keeper.writeRequest({ id, kind: 'rollback', changeId: row.id, reason })
      fail('change.after-back')
    }
    restartOnce()
    return false
  }

  /** The code has gone back already; main follows it, so that nothing is built on what did not work. */
  async function undo(row: ChangeRow, why: string, told: readonly KeeperEvent[]): Promise<true> {
    const tip = await source.tip()
    const back = await takingBack(row)
    let note = why
    if (tip === row.commit_hash) {
      const made = await source.reversal(tip, row.commit_hash, {
        message: `Take back: ${row.title}\n\n${why}\n\nBanyan-Change: ${row.id}`,
        at: Number(row.updated_at),
      })
      if (made.conflicts === null) await source.land(tip, made.commit, await source.landing(made.commit), true)
    } else if ((await source.treeOf(tip)) !== (await source.treeOf(row.base!)) && (await source.isAncestor(row.commit_hash!, tip)))
      note = `${why} Later commits stand on it, so the main branch still holds it; take it back there with git revert ${row.commit_hash!.slice(0, 12)}.`
    const now = await source.tip()
    fail('change.after-undo')
    await store.transact(
      async (tx) => {
        const next = await moveChange(tx, row, 'undone', { note, keeper_told: JSON.stringify(told) })
        await answer(tx, next, `Change ${row.id} ran and was undone: ${note}`, true)
        if (back) {
          const landed = await moveChange(tx, back, 'merged', { landed: row.landed, commit_hash: now })
          await moveChange(tx, landed, 'kept', { note: 'The revision from before runs again.' })
        }
      },
      { durable: true },
    )
    return true
  }

  const backWords = (row: ChangeRow, why: string | null) =>
    `Take back: ${row.title}\n\n${why ?? 'A person took it back.'}\n\nBanyan-Change: ${row.id}`
  async function takeBack(row: ChangeRow, by: string, why: string | null): Promise<ChangeRow> {
    const tip = await source.tip()
    const at = Date.now()
    const made = await source.reversal(tip, row.commit_hash!, { message: backWords(row, why), at })
    if (made.conflicts)
      throw new Fault(
        'conflict',
        `Later changes of ${made.conflicts.slice(0, 5).join(', ')} stand on it, so it cannot be taken back alone; take those back first.`,
      )
    if (made.tree === (await source.treeOf(tip))) throw new Fault('conflict', `Nothing of ${row.id} is left on the main branch.`)
    const files = await source.files(tip, made.tree)
    return store.transact(
      async (tx) => {
        const [next] = await tx.db
          .insertInto('changes')
          .values({
            ...EMPTY,
            id: `${row.id}b${made.commit.slice(0, 6)}`,
            kind: 'rollback',
            state: 'review',
            title: `Take back: ${row.title}`.slice(0, 300),
            why: why ?? '',
            evidence: '',
            effect: '',
            author: by,
            tree_id: null,
            task_id: null,
            call_id: null,
            tainted: 0,
            submitted: made.commit,
            level: 2,
            reasons: JSON.stringify(['a person takes a change back']),
            files: JSON.stringify(files),
            base: tip,
            commit_hash: made.commit,
            tree: made.tree,
            approved_tree: made.tree,
            decided_by: by,
            reverts: row.id,
            created_at: at,
            updated_at: at,
          })
          .returningAll()
          .execute()
        await recordMove(tx, next!, null)
        return next!
      },
      { durable: true },
    )
  }
  /** Main has moved on before a rollback could land. */
  async function anew(row: ChangeRow, tip: string): Promise<boolean> {
    const undone = await changeOf(store.db, row.reverts!)
    const made = await source.reversal(tip, undone!.commit_hash!, {
      message: backWords(undone!, row.why || null),
      at: Number(row.created_at),
    })
    if (made.conflicts)
      return refuse(row, `Later changes of ${made.conflicts.slice(0, 5).join(', ')} stand on it, so it cannot be taken back alone.`)
    await store.transact((tx) =>
      tx.db
        .updateTable('changes')
        .set({ base: tip, commit_hash: made.commit, tree: made.tree, approved_tree: made.tree, landing: null })
        .where('id', '=', row.id)
        .where('state', '=', 'review')
        .execute(),
    )
    return true
  }

  return {
    advance,
    takeBack,
    /** Where the author's branch left main. */
    async beganAt(row: ChangeRow): Promise<string> {
      return source.mergeBase(await source.tip(), row.submitted)
    },
  }
}

/** What the author needs in order to mend it. The end of a log says most. */
function logOf({ name, log }: Told): string {
  const words = log.trim()
  if (words === '') return ''
  return `\n\n${words.length > TOLD_LOG ? 'The end of the' : 'The'} log of "${name}":\n${words.slice(-TOLD_LOG)}\n\nMend it in the same folder and submit again.`
}

function messageOf(row: ChangeRow): string {
  const paragraphs = [
    row.title,
    row.why,
    row.evidence && `Evidence: ${row.evidence}`,
    row.effect && `Expected: ${row.effect}`,
    `Banyan-Change: ${row.id}`,
  ]
  return `${paragraphs.filter((one) => one !== '').join('\n\n')}\n`
}
