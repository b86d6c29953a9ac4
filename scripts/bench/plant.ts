/** A large goal for measurements, written straight into the tables. */
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts'
import type { Store } from '../../core/store/store.ts'
import { openTasks } from '../../core/tasks/tasks.ts'

/** Writes a goal of `count` tasks, ten below each, each with one message; its id. Nothing of it waits for a worker, so that an engine leaves it as it is. */
export async function plant(store: Store, count: number): Promise<string> {
  const { treeId } = await openTasks(store).createGoal({
    goal: 'Measure a large tree.',
    agent: 'generalist',
    mode: 'auto',
    limits: DEFAULT_LIMITS,
    priority: 0,
    workspace: 'task',
    submittedBy: 'bench',
    origin: 'person',
  })
  await store.transact(async (tx) => {
    await tx.db.updateTable('tasks').set({ status: 'paused' }).where('id', '=', treeId).execute()
  })
  const root = await store.db.selectFrom('tasks').selectAll().where('id', '=', treeId).executeTakeFirstOrThrow()
  const ids = [treeId]
  const statuses = ['done', 'done', 'done', 'done', 'done', 'done', 'paused', 'failed', 'paused', 'cancelled']
  for (let from = 1; from < count; from += 500)
    await store.transact(async (tx) => {
      const some = Array.from({ length: Math.min(500, count - from) }, (_, k) => {
        const i = from + k
        const parent = ids[Math.floor((i - 1) / 10)]!
        const id = `${parent}.${i % 10}a`
        ids.push(id)
        return {
          ...root,
          id,
          parent_id: parent,
          title: `Look at part ${i} of the large tree and say what it holds`,
          status: statuses[i % 10]!,
          tokens: i,
          cost_micros: i,
          created_at: tx.now + i,
          updated_at: tx.now + 2 * i,
        }
      })
      for (let at = 0; at < some.length; at += 100)
        await tx.db
          .insertInto('tasks')
          .values(some.slice(at, at + 100))
          .execute()
      const text = 'The words of a message, which are many, as agents like to speak at length. '.repeat(10)
      const said = some.map((task, k) => ({
        task_id: task.id,
        n: 1,
        role: 'user',
        body: JSON.stringify({ role: 'user', from: 'parent', text: `${text}${from + k === 777 ? 'needle' : ''}` }),
        at: tx.now,
      }))
      for (let at = 0; at < said.length; at += 100)
        await tx.db
          .insertInto('messages')
          .values(said.slice(at, at + 100))
          .execute()
    })
  return treeId
}
