/** Folders that tasks work in: one a tree, and inside it one for each task that has its own. */
import { chmod, cp, lchown, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../contract/fault.ts'
import type { Task } from '../contract/task.ts'
import { handOver, type Owner } from '../exec/local.ts'

export type Workspaces = {
  /** Absolute folder of a task, there or not. */
  path(task: Pick<Task, 'treeId' | 'workspace'>): string
  /** Absolute folder of a task, made if missing and handed to the user that commands run as. */
  of(task: Pick<Task, 'treeId' | 'workspace'>): Promise<string>
  /** Copies folders of the checkout into a tree's folder; what version control ignores stays out. */
  fill(treeId: string, from: string, names: readonly string[]): Promise<void>
}

export function workspaces(dataDir: string, runAs: Owner | undefined, failPoint: (name: string) => void = () => undefined): Workspaces {
  const root = join(dataDir, 'workspaces')
  const made = new Set<string>()

  async function of({ treeId, workspace }: Pick<Task, 'treeId' | 'workspace'>): Promise<string> {
    const folder = join(root, treeId, workspace)
    if (made.has(folder)) return folder
    await mkdir(folder, { recursive: true })
    failPoint('workspace.after-mkdir')
    if (runAs) {
      await passable()
      // Only the folders on the way: neighbours are at work in the others, and files come and go under a walk through all of them.
      const names = workspace.split('/').filter(Boolean)
      for (let depth = 0; depth <= names.length; depth++) await lchown(join(root, treeId, ...names.slice(0, depth)), runAs.uid, runAs.gid)
    }
    failPoint('workspace.after-made')
    if (made.size >= 10_000) made.clear()
    made.add(folder)
    return folder
  }
  /** The data folder keeps its secrets by the mode of each file; another user may pass through it and no more. */
  async function passable(): Promise<void> {
    for (const folder of [dataDir, root]) {
      const { mode } = await stat(folder)
      if ((mode & 0o001) === 0) await chmod(folder, (mode & 0o777) | 0o011)
    }
  }
  return {
    path: ({ treeId, workspace }) => join(root, treeId, workspace),
    of,
    async fill(treeId, from, names) {
      const folder = await of({ treeId, workspace: '' })
      for (const name of names) {
        if (!/^[a-z][a-z0-9-]*$/.test(name))
          throw new Fault('invalid', `An example may copy folders of the checkout by their plain name, not "${name}".`)
        await cp(join(from, name), join(folder, name), {
          recursive: true,
          filter: (path) => !/(^|\/)(node_modules|dist|\.git|data)(\/|$)/.test(path.slice(from.length + 1)),
        })
      }
      if (runAs) await handOver(folder, runAs)
    },
  }
}
