/**
 * Sends traces to an OTLP receiver. Facts are read from a saved place, which moves on only when the receiver took their spans: kill -9 loses
 * none, and what is sent twice has the same ids. While the receiver is away nothing piles up but the log that is there anyway; a reader that
 * falls too far behind skips what is oldest and says so.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions'
import type { Event } from '../contract/event.ts'
import type { Store } from '../store/store.ts'
import { savedPlace, savePlace } from './cursor.ts'
import { type Looked, type Reopened, type SpanCall, type SpanTask, spansOf } from './spans.ts'

const READER = 'traces'
/** Facts of one request; the most that can be sent twice. */
const BATCH = 500
/** Facts that may wait for a receiver that is away. */
const BEHIND = 500_000
/** Tasks opened again that are remembered. */
const REOPENED = 1_000
/** What happens in this time goes out together. */
const GATHER_MS = 500
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [1_000, 60_000]
const TIMEOUT_MS = 10_000
/** A stop waits for the receiver no longer than this. */
const LAST_MS = 2_000

export type Traces = Awaited<ReturnType<typeof openTraces>>

export async function openTraces(parts: {
  store: Store
  endpoint: string
  headers: Readonly<Record<string, string>>
  version: string
  /** Texts that people and agents wrote are sent too. */
  content: boolean
  redact: (text: string) => string
  log: (level: 'info' | 'warn', words: string) => void
}) {
  const { store } = parts
  const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: 'banyan', [ATTR_SERVICE_VERSION]: parts.version })
  const exporter = new OTLPTraceExporter({
    url: `${parts.endpoint}/v1/traces`,
    headers: { ...parts.headers },
    timeoutMillis: TIMEOUT_MS,
  })
  const saved = await savedPlace<{ reopened: Reopened }>(store, READER)
  // What was before anybody asked for traces is history.
  let seq = saved?.seq ?? (await store.lastSeq())
  let reopened: Reopened = saved?.state.reopened ?? {}
  if (!saved) await savePlace(store, READER, seq, { reopened })
  let stopping = false
  let failing = false
  let wait = FIRST_WAIT_MS
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  function later(ms: number): void {
    if (!stopping)
      timer ??= setTimeout(() => {
        timer = undefined
        void run()
      }, ms).unref()
  }
  function run(): Promise<void> {
    running ??= go().finally(() => {
      running = undefined
    })
    return running
  }

  async function go(): Promise<void> {
    try {
      const last = await store.lastSeq()
      if (last - seq > BEHIND) {
        parts.log('warn', `Traces of ${last - BEHIND - seq} facts are skipped: the receiver at ${parts.endpoint} was away for too long`)
        seq = last - BEHIND
      }
      for (;;) {
        const events = await store.eventsAfter(seq, { limit: BATCH })
        if (events.length === 0) return
        const looked = await look(store, events, parts.content)
        const next = { ...reopened }
        const spans = events.flatMap((event) => spansOf(event, looked, next, { resource, content: parts.content, redact: parts.redact }))
        if (spans.length > 0) await send(spans)
        reopened = Object.fromEntries(Object.entries(next).slice(-REOPENED))
        seq = events.at(-1)!.seq
        await savePlace(store, READER, seq, { reopened })
        if (failing) parts.log('info', `Traces are sent to ${parts.endpoint} again`)
        failing = false
        wait = FIRST_WAIT_MS
      }
    } catch (error) {
      if (stopping) return
      if (!failing)
        parts.log(
          'warn',
          `Traces cannot be sent to ${parts.endpoint}: ${error instanceof Error ? error.message : String(error)}; nothing is lost, and it is tried again`,
        )
      failing = true
      later(wait)
      wait = Math.min(wait * 2, LONGEST_WAIT_MS)
    }
  }

  /** Resolves when they are taken, or refused in a way that no repeat would mend. */
  function send(spans: ReadableSpan[]): Promise<void> {
    return new Promise((resolve, reject) =>
      exporter.export(spans, ({ code, error }) => {
        if (code === 0) return resolve()
        const status = (error as { code?: number } | undefined)?.code
        if (status === undefined || status < 400 || status >= 500 || [401, 403, 404, 408, 429].includes(status))
          return reject(error ?? new Error('the receiver did not take them'))
        parts.log('warn', `${spans.length} spans were refused by ${parts.endpoint} (${status}) and are left out`)
        resolve()
      }),
    )
  }

  const forget = store.onCommit(() => {
    if (!failing) later(GATHER_MS)
  })
  later(0)

  return {
    /** Number of the newest fact whose spans were taken. */
    place: () => seq,
    /** Sends what there is, for a moment. */
    async close(): Promise<void> {
      forget()
      clearTimeout(timer)
      const last = failing ? Promise.resolve() : (running ?? Promise.resolve()).then(run)
      let late: NodeJS.Timeout | undefined
      await Promise.race([last, new Promise((resolve) => (late = setTimeout(resolve, LAST_MS)))])
      clearTimeout(late)
      stopping = true
      await exporter.shutdown().catch(() => undefined) // what it still held is read again at the next start
      await running
    },
  }
}

/** The rows that the facts of a batch name, in three reads. */
async function look(store: Store, events: readonly Event[], content: boolean): Promise<Looked> {
  const about = events.filter((event) => event.type === 'task.moved' || event.type === 'model.called')
  const ids = [...new Set(about.map((event) => event.taskId))]
  const called = [...new Set(events.flatMap((event) => (event.type === 'model.called' ? event.taskId : [])))]
  const numbers = [...new Set(events.flatMap((event) => (event.type === 'model.called' && event.n !== undefined ? event.n : [])))]
  const callIds = content ? events.flatMap((event) => (event.type === 'call.ended' ? event.callId : [])) : []
  const tasks = new Map<string, SpanTask>()
  const modelCalls = new Map<string, SpanCall>()
  const inputs = new Map<string, string>()
  if (ids.length > 0)
    for (const row of await store.db
      .selectFrom('tasks')
      .select(['id', 'parent_id', 'agent', 'kind', 'title', 'instruction', 'created_at'])
      .where('id', 'in', ids)
      .execute())
      tasks.set(row.id, {
        parentId: row.parent_id,
        agent: row.agent,
        kind: row.kind,
        title: row.title,
        instruction: row.instruction,
        createdAt: Number(row.created_at),
      })
  if (numbers.length > 0)
    for (const row of await store.db
      .selectFrom('model_calls')
      .select(['task_id', 'n', 'input', 'output', 'cache_read', 'cache_write'])
      .where('task_id', 'in', called)
      .where('n', 'in', numbers)
      .execute())
      modelCalls.set(`${row.task_id} ${row.n}`, {
        input: Number(row.input),
        output: Number(row.output),
        cacheRead: Number(row.cache_read),
        cacheWrite: Number(row.cache_write),
      })
  if (callIds.length > 0)
    for (const row of await store.db.selectFrom('calls').select(['id', 'input']).where('id', 'in', callIds).execute())
      inputs.set(row.id, row.input)
  return {
    task: (id) => tasks.get(id),
    modelCall: (taskId, n) => modelCalls.get(`${taskId} ${n}`),
    toolInput: (callId) => inputs.get(callId),
  }
}
