/** What calls of tasks were answered, by the id of the call. */
import type { Store } from '../store/store.ts'

export async function answersOf(store: Store, taskIds: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let from = 0; from < taskIds.length; from += 500) {
    const rows = await store.db
      .selectFrom('messages')
      .select('body')
      .where('task_id', 'in', taskIds.slice(from, from + 500))
      .where('role', '=', 'tool')
      .execute()
    for (const { body } of rows) {
      const said = JSON.parse(body) as { callId?: string; text?: string }
      if (said.callId !== undefined) found.set(said.callId, said.text ?? '')
    }
  }
  return found
}
