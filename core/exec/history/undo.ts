/** Puts files back, and refuses where somebody's later work would be lost. */
import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../contract/fault.ts'
import type { Store } from '../../store/store.ts'
import { isCode } from '../errno.ts'
import { type WorkspaceFiles, workspaceFiles } from '../files.ts'
import type { Contents } from './contents.ts'
import { holdFolder } from './folder.ts'
import type { Look } from './look.ts'
import type { Notes } from './notes.ts'
import { type FileChange, type Moment, type Seen, treeOf, UNKNOWN, type Undone } from './shapes.ts'

export type Undoing = ReturnType<typeof openUndo>

/** Reads the noted changes of tasks and puts files back to what they were before them. */
export function openUndo(options: {
  store: Store
  folderOf(treeId: string): string
  protectedPaths: readonly string[]
  contents: Contents
  look: Look['look']
  notes: Notes
}) {
  const { store, protectedPaths, contents, look } = options
  const { note, settle } = options.notes

  async function rowsOf(taskId: string, scope: 'node' | 'subtree'): Promise<FileChange[]> {
    const rows = await store.db
      .selectFrom('file_changes')
      .selectAll()
      .where('tree_id', '=', treeOf(taskId))
      .where((e) =>
        scope === 'node'
          ? e('task_id', '=', taskId)
          : e.or([e('task_id', '=', taskId), e.and([e('task_id', '>', `${taskId}.`), e('task_id', '<', `${taskId}/`)])]),
      )
      .orderBy('n')
      .execute()
    return rows
  }

  /** Changes by calls of a task from this message on, and by subtasks that those calls started. */
  async function rowsFrom(taskId: string, from: number) {
    const rows = await rowsOf(taskId, 'subtree')
    const calls = await store.db.selectFrom('calls').select('id').where('task_id', '=', taskId).where('n', '>=', from).execute()
    const later = new Set(calls.map((call) => call.id))
    const children = await store.db.selectFrom('tasks').select(['id', 'call_id']).where('parent_id', '=', taskId).execute()
    const started = children.filter((child) => child.call_id !== null && later.has(child.call_id)).map((child) => child.id)
    return rows.filter((row) => later.has(row.call_id) || started.some((id) => row.task_id === id || row.task_id.startsWith(`${id}.`)))
  }

  async function putBack(taskId: string, chosen: readonly FileChange[], by: string, what: string): Promise<Undone> {
    const treeId = treeOf(taskId)
    await settle(treeId)
    const done: Undone = { id: null, files: [], conflicts: [], already: 0 }
    const at: Moment = { treeId, taskId, callId: `${taskId}/undo-${randomUUID().slice(0, 8)}`, by }
    const paths = new Map<string, FileChange[]>()
    for (const row of chosen) paths.set(row.path, [...(paths.get(row.path) ?? []), row])
    const files = workspaceFiles(options.folderOf(treeId), { protectedPaths })
    for (const [path, rows] of paths) {
      const [first, last] = [rows[0]!, rows.at(-1)!]
      const refuse = (why: string) => void done.conflicts.push({ path, why })
      if (path === '') {
        refuse(first.why_not ?? 'what the command changed is not kept')
        continue
      }
      const now = await look(treeId, path)
      if (now.hash === first.before_hash && now.hash !== UNKNOWN && (now.hash === null || now.mode === first.before_mode)) {
        done.already++
        continue
      }
      const lost = rows.find((row) => row.why_not !== null)
      if (lost) {
        refuse(lost.why_not!)
        continue
      }
      // Each change must begin where the one before ended, and nothing may have come after the last; otherwise somebody's work would be lost.
      const gap = rows.find((row, i) => i > 0 && row.before_hash !== rows[i - 1]!.after_hash)
      if (gap || now.hash !== last.after_hash || now.hash === UNKNOWN) {
        refuse(now.why ?? (await whoSince(treeId, path, chosen, gap ? rows[rows.indexOf(gap) - 1]! : last)))
        continue
      }
      const content = first.before_hash === null ? null : await contents.read(treeId, first.before_hash).catch(() => 'gone' as const)
      if (content === 'gone') {
        refuse('its earlier content is not kept any more')
        continue
      }
      const then: Seen = { hash: first.before_hash, bytes: first.before_bytes, mode: first.before_mode, why: null }
      await note(at, [{ path, before: now, after: then, why: null }])
      try {
        if (content === null) await remove(treeId, path)
        else await bring(files, treeId, path, content, first.before_mode)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        refuse(error.message.replace(/\.$/, ''))
        continue
      }
      done.id = at.callId
      done.files.push({ path, what: content === null ? 'removed' : now.hash === null ? 'brought back' : 'restored' })
    }
    if (done.id !== null)
      await store.transact(async (tx) => {
        const words = `${what}: ${done.files.length} put back, ${done.conflicts.length} left as they are`
        tx.record(treeId, { type: 'task.controlled', taskId, verb: 'undo', by, comment: words })
      })
    return done
  }

  async function whoSince(treeId: string, path: string, chosen: readonly FileChange[], after: FileChange): Promise<string> {
    const later = await store.db
      .selectFrom('file_changes')
      .selectAll()
      .where('tree_id', '=', treeId)
      .where('path', '=', path)
      .where('n', '>', after.n)
      .orderBy('n')
      .execute()
    const other = later.find((row) => !chosen.some((one) => one.n === row.n))
    if (!other) return 'it was changed since, and nobody noted by whom'
    return `it was changed since by ${other.by === 'agent' ? `task ${other.task_id}` : other.by}`
  }

  async function bring(files: WorkspaceFiles, treeId: string, path: string, content: Uint8Array, mode: number | null): Promise<void> {
    await files.write(path, content)
    const held = await holdFolder(options.folderOf(treeId), path.split('/').slice(0, -1))
    if (held === null || held === 'other' || mode === null) return
    try {
      const handle = await open(
        join(held.anchor, path.split('/').at(-1)!),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      )
      await handle.chmod(mode).finally(() => handle.close())
    } finally {
      await held.close()
    }
  }
  async function remove(treeId: string, path: string): Promise<void> {
    const held = await holdFolder(options.folderOf(treeId), path.split('/').slice(0, -1))
    if (held === null || held === 'other') return
    try {
      await unlink(join(held.anchor, path.split('/').at(-1)!)).catch((error: unknown) => {
        if (!isCode(error, 'ENOENT')) throw error
      })
    } finally {
      await held.close()
    }
  }

  return { rowsOf, rowsFrom, putBack }
}
