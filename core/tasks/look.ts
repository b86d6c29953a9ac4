/** One call, one message, and what a turn was sent: in full, or cut to what a screen shows. */
import type { CallDetail, SentContext } from '../contract/api-look.ts'
import { Fault } from '../contract/fault.ts'
import type { Message } from '../contract/message.ts'
import type { Store } from '../store/store.ts'
import { cutTo } from './previews.ts'

/** Bytes shown by default, and at most in an answer that is JSON. */
const [PREVIEW, WHOLE] = [64 * 1024, 2_000_000]

export type Part = { text: string; bytes: number; cut: boolean }
/** `full`: everything up to 2 MB; more than that is fetched as a file. */
function partOf(text: string, full: boolean): Part {
  const bytes = Buffer.byteLength(text)
  if (full && bytes > WHOLE)
    throw new Fault('too_large', `This is ${bytes} bytes, more than a page can show; fetch it as a file with raw=1.`)
  const most = full ? WHOLE : PREVIEW
  if (bytes <= most) return { text, bytes, cut: false }
  // Cut by bytes, then to whole characters.
  const kept = Buffer.from(text)
    .subarray(0, most)
    .toString()
    .replace(/\uFFFD$/, '')
  return { text: cutTo(kept, kept.length), bytes, cut: true }
}
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** With its answer in full, for a file. `call` is its id or the part after the slash. */
export async function readCall(store: Store, taskId: string, call: string, full: boolean): Promise<CallDetail & { whole: string }> {
  const id = call.includes('/') ? call : `${taskId}/${call}`
  const row = await store.db.selectFrom('calls').selectAll().where('id', '=', id).where('task_id', '=', taskId).executeTakeFirst()
  if (!row) throw new Fault('not_found', `There is no call ${call} in task ${taskId}.`)
  const answer = row.state === 'ended' ? await answerOf(store, taskId, row.n, id) : undefined
  const output = answer && { ...partOf(answer.text, full), isError: answer.isError, n: answer.n }
  const input = partOf(row.input, full)
  return {
    id,
    taskId,
    tool: row.tool,
    state: row.state,
    effect: row.effect,
    attempts: row.attempts,
    waits: row.waits,
    approved: row.approved === 1,
    ok: row.ok === null ? null : row.ok === 1,
    begunAt: iso(row.begun_at),
    endedAt: iso(row.ended_at),
    input: { json: input.text, bytes: input.bytes, cut: input.cut },
    output: output ?? null,
    whole: answer?.text ?? '',
  }
}
async function answerOf(store: Store, taskId: string, after: number, callId: string) {
  const rows = await store.db
    .selectFrom('messages')
    .select(['n', 'body'])
    .where('task_id', '=', taskId)
    .where('role', '=', 'tool')
    .where('n', '>', after)
    .orderBy('n')
    .execute()
  for (const { n, body } of rows) {
    const message = JSON.parse(body) as Extract<Message, { role: 'tool' }>
    if (message.callId === callId) return { text: message.text, isError: message.isError, n }
  }
  return undefined
}

/** `whole` is the text in full, for a file. */
export async function readMessage(
  store: Store,
  taskId: string,
  n: number,
  full: boolean,
): Promise<Part & { n: number; role: string; whole: string }> {
  const row = await store.db.selectFrom('messages').select('body').where('task_id', '=', taskId).where('n', '=', n).executeTakeFirst()
  if (!row) throw new Fault('not_found', `There is no message ${n} in task ${taskId}.`)
  const message = JSON.parse(row.body) as Message
  const whole =
    message.role === 'system'
      ? ((await store.db.selectFrom('prompts').select('body').where('hash', '=', message.promptHash).executeTakeFirst())?.body ?? '')
      : message.text
  return { n, role: message.role, ...partOf(whole, full), whole }
}

/** What turns were sent beside their history. Versions of tools are those that were saved last by then. */
export async function readSentContext(store: Store, taskId: string, n: number | undefined): Promise<SentContext> {
  const task = await store.db.selectFrom('tasks').select('instruction').where('id', '=', taskId).executeTakeFirst()
  if (!task) throw new Fault('not_found', `There is no task ${taskId}.`)
  let ask = store.db.selectFrom('messages').selectAll().where('task_id', '=', taskId).where('role', '=', 'system').orderBy('n', 'desc')
  if (n !== undefined) ask = ask.where('n', '<=', n)
  const row = await ask.executeTakeFirst()
  if (!row) throw new Fault('not_found', 'No turn of this task was sent to a model by then.')
  const message = JSON.parse(row.body) as Extract<Message, { role: 'system' }>
  const prompt = await store.db.selectFrom('prompts').select('body').where('hash', '=', message.promptHash).executeTakeFirst()
  const documents = await Promise.all(
    message.documents.map(async ({ name, version }) => {
      const saved = await store.db
        .selectFrom('versions')
        .select('body')
        .where('kind', '=', 'document')
        .where('name', '=', name)
        .where('version', '=', version)
        .executeTakeFirst()
      return { name, version, text: saved ? contentOf(saved.body, 'content') : null }
    }),
  )
  const tools = await Promise.all(
    message.tools.map(async (name) => {
      const saved = await store.db
        .selectFrom('versions')
        .select(['version', 'body'])
        .where('kind', '=', 'tool')
        .where('name', '=', name)
        .where('at', '<=', row.at)
        .orderBy('version', 'desc')
        .executeTakeFirst()
      return { name, version: saved?.version ?? null, description: saved ? (contentOf(saved.body, 'description') ?? '') : '' }
    }),
  )
  return {
    n: row.n,
    at: new Date(row.at).toISOString(),
    agent: message.agent,
    agentVersion: message.agentVersion,
    prompt: prompt?.body ?? '',
    instruction: task.instruction,
    documents,
    tools,
  }
}
function contentOf(body: string, field: string): string | null {
  const value = (JSON.parse(body) as Record<string, unknown>)[field]
  return typeof value === 'string' ? value : null
}
