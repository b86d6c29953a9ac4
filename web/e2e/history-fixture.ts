/** A task with a history that somebody wrote by hand: put into the tables of an engine that is down, so that the page shows what really came out of them. */
import { join } from 'node:path'
import type { Fact } from '../../core/contract/event.ts'
import type { Message } from '../../core/contract/message.ts'
import { openStore } from '../../core/store/store.ts'
import type { Instance } from '../../scripts/instance.ts'

export type Written = {
  title?: string
  instruction?: string
  result?: string
  summary?: string
  note?: string
  /** What it listed, checked, as a list in JSON. */
  evidence?: string
  /** Text of the prompt that a `system` message names by the hash `hash`. */
  prompt?: { hash: string; text: string }
  messages?: readonly Message[]
  /** Each has its place among the messages by its time: that of the newest message. */
  facts?: readonly Fact[]
}

/** Call it while the engine is down. The task must be over or held, so that nothing works on it. */
export async function writeHistory(banyan: Instance, taskId: string, written: Written): Promise<void> {
  const store = await openStore(`sqlite:${join(banyan.dataDir, 'agent_system.db')}`)
  const { messages = [], facts = [], prompt, ...columns } = written
  try {
    const task = await store.db.selectFrom('tasks').selectAll().where('id', '=', taskId).executeTakeFirstOrThrow()
    const last = await store.db
      .selectFrom('messages')
      .select((e) => e.fn.max<number | null>('n').as('n'))
      .where('task_id', '=', taskId)
      .executeTakeFirst()
    const from = Number(last?.n ?? 0)
    await store.transact(async (tx) => {
      if (Object.keys(columns).length > 0) await tx.db.updateTable('tasks').set(columns).where('id', '=', taskId).execute()
      const rows = messages.map((message, i) => ({
        task_id: taskId,
        n: from + i + 1,
        role: message.role,
        body: JSON.stringify(message),
        at: tx.now + i,
      }))
      for (let i = 0; i < rows.length; i += 100)
        await tx.db
          .insertInto('messages')
          .values(rows.slice(i, i + 100))
          .execute()
      for (const [i, message] of messages.entries()) {
        if (message.role !== 'assistant') continue
        for (const call of message.calls)
          await tx.db
            .insertInto('calls')
            .values({
              id: call.id,
              task_id: taskId,
              n: from + i + 1,
              tool: call.tool,
              input: JSON.stringify(call.input),
              state: 'ended',
              effect: 'read',
              attempts: 1,
              waits: null,
              wait_ids: null,
              approved: 0,
              begun_at: tx.now,
              ended_at: tx.now + 1_500,
              ok: 1,
            })
            .execute()
      }
      if (prompt) await tx.db.insertInto('prompts').values({ hash: prompt.hash, body: prompt.text, at: tx.now }).execute()
      for (const fact of facts) tx.record(task.tree_id, fact)
    })
  } finally {
    await store.close()
  }
}

/** An assistant's message without cost, for histories in which that does not matter. */
export const saysAs = (text: string, calls: { id: string; tool: string; input: unknown }[] = []): Message => ({
  role: 'assistant',
  text,
  calls,
  provider: 'anthropic',
  model: 'claude-sonnet-4-5',
  usage: { input: 1200, output: 340, reasoning: 120, cacheRead: 8000, cacheWrite: 400 },
  costMicros: 12_300,
  latencyMs: 2_400,
})
