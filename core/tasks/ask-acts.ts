/** What was done for an ask, as a fact of the ask, and what an ask is told of those before it in its conversation. */
import { ASK_ACTS, type AskAct, choicesIn } from '../contract/ask.ts'
import type { Fact } from '../contract/event.ts'
import { Fault } from '../contract/fault.ts'
import { joinTaint, type Taint } from '../contract/policy.ts'
import type { Tx } from '../store/store.ts'
import { append, openTask, save } from './rows.ts'

/** The call of an agent by which something is done for the person who asked. */
export type AskedBy = { treeId: string; taskId: string; callId: string }

/** Exchanges that an ask is told of, and characters of each text. */
const EARLIER = 6
const LONGEST = 2_000

/** In the transaction of the act itself. */
export function recordAct(tx: Tx, asked: AskedBy, act: string, goals: string[]): void {
  const { treeId, taskId, callId } = asked
  if (!isAskAct(act)) return
  tx.record(treeId, { type: 'ask.acted', taskId, callId, act, goals })
}
const isAskAct = (act: string): act is AskAct => (ASK_ACTS as readonly string[]).includes(act)

/** The conversation that this ask belongs to. */
export async function conversationOf(tx: Tx, ask: string): Promise<string> {
  const row = await tx.db.selectFrom('trees').select('conversation').where('id', '=', ask).executeTakeFirst()
  if (!row?.conversation)
    throw new Fault('not_found', `There is no conversation ${ask}; leave it out to begin one, or give the id of an earlier ask.`)
  return row.conversation
}

/** The words and answers before it, as something that it read; what those had read from others, it has read too. */
export async function tellEarlier(tx: Tx, id: string, conversation: string): Promise<void> {
  const rows = await tx.db
    .selectFrom('trees')
    .innerJoin('tasks', 'tasks.id', 'trees.id')
    .select(['trees.id', 'trees.goal', 'tasks.result', 'tasks.note', 'tasks.taint'])
    .where('trees.conversation', '=', conversation)
    .where('trees.id', '<>', id)
    .orderBy('trees.created_at', 'desc')
    .orderBy('trees.id', 'desc')
    .limit(EARLIER)
    .execute()
  const root = await openTask(tx, id, id)
  root.taint = JSON.stringify(joinTaint(JSON.parse(root.taint) as Taint[], ...rows.map((row) => JSON.parse(row.taint) as Taint[])))
  const about = await actsOf(
    tx,
    rows.map((row) => row.id),
  )
  const said = rows
    .reverse()
    .map((row) =>
      [
        `They said: ${short(row.goal)}`,
        `You answered: ${short(row.result ?? row.note ?? 'nothing yet')}`,
        ...(about.get(row.id) ?? []),
      ].join('\n'),
    )
  await append(tx, root, {
    role: 'user',
    from: 'system',
    text: `Earlier in this conversation, oldest first, so that you know what words like "it" or "the second one" mean. What was done is done: do not repeat it.\n\n${said.join('\n\n')}`,
  })
  await save(tx, root)
}
/** Which goals each of these asks was about, by their ids. */
async function actsOf(tx: Tx, ids: readonly string[]): Promise<Map<string, string[]>> {
  const rows = await tx.db
    .selectFrom('events')
    .select(['tree_id', 'fact'])
    .where('tree_id', 'in', [...ids])
    .where('fact', 'like', '%"ask.acted"%')
    .orderBy('seq')
    .execute()
  const lines = new Map<string, string[]>()
  for (const { tree_id, fact } of rows) {
    const told = JSON.parse(fact) as Fact
    if (told.type !== 'ask.acted' || tree_id === null) continue
    const goals = told.goals.join(', ')
    const line = choicesIn(told.goals) ? `Not done yet: ${told.act}; any of ${goals} could be meant.` : `Done: ${told.act} ${goals}.`
    lines.set(tree_id, [...(lines.get(tree_id) ?? []), line])
  }
  return lines
}

const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text)
