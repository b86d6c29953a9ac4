/** An arm of a comparison: a system of its own in a folder of its own, thrown away afterwards. */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isOver, type TaskStatus } from '../contract/task.ts'
import type { SetGoal } from './goal-set.ts'
import type { Arm } from './lessons.ts'

/** A goal that takes longer has failed, where it says nothing else. */
const GOAL_MS = 60_000

/** What of a runtime an arm drives. */
export type Driven = {
  store: { onCommit(act: (events: readonly unknown[]) => void): () => void }
  tasks: {
    task(id: string): Promise<{ status: TaskStatus }>
    abort(id: string): Promise<unknown>
  }
  submit(goal: string): Promise<{ treeId: string }>
  end(): Promise<void>
}

/** `open` starts the system on an empty folder below `parent`. */
export async function openArm(parent: string, open: (folder: string) => Promise<Driven>): Promise<Arm> {
  await mkdir(parent, { recursive: true, mode: 0o711 })
  const folder = await mkdtemp(join(parent, 'arm-'))
  await chmod(folder, 0o711) // commands may run as another user, who passes through it
  const driven = await open(folder).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true })
    throw error
  })

  const over = (treeId: string, mostMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const end = (act: () => void) => {
        clearTimeout(timer)
        stop()
        act()
      }
      const look = () =>
        driven.tasks.task(treeId).then(
          ({ status }) => {
            if (isOver(status)) end(() => resolve(status))
          },
          (error: unknown) => end(() => reject(error)),
        )
      const timer = setTimeout(() => end(() => resolve('late')), mostMs)
      const stop = driven.store.onCommit(() => void look())
      void look()
    })

  return {
    async try(goal: SetGoal) {
      const begun = performance.now()
      const { treeId } = await driven.submit(goal.goal)
      const status = await over(treeId, goal.mostMs ?? GOAL_MS)
      if (status === 'late') await driven.tasks.abort(treeId)
      return { done: status === goal.ends, ms: Math.round(performance.now() - begun) }
    },
    async end() {
      await driven.end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
