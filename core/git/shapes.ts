/** What tasks ask of git repositories, and what they are answered. */
import type { WorkspaceFiles } from '../exec/files.ts'
import type { Owner } from '../exec/local.ts'

export type RepositoriesOptions = {
  dataDir: string
  /** PATH that git and what it needs are found on. */
  path: string
  /** The user that commands run as, when the runtime is root. */
  runAs?: Owner | undefined
  now?: () => number
}
/** The task that asks. `files` are its workspace's, `folder` that folder's absolute path, made if missing. */
export type Asker = {
  treeId: string
  taskId: string
  agent: string
  files: Pick<WorkspaceFiles, 'existing' | 'write'>
  folder(): Promise<string>
  /** What a person typed as this task, if a person did. */
  typed?: string | null
  signal?: AbortSignal
}
export type Worktree = { repository: string; branch: string; folder: string; created: boolean }
export type Change = { path: string; what: 'new' | 'changed' | 'deleted' | 'conflict' }
export type FilePatch = { path: string; text: string }
/** A work tree against the commit that it began from, what is in no commit included. `cut`: the patches are not all. */
export type WorktreeChanges = {
  repository: string
  branch: string
  base: string
  head: string
  commits: number
  files: FilePatch[]
  untracked: string[]
  cut: boolean
}
export type Commit = { hash: string; author: string; at: string; subject: string }

/** Most files that an answer names. */
export const LISTED = 2_000

/** What one task may do with the repositories of its goal. Every name is checked; what is not right is a Fault that says so. */
export type TaskGit = {
  /** Names of the goal's repositories, and this task's own work trees. */
  list(): Promise<{
    repositories: string[]
    worktrees: { repository: string; task: string; branch: string; folder: string; locked: boolean }[]
  }>
  /** What this task's own work trees hold beyond where they began. Makes none. */
  changed(): Promise<WorktreeChanges[]>
  clone(source: string, name?: string): Promise<Worktree & { head: string }>
  /**
   * A repository that the system itself hands over, by the folder that holds its objects and the newest commit of its main branch. Again: main
   * is brought forward. Not for sources that an agent names.
   */
  adopt(name: string, from: { dir: string; commit: string }): Promise<Worktree & { head: string; dir: string }>
  /** This task's work tree, made on first use from the branch of the nearest task above it, or from `from`. */
  worktree(repository: string | undefined, from?: string): Promise<Worktree>
  /** The branch stays and the sweep may take the folder away once the task is over. */
  keep(repository?: string): Promise<{ branch: string }>
  status(repository?: string): Promise<{ branch: string; head: string; ahead: number; changes: Change[]; complete: boolean }>
  diff(
    ask: { from?: string | undefined; to?: string | undefined; paths?: string[] | undefined },
    repository?: string,
  ): Promise<{ files: FilePatch[]; untracked: string[]; cut: boolean }>
  log(ask: { of?: string | undefined; path?: string | undefined; most: number }, repository?: string): Promise<Commit[]>
  /** One commit with its changes, or with `path` a file as it was in it. */
  show(of: string, path: string | undefined, repository?: string): Promise<{ text: string; cut: boolean; binary: boolean }>
  branches(repository?: string): Promise<{ name: string; hash: string; subject: string; checkedOutBy: string | null }[]>
  branch(name: string, from: string | undefined, repository?: string): Promise<{ hash: string }>
  checkout(branch: string, repository?: string): Promise<{ hash: string }>
  /** All changes, or those of `paths`. The same call again finds the commit that it made the first time. */
  commit(
    ask: { message: string; paths?: string[] | undefined; callId: string },
    repository?: string,
  ): Promise<{ hash: string; branch: string; changes: Change[] }>
  mergeCheck(branch: string, into: string | undefined, repository?: string): Promise<{ clean: boolean; conflicts: string[]; into: string }>
  /** Into the branch of this task's work tree. With conflicts nothing is changed. */
  merge(
    branch: string,
    message: string | undefined,
    repository?: string,
  ): Promise<{ kind: 'merged' | 'forward' | 'nothing'; hash: string } | { kind: 'conflict'; conflicts: string[] }>
  restore(paths: string[], from: string | undefined, repository?: string): Promise<{ paths: string[] }>
  /** Sends exactly this commit of a branch to where the repository came from; refused when the branch has moved on from what was shown. */
  push(branch: string | undefined, commit: string | undefined, repository?: string): Promise<{ to: string; branch: string; hash: string }>
  /** Where a push would go; null: nowhere. At once, for the question to the person who decides. */
  origin(repository: string | undefined): string | null
  /** True for a folder of this task's workspace, or one that a person named in the words of this very task. */
  mayClone(source: string): boolean
  isOutside(source: string): boolean
}
export type Repositories = {
  forTask(asker: Asker): TaskGit
  /**
   * Unlocks work trees of tasks that are over, and removes those whose work is merged or kept as a branch. One with changes that are in no
   * commit stays and is told of.
   */
  tidy(
    isOver: (taskId: string) => Promise<boolean>,
    only?: string,
  ): Promise<{ removed: string[]; stay: { task: string; folder: string; why: string }[] }>
  stop(): Promise<void>
}
