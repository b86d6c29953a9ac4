/** The newest tasks of one agent and the newest calls of one tool are found without reading the others. Expands only. */
import { type Kysely, sql } from 'kysely'

export const number = 24
export const oldestCode = 1

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index tasks_of_agent on tasks (agent, created_at)`.execute(db)
  await sql`create index calls_of_tool on calls (tool, ended_at) where ended_at is not null`.execute(db)
  await sql`create index messages_of_prompts on messages (task_id, n) where role = 'system'`.execute(db)
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const name of ['messages_of_prompts', 'calls_of_tool', 'tasks_of_agent']) await sql`drop index ${sql.ref(name)}`.execute(db)
}
