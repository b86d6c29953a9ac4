/**
 * Outside agents of a crash run. They act through the doors that `/mcp` calls, send each call under a key that follows from the task alone, and
 * know nothing but what they are told: one keeps its lease in a file, as a program that outlives the server does, one forgets all with each
 * kill, and one claims a task and is never heard of again.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../core/contract/fault.ts'
import { isOver } from '../../core/contract/task.ts'
import type { Runtime } from '../../core/runtime.ts'
import type { Claimed, Nothing } from '../../core/tasks/outside.ts'
import type { Noted } from './world.ts'

/** What an outside agent sees of its task. */
export type OutsideSees = { agent: string; instruction: string; answers: string[] }
export type OutsideCall = { tool: string; input: unknown }
type Held = { taskId: string; lease: string }

export const [REMEMBERS, FORGETS, SILENT] = ['remembers', 'forgets', 'silent'] as const
/** Long enough for a turn on a busy machine, short enough that a run waits for the silent one. */
export const OUTSIDE_LEASE_MS = 800

export function openOutsiders(runtime: Runtime, folder: string, note: (one: Noted) => void, work: (sees: OutsideSees) => OutsideCall) {
  const { outside } = runtime.tasks
  const file = (agent: string) => join(folder, `${agent}.json`)
  const recall = (agent: string): Held | null =>
    agent === REMEMBERS && existsSync(file(agent)) ? (JSON.parse(readFileSync(file(agent), 'utf8')) as Held | null) : null
  const held = new Map<string, Held | null>([REMEMBERS, FORGETS].map((agent) => [agent, recall(agent)]))
  /** Tasks whose calls of this life are not answered yet. */
  const sent = new Map<string, { taskId: string; n: number }>()
  const hold = (agent: string, now: Held | null): void => {
    held.set(agent, now)
    if (agent !== REMEMBERS) return
    // Killed in between, it remembers what it knew before, not half of it.
    writeFileSync(`${file(agent)}.new`, JSON.stringify(now))
    renameSync(`${file(agent)}.new`, file(agent))
  }

  async function take(agent: string): Promise<Held | null> {
    const got: Claimed | Nothing = await outside.claim(agent, {})
    if ('task' in got) return { taskId: got.task.id, lease: got.lease }
    // It has a task and does not remember it, as after a restart of its own.
    const lost = got.why === 'full' ? got.holds.find((id) => id !== sent.get(agent)?.taskId) : undefined
    if (lost === undefined) return null
    const again = await outside.claim(agent, { taskId: lost })
    return 'task' in again ? { taskId: again.task.id, lease: again.lease } : null
  }

  async function act(agent: string): Promise<void> {
    const waiting = sent.get(agent)
    if (waiting) {
      const { state } = await outside.look(waiting)
      if (state.kind === 'queued' || state.kind === 'running' || (state.kind === 'waits' && state.for === 'review')) return
      sent.delete(agent)
      await outside.tell(agent, waiting)
    }
    const own = held.get(agent) ?? (await take(agent))
    hold(agent, own)
    if (own === null) return
    const { task, grants } = await outside.beat(agent, own.taskId, own.lease)
    const brief = await runtime.briefs.of(task, grants)
    const answers = brief?.messages.flatMap((message) => (message.role === 'tool' ? [message.text] : [])) ?? []
    // It waits for its subtasks; claim_task brings it back.
    if (task.status === 'waiting' && task.reason !== 'external') return hold(agent, null)
    if (task.status !== 'waiting') return
    const { tool, input } = work({ agent: task.agent, instruction: task.instruction, answers })
    const key = `${agent}-${answers.length}`
    const call = await outside.send(agent, { taskId: own.taskId, lease: own.lease, key, tool, input })
    note({ what: 'sent', task: own.taskId, key, agent })
    sent.set(agent, { taskId: own.taskId, n: call.n })
  }

  return {
    /** One step of each. Resolves when each has done what it can now. */
    async step(silentDone: boolean): Promise<void> {
      if (!silentDone) {
        const got = await outside.claim(SILENT, {})
        if ('task' in got) note({ what: 'silent', task: got.task.id })
      }
      for (const agent of [REMEMBERS, FORGETS])
        try {
          await act(agent)
        } catch (error) {
          if (!(error instanceof Fault)) throw error
          // Its lease is over, or its task: it goes on with another, as it is told to.
          hold(agent, null)
          sent.delete(agent)
        }
    },
  }
}

/** Sentences about what is broken in what outside agents were promised. */
export async function judgeOutside({ store }: Runtime, noted: readonly Noted[]): Promise<string[]> {
  const found: string[] = []
  const sent = await store.db.selectFrom('outside_calls').selectAll().execute()
  const calls = new Map((await store.db.selectFrom('calls').selectAll().execute()).map((call) => [call.id, call]))
  for (const one of noted)
    if (one.what === 'sent' && !sent.some((row) => row.task_id === one.task && row.key === one.key))
      found.push(`the call ${one.key} of ${one.task} was taken and is gone`)
  const taken = new Map<string, number>()
  for (const row of sent) {
    if (row.call_id === null) continue
    taken.set(row.call_id, (taken.get(row.call_id) ?? 0) + 1)
    const call = calls.get(row.call_id)
    if (call === undefined) found.push(`the call ${row.key} of ${row.task_id} was taken up as ${row.call_id}, which there is not`)
    else if (call.tool !== row.tool || call.input !== row.input)
      found.push(`the call ${row.key} of ${row.task_id} was taken up as another: ${call.tool}`)
  }
  for (const [id, count] of taken) if (count > 1) found.push(`${count} calls of outside agents became the one call ${id}`)
  const holds = await store.db
    .selectFrom('outside_tasks as o')
    .innerJoin('tasks', 'tasks.id', 'o.task_id')
    .select(['o.task_id', 'o.agent', 'tasks.status'])
    .where('o.agent', '=', SILENT)
    .execute()
  for (const one of holds) if (!isOver(one.status as never)) found.push(`${one.task_id} is still with the agent that fell silent`)
  return found
}
