/** Writes down what changed and by which call, also where several acts work in one folder at the same time. */
import type { Store } from '../../store/store.ts'
import type { Contents } from './contents.ts'
import type { Look } from './look.ts'
import type { OpenNotes } from './open-notes.ts'
import { ABSENT, type Moment, type Row, type Watch } from './shapes.ts'

export type Notes = ReturnType<typeof openNotes>

/** `onDisk`: what recovery reads after a crash. */
export function openNotes(store: Store, contents: Contents, onDisk: OpenNotes, { snapshot, difference }: Look) {
  /** Acts that others work beside, by their call: what the folder held when they were last looked at. */
  const watches = new Map<string, Watch>()
  const turns = new Map<string, Promise<unknown>>()

  async function note(at: Moment, rows: readonly Row[], told?: { verb: string; comment: string }): Promise<void> {
    if (rows.length === 0) return
    const { others, seen } = beside(at, rows)
    await store.transact(async (tx) => {
      if (tx.kind === 'postgres') await tx.db.selectFrom('trees').select('id').where('id', '=', at.treeId).forUpdate().execute()
      const last = await tx.db
        .selectFrom('file_changes')
        .select((e) => e.fn.max<number | null>('n').as('n'))
        .where('tree_id', '=', at.treeId)
        .executeTakeFirst()
      let n = Number(last?.n ?? 0)
      const values = [...others, ...rows.map((row) => ({ ...row, by: at }))].map(({ path, before, after, why, by }) => ({
        tree_id: at.treeId,
        n: ++n,
        task_id: by.taskId,
        call_id: by.callId,
        path,
        before_hash: before.hash,
        before_bytes: before.bytes,
        before_mode: before.mode,
        after_hash: after.hash,
        after_bytes: after.bytes,
        after_mode: after.mode,
        why_not: why,
        by: by.by ?? 'agent',
        at: tx.now,
      }))
      for (let from = 0; from < values.length; from += 50)
        await tx.db
          .insertInto('file_changes')
          .values(values.slice(from, from + 50))
          .execute()
      if (told)
        tx.record(at.treeId, { type: 'task.controlled', taskId: at.taskId, verb: told.verb, by: at.by ?? 'agent', comment: told.comment })
    })
    for (const watch of seen) await onDisk.keep(watch)
    await contents.shrink(at.treeId)
  }

  /** What acts beside this one had changed before it came: theirs. From now on they begin at what this one leaves. */
  function beside(at: Moment, rows: readonly Row[]): { others: (Row & { by: Moment })[]; seen: Set<Watch> } {
    const others: (Row & { by: Moment })[] = []
    const seen = new Set<Watch>()
    for (const watch of watches.values()) {
      if (watch.at.treeId !== at.treeId || watch.at.callId === at.callId || !watch.before.whole) continue
      for (const { path, before, after } of rows) {
        if (path === '' || !path.startsWith(watch.prefix)) continue
        const was = watch.before.files.get(path) ?? ABSENT
        const told = others.some((one) => one.path === path)
        if (!told && (was.hash !== before.hash || was.mode !== before.mode))
          others.push({ path, before: was, after: before, why: was.why ?? before.why, by: watch.at })
        if (after.hash === null) watch.before.files.delete(path)
        else watch.before.files.set(path, after)
        seen.add(watch)
      }
    }
    return { others, seen }
  }
  /** One after another in a tree where an act is watched: a file must not be looked at between its note and its write. */
  function inTurn<T>(treeId: string, act: () => Promise<T>): Promise<T> {
    if (![...watches.values()].some((watch) => watch.at.treeId === treeId)) return act()
    const mine = (turns.get(treeId) ?? Promise.resolve()).then(act, act)
    const done = mine.then(
      () => undefined,
      () => undefined, // told to whoever asked for it
    )
    turns.set(treeId, done)
    void done.then(() => {
      if (turns.get(treeId) === done) turns.delete(treeId)
    })
    return mine
  }
  async function settleOne(watch: Watch): Promise<void> {
    if (!watch.before.whole) return
    const now = await snapshot(watch.at.treeId, watch.folder)
    if (!now.whole) return // told once, at its end
    const rows = difference(watch.before, now)
    watch.before = now
    if (rows.length === 0) return
    await note(watch.at, rows)
    await onDisk.keep(watch)
  }
  const settle = (treeId: string, callId?: string): Promise<void> =>
    inTurn(treeId, async () => {
      for (const watch of watches.values())
        if (watch.at.treeId === treeId && (callId === undefined || watch.at.callId === callId)) await settleOne(watch)
    })

  /** Without what was noted just before the crash, when there was no time left to say so. */
  async function unnoted(treeId: string, rows: readonly Row[]): Promise<Row[]> {
    const kept: Row[] = []
    for (const row of rows) {
      const last = await store.db
        .selectFrom('file_changes')
        .select(['after_hash', 'after_mode'])
        .where('tree_id', '=', treeId)
        .where('path', '=', row.path)
        .orderBy('n', 'desc')
        .executeTakeFirst()
      if (row.path === '' || !last || last.after_hash !== row.after.hash || last.after_mode !== row.after.mode) kept.push(row)
    }
    return kept
  }

  return { note, inTurn, settle, unnoted, watches }
}
