/** The rows of jobs: one as it begins, counted against the limits and told of in the log in one commit; and those of a task. */
import type { Selectable } from 'kysely'
import { Fault } from '../contract/fault.ts'
import { isOver, type TaskStatus } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import type { Database } from '../store/tables.ts'

export type JobRow = Selectable<Database['jobs']>
/** All of a task, the newest last. */
export const jobsOf = (store: Store, taskId: string): Promise<JobRow[]> =>
  store.db.selectFrom('jobs').selectAll().where('task_id', '=', taskId).orderBy('started_at').orderBy('id').execute()

/** The call that starts it; calls have unique ids, so the job's is the same. */
export type JobMoment = { treeId: string; taskId: string; callId: string }
type Beginning = { line: string; place: string; isolation: string; terminal?: { columns: number; rows: number } }

/** A Fault when there are enough already, or the task is over. A call that a restart cut off begins its job anew under its old name. */
export async function beginJob(
  store: Store,
  at: JobMoment,
  given: Beginning,
  limits: { perTask: number; perSystem: number },
): Promise<JobRow> {
  return store.transact(async (tx) => {
    const task = await tx.db.selectFrom('tasks').select('status').where('id', '=', at.taskId).executeTakeFirst()
    if (!task || isOver(task.status as TaskStatus)) throw new Fault('conflict', 'The task is over and starts no more jobs.')
    const running = await tx.db.selectFrom('jobs').select(['task_id', 'name', 'command']).where('state', '=', 'running').execute()
    const own = running.filter((job) => job.task_id === at.taskId)
    if (own.length >= limits.perTask)
      throw new Fault(
        'limited',
        `This task has ${own.length} jobs that run, and no more are allowed: ${own.map((job) => `${job.name} (${job.command.slice(0, 60)})`).join(', ')}. Stop one with terminal_job first.`,
      )
    if (running.length >= limits.perSystem)
      throw new Fault(
        'limited',
        `${running.length} jobs run in the whole system, and no more are allowed. Run the command without "background", or wait until others have ended.`,
      )
    const before = await tx.db.selectFrom('jobs').selectAll().where('id', '=', at.callId).executeTakeFirst()
    const count = await tx.db
      .selectFrom('jobs')
      .select((e) => e.fn.countAll<number>().as('count'))
      .where('task_id', '=', at.taskId)
      .executeTakeFirstOrThrow()
    const row = {
      id: at.callId,
      tree_id: at.treeId,
      task_id: at.taskId,
      name: before?.name ?? `job-${Number(count.count) + 1}`,
      command: given.line,
      cwd: given.place,
      isolation: given.isolation,
      terminal: given.terminal ? `${given.terminal.columns}x${given.terminal.rows}` : null,
      state: 'running',
      ending: null,
      exit_code: null,
      output: '',
      output_bytes: 0,
      cpu_ms: null,
      peak_memory_bytes: null,
      starts: Number(before?.starts ?? 0) + 1,
      started_at: tx.now,
      ended_at: null,
      seen_at: tx.now,
    }
    await tx.db
      .insertInto('jobs')
      .values(row)
      .onConflict((c) => c.column('id').doUpdateSet(row))
      .execute()
    tx.record(at.treeId, { type: 'job.started', taskId: at.taskId, job: row.name, command: row.command, isolation: row.isolation })
    return row
  })
}
