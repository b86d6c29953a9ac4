/** What is known of files before and after they were changed, and what can be asked of it. */
import type { Selectable } from 'kysely'
import type { Store } from '../../store/store.ts'
import type { Database } from '../../store/tables.ts'

export type HistoryOptions = {
  store: Store
  dataDir: string
  /** Folder of a tree's workspaces. */
  folderOf(treeId: string): string
  protectedPaths?: readonly string[]
  /** Largest file that is kept. */
  fileBytes?: number
  /** Largest folder that is looked at around a command. */
  most?: { files: number; bytes: number }
  /** What is kept of one tree; the oldest goes first. */
  treeBytes?: number
}
/** What a change belongs to. `by`: a person's name, or `agent`. */
export type Moment = { treeId: string; taskId: string; callId: string; by?: string }
export type FileChange = Selectable<Database['file_changes']>
export type Undone = {
  /** Undo this, and it is as before. Null when nothing was changed. */
  id: string | null
  files: { path: string; what: 'restored' | 'removed' | 'brought back' }[]
  conflicts: { path: string; why: string }[]
  /** Files that were already as they should be. */
  already: number
}
export type Held = { content: Uint8Array | null; bytes: number; why: string | null }
export type History = {
  /** Notes what a file will hold, then lets `act` write it. `path` is relative to `folder`, which lies in the tree's. */
  writing<T>(
    at: Moment,
    folder: string,
    path: string,
    next: { data: string | Uint8Array; append: boolean },
    act: () => Promise<T>,
  ): Promise<T>
  /**
   * Notes that a file goes, or goes to another path where there is none, then lets `act` do it. Refuses what is not kept: it could not be
   * undone. Paths are real ones in the tree's folder.
   */
  taking<T>(at: Moment, path: string, to: string | null, act: () => Promise<T>): Promise<T>
  /** Notes what `act` changed in a folder, also when it failed. */
  around<T>(at: Moment, folder: string, act: () => Promise<T>): Promise<T>
  /** The same for an act that others work beside: what they noted meanwhile is theirs, and the rest is noted as `settle` is called. */
  beside<T>(at: Moment, folder: string, act: () => Promise<T>): Promise<T>
  /** Notes what the acts that run beside others have changed up to now: one, by its call, or all of a tree. */
  settle(treeId: string, callId?: string): Promise<void>
  /** A person's file, streamed into the tree's folder. Larger than `most` is refused and leaves nothing behind. */
  upload(
    at: Omit<Moment, 'callId'>,
    path: string,
    content: AsyncIterable<Uint8Array>,
    most: number,
  ): Promise<{ bytes: number; created: boolean; undoable: boolean }>
  changes(taskId: string, ask: { scope: 'node' | 'subtree'; after: number; limit: number }): Promise<FileChange[]>
  /** One file before change `n` and after change `to` of it; its bytes are null where they are not kept, and `why` says so. */
  contents(taskId: string, n: number, to: number): Promise<{ path: string; before: Held | null; after: Held | null }>
  /** Puts files back to what they were before a call, or before all of a task's calls. Itself a change that can be undone. */
  undo(ask: { taskId: string; scope: 'node' | 'subtree'; callId?: string | undefined; by: string }): Promise<Undone>
  /** Puts files back to what they were before message `from` of a task: its calls from there on, and the tasks these started. */
  undoFrom(ask: { taskId: string; from: number; by: string }): Promise<Undone>
  /** Commands that change a folder of the tree just now, in this process; `folder` is relative to the tree's. */
  underWay(treeId: string): { taskId: string; folder: string }[]
  /** Paths that were changed since that message, by the task and by subtasks that it started since; sorted. */
  changedFrom(ask: { taskId: string; from: number }): Promise<string[]>
  /** After a crash: notes what commands that were cut off had changed. Only while nothing runs. */
  recover(): Promise<number>
}

/** A file at one moment: the hash of its content, null where there is none, `UNKNOWN` where it is not kept and `why` says so. */
export type Seen = { hash: string | null; bytes: number | null; mode: number | null; why: string | null }
/** The files of a folder by their path in the tree's; `whole` is false where it holds more than is looked at. */
export type Snapshot = { files: Map<string, Seen>; whole: boolean }
/** An act that others work beside. */
export type Watch = { at: Moment; folder: string; prefix: string; before: Snapshot }
/** One change that is to be noted. */
export type Row = Pick<FileChange, 'path'> & { before: Seen; after: Seen; why: string | null }

export const ABSENT: Seen = { hash: null, bytes: null, mode: null, why: null }
export const UNKNOWN = '?'

/** Ids tell lineage: a task's begins with its tree's. */
export const treeOf = (taskId: string): string => taskId.split('.', 1)[0]!
