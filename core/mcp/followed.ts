/** Banyan's tasks as the Tasks extension tells them: the same id, and what a person is asked as input that is required. */
import { mustAllow, type Principal } from '../auth/principal.ts'
import { Fault } from '../contract/fault.ts'
import { isOver, type Task } from '../contract/task.ts'
import type { Tasks } from '../tasks/tasks.ts'
import { questionKey, questionOf, takeReplies } from './questions.ts'
import { taskShape, taskText } from './shapes.ts'
import type { FollowedTask, FollowedTasks } from './surface.ts'

const POLL_MS = 2_000
/** Questions that were turned down and are not asked by this process again; they stay in the queue. */
const TURNED_DOWN = 10_000

/** `turnedDown`: keys of questions that this person left to the queue. */
export async function followedTask(
  tasks: Tasks,
  task: Task,
  by: Principal,
  base: string,
  turnedDown: ReadonlySet<string> = new Set(),
): Promise<FollowedTask> {
  const shape = taskShape(task)
  const url = `${base}/trees/${task.treeId}`
  const head = {
    taskId: task.id,
    createdAt: task.createdAt,
    lastUpdatedAt: task.updatedAt,
    ttlMs: null,
    pollIntervalMs: POLL_MS,
    statusMessage: `${shape.label}: ${task.title}`,
  }
  if (task.status === 'cancelled') return { ...head, status: 'cancelled' }
  if (isOver(task.status)) {
    const isError = task.status !== 'done'
    return { ...head, status: 'completed', result: { data: { over: true, task: shape, reviews: [], url }, text: taskText(shape), isError } }
  }
  const open = await tasks.reviews({ state: 'open', treeId: task.treeId, limit: 50 })
  const asked = open.items.filter(
    (one) => one.kind !== 'flag' && (one.taskId === task.id || one.taskId.startsWith(`${task.id}.`)) && !turnedDown.has(questionKey(one)),
  )
  if (asked.length === 0) return { ...head, status: 'working' }
  if (!by.scopes.has('review:decide')) return { ...head, status: 'working', statusMessage: `Waits for a person: ${url}` }
  return { ...head, status: 'input_required', questions: asked.map(questionOf) }
}

export function openFollowed(tasks: Tasks, baseUrl: () => string): FollowedTasks {
  const turnedDown = new Set<string>()
  const find = (id: string) =>
    tasks.task(id).catch((error: unknown) => {
      if (error instanceof Fault && error.code === 'not_found') return null
      throw error
    })
  return {
    async get(id, by) {
      const task = await find(id)
      return task && followedTask(tasks, task, by, baseUrl(), turnedDown)
    },
    async reply(id, replies, by) {
      const own = [...replies].filter(([key]) => key.startsWith(`${id}/`) || key.startsWith(`${id}.`) || key.startsWith(`${id}#`))
      for (const key of await takeReplies(tasks, new Map(own), by)) turnedDown.add(key)
      for (const key of turnedDown) if (turnedDown.size > TURNED_DOWN) turnedDown.delete(key)
    },
    async cancel(id, by) {
      mustAllow(by, 'goals:write')
      await tasks.control(id, { verb: 'cancel', by: by.name }).catch((error: unknown) => {
        if (!(error instanceof Fault) || error.code !== 'conflict') throw error // it is over already
      })
    },
  }
}
