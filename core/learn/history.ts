/** Reads what commands did from the rows of calls and messages. */
import { readCommand } from '../contract/answers.ts'
import { lineOf } from '../contract/command-text.ts'
import type { Store } from '../store/store.ts'
import { answersOf } from './answers-of.ts'
import type { Run } from './find.ts'

/** Newest runs that are looked at; older ones say little of what the machine is now. */
const RUNS = 2_000
const ERROR = 4_000

type Input = { command?: string; argv?: string[]; timeout_seconds?: number; background?: boolean }

export async function runsOf(store: Store, tool: string): Promise<Run[]> {
  const calls = await store.db
    .selectFrom('calls')
    .innerJoin('tasks', 'tasks.id', 'calls.task_id')
    .select(['calls.id', 'calls.task_id', 'calls.input', 'calls.begun_at', 'calls.ended_at', 'tasks.tree_id'])
    .where('calls.tool', '=', tool)
    .where('calls.begun_at', 'is not', null)
    .where('calls.ended_at', 'is not', null)
    .orderBy('calls.ended_at', 'desc')
    .limit(RUNS)
    .execute()
  const answers = await answersOf(store, [...new Set(calls.map((call) => call.task_id))])
  return calls.flatMap((call) => {
    const input = JSON.parse(call.input) as Input
    const answer = readCommand(answers.get(call.id) ?? '')
    const line = input.command?.trim() ?? (input.argv ? lineOf(input.argv) : null)
    if (!answer || line === null || input.background) return []
    const limit = /timed out after (\d+) s/.exec(answer.ending)
    return [
      {
        treeId: call.tree_id,
        taskId: call.task_id,
        callId: call.id,
        line,
        limited: input.timeout_seconds !== undefined,
        begunAt: Number(call.begun_at),
        endedAt: Number(call.ended_at),
        outcome: limit ? ('timed_out' as const) : answer.exitCode === 0 ? ('ok' as const) : ('failed' as const),
        limitSeconds: limit ? Number(limit[1]) : null,
        error: answer.exitCode === 0 ? '' : (answer.stderr.trim() || answer.stdout).slice(-ERROR),
      },
    ]
  })
}
