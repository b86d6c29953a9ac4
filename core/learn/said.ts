/**
 * Reads what was said in the history: reasons of evaluators, flags that a person answered, refusals of tools with the call that went well
 * after them. Tasks that had read words of others are left out: those could write into an instruction so.
 */
import { sql } from 'kysely'
import { readCommand } from '../contract/answers.ts'
import type { Verdict } from '../contract/task.ts'
import type { Store } from '../store/store.ts'
import { answersOf } from './answers-of.ts'
import type { Said } from './find-words.ts'

/** Newest rows of each that are looked at. */
const VERDICTS = 2_000
const FLAGS = 500
const CALLS = 1_000
const INPUT = 300

/** `judges`: agents whose tasks are verdicts on others. `tools`: those whose refusals are read. */
export async function saidIn(store: Store, judges: readonly string[], tools: readonly string[]): Promise<Said[]> {
  const said = [...(await flags(store))]
  for (const judge of judges) said.push(...(await verdicts(store, judge)))
  for (const tool of tools) said.push(...(await refusals(store, tool)))
  return said
}

async function verdicts(store: Store, judge: string): Promise<Said[]> {
  const rows = await store.db
    .selectFrom('tasks as e')
    .innerJoin('tasks as t', 't.id', 'e.parent_id')
    .select(['e.verdict', 'e.created_at', 't.id', 't.tree_id', 't.agent', 't.status'])
    .where('e.agent', '=', judge)
    .where('e.kind', '=', 'evaluate')
    .where('e.status', '=', 'done')
    .where('t.taint', '=', '[]')
    .orderBy('e.created_at', 'desc')
    .limit(VERDICTS)
    .execute()
  return rows.flatMap((row): Said[] => {
    const verdict = JSON.parse(row.verdict ?? 'null') as Verdict | null
    if (verdict === null || verdict.passed) return []
    return [
      {
        ...{ sign: 'verdict', agent: row.agent, treeId: row.tree_id, taskId: row.id, callId: null, at: Number(row.created_at) },
        text: verdict.reasons,
        mend: row.status === 'done' ? 'It was told this.' : null,
      },
    ]
  })
}

async function flags(store: Store): Promise<Said[]> {
  const rows = await store.db
    .selectFrom('reviews as r')
    .innerJoin('tasks as t', 't.id', 'r.task_id')
    .select(['r.title', 'r.action', 'r.comment', 'r.call_id', 'r.created_at', 't.id', 't.tree_id', 't.agent'])
    .where('r.kind', '=', 'flag')
    .where('t.taint', '=', '[]')
    .orderBy('r.created_at', 'desc')
    .limit(FLAGS)
    .execute()
  return rows.map((row) => ({
    ...{ sign: 'flag' as const, agent: row.agent, treeId: row.tree_id, taskId: row.id, callId: row.call_id, at: Number(row.created_at) },
    text: row.title,
    mend: row.comment?.trim() || null,
  }))
}

async function refusals(store: Store, tool: string): Promise<Said[]> {
  const calls = await store.db
    .selectFrom('calls as c')
    .innerJoin('tasks as t', 't.id', 'c.task_id')
    .select(['c.id', 'c.task_id', 'c.ok', 'c.ended_at', 't.tree_id', 't.agent'])
    // A whole file may be in it.
    .select(sql<string>`substr(c.input, 1, ${sql.lit(INPUT)})`.as('input'))
    .where('c.tool', '=', tool)
    .where('c.ended_at', 'is not', null)
    .where('t.taint', '=', '[]')
    // What a person said no to is no fault of the call.
    .where((e) =>
      e.not(
        e.exists(e.selectFrom('reviews as r').select('r.id').whereRef('r.task_id', '=', 'c.task_id').whereRef('r.call_id', '=', 'c.id')),
      ),
    )
    .orderBy('c.ended_at', 'desc')
    .limit(CALLS)
    .execute()
  const failed = calls.filter((call) => Number(call.ok) === 0)
  if (failed.length === 0) return []
  const said = await answersOf(store, [...new Set(failed.map((call) => call.task_id))])
  return failed.flatMap((call): Said[] => {
    const text = said.get(call.id) ?? ''
    // What a command wrote is about its work, not about how the tool is called.
    if (text === '' || readCommand(text)) return []
    const after = calls
      .filter((other) => other.task_id === call.task_id && Number(other.ok) === 1 && Number(other.ended_at) > Number(call.ended_at))
      .sort((a, b) => Number(a.ended_at) - Number(b.ended_at))[0]
    return [
      {
        ...{
          sign: 'call',
          agent: call.agent,
          treeId: call.tree_id,
          taskId: call.task_id,
          callId: call.id,
          at: Number(call.ended_at),
          tool,
          text,
        },
        mend: after ? after.input : null,
      },
    ]
  })
}
